"""The forest of all thresholds: at which level two cells are first in one cluster, and on which core point a point hangs.

A level is a number of thresholds: at level ``l`` a point is core if its density reaches the ``l`` smallest thresholds. The cells'
maximum spanning forest under links of level ``min(level of a, level of b)`` has the clusters of every level as its subtrees.

It grows link by link in any order: each cell knows a parent and the level of the link to it. Climbing links of at least a level
leads to the root of the cell's cluster at that level; parents have the larger mixed number, which keeps the ways short.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.bands import Bands, near
from gpu_clusters.kernels.cells import Cells, denser, first_within, turns_towards, width_between
from gpu_clusters.kernels.linking import STRIPS_PER_THREAD, strips_of, within
from gpu_clusters.kernels.search import KEY, X, Y, Z, point_function
from gpu_clusters.kernels.spaces import Reach

SEGMENT = 256  # cells of a band that one task works on


class Forest(NamedTuple):
    """Parent of each cell, and the level of the link to it (0: a root); (c,) each."""

    parent: NDArray[np.int32]
    link: NDArray[np.int16]


def grow(bands: Bands, cells: Cells, reach: Reach, density: NDArray[np.int64], level: NDArray[np.int16]) -> Forest:
    """The forest of all levels; ``density`` and ``level`` are in the order of ``bands``."""
    forest = Forest(np.arange(len(cells.top), dtype=np.int32), np.zeros(len(cells.top), np.int16))
    _, last = near(bands, bands, reach)
    strips = strips_of(bands.start, get_num_threads() * STRIPS_PER_THREAD)
    most = int(cells.active.max(initial=0))
    args = [bands.points, bands.edges, reach, last, strips, *_described(cells), density, level, *forest, most]
    _link_within_strips(*args)
    _link_across_strips(*args)
    return forest


def hang(
    bands: Bands, cells: Cells, reach: Reach, density: NDArray[np.int64], level: NDArray[np.int16]
) -> NDArray[np.int32]:
    """The densest point within reach of each point, (n,), if that reaches a higher level; else the point itself."""
    first, last = near(bands, bands, reach)
    result = np.empty(len(density), np.int32)
    index = [bands.points, bands.edges, bands.order, reach, first, last]
    args = [*index, *_described(cells), density, level, *_segments(cells.first), result]
    _hang(*args)
    return result


def _described(cells: Cells) -> tuple[NDArray, ...]:
    return cells.start, cells.first, cells.ends, cells.ranked, cells.active, cells.top


def _segments(first: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Tasks for threads: band, first and past-the-last cell of runs of at most ``SEGMENT`` cells of one band."""
    first = first.astype(np.int64)
    pieces = -(-np.diff(first) // SEGMENT)
    band = np.repeat(np.arange(len(pieces)), pieces)
    begin = first[band] + SEGMENT * (np.arange(len(band)) - (np.cumsum(pieces) - pieces)[band])
    return band, begin, np.minimum(begin + SEGMENT, first[band + 1])


@point_function
def mixed(cell):
    """The cell's number with its bits mixed: another number for each, in no order."""
    h = np.uint32(cell)
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D))
    h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(h ^ (h >> np.uint32(16)))


@point_function
def climb(parent, link, cell, level):
    """Root of a cell's cluster at a level."""
    while link[cell] >= level:
        cell = parent[cell]
    return cell


@point_function
def join(parent, link, one, other, level):
    """Add a link of a level between two cells."""
    while level > 0:
        one, other = climb(parent, link, one, level), climb(parent, link, other, level)
        if one == other:
            return
        if mixed(one) > mixed(other):
            one, other = other, one
        former, former_level = parent[one], link[one]
        parent[one], link[one] = other, level
        one, other, level = other, former, former_level  # what was joined at a lower level still is


@point_function
def beyond(key, low, high, width):
    """Whether a key is further than ``width`` from all keys ``low..high``."""
    return key < low - width or key > high + width


@point_function
def strongest_link(
    points,
    limit,
    start,
    ends,
    ranked,
    active,
    density,
    level,
    parent,
    link,
    one,
    other,
    shift,
    width,
    near_one,
    near_other,
):
    """Highest level of a link between two cells that are not in one cluster at that level already; 0 for none.

    Points of both are taken by falling density; each is tested against those of the other cell that were taken before.
    """
    i, j, ones, others, latest = 0, 0, 0, 0, 0
    while i < active[one] or j < active[other]:
        from_one = j >= active[other] or (
            i < active[one] and density[ranked[start[one] + i]] >= density[ranked[start[other] + j]]
        )
        p = ranked[start[one] + i] if from_one else ranked[start[other] + j]
        if level[p] != latest:
            latest = level[p]
            if climb(parent, link, one, latest) == climb(parent, link, other, latest):
                return 0
        key, x, y, z = points[KEY, p], points[X, p], points[Y, p], points[Z, p]
        if from_one:
            i += 1
            if not beyond(key, ends[0, other] + shift, ends[1, other] + shift, width):
                for k in range(others):
                    if within(points, limit, near_other[k], x, y, z):
                        return latest
                near_one[ones] = p
                ones += 1
        else:
            j += 1
            if not beyond(key + shift, ends[0, one], ends[1, one], width):
                for k in range(ones):
                    if within(points, limit, near_one[k], x, y, z):
                        return latest
                near_other[others] = p
                others += 1
    return 0


@point_function
def link_bands(
    points,
    edges,
    reach,
    start,
    first,
    ends,
    ranked,
    active,
    top,
    density,
    level,
    parent,
    link,
    own,
    band,
    near_one,
    near_other,
):
    """Link the cells of band ``own`` with those of a band that is not below it."""
    width = width_between(reach, edges, own, band)
    begin, end = first[own], first[own + 1]
    if width < 0 or begin == end:
        return
    first_turn, last_turn = turns_towards(reach, ends, begin, end, width)
    for turn in range(first_turn, last_turn + 1):
        shift = turn * reach.period
        low = first[band]
        for one in range(begin, end):
            while low < first[band + 1] and ends[1, low] + shift < ends[0, one] - width:
                low += 1
            if top[one] == 0:
                continue
            other = low if band != own else max(low, one + 1)
            while other < first[band + 1] and ends[0, other] + shift <= ends[1, one] + width:
                level_at_most = min(top[one], top[other])
                if level_at_most > 0 and climb(parent, link, one, level_at_most) != climb(
                    parent, link, other, level_at_most
                ):
                    found = strongest_link(
                        points,
                        reach.limit,
                        start,
                        ends,
                        ranked,
                        active,
                        density,
                        level,
                        parent,
                        link,
                        one,
                        other,
                        shift,
                        width,
                        near_one,
                        near_other,
                    )
                    join(parent, link, one, other, found)
                other += 1


@cached(njit, parallel=True)
def _link_within_strips(
    points, edges, reach, last, strips, start, first, ends, ranked, active, top, density, level, parent, link, most
):
    """Link inside of each strip: no two strips touch the same entries of ``parent`` and ``link``."""
    for strip in prange(len(strips) - 1):
        near_one, near_other = np.empty(most, np.int32), np.empty(most, np.int32)
        for own in range(strips[strip], strips[strip + 1]):
            for band in range(own, min(last[own], strips[strip + 1])):
                link_bands(
                    points,
                    edges,
                    reach,
                    start,
                    first,
                    ends,
                    ranked,
                    active,
                    top,
                    density,
                    level,
                    parent,
                    link,
                    own,
                    band,
                    near_one,
                    near_other,
                )


@cached(njit)
def _link_across_strips(
    points, edges, reach, last, strips, start, first, ends, ranked, active, top, density, level, parent, link, most
):
    """Link across the strips' borders."""
    near_one, near_other = np.empty(most, np.int32), np.empty(most, np.int32)
    for strip in range(len(strips) - 1):
        for own in range(strips[strip], strips[strip + 1]):
            for band in range(strips[strip + 1], last[own]):
                link_bands(
                    points,
                    edges,
                    reach,
                    start,
                    first,
                    ends,
                    ranked,
                    active,
                    top,
                    density,
                    level,
                    parent,
                    link,
                    own,
                    band,
                    near_one,
                    near_other,
                )


@point_function
def hang_on_cell(points, limit, order, start, ends, ranked, active, density, level, one, other, shift, width, best):
    """Give each point of cell ``one`` the densest point within reach in cell ``other``, if it is preferred."""
    top = ranked[start[other]]
    for p in range(start[one], start[one + 1]):
        if level[top] <= level[p] or (best[p] >= 0 and not denser(density, order, top, best[p])):
            continue
        key, x, y, z = points[KEY, p], points[X, p], points[Y, p], points[Z, p]
        if beyond(key, ends[0, other] + shift, ends[1, other] + shift, width):
            continue
        for k in range(start[other], start[other] + active[other]):
            q = ranked[k]
            if level[q] <= level[p] or (best[p] >= 0 and not denser(density, order, q, best[p])):
                break
            if within(points, limit, q, x, y, z):
                best[p] = q
                break


@cached(njit, parallel=True)
def _hang(
    points,
    edges,
    order,
    reach,
    nearest,
    last,
    start,
    first,
    ends,
    ranked,
    active,
    top,
    density,
    level,
    task_band,
    task_begin,
    task_end,
    best,
):
    for task in prange(len(task_band)):
        own, begin, end = task_band[task], task_begin[task], task_end[task]
        for one in range(begin, end):
            for p in range(start[one], start[one + 1]):
                best[p] = ranked[start[one]] if top[one] > level[p] else -1
        for band in range(nearest[own], last[own]):
            width = width_between(reach, edges, own, band)
            if width < 0:
                continue
            first_turn, last_turn = turns_towards(reach, ends, begin, end, width)
            for turn in range(first_turn, last_turn + 1):
                shift = turn * reach.period
                low = first_within(ends, first[band], first[band + 1], ends[0, begin] - width - shift)
                for one in range(begin, end):
                    while low < first[band + 1] and ends[1, low] + shift < ends[0, one] - width:
                        low += 1
                    other = low
                    while other < first[band + 1] and ends[0, other] + shift <= ends[1, one] + width:
                        better = top[one] == 0 or denser(density, order, ranked[start[other]], ranked[start[one]])
                        if better and top[other] > 0 and other != one:
                            hang_on_cell(
                                points,
                                reach.limit,
                                order,
                                start,
                                ends,
                                ranked,
                                active,
                                density,
                                level,
                                one,
                                other,
                                shift,
                                width,
                                best,
                            )
                        other += 1
        for p in range(start[begin], start[end]):
            if best[p] < 0:
                best[p] = p
