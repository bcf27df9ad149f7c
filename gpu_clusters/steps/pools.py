"""Merging at all densities of a radius at once: the nodes of a level that are one cluster together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import to_host
from gpu_clusters.kernels.bands import Bands
from gpu_clusters.settings import Settings
from gpu_clusters.steps.hierarchy import Hierarchy
from gpu_clusters.steps.merge import belonging, groups, next_door
from gpu_clusters.steps.ties import Tie, ties_at


class Pools(NamedTuple):
    """Clusters that merging makes, ``number`` of them: ``node`` (k,) is in ``pool`` (k,), with others of its level."""

    node: NDArray[np.int64]
    pool: NDArray[np.int64]
    number: int

    def sums(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sum of ``values``, (k, w) of the nodes, of each pool; (number, w)."""
        result = np.zeros((self.number, values.shape[1]), np.int64)
        np.add.at(result, self.pool, values)
        return result


NO_POOLS = Pools(np.empty(0, np.int64), np.empty(0, np.int64), 0)


def find_pools(tree: Hierarchy, points: Bands, ties: list[Tie], settings: Settings) -> Pools:
    """Merge the clusters of each level, as `merge.merge` does with those of one setting.

    Parameters
    ----------
    tree : Hierarchy
    points : Bands
        All locations on the sphere, on the host.
    ties : list of Tie
    settings : Settings
        Uses ``merge_km``, ``radius_km`` and ``crs``.
    """
    arrival, pairs = to_host(tree.arrival), _neighbours(tree, points, settings)
    if not pairs:
        return NO_POOLS
    at, ties = ties_at(_within(tree, pairs)[arrival], ties)
    arrival = arrival[at]
    del at
    nodes, pools, number = [NO_POOLS.node], [NO_POOLS.pool], 0
    for level, found in pairs.items():
        some = tree.at(level)
        labels = tree.numbering(level).astype(np.int32)[arrival]
        group = groups(belonging(found, labels, len(some), ties), len(some))
        larger = (np.bincount(group) > 1)[group]
        names, pool = np.unique(group[larger], return_inverse=True)
        nodes.append(some[larger])
        pools.append(number + pool)
        number += len(names)
    return Pools(np.concatenate(nodes), np.concatenate(pools), number)


def _neighbours(tree: Hierarchy, points: Bands, settings: Settings) -> dict[int, NDArray[np.int64]]:
    """The pairs of neighbours, (p, 2), by their places in ``tree.at``, of each level that has any."""
    arrival = to_host(tree.arrival)[points.order]
    core_to = np.append(tree.nodes.level, np.int16(0))[to_host(tree.core)[points.order]]
    result = {}
    for level in range(1, len(tree.thresholds) + 1):
        pairs = next_door(points, tree.numbering(level)[arrival], core_to >= level, settings)
        if len(pairs):
            result[level] = pairs
    return result


def _within(tree: Hierarchy, pairs: dict[int, NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Whether a node, or one that holds it, is of a pair; (m + 1,), false in the last place."""
    result = np.zeros(len(tree.nodes.level) + 1, bool)
    for level in range(1, len(tree.thresholds) + 1):
        some = tree.at(level)
        result[some] = result[tree.nodes.parent[some]]
        if level in pairs:
            result[some[np.unique(pairs[level])]] = True
    return result
