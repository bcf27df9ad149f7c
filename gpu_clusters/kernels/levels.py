"""The forest of all thresholds one level at a time: what one point links and hangs on, for a thread of its own.

The points of a level that become core together each link the cells that have a core point within reach. A link is looked at from
both of its ends, so that it does not matter which of them becomes core first, and points of one level need not know of each
other. Cells that are in one cluster already, most of them, cost a look at their root.
"""

from __future__ import annotations

import math

from gpu_clusters.kernels.cells import denser
from gpu_clusters.kernels.linking import find, unite, within
from gpu_clusters.kernels.search import KEY, X, Y, Z, candidates, piece, point_function


@point_function
def reached_at(points, limit, ranked, level, begin, end, wanted, x, y, z, low, high):
    """Whether a cell, ``begin..end``, has a point of at least a level within reach; such points are among ``low..high``."""
    for k in range(begin, end):
        q = ranked[k]
        if level[q] < wanted:
            return False
        if low <= q < high and within(points, limit, q, x, y, z):
            return True
    return False


@point_function
def link_at(reach, points, start, edges, table, cell_start, number, ranked, top, level, root_of, p, wanted, band):
    """Unite the cell of point ``p`` with the cells of a band that have a point of level ``wanted`` or more within reach."""
    x, y, z = points[X, p], points[Y, p], points[Z, p]
    a, d = candidates(reach, points, start, edges, table, band, points[KEY, p], z, math.sqrt(x * x + y * y))
    begin = start[band]
    size = start[band + 1] - begin
    root = find(root_of, number[p])
    for turn in range(-1, 2):
        low, high = piece(a, d, size, turn)
        low, high = begin + low, begin + high
        i = low
        while i < high:
            cell = number[i]
            end = cell_start[cell + 1]
            if top[cell] >= wanted:
                other = find(root_of, cell)
                if other != root and reached_at(
                    points, reach.limit, ranked, level, cell_start[cell], end, wanted, x, y, z, low, high
                ):
                    root = unite(root_of, root, other)
            i = end


@point_function
def hang_in_band(reach, points, start, edges, table, order, cell_start, number, ranked, density, level, p, band, best):
    """The better of ``best`` (-1: none) and the densest point of a band within reach of ``p``, if its level is higher."""
    x, y, z = points[X, p], points[Y, p], points[Z, p]
    a, d = candidates(reach, points, start, edges, table, band, points[KEY, p], z, math.sqrt(x * x + y * y))
    begin = start[band]
    size = start[band + 1] - begin
    for turn in range(-1, 2):
        low, high = piece(a, d, size, turn)
        low, high = begin + low, begin + high
        i = low
        while i < high:
            cell = number[i]
            end = cell_start[cell + 1]
            for k in range(cell_start[cell], end):
                q = ranked[k]
                if level[q] <= level[p] or (best >= 0 and not denser(density, order, q, best)):
                    break
                if low <= q < high and within(points, reach.limit, q, x, y, z):
                    best = q
                    break
            i = end
    return best
