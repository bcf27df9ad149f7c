"""The neighbour index: points in bands of height, sorted by their key within a band.

What lies within a radius of a point is one interval of keys in every band near it. A band's own lowest and highest point
give an interval that surely is inside (all of the band from one end to the other) and one that may be; only the few points
between the two need a distance test. Nothing is stored for a pair of points: memory is linear in the points, whatever the radius.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.arrays import namespace, to_host
from gpu_clusters.compiled import cached
from gpu_clusters.kernels.search import (
    HIGH_RING,
    HIGH_Z,
    KEY,
    LOW_RING,
    LOW_Z,
    SCALE,
    X,
    Y,
    Z,
    cell_of,
    first_entry,
    point_function,
)
from gpu_clusters.kernels.spaces import SPHERE, Coordinates, Reach

NEIGHBOURS_PER_BAND = 600  # the more neighbours a point has, the more do thinner bands pay (measured, 2 cores)
MOST_CUTS = 32
SEGMENT = 512  # points of a band that one task works on


class Bands(NamedTuple):
    """Points sorted by (band, key); ``n`` points in ``m`` bands, of which none is empty.

    The kernels take the arrays one by one: compiled code that picks them out of a tuple counts references in its inner loops.
    """

    order: NDArray[np.int64]  # (n,) index of each point in the order given
    points: NDArray[np.float64]  # (4, n) key, x, y, z
    start: NDArray[np.int64]  # (m + 1,) first point of each band
    edges: NDArray[np.float64]  # (5, m) z and ring of the lowest and of the highest point; cells per unit of key
    table: NDArray[np.int64]  # first position in its band of each of the equal cells that a band is cut into


def build(points: Coordinates, reach: Reach, cuts: int | None = None) -> Bands:
    """Sort points into bands that suit a radius.

    Parameters
    ----------
    points : Coordinates
    reach : Reach
    cuts : int, optional
        Bands per height of the radius; as many as suit the density of the points where left out. Results never depend on it.
    """
    order, start = _sorted_by_band(band_numbers(points, reach, cuts), points.key)
    sorted_points = np.empty((4, len(order)))
    for row, values in zip(sorted_points, (points.key, points.x, points.y, points.z), strict=True):
        np.take(values, order, out=row)
    return _indexed(points.kind, order, sorted_points, start)


def build_by_group(
    points: Coordinates, group: NDArray[np.int64], groups: int, reach: Reach
) -> tuple[Bands, NDArray[np.int64]]:
    """Bands that hold points of one group each, the bands of group 0 first; and each group's first band, (groups + 1,)."""
    number = band_numbers(points, reach, None)
    order = np.lexsort((points.key, number, group))
    number, group = number[order], group[order]
    new = np.flatnonzero((np.diff(group) != 0) | (np.diff(number) != 0)) + 1
    start = np.concatenate(([0], new, [len(order)])) if len(order) else np.zeros(1, np.int64)
    sorted_points = np.stack([values[order] for values in (points.key, points.x, points.y, points.z)])
    first_band = np.searchsorted(group[start[:-1]], np.arange(groups + 1))
    return _indexed(points.kind, order, sorted_points, start), first_band


def select(bands: Bands, kind: int, keep: NDArray[np.bool_]) -> tuple[Bands, NDArray[np.int64]]:
    """The bands of the points where ``keep`` ((n,) bool, sorted order), and those points' places in ``bands``."""
    kept = np.flatnonzero(keep)
    start = np.searchsorted(kept, bands.start)
    full = start[1:] > start[:-1]
    return _indexed(
        kind, bands.order[kept], np.take(bands.points, kept, axis=1), np.append(start[:-1][full], len(kept))
    ), kept


def near(queries: Bands, targets: Bands, reach: Reach) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and past-the-last band of ``targets`` that can hold neighbours of each band of ``queries``."""
    lowest, highest = _extent(queries, reach.kind)
    target_lowest, target_highest = _extent(targets, reach.kind)
    xp = namespace(lowest)
    first = xp.searchsorted(target_highest, lowest - reach.height, side="left")
    last = xp.searchsorted(target_lowest, highest + reach.height, side="right")
    return first, last


def index_of(bands: Bands) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """The four arrays that describe ``bands`` to a kernel."""
    return bands.points, bands.start, bands.edges, bands.table


def segments(bands: Bands) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Tasks for threads: band, first and past-the-last point of runs of at most ``SEGMENT`` points of one band."""
    sizes = np.diff(bands.start)
    pieces = -(-sizes // SEGMENT)
    band = np.repeat(np.arange(len(sizes)), pieces)
    first_piece = np.cumsum(pieces) - pieces
    begin = bands.start[band] + SEGMENT * (np.arange(len(band)) - first_piece[band])
    return band, begin, np.minimum(begin + SEGMENT, bands.start[band + 1])


def _extent(bands: Bands, kind: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heights of the lowest and the highest point of each band."""
    low, low_ring, high, high_ring, _ = bands.edges
    if kind != SPHERE:
        return low, high
    xp = namespace(low)
    return xp.degrees(xp.arctan2(low, low_ring)), xp.degrees(xp.arctan2(high, high_ring))


def band_numbers(points: Coordinates, reach: Reach, cuts: int | None = None) -> NDArray[np.int64]:
    """Band of each point, ascending with its height: rows as high as the radius, each cut into bands of equal height."""
    n, xp = len(points.key), namespace(points.key)
    height = min(reach.height, 180.0) if reach.period else reach.height
    scaled = points.height * (1 / height)
    row = xp.floor(scaled)
    lowest, highest = (float(row.min()), float(row.max())) if n else (0.0, 0.0)
    if highest - lowest > n + 1024:  # a radius so small that it hardly matters
        return row.astype(np.int64)
    scaled -= row
    row -= lowest
    place = row.astype(np.int64)
    rows = int(highest - lowest) + 1
    bands = np.full(rows, cuts) if cuts else _suitable_cuts(points, place, rows, height)
    bands_of = xp.asarray(bands)[place]
    inside = xp.minimum((scaled * bands_of).astype(np.int64), bands_of - 1)
    inside += xp.asarray(np.cumsum(bands) - bands)[place]
    return inside


def _suitable_cuts(points: Coordinates, row: NDArray[np.int64], rows: int, height: float) -> NDArray[np.int64]:
    """Number of bands that each row is cut into: the more, the more neighbours its points have, by a sample of them."""
    step = max(1, len(row) // 50_000)
    row, key, across = (to_host(values[::step]) for values in (row, points.key, points.height))
    stretch = np.maximum(np.cos(np.radians(across)), 1e-3) if points.kind == SPHERE else 1.0
    cell = np.floor(key * stretch / height) + row * 1e7
    _, cell, crowd = np.unique(cell, return_inverse=True, return_counts=True)
    neighbours = np.bincount(row, weights=crowd[cell], minlength=rows) * (math.pi * step)
    sampled = np.maximum(np.bincount(row, minlength=rows), 1)
    return np.clip(np.rint(np.sqrt(neighbours / sampled / NEIGHBOURS_PER_BAND)), 1, MOST_CUTS).astype(np.int64)


def _sorted_by_band(number: NDArray[np.int64], key: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order of the points by (band, key), and where in it each band starts; empty bands are left out."""
    n = len(number)
    lowest, highest = (int(number.min()), int(number.max())) if n else (0, -1)
    if highest - lowest > 2 * n + 1024:
        number = np.unique(number, return_inverse=True)[1]
    elif lowest:
        number = number - lowest
    sizes = np.bincount(number)
    start = np.concatenate(([0], np.cumsum(sizes)))
    order = np.empty(n, np.int64)
    _bucket(number, start[:-1].copy(), order)
    _sort_buckets(start, key, order)
    return order, np.append(start[:-1][sizes > 0], n)


def _indexed(kind: int, order: NDArray, points: NDArray, start: NDArray) -> Bands:
    """Bands of points that are sorted already."""
    edges = np.ones((5, len(start) - 1))
    table = np.empty(first_entry(start, len(start) - 1), np.int64)
    _edges(kind == SPHERE, points, start, edges)
    _tabulate(points, start, edges, table)
    return Bands(order, points, start, edges, table)


@cached(njit)
def _bucket(bucket, place, order):
    """Write the indices of ``bucket`` into ``order``, bucket after bucket; ``place`` is each bucket's next free slot."""
    for i in range(len(bucket)):
        order[place[bucket[i]]] = i
        place[bucket[i]] += 1


@cached(njit, parallel=True)
def _sort_buckets(start, key, order):
    """Sort ``order`` by ``key`` within each bucket."""
    for b in prange(len(start) - 1):
        members = order[start[b] : start[b + 1]]
        if len(members) > 1:
            order[start[b] : start[b + 1]] = members[np.argsort(key[members])]


@point_function
def find_edges(sphere, points, start, edges, b):
    """``z`` and distance from the axis of the lowest and of the highest point of a band."""
    low, high = 0.0, 0.0
    for i in range(start[b], start[b + 1]):
        z = points[Z, i]
        ring = math.hypot(points[X, i], points[Y, i]) if sphere else 1.0
        rise = -ring if z > 0 else ring  # towards a pole z stands still while the ring still shrinks
        if i == start[b] or z < edges[LOW_Z, b] or (z == edges[LOW_Z, b] and rise < low):
            edges[LOW_Z, b], edges[LOW_RING, b], low = z, ring, rise
        if i == start[b] or z > edges[HIGH_Z, b] or (z == edges[HIGH_Z, b] and rise > high):
            edges[HIGH_Z, b], edges[HIGH_RING, b], high = z, ring, rise


@cached(njit)
def _edges(sphere, points, start, edges):
    for b in range(len(start) - 1):
        find_edges(sphere, points, start, edges, b)


@point_function
def cells_per_key(points, start, band):
    """Cells of a band's table per unit of key."""
    extent = points[KEY, start[band + 1] - 1] - points[KEY, start[band]]
    cells = first_entry(start, band + 1) - first_entry(start, band) - 1
    scale = cells / extent * (1 - 1e-12) if extent > 0 else 0.0
    return scale if math.isfinite(scale) else 0.0


@point_function
def enter(points, start, table, band, scale, before, i):
    """Note in the table which cells begin at point ``i``, whose predecessor is in cell ``before`` (-1: none); its own cell."""
    begin, first = start[band], first_entry(start, band)
    cells = first_entry(start, band + 1) - first - 1
    cell = cell_of(points[KEY, i] - points[KEY, begin], scale, cells)
    for later in range(before + 1, cell + 1):
        table[first + later] = i - begin
    if i + 1 == start[band + 1]:
        for later in range(cell + 1, cells + 1):
            table[first + later] = i + 1 - begin
    return cell


@cached(njit, parallel=True, error_model="numpy")
def _tabulate(points, start, edges, table):
    """Cut each band into equal cells and note where each begins."""
    for b in prange(len(start) - 1):
        scale, cell = cells_per_key(points, start, b), -1
        edges[SCALE, b] = scale
        for i in range(start[b], start[b + 1]):
            cell = enter(points, start, table, b, scale, cell, i)
