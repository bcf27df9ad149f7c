"""Which core points hang together, and which core point a border point hangs on."""

from __future__ import annotations

import math

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.bands import Bands, index_of, near, segments
from gpu_clusters.kernels.search import KEY, X, Y, Z, candidates, piece, point_function, sure_width
from gpu_clusters.kernels.spaces import Reach
from gpu_clusters.kernels.twofold import on_cpu, squared_length

STRIPS_PER_THREAD = 4
BLOCK = 32  # core points that are passed over at once when none of them can be preferred


def components(core: Bands, reach: Reach) -> NDArray[np.int64]:
    """Component of each core point, as the place of the first point of the component; (n,) int64 in the order of ``core``.

    Two points are in one component iff a chain of points leads from one to the other with no step longer than the radius.
    """
    index = index_of(core)
    parent, run_end = np.empty((2, core.points.shape[1]), np.int64)
    _, last = near(core, core, reach)
    _join_along_bands(core.points, core.start, core.edges, reach, parent, run_end)
    strips = strips_of(core.start, get_num_threads() * STRIPS_PER_THREAD)
    _join_within_strips(*index, reach, last, strips, parent, run_end)
    _join_across_strips(*index, reach, last, strips, parent, run_end)
    _flatten(parent)
    return parent


def preferred_core(
    queries: Bands,
    core: Bands,
    reach: Reach,
    value: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> NDArray[np.int64]:
    """For each query the core point within reach of largest ``value``; (q,) int64, -1 for none in reach.

    ``value``, ``lon``, ``lat`` are (n,), in the order of ``core``, and the result counts in that order. Of equal values the
    point of smaller ``lat`` is taken, then of smaller ``lon``, then the one that was given first.
    """
    first, last = near(queries, core, reach)
    result = np.full(queries.points.shape[1], -1, np.int64)
    blocks = np.maximum.reduceat(value, np.arange(0, len(value), BLOCK))
    _preferred(
        queries.points,
        *index_of(core),
        value,
        blocks,
        lon,
        lat,
        core.order,
        reach,
        first,
        last,
        *segments(queries),
        result,
    )
    return result


def strips_of(start: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Cut the bands into at most ``count`` strips of about equally many points; first band of each, and the end."""
    cuts = np.searchsorted(start, np.linspace(0, start[-1], count + 1))
    return np.unique(np.minimum(cuts, len(start) - 1))


@point_function
def find(parent, i):
    """Root of a point; halves the way there.

    No entry is looked at twice: while other threads write, a second look may show an older parent, the point itself if it was a
    root, and to write that back would undo a union.
    """
    above = parent[i]
    while above != i:
        beyond = parent[above]
        parent[i] = beyond
        i, above = beyond, parent[beyond]
    return i


@on_cpu
def unite(parent, i, j):
    """Make one tree of two, given their roots, and return its root: the smaller, so that no order of unions matters."""
    if i < j:
        parent[j] = i
        return i
    parent[i] = j
    return j


@point_function
def within(points, limit, i, x, y, z):
    """Whether point ``i`` passes the distance test."""
    dx, dy, dz = points[X, i] - x, points[Y, i] - y, points[Z, i] - z
    return squared_length(dx, dy, dz) <= limit


@point_function
def link_run(points, limit, parent, run_end, root, x, y, z, low, high):
    """Unite a point (with its root) with every component that has a point within reach among ``low..high``; new root."""
    while low < high:
        other = find(parent, low)
        stop = min(run_end[low], high)
        if other != root:
            hit = within(points, limit, (low + stop) >> 1, x, y, z)
            i = low
            while not hit and i < stop:
                hit = within(points, limit, i, x, y, z)
                i += 1
            if hit:
                root = unite(parent, root, other)
        low = stop
    return root


@point_function
def link_in_band(reach, points, start, edges, table, parent, run_end, p, own, band):
    """Unite core point ``p`` of band ``own`` with what lies within reach of it in a band."""
    x, y, z = points[X, p], points[Y, p], points[Z, p]
    a, d = candidates(reach, points, start, edges, table, band, points[KEY, p], z, math.sqrt(x * x + y * y))
    begin = start[band]
    size = start[band + 1] - begin
    if band == own and a >= 0 and d <= size:
        a = max(a, p - begin + 1)  # earlier points have looked this way already
    if a >= d:
        return
    root = find(parent, p)
    if a >= 0 and d <= size:
        link_run(points, reach.limit, parent, run_end, root, x, y, z, begin + a, begin + d)
        return
    for turn in range(-1, 2):
        low, high = piece(a, d, size, turn)
        root = link_run(points, reach.limit, parent, run_end, root, x, y, z, begin + low, begin + high)


@cached(njit, parallel=True)
def _join_along_bands(points, start, edges, reach, parent, run_end):
    """Unite neighbours in a band that are near enough to each other; ``run_end`` is where such a run of points ends."""
    for band in prange(len(start) - 1):
        begin, end = start[band], start[band + 1]
        run = begin
        for p in range(begin, end):
            parent[p] = run
            x, y, z = points[X, p], points[Y, p], points[Z, p]
            if p + 1 < end:
                gap = points[KEY, p + 1] - points[KEY, p]
                near_enough = gap <= sure_width(reach, edges, band, z, math.sqrt(x * x + y * y)) - reach.slack
                if near_enough or within(points, reach.limit, p + 1, x, y, z):
                    continue
            run_end[run : p + 1] = p + 1
            run = p + 1


@cached(njit, parallel=True)
def _join_within_strips(points, start, edges, table, reach, last, strips, parent, run_end):
    """Unite across bands inside of each strip: no two strips touch the same entries of ``parent``."""
    for strip in prange(len(strips) - 1):
        for own in range(strips[strip], strips[strip + 1]):
            for band in range(own, min(last[own], strips[strip + 1])):
                for p in range(start[own], start[own + 1]):
                    link_in_band(reach, points, start, edges, table, parent, run_end, p, own, band)


@cached(njit)
def _join_across_strips(points, start, edges, table, reach, last, strips, parent, run_end):
    """Unite across the strips' borders."""
    for strip in range(len(strips) - 1):
        for own in range(strips[strip], strips[strip + 1]):
            for band in range(strips[strip + 1], last[own]):
                for p in range(start[own], start[own + 1]):
                    link_in_band(reach, points, start, edges, table, parent, run_end, p, own, band)


@cached(njit)
def _flatten(parent):
    """Point every entry at its root: parents come before their children, so one pass does it."""
    for i in range(len(parent)):
        parent[i] = parent[parent[i]]


@point_function
def precedes(lon, lat, order, i, j):
    """Whether point ``i`` comes before ``j`` by latitude, longitude and the order given."""
    if lat[i] != lat[j]:
        return lat[i] < lat[j]
    if lon[i] != lon[j]:
        return lon[i] < lon[j]
    return order[i] < order[j]


@point_function
def prefer_in_run(points, value, blocks, lon, lat, order, limit, best, x, y, z, low, high):
    """The better of ``best`` and the best point within reach among ``low..high``."""
    i = low
    while i < high:
        if best >= 0 and blocks[i // BLOCK] < value[best]:
            i = (i // BLOCK + 1) * BLOCK
            continue
        better = best < 0 or value[i] > value[best]
        better |= best >= 0 and value[i] == value[best] and precedes(lon, lat, order, i, best)
        if better and within(points, limit, i, x, y, z):
            best = i
        i += 1
    return best


@point_function
def prefer_in_band(points, start, edges, table, value, blocks, lon, lat, order, reach, band, best, key, x, y, z, ring):
    """The better of ``best`` and the best point within reach in a band."""
    a, d = candidates(reach, points, start, edges, table, band, key, z, ring)
    begin = start[band]
    size = start[band + 1] - begin
    for turn in range(-1, 2):
        low, high = piece(a, d, size, turn)
        best = prefer_in_run(
            points, value, blocks, lon, lat, order, reach.limit, best, x, y, z, begin + low, begin + high
        )
    return best


@cached(njit, parallel=True)
def _preferred(
    queries, points, start, edges, table, value, blocks, lon, lat, order, reach, first, last, band, begin, end, result
):
    for task in prange(len(band)):
        for other in range(first[band[task]], last[band[task]]):
            for p in range(begin[task], end[task]):
                key, x, y, z = queries[KEY, p], queries[X, p], queries[Y, p], queries[Z, p]
                ring = math.sqrt(x * x + y * y)
                result[p] = prefer_in_band(
                    points,
                    start,
                    edges,
                    table,
                    value,
                    blocks,
                    lon,
                    lat,
                    order,
                    reach,
                    other,
                    result[p],
                    key,
                    x,
                    y,
                    z,
                    ring,
                )
