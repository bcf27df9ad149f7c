"""Which cluster's area a place lies in: the nearest member in plain degrees decides."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.bands import Bands, index_of, near, segments
from gpu_clusters.kernels.search import KEY, X, Z, candidates, piece, point_function
from gpu_clusters.kernels.spaces import Reach
from gpu_clusters.kernels.twofold import squared_length_in_plane


def nearest_members(queries: Bands, members: Bands, group: NDArray[np.int64], reach: Reach) -> NDArray[np.int64]:
    """Group of the nearest member within reach of each query, the smallest among equally near; -1 for none.

    ``group`` and the result are in the order of the bands. Distances are those of `squared_degrees`.
    """
    first, last = near(queries, members, reach)
    count = queries.points.shape[1]
    best, nearest = np.full(count, -1, np.int64), np.full(count, np.inf)
    _nearest(queries.points, *index_of(members), group, reach, first, last, *segments(queries), best, nearest)
    return best


@point_function
def squared_degrees(lon, lat, other_lon, other_lat):
    """Squared distance in the longitude/latitude plane, the shorter way round."""
    dx = abs(lon - other_lon)
    if dx > 180:
        dx = 360 - dx
    dy = abs(lat - other_lat)
    return squared_length_in_plane(dx, dy)


@point_function
def nearer_in_band(points, start, edges, table, group, reach, band, best, nearest, key, lon, lat):
    """``best`` and its squared distance ``nearest``, or the group of a nearer member within reach in a band and its own."""
    a, d = candidates(reach, points, start, edges, table, band, key, lat, math.fabs(lon))
    begin = start[band]
    size = start[band + 1] - begin
    for turn in range(-1, 2):
        low, high = piece(a, d, size, turn)
        for i in range(begin + low, begin + high):
            square = squared_degrees(lon, lat, points[X, i], points[Z, i])
            if square <= reach.limit and (square < nearest or (square == nearest and group[i] < best)):
                best, nearest = group[i], square
    return best, nearest


@cached(njit, parallel=True)
def _nearest(queries, points, start, edges, table, group, reach, first, last, band, begin, end, best, nearest):
    for task in prange(len(band)):
        for other in range(first[band[task]], last[band[task]]):
            for q in range(begin[task], end[task]):
                key, lon, lat = queries[KEY, q], queries[X, q], queries[Z, q]
                best[q], nearest[q] = nearer_in_band(
                    points, start, edges, table, group, reach, other, best[q], nearest[q], key, lon, lat
                )
