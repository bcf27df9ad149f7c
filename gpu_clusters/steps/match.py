"""Clusters of two clusterings that are the same: those that share most weight (method, section 10)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by
from gpu_clusters.compiled import cached


class Overlaps(NamedTuple):
    """Weight at the locations that cluster ``one`` of the first and ``other`` of the second clustering share, (p,) int64 each."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    weight: NDArray[np.int64]


def overlaps(one: NDArray[np.int64], other: NDArray[np.int64], weight: NDArray[np.int64], others: int) -> Overlaps:
    """Weight by pair of clusters, sorted by pair.

    Parameters
    ----------
    one, other : (n,) int64
        Number of the cluster of each location in either clustering, 0, 1, ...; -1 for noise.
    weight : (n,) int64
        Weight of each location.
    others : int
        Number of clusters of the second clustering.
    """
    both = (one >= 0) & (other >= 0)
    pair, place = np.unique(one[both] * others + other[both], return_inverse=True)
    return Overlaps(*np.divmod(pair, others), sum_by(place, weight[both], len(pair)))


def matched(found: Overlaps, clusters: int, others: int) -> NDArray[np.int64]:
    """The other cluster that each cluster is matched to, -1 for none; (clusters,) int64.

    The pair that shares most weight comes first; of equals, that of the smaller number in the first clustering, then in the
    second: number clusters by rank. Each cluster is matched once at most.
    """
    result = np.full(clusters, -1, np.int64)
    order = np.lexsort((found.other, found.one, -found.weight))
    _take_in_turn(found.one[order], found.other[order], result, np.zeros(others, np.bool_))
    return result


@cached(njit)
def _take_in_turn(one, other, result, taken):
    """Match each pair whose clusters are both still free."""
    for i in range(len(one)):
        if result[one[i]] < 0 and not taken[other[i]]:
            result[one[i]] = other[i]
            taken[other[i]] = True
