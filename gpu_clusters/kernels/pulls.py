"""Which of many places pulls each point most, where a place's pull grows with its size and falls with the squared distance.

Points are taken in small heaps. Few places can win anywhere in a heap: those whose pull at their best is at least the largest
pull that is sure everywhere in it. Only these are tried, point by point.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gpu_clusters.compiled import cached


@cached(njit)
def strongest(points, start, targets, lat, size, reach, band):
    """Index of the target with the least squared chord / size for each point, -1 where none is within reach.

    Parameters
    ----------
    points : (n, 3) float64
        Unit vectors, heap by heap.
    start : (h + 1,) int64
        Heap ``i`` is the points ``start[i]:start[i + 1]``.
    targets : (m, 3) float64
        Unit vectors, by ascending latitude.
    lat : (m,) float64
        Their latitudes, degrees.
    size : (m,) float64
        > 0. Of targets with equal pulls the larger wins, then the first.
    reach : float
        Largest chord at which a target counts, inclusive.
    band : float
        Difference of latitudes, in degrees, that a chord of ``reach`` cannot exceed.

    Returns
    -------
    (n,) int64
    """
    found = np.full(len(points), -1, np.int64)
    tried = np.empty(len(targets), np.int64)
    for heap in range(len(start) - 1):
        first, end = start[heap], start[heap + 1]
        middle = points[first]
        spread, low, high = 0.0, 90.0, -90.0
        for i in range(first, end):
            spread = max(spread, _squared(points[i], middle))
            at = np.degrees(np.arcsin(min(max(points[i, 2], -1.0), 1.0)))
            low, high = min(low, at), max(high, at)
        spread = np.sqrt(spread) + 1e-12
        near, beyond = np.searchsorted(lat, low - band), np.searchsorted(lat, high + band, side="right")
        sure = np.inf
        for j in range(near, beyond):
            chord = np.sqrt(_squared(targets[j], middle)) + spread
            if chord <= reach:
                sure = min(sure, chord * chord / size[j])
        count = 0
        for j in range(near, beyond):
            chord = max(np.sqrt(_squared(targets[j], middle)) - spread, 0.0)
            if chord <= reach and chord * chord / size[j] <= sure:
                tried[count] = j
                count += 1
        for i in range(first, end):
            found[i] = _best(points[i], targets, size, tried[:count], reach * reach)
    return found


@cached(njit)
def _best(point, targets, size, tried, limit):
    best, least = -1, np.inf
    for j in tried:
        squared = _squared(targets[j], point)
        if squared <= limit:
            rest = squared / size[j]
            if rest < least or (rest == least and size[j] > size[best]):
                best, least = j, rest
    return best


@cached(njit)
def _squared(a, b):
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2
