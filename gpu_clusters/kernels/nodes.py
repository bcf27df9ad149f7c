"""The clusters of every level as nodes of a tree, and sums over them.

A node is a cluster at a level; its parent is the cluster that holds it one level lower. A location arrives at the node in
which it is first a member, going down the levels, and stays in all of its ancestors: what a node holds is what arrives at it and
at its descendants. Sums are of whole numbers, so that no order of additions matters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.errors import UsageError
from gpu_clusters.kernels.bands import Bands
from gpu_clusters.kernels.cells import Cells
from gpu_clusters.kernels.forest import Forest, climb
from gpu_clusters.kernels.search import point_function

MOST = np.iinfo(np.int32).max  # nodes


class Nodes(NamedTuple):
    """Level and parent (-1: none) of each node; ``order`` lists the nodes from the highest level down. (m,) each."""

    level: NDArray[np.int16]
    parent: NDArray[np.int32]
    order: NDArray[np.int32]


def nodes_of(
    bands: Bands, cells: Cells, forest: Forest, level: NDArray[np.int16], hangs_on: NDArray[np.int32]
) -> tuple[Nodes, NDArray[np.int32], NDArray[np.int32]]:
    """The tree of clusters, and by location, in the order given, the nodes where it arrives and where it is first core.

    ``level`` and ``hangs_on`` are in the order of ``bands``. -1 stands for a location that is never a member or never core.
    """
    heights = (cells.top - forest.link).astype(np.int64)
    base = np.concatenate((np.zeros(1, np.int64), np.cumsum(heights)))
    count = checked(int(base[-1]))
    node_level, parent = np.empty(count, np.int16), np.empty(count, np.int32)
    _grow(*forest, cells.top, base, node_level, parent)
    arrival, core = np.empty((2, len(level)), np.int32)
    _arrive(bands.order, cells.number, *forest, base, level, hangs_on, arrival, core)
    order = np.argsort(-node_level, kind="stable").astype(np.int32)
    return Nodes(node_level, parent, order), arrival, core


def checked(count: int) -> int:
    """So many nodes, if each can have a number.

    Raises
    ------
    UsageError
        More than 32 bits can count, which takes thousands of densities that hardly any place lacks.
    """
    if count > MOST:
        raise UsageError(
            f"the clusters of all densities at one radius are {count:,}, more than can be numbered ({MOST:,}): "
            "take fewer densities, or larger ones"
        )
    return count


def add_up(nodes: Nodes, values: NDArray[np.int64]) -> None:
    """Add to each node's values, (m, k), those of all nodes below, in place."""
    _add_up(nodes.order, nodes.parent, values)


def first_members(nodes: Nodes, arrival: NDArray[np.int32]) -> NDArray[np.int64]:
    """The smallest index of a location of each node; (m,)."""
    first = np.full(len(nodes.level), len(arrival), np.int64)
    _first_members(nodes.order, nodes.parent, arrival, first)
    return first


def densest_members(nodes: Nodes, core: NDArray[np.int32], density_at: NDArray[np.int64]) -> NDArray[np.int64]:
    """The densest location of each node, the first of equals; (m,). ``density_at`` is by location, in the order given."""
    best = np.full(len(nodes.level), -1, np.int64)
    _densest_members(nodes.order, nodes.parent, core, density_at, best)
    return best


def ancestors(nodes: Nodes, level: int) -> NDArray[np.int32]:
    """The node of a level that holds each node; (m + 1,), -1 for nodes of lower levels and in the last place."""
    result = np.full(len(nodes.level) + 1, -1, np.int32)
    _ancestors(nodes.order, nodes.level, nodes.parent, level, result)
    return result


@point_function
def node_at(parent, link, base, cell, level):
    """The node that holds a cell at a level, which must not be above that of the cell's densest point."""
    root = climb(parent, link, cell, level)
    return base[root] + level - link[root] - 1


@point_function
def raise_nodes(cell, parent, link, top, base, node_level, node_parent):
    """Write the nodes of the levels at which a cell is the root of its cluster."""
    for level in range(link[cell] + 1, top[cell] + 1):
        node = base[cell] + level - link[cell] - 1
        node_level[node] = level
        if level - 1 > link[cell]:
            node_parent[node] = node - 1
        elif level - 1 > 0:
            node_parent[node] = node_at(parent, link, base, parent[cell], level - 1)
        else:
            node_parent[node] = -1


@point_function
def first_node(cell, parent, link, base, level):
    """The node of a cell at a level; -1 at level 0."""
    return node_at(parent, link, base, cell, level) if level > 0 else -1


@cached(njit, parallel=True)
def _grow(parent, link, top, base, node_level, node_parent):
    for cell in prange(len(top)):
        raise_nodes(cell, parent, link, top, base, node_level, node_parent)


@cached(njit, parallel=True)
def _arrive(order, number, parent, link, base, level, hangs_on, arrival, core):
    for p in prange(len(order)):
        on = hangs_on[p]
        arrival[order[p]] = first_node(number[on], parent, link, base, level[on])
        core[order[p]] = first_node(number[p], parent, link, base, level[p])


@cached(njit)
def _add_up(order, parent, values):
    for node in order:
        above = parent[node]
        if above >= 0:
            for k in range(values.shape[1]):
                values[above, k] += values[node, k]


@cached(njit)
def _first_members(order, parent, arrival, first):
    for i in range(len(arrival) - 1, -1, -1):
        if arrival[i] >= 0:
            first[arrival[i]] = i
    for node in order:
        above = parent[node]
        if above >= 0:
            first[above] = min(first[above], first[node])


@cached(njit)
def _densest_members(order, parent, core, density_at, best):
    for i in range(len(core)):
        node = core[i]
        if node >= 0 and (best[node] < 0 or density_at[i] > density_at[best[node]]):
            best[node] = i
    for node in order:
        above = parent[node]
        if above >= 0:
            mine, theirs = best[node], best[above]
            if (
                theirs < 0
                or density_at[mine] > density_at[theirs]
                or (density_at[mine] == density_at[theirs] and mine < theirs)
            ):
                best[above] = mine


@cached(njit)
def _ancestors(order, node_level, parent, level, result):
    for k in range(len(order) - 1, -1, -1):
        node = order[k]
        if node_level[node] == level:
            result[node] = node
        elif node_level[node] > level:
            result[node] = result[parent[node]]
