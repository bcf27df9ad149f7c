"""Cutting a problem into islands that can be clustered one by one, exactly, for engines whose time or memory is quadratic.

Space is cut into cells as wide as the radius, so that whatever is within the radius of a location lies in its own cell or in one
next to it. A location whose cell and the cells around it weigh less than the threshold together can never be core. The other
cells fall apart into islands that do not touch, and no cluster reaches from one to another.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gpu_clusters.engines.protocol import Problem

BITS = 21  # of a cell's number along each of the three axes
# Side of a cell in parts of the largest coordinate: its number then fits, and is right despite rounding
SMALLEST = 2e-6


class Cells(NamedTuple):
    """The ``m`` cells that are not empty, in the order of their keys."""

    key: NDArray[np.int64]  # (m,)
    weight: NDArray[np.int64]  # (m,)
    start: NDArray[np.int64]  # (m + 1,) first of each cell's locations in ``order``
    order: NDArray[np.int64]  # (n,) locations, cell after cell


def islands(problem: Problem) -> list[NDArray[np.int64]]:
    """Locations of each island, ascending: those that may be core and all that is within the radius of them.

    Every core location is in exactly one island, together with all its neighbours; others may be in several islands or in none.
    """
    if not len(problem.weight):
        return []
    cells = _cells(problem)
    count = len(cells.key)
    cell, other = _next_to(cells.key)
    around = np.zeros(count, np.int64)
    np.add.at(around, cell, cells.weight[other])
    warm = around >= problem.threshold
    both = warm[cell] & warm[other]
    graph = coo_array((np.ones(both.sum(), np.int8), (cell[both], other[both])), shape=(count, count))
    island = connected_components(graph, directed=False)[1]
    pairs = np.unique(np.stack((island[cell[warm[cell]]], other[warm[cell]])), axis=1)
    ends = np.flatnonzero(np.diff(pairs[0])) + 1
    return [_members(cells, group) for group in np.split(pairs[1], ends) if len(group)]


def _cells(problem: Problem) -> Cells:
    axes = np.stack((problem.points.x, problem.points.y, problem.points.z))
    side = max(1.001 * math.sqrt(problem.reach.maybe), SMALLEST * float(np.abs(axes).max()))
    number = np.floor(axes / side).astype(np.int64)
    number -= number.min(axis=1, keepdims=True) - 1  # so that there is room for neighbours on either side
    key, place, sizes = np.unique(_packed(number), return_inverse=True, return_counts=True)
    order = np.argsort(place, kind="stable")
    start = np.concatenate(([0], np.cumsum(sizes)))
    return Cells(key, np.add.reduceat(problem.weight[order], start[:-1]), start, order)


def _packed(number: NDArray[np.int64]) -> NDArray[np.int64]:
    return (number[0] << 2 * BITS) + (number[1] << BITS) + number[2]


def _next_to(key: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of cells that touch, each cell with itself too."""
    pairs = []
    for step in itertools.product((-1, 0, 1), repeat=3):
        wanted = key + _packed(np.array(step))
        place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        found = np.flatnonzero(key[place] == wanted)
        pairs.append((found, place[found]))
    cell, other = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return cell, other


def _members(cells: Cells, group: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.sort(np.concatenate([cells.order[cells.start[c] : cells.start[c + 1]] for c in group]))
