"""Which of many places lie in which areas, an area being what is within so many degrees of a member; and sums over them.

The members of each area have bands of their own, area after area in one index. So a place asks area by area, stops at the
first member within reach, and counts once in every area that holds it. An area whose box does not hold the place is passed over.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels import exact
from gpu_clusters.kernels.areas import squared_degrees
from gpu_clusters.kernels.bands import Bands, build_by_group, index_of
from gpu_clusters.kernels.search import HIGH_Z, LOW_Z, X, Z, interval, piece, point_function
from gpu_clusters.kernels.spaces import Reach, degrees_reach, in_degrees
from gpu_clusters.kernels.totals import Totals

SOUTH, NORTH, WEST, EAST = 0, 1, 2, 3  # rows of `Areas.box`
CHUNK = 1024  # places of one task, at least


class Areas(NamedTuple):
    """Areas of ``k`` groups of members."""

    bands: Bands  # of the members of group 0, then of group 1, ...
    first_band: NDArray[np.int64]  # (k + 1,) first band of each group
    box: NDArray[np.float64]  # (4, k) degrees: no place outside is in the area
    reach: Reach


def areas(
    lon: NDArray[np.float64], lat: NDArray[np.float64], group: NDArray[np.int64], groups: int, area_degrees: float
) -> Areas:
    """Areas of members at ``lon``, ``lat`` ((n,) degrees, lon in [-180, 180)) in ``group`` ((n,), 0..groups - 1)."""
    points = in_degrees(lon, lat)
    reach = degrees_reach(area_degrees)
    bands, first_band = build_by_group(points, group, groups, reach)
    box = np.empty((4, groups))
    box[[SOUTH, WEST]], box[[NORTH, EAST]] = np.inf, -np.inf
    for low, high, values in ((SOUTH, NORTH, lat), (WEST, EAST, lon)):
        np.minimum.at(box[low], group, values)
        np.maximum.at(box[high], group, values)
    box[[SOUTH, WEST]] -= reach.height
    box[[NORTH, EAST]] += reach.height
    round_the_world = (box[WEST] < -180) | (box[EAST] >= 180)
    box[WEST, round_the_world], box[EAST, round_the_world] = -np.inf, np.inf
    return Areas(bands, first_band, box, reach)


def near(box: NDArray[np.float64], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
    """Groups whose box, (4, k), may hold one of the places at ``lon``, ``lat`` ((n,) degrees, lon in [-180, 180))."""
    if not len(lon):
        return np.empty(0, np.int64)
    meets = (box[SOUTH] <= lat.max()) & (box[NORTH] >= lat.min()) & (box[WEST] <= lon.max()) & (box[EAST] >= lon.min())
    return np.flatnonzero(meets)


def gather(
    found: Areas, totals: Totals, lon: NDArray[np.float64], lat: NDArray[np.float64], value: NDArray[np.float64]
) -> None:
    """Add the places at ``lon``, ``lat`` ((n,) degrees, lon in [-180, 180)) to the totals of the areas that hold them.

    Parameters
    ----------
    found : Areas
    totals : Totals
        Added to in place.
    lon, lat, value : (n,) float64
        ``value`` is not negative; NaN where there is none. At most `exact.TERMS` places.
    """
    groups = near(found.box, lon, lat)
    if not len(groups):
        return
    tasks = max(1, min(8 * get_num_threads(), len(lon) // CHUNK))
    limbs = exact.zeros(tasks, len(groups))
    counts = np.zeros((2, tasks, len(groups)), np.int64)
    _gather(
        *(lon, lat, value, *index_of(found.bands), found.first_band, groups, found.box, found.reach),
        *(np.linspace(0, len(lon), tasks + 1).astype(np.int64), limbs, *counts),
    )
    of_near = limbs.sum(axis=0) + totals.limbs[groups]
    exact.carry(of_near)
    totals.limbs[groups] = of_near
    totals.held[groups] += counts[0].sum(axis=0)
    totals.empty[groups] += counts[1].sum(axis=0)


def within(
    found: Areas, group: NDArray[np.int64], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each place lies in the area of its own ``group``; (n,) each, degrees, lon in [-180, 180)."""
    inside = np.zeros(len(lon), np.bool_)
    _within(*index_of(found.bands), found.first_band, group, found.reach, lon, lat, inside)
    return inside


@point_function
def touches(points, start, edges, table, reach, band, lon, lat):
    """Whether a place is within reach of a member in a band."""
    a, b, c, d = interval(reach, points, start, edges, table, band, lon, lat, math.fabs(lon))
    if b < c:
        return True  # these surely are
    offset = start[band]
    size = start[band + 1] - offset
    for turn in range(-1, 2):
        low, high = piece(a, d, size, turn)
        if any_within(points, reach.limit, lon, lat, offset + low, offset + high):
            return True
    return False


@point_function
def any_within(points, limit, lon, lat, low, high):
    """Whether one of the members ``low..high`` passes the distance test."""
    while low < high and squared_degrees(lon, lat, points[X, low], points[Z, low]) > limit:
        low += 1
    return low < high


@point_function
def holds(points, start, edges, table, first, last, reach, lon, lat):
    """Whether a place is in the area whose bands, from south to north, are ``first..last``."""
    low, high = first, last
    while low < high:  # the first band that is not too far south
        middle = (low + high) >> 1
        below = edges[HIGH_Z, middle] < lat - reach.height
        low = middle + 1 if below else low
        high = high if below else middle
    while low < last and edges[LOW_Z, low] <= lat + reach.height:
        if touches(points, start, edges, table, reach, low, lon, lat):
            return True
        low += 1
    return False


@point_function
def in_area(points, start, edges, table, first_band, box, reach, group, lon, lat):
    """Whether a place is in the area of a group."""
    if not (box[SOUTH, group] <= lat <= box[NORTH, group] and box[WEST, group] <= lon <= box[EAST, group]):
        return False
    return holds(points, start, edges, table, first_band[group], first_band[group + 1], reach, lon, lat)


@cached(njit)
def _within(points, start, edges, table, first_band, group, reach, lon, lat, inside):
    for p in range(len(lon)):
        first, last = first_band[group[p]], first_band[group[p] + 1]
        inside[p] = holds(points, start, edges, table, first, last, reach, lon[p], lat[p])


@cached(njit, parallel=True)
def _gather(
    lon,
    lat,
    value,
    points,
    start,
    edges,
    table,
    first_band,
    groups,
    box,
    reach,
    begin,
    limbs,
    held,
    empty,
):
    for task in prange(len(begin) - 1):
        for p in range(begin[task], begin[task + 1]):
            for g in range(len(groups)):
                if in_area(points, start, edges, table, first_band, box, reach, groups[g], lon[p], lat[p]):
                    if math.isnan(value[p]):
                        empty[task, g] += 1
                    else:
                        held[task, g] += 1
                        exact.add(limbs, task, g, value[p])
