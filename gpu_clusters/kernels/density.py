"""Weight within the radius of every point."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.bands import Bands, index_of, near, segments
from gpu_clusters.kernels.search import KEY, X, Y, Z, interval, piece, point_function
from gpu_clusters.kernels.spaces import Reach
from gpu_clusters.kernels.twofold import squared_length


def densities(bands: Bands, weight: NDArray[np.int64], reach: Reach) -> NDArray[np.int64]:
    """Sum of the weights within reach of each point, itself included; (n,) int64 in the order of ``bands``."""
    first, last = near(bands, bands, reach)
    prefix = np.concatenate((np.zeros(1, np.int64), np.cumsum(weight)))
    result = np.zeros(len(weight), np.int64)
    _densities(*index_of(bands), weight, prefix, reach, first, last, *segments(bands), result)
    return result


@point_function
def weight_in_band(points, start, edges, table, weight, prefix, reach, band, key, x, y, z, ring):
    """Weight of a band's points within reach of one point."""
    a, b, c, d = interval(reach, points, start, edges, table, band, key, z, ring)
    begin = start[band]
    size = start[band + 1] - begin
    if a >= 0 and d <= size:
        total = prefix[begin + c] - prefix[begin + b]
        total += weight_in_run(points, weight, reach.limit, x, y, z, begin + a, begin + b)
        return total + weight_in_run(points, weight, reach.limit, x, y, z, begin + c, begin + d)
    total = 0
    for turn in range(-1, 2):
        low, high = piece(b, c, size, turn)
        total += prefix[begin + high] - prefix[begin + low]
        low, high = piece(a, b, size, turn)
        total += weight_in_run(points, weight, reach.limit, x, y, z, begin + low, begin + high)
        low, high = piece(c, d, size, turn)
        total += weight_in_run(points, weight, reach.limit, x, y, z, begin + low, begin + high)
    return total


@point_function
def weight_in_run(points, weight, limit, x, y, z, low, high):
    """Weight of those of the points ``low..high`` that pass the distance test."""
    total = 0
    for i in range(np.uint64(low), np.uint64(high)):  # unsigned: no check for negative indices, so it vectorises
        dx, dy, dz = points[X, i] - x, points[Y, i] - y, points[Z, i] - z
        total += weight[i] if squared_length(dx, dy, dz) <= limit else 0
    return total


@cached(njit, parallel=True)
def _densities(points, start, edges, table, weight, prefix, reach, first, last, band, begin, end, result):
    for task in prange(len(band)):
        for other in range(first[band[task]], last[band[task]]):
            for p in range(begin[task], end[task]):
                key, x, y, z = points[KEY, p], points[X, p], points[Y, p], points[Z, p]
                ring = math.sqrt(x * x + y * y)
                result[p] += weight_in_band(
                    points, start, edges, table, weight, prefix, reach, other, key, x, y, z, ring
                )
