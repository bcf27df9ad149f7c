"""Results as tables in the columns that the method names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.io.coverage import with_whole_documents
from gpu_clusters.io.model import Deals
from gpu_clusters.schema import DEALS, LOCATIONS, RANKING, TEXT_COLUMNS, WHOLE_COLUMNS
from gpu_clusters.steps import count, label
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.members import Members
from gpu_clusters.steps.overlay import Overlay
from gpu_clusters.steps.score import Indicator, Scores


def ranking_table(
    indicators: Sequence[Indicator],
    scores: Scores,
    locations: Locations,
    clustering: Clustering,
    members: Members,
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The clusters by rank, in the columns of ``schema.RANKING``; what nothing has filled is empty.

    ``lon`` and ``lat`` are those of the cluster's densest location; NaN for a region without any.
    """
    patents, publications, deals = indicators
    core = members.cluster[clustering.core[members.place]]
    densest = members.densest(clustering.density_at)
    lon, lat = np.full((2, members.clusters), np.nan)
    lon[: len(densest)], lat[: len(densest)] = (
        locations.lon[densest],
        locations.lat[densest],
    )  # the empty ones come last
    columns = {
        "rank": scores.rank,
        "name": names,
        "economies": label.economies(indicators, scores.total_share),
        "patents": patents.sum,
        "publications": publications.sum,
        "deals": deals.sum,
        "patent_share": scores.patent_share,
        "publication_share": scores.publication_share,
        "deal_share": scores.deal_share,
        "total_share": scores.total_share,
        "rank_without_deals": scores.rank_without_deals,
        "top_applicant": label.largest(patents.by_organization, patents.organizations, members.clusters),
        "top_organization": label.largest(publications.by_organization, publications.organizations, members.clusters),
        "locations": np.bincount(members.cluster, minlength=members.clusters),
        "core_locations": np.bincount(core, minlength=members.clusters),
        "lon": lon,
        "lat": lat,
    }
    ranking = pd.DataFrame(columns).iloc[scores.order].reset_index(drop=True)
    ranking["cluster_id"] = np.arange(1, members.clusters + 1)
    return _complete(ranking)


def locations_table(locations: Locations, clustering: Clustering, cluster_id: NDArray[np.int64]) -> pd.DataFrame:
    """All locations in (lat, lon) order, in the columns of ``schema.LOCATIONS``."""
    columns = (
        locations.lon,
        locations.lat,
        locations.inventors,
        locations.authors,
        locations.weight,
        clustering.density_at,
        clustering.core,
        cluster_id,
        clustering.labels,
    )
    return pd.DataFrame(dict(zip(LOCATIONS, columns, strict=True)))


def deals_table(deals: Deals | None, placed: Overlay | None, cluster_id: NDArray[np.int64]) -> pd.DataFrame:
    """Distinct places of deals in (lat, lon) order, in the columns of ``schema.DEALS``."""
    if deals is None or placed is None:
        columns = (np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.int64))
    else:
        number = count.sums(placed.place.astype(np.int64), len(placed.lon), count.measure(deals))
        columns = (placed.lon, placed.lat, number, cluster_id[placed.labels])
    return pd.DataFrame(dict(zip(DEALS, columns, strict=True)))


def coverage_table(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The coverage of all tables, one below the other; numbers of documents are whole unless deals come in fractions."""
    return with_whole_documents(pd.concat(tables, ignore_index=True))


def _complete(ranking: pd.DataFrame) -> pd.DataFrame:
    """All columns of the ranking, in their order and with their types."""
    for name in RANKING:
        if name in TEXT_COLUMNS:
            ranking[name] = ranking[name].astype(object).where(ranking[name].notna(), None)
        elif name not in ranking:
            kind = "Int64" if name in WHOLE_COLUMNS else "Float64"
            ranking[name] = pd.array([None] * len(ranking), dtype=kind)
    return ranking[list(RANKING)]
