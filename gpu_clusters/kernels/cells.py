"""Cells: runs of points of one band that are all within the radius of each other, and the cells around a cell.

What holds for one point of a cell at a threshold holds for all: its core points are in one cluster. So the hierarchy of all
thresholds is a forest over cells (`forest`), and only the strongest link between two cells counts.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.bands import Bands
from gpu_clusters.kernels.search import (
    HIGH_RING,
    HIGH_Z,
    KEY,
    LOW_RING,
    LOW_Z,
    WHOLE,
    X,
    Y,
    Z,
    half_width,
    point_function,
    sure_width,
)
from gpu_clusters.kernels.spaces import SPHERE, Reach

HEIGHT = 0.8  # of bands, in radii, at most: cells are the wider the lower their band is
FEW = 16  # so many points are sorted by insertion


class Cells(NamedTuple):
    """Cells of the points of `Bands`, in their order; ``c`` cells.

    In ``ranked``, each cell's points that can be core come first, densest first (ties: the one that was given first).
    """

    start: NDArray[np.int32]  # (c + 1,) first point of each cell
    number: NDArray[np.int32]  # (n,) cell of each point
    first: NDArray[np.int32]  # (m + 1,) first cell of each band
    ends: NDArray[np.float64]  # (2, c) smallest and largest key of each cell
    ranked: NDArray[np.int32]  # (n,) points of each cell
    active: NDArray[np.int32]  # (c,) how many of its points can be core
    top: NDArray[np.int16]  # (c,) level of the densest


def cut(bands: Bands, reach: Reach, density: NDArray[np.int64], level: NDArray[np.int16]) -> Cells:
    """Cut bands into cells.

    Parameters
    ----------
    bands : Bands
    reach : Reach
    density : (n,) int64
        Weight within reach of each point, in the order of the bands.
    level : (n,) int16
        How many of the thresholds the density reaches; 0 cannot be core.
    """
    opens = np.empty(len(density), np.bool_)
    _cut(bands.points, bands.start, bands.edges, reach, opens)
    number = np.cumsum(opens, dtype=np.int32)
    number -= 1
    start = np.append(np.flatnonzero(opens), len(density)).astype(np.int32)
    first = np.searchsorted(start[:-1], bands.start).astype(np.int32)
    ends = bands.points[KEY][np.stack((start[:-1], start[1:] - 1))]
    ranked = np.empty(len(density), np.int32)
    active, top = np.empty(len(start) - 1, np.int32), np.empty(len(start) - 1, np.int16)
    _rank(start, density, level, bands.order, ranked, active, top)
    return Cells(start, number, first, ends, ranked, active, top)


@point_function
def width_around(points, edges, reach, band, i):
    """Largest difference of keys at which all points of its band surely are within reach of a point; negative for none."""
    x, y, z = points[X, i], points[Y, i], points[Z, i]
    width = sure_width(reach, edges, band, z, math.sqrt(x * x + y * y)) - reach.slack
    return math.inf if reach.period > 0 and width >= WHOLE - reach.slack else width


@cached(njit, parallel=True)
def _cut(points, start, edges, reach, opens):
    """Mark the points that open a cell: a point joins the cell if it is surely within reach of all points in it."""
    for band in prange(len(start) - 1):
        bound = -math.inf
        for i in range(start[band], start[band + 1]):
            width = width_around(points, edges, reach, band, i)
            reached = points[KEY, i] + width if width >= 0 else -math.inf
            opens[i] = i == start[band] or points[KEY, i] > bound
            bound = reached if opens[i] else min(bound, reached)


@cached(njit, parallel=True)
def _rank(start, density, level, order, ranked, active, top):
    for cell in prange(len(start) - 1):
        begin = start[cell]
        end = begin
        for i in range(begin, start[cell + 1]):
            if level[i] > 0:
                ranked[end] = i
                end += 1
        members = ranked[begin:end]
        if len(members) > FEW:
            members[:] = members[np.argsort(-density[members])]
        for k in range(1, len(members)):  # the few, and ties among many
            i, place = members[k], k
            while place > 0 and denser(density, order, i, members[place - 1]):
                members[place] = members[place - 1]
                place -= 1
            members[place] = i
        active[cell] = end - begin
        top[cell] = level[members[0]] if end > begin else 0
        for i in range(begin, start[cell + 1]):
            if level[i] <= 0:
                ranked[end] = i
                end += 1


@point_function
def denser(density, order, i, j):
    """Whether point ``i`` is preferred to ``j``: it is denser, or as dense and was given earlier."""
    if density[i] != density[j]:
        return density[i] > density[j]
    return order[i] < order[j]


@point_function
def width_between(reach, edges, band, other):
    """Largest difference of keys of two points within reach in two bands; negative if there is none, infinite for all.

    The nearest heights of the bands and their shortest rings give it: no pair can be further apart.
    """
    low, high = (band, other) if edges[LOW_Z, band] <= edges[LOW_Z, other] else (other, band)
    rise, shrink = 0.0, 0.0
    if edges[LOW_Z, high] > edges[HIGH_Z, low]:
        rise = edges[LOW_Z, high] - edges[HIGH_Z, low]
        shrink = edges[LOW_RING, high] - edges[HIGH_RING, low]
    opened = reach.maybe - rise * rise
    if reach.kind == SPHERE:
        opened -= shrink * shrink
        span = 4 * min(edges[LOW_RING, band], edges[HIGH_RING, band])
        span *= min(edges[LOW_RING, other], edges[HIGH_RING, other])
        if opened > 0:
            opened = opened / span if opened < span else 1.0
    width = half_width(reach.kind, opened)
    if width < 0:
        return width
    return width + reach.slack if reach.period <= 0 or width < WHOLE - 1e-9 else math.inf


@point_function
def first_within(ends, low, high, key):
    """First of the cells ``low..high`` of a band whose largest key is at least ``key``."""
    while low < high:
        middle = (low + high) >> 1
        if ends[1, middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@point_function
def turns_towards(reach, ends, begin, end, width):
    """The turns of another band, ``first..last``, in which cells can be within ``width`` of the cells ``begin..end``."""
    if reach.period <= 0 or width == math.inf:
        return 0, 0
    half = reach.period / 2
    return (-1 if ends[0, begin] - width < -half else 0), (1 if ends[1, end - 1] + width >= half else 0)
