"""The clusters of one radius at all densities: what each holds, and its rank."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import namespace, to_host
from gpu_clusters.kernels.nodes import ancestors
from gpu_clusters.steps.compare import Shared, combined
from gpu_clusters.steps.hierarchy import Hierarchy
from gpu_clusters.steps.pools import Pools
from gpu_clusters.steps.single import Clusters, by_rank


class Homes(NamedTuple):
    """The clusters of all levels, ``c`` of them: first the ``m`` nodes of a tree, then the pools.

    ``of`` (m + 1,) is the cluster of each node, -1 in the last place. By cluster, (c,): ``level``, 0 for a node in a pool,
    ``first`` member and ``densest`` member.
    """

    of: NDArray[np.int64]
    level: NDArray[np.int16]
    first: NDArray[np.int64]
    densest: NDArray[np.int64]


class Radius(NamedTuple):
    """``amounts`` (c, 3): locations, weight and core locations of each cluster; patents, publications and deals, (c,) each."""

    tree: Hierarchy
    homes: Homes
    amounts: NDArray[np.int64]
    counts: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    totals: tuple[float, float, float]

    def clusters(self, level: int) -> tuple[Clusters, NDArray[np.int64]]:
        """Clusters of a level by rank, and the place among them of each node's, (m + 1,): -1 for others and in the last place."""
        some = np.flatnonzero(self.homes.level == level)
        some = some[np.argsort(self.homes.first[some])]
        order, rank = by_rank([column[some] for column in self.counts], self.totals)
        some = some[order]
        number = np.full(len(self.homes.level) + 1, -1, np.int64)
        number[some] = np.arange(len(some))
        patents, publications, deals = (column[some] for column in self.counts)
        size, weight = self.amounts[some, 0], self.amounts[some, 1]
        found = Clusters(rank[order], patents, publications, deals, self.homes.densest[some], size, weight)
        return found, number[self.homes.of]

    def shared(self, of_nodes: Shared, number_of: NDArray[np.int64]) -> Shared:
        """What the clusters that ``clusters`` numbers share, from what the nodes of the level do."""
        found = of_nodes._replace(one=number_of[of_nodes.one])
        return combined(found) if len(self.homes.level) > len(self.tree.nodes.level) else found

    def core(self, level: int) -> int:
        """Core locations at a level."""
        return int(self.amounts[self.homes.level == level, 2].sum())

    def numbers(self, level: int, number_of: NDArray[np.int64]) -> NDArray[np.int64]:
        """What ``clusters`` numbers, of each location; (n,), -1 for noise."""
        return number_of[ancestors(self.tree.nodes, level)[to_host(self.tree.arrival)]]


def homes_of(tree: Hierarchy, pools: Pools) -> Homes:
    """Where the nodes of a tree are."""
    m, (node, pool, count) = len(tree.nodes.level), pools
    of = np.append(np.arange(m), -1)
    of[node] = m + pool
    level = np.append(tree.nodes.level, np.zeros(count, np.int16))
    level[of[node]] = level[node]
    level[node] = 0
    first = np.append(tree.first, np.full(count, len(tree.arrival)))
    np.minimum.at(first, of[node], tree.first[node])
    mine = tree.densest[node]
    density = to_host(tree.density_at[namespace(tree.density_at).asarray(mine)])
    order = np.lexsort((mine, -density, pool))
    best = order[np.flatnonzero(np.diff(pool[order], prepend=-1))]
    return Homes(of, level, first, np.append(tree.densest, mine[best]))
