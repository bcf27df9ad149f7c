"""What became of the clusters of an earlier edition: found again by the weight at identical locations (method, section 10)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.io.model import Places
from gpu_clusters.steps.match import Overlaps, matched, overlaps


class Kinship(NamedTuple):
    """How the clusters of two editions belong together.

    ``match`` (k,) is the earlier cluster of each of today's, -1 for none. ``now`` and ``before`` have the same pairs of clusters
    that share a location (``one`` today's, ``other`` the earlier), with the weight there today and then. Clusters are rows of
    their rankings.
    """

    match: NDArray[np.int64]
    now: Overlaps
    before: Overlaps


def kinship(now: Places, before: Places, clusters: int, others: int) -> Kinship:
    """Match today's ``clusters`` with the ``others`` of an earlier edition.

    Each of today's clusters takes the earlier one with which it shares most of today's weight, each at most once, largest first;
    ties go to the smaller ranks.
    """
    here, there = shared(now, before)
    one, other = now.cluster[here], before.cluster[there]
    of_today = overlaps(one, other, now.weight[here], others)
    of_then = overlaps(one, other, before.weight[there], others)
    return Kinship(matched(of_today, clusters, others), of_today, of_then)


def shared(now: Places, before: Places) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the identical locations in either edition."""
    keys = (_keys(now), _keys(before))
    _, here, there = np.intersect1d(*keys, assume_unique=True, return_indices=True)
    return here, there


def with_previous(ranking: pd.DataFrame, before: pd.DataFrame, match: NDArray[np.int64]) -> pd.DataFrame:
    """The ranking with the ranks of the matched earlier clusters, and how far they are from today's.

    Parameters
    ----------
    ranking : DataFrame
        Today's, by rank.
    before : DataFrame
        The earlier ``rank`` and ``intensity_rank``.
    match : (k,) int64
        Row of ``before`` of each cluster, -1 for none.
    """
    columns = {}
    for name in ("rank", "intensity_rank"):
        previous = before[name].astype("Int64").array.take(match, allow_fill=True)
        columns[f"previous_{name}"] = previous
        columns[f"{name}_change"] = previous - ranking[name].astype("Int64").array
    return ranking.assign(**columns)


def places_of(locations: pd.DataFrame) -> Places:
    """The member locations of a run's clusters, which are 1, 2, ... in the ranking's order."""
    member = (locations["cluster_id"] > 0).to_numpy()
    lon, lat, weight, cluster_id = (
        locations[name].to_numpy()[member] for name in ("lon", "lat", "weight", "cluster_id")
    )
    return Places(lon, lat, weight, cluster_id - 1)


def _keys(places: Places) -> NDArray[np.complex128]:
    """One number per location, which sorts by latitude, then longitude."""
    keys = np.empty(len(places.lat), np.complex128)
    keys.real, keys.imag = places.lat, places.lon
    return keys
