"""What comes into the nodes of a tree, added up over it: members, rows by value, and what they share with other clusters.

All of it is whole numbers, which may be added in any order, but for the worth of the rows at the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.nodes import Nodes, add_up
from gpu_clusters.kernels.search import point_function
from gpu_clusters.kernels.twofold import add_at, plus_product


class Arrivals(NamedTuple):
    """What comes into each node, by cluster of another clustering: that of node ``i`` is ``member[start[i]:start[i + 1]]``.

    ``member`` (p,) are places in ``number``, the other's cluster, ``weight`` and ``locations`` (empty: one location each).
    """

    start: NDArray[np.int64]
    member: NDArray[np.int32]
    number: NDArray[np.int32]
    locations: NDArray[np.int64]
    weight: NDArray[np.int64]


def rows_by_place(
    place: NDArray[np.int32],
    code: NDArray[np.int32],
    places: int,
    kinds: int,  # noqa: ARG001 - what sorts pairs needs it
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Rows sorted by place and by code, below ``kinds``, equal ones counted: first of each place, codes and numbers of rows."""
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(place, minlength=places))))
    return _by_place(place, code, start)


def members_of(
    nodes: Nodes, arrival: NDArray[np.int32], core: NDArray[np.int32], weight: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Locations, weight and core locations of each node, (m, 3)."""
    result = np.zeros((len(nodes.level), 3), np.int64)
    _count_members(arrival, core, weight, result)
    add_up(nodes, result)
    return result


def rows_of(
    nodes: Nodes,
    node: NDArray[np.int32],
    place: NDArray[np.int32] | None,
    sign: NDArray[np.int8] | None,
    start: NDArray[np.int64],
    code: NDArray[np.int32],
    rows: NDArray[np.int64],
    low: int,
    width: int,
) -> NDArray[np.int64]:
    """Rows of each node by the codes ``low..low + width``, (m, width); see `tally.node_sums`."""
    result = np.zeros((len(nodes.level), width), np.int64)
    places = np.empty(0, np.int32) if place is None else place
    signs = np.empty(0, np.int8) if sign is None else sign
    _scatter(node, places, signs, start, code, rows, low, result)
    add_up(nodes, result)
    return result


def arrivals(
    nodes: Nodes,
    arrival: NDArray[np.int32],
    number: NDArray[np.int32],
    weight: NDArray[np.int64],
    others: int,  # noqa: ARG001 - what sorts pairs needs it
) -> Arrivals:
    """What comes into each node, by the ``others`` clusters that ``number``, (n,), gives (-1: none)."""
    start, member = grouped(np.where(number < 0, -1, arrival), len(nodes.level))
    return Arrivals(start, member, number, np.empty(0, np.int64), weight)


def grouped(group: NDArray[np.int32], groups: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Where each group starts, and indices sorted by group; negative groups are left out."""
    start = np.zeros(groups + 1, np.int64)
    _count(group, start)
    np.cumsum(start, out=start)
    member = np.empty(start[-1], np.int32)
    _fill(group, start[:-1].copy(), member)
    return start, member


@point_function
def count_member(i, arrival, core, weight, sums):
    """Count a location where it arrives and where it is first core."""
    if arrival[i] >= 0:
        add_at(sums, arrival[i], 0, 1)
        add_at(sums, arrival[i], 1, weight[i])
    if core[i] >= 0:
        add_at(sums, core[i], 2, 1)


@point_function
def scatter(e, node, place, sign, start, code, rows, low, sums):
    """Add the rows of the place of event ``e`` to its node."""
    if node[e] >= 0:
        p = place[e] if len(place) > 0 else e
        for i in range(start[p], start[p + 1]):
            if low <= code[i] < low + sums.shape[1]:
                add_at(sums, node[e], code[i] - low, sign[e] * rows[i] if len(sign) > 0 else rows[i])


@point_function
def worth(total, node, rows, values, parts):
    """A node's sum and what its rows are worth, added value by value, each product and each sum rounded."""
    for k in range(rows.shape[1]):
        if rows[node, k] != 0:
            if parts:
                total += rows[node, k] / values[k]
            else:
                total = plus_product(total, float(rows[node, k]), values[k])
    return total


@cached(njit)
def _by_place(place, code, start):
    slot = start[:-1].copy()
    codes = np.empty(len(place), np.int32)
    for i in range(len(place)):
        codes[slot[place[i]]] = code[i]
        slot[place[i]] += 1
    rows = np.empty(len(place), np.int64)
    filled = 0
    first = np.empty_like(start)
    for p in range(len(start) - 1):
        mine = codes[start[p] : start[p + 1]]
        if len(mine) > 1:
            mine.sort()
        first[p] = filled
        for c in mine:
            if filled > first[p] and codes[filled - 1] == c:
                rows[filled - 1] += 1
            else:
                codes[filled], rows[filled] = c, 1
                filled += 1
    first[-1] = filled
    return first, codes[:filled].copy(), rows[:filled].copy()


@cached(njit)
def _count_members(arrival, core, weight, sums):
    for i in range(len(arrival)):
        count_member(i, arrival, core, weight, sums)


@cached(njit)
def _scatter(node, place, sign, start, code, rows, low, sums):
    for e in range(len(node)):
        scatter(e, node, place, sign, start, code, rows, low, sums)


@cached(njit)
def add_worth(rows, values, parts, result):
    """Add to each node's sum, (m,), what its rows of each value, (m, k), are worth, value after value."""
    for node in range(rows.shape[0]):
        result[node] = worth(result[node], node, rows, values, parts)


@cached(njit)
def _count(group, start):
    for g in group:
        if g >= 0:
            start[g + 1] += 1


@cached(njit)
def _fill(group, slot, member):
    for i in range(len(group)):
        if group[i] >= 0:
            member[slot[group[i]]] = i
            slot[group[i]] += 1
