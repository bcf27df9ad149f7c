"""One page for the browser with sliders over radius and density, which needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpu_clusters.io.embedded import map_names, with_land
from gpu_clusters.io.land import CREDIT

if TYPE_CHECKING:
    from gpu_clusters.sweeps.result import SweepResult

SHOWN = 100  # clusters of a setting
TEMPLATE = Path(__file__).with_name("page.html")


def write_page(result: SweepResult, path: Path) -> None:
    """Write the page; all that it shows is in it."""
    page = TEMPLATE.read_text(encoding="utf-8").replace("/*CREDIT*/", CREDIT).replace("/*NAMES*/", map_names())
    path.write_text(page.replace("/*DATA*/", with_land(page_data(result))), encoding="utf-8", newline="\n")


def page_data(result: SweepResult) -> dict[str, Any]:
    """What the page shows: the settings, and of each the first `SHOWN` clusters as [place, share, baseline cluster] by rank.

    Numbers have the digits that are shown: with more, of which the page would leave out some, they were rounded twice.
    """
    rows = result.clusters
    spot = rows["lon"].to_numpy() + 1j * rows["lat"].to_numpy()
    places = np.unique(pd.unique(spot))  # few of many
    share = rows["total_share"].round(3).to_numpy()
    match, rank = rows["baseline_cluster_id"].to_numpy(), rows["rank"].to_numpy()
    settings, low = [], 0
    for one in result.settings.itertuples(index=False):
        shown = slice(low, low + min(one.clusters, SHOWN))
        low += one.clusters
        columns = rank[shown], np.searchsorted(places, spot[shown]), share[shown], match[shown]
        settings.append(
            {
                "clusters": one.clusters,
                "shares": [round(value, 1) for value in (one.patent_share, one.publication_share, one.deal_share)],
                "rand": round(one.adjusted_rand, 3),
                "tau": None if np.isnan(one.kendall_tau) else round(one.kendall_tau, 3),
                "matched": one.matched,
                "rows": [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)],
            }
        )
    grid = result.manifest["grid"]
    matched = {row[3] for one in settings for row in one["rows"]}
    known = result.stability[result.stability["cluster_id"].isin(matched)]
    return {
        "weightings": grid["weightings"],
        "radii": grid["radii"],
        "densities": grid["densities"],
        "baseline": grid["baseline"],
        "places": np.column_stack((places.real, places.imag)).round(4).tolist(),
        "settings": settings,
        "baseline_clusters": dict(
            zip(
                known["cluster_id"].astype(str).tolist(),
                zip(
                    known["rank"].tolist(), known["label"].tolist(), known["robustness"].round(2).tolist(), strict=True
                ),
                strict=True,
            )
        ),
    }
