"""The scikit-learn engine: an independent second one, for checks and for those who want to see familiar code.

It stores the core points' neighbours, so its memory grows with the density; the native engine's does not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from gpu_clusters.engines.protocol import NOISE, Clustering, Problem

BATCH = 2048


def cluster(problem: Problem) -> Clustering:
    """Cluster the locations of ``problem``."""
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import KDTree

    xyz = np.column_stack((problem.points.x, problem.points.y, problem.points.z))
    n = len(xyz)
    density = np.zeros(n, np.int64)
    labels = np.full(n, NOISE, np.int64)
    if not n:
        return Clustering(density, density > 0, labels)
    tree = KDTree(xyz)
    for rows, indptr, neighbours in _neighbours(tree, xyz, xyz, problem):
        density[rows] = np.add.reduceat(problem.weight[neighbours], indptr[:-1])
    core = density >= problem.threshold
    places = np.flatnonzero(core)
    if len(places):
        core_tree = KDTree(xyz[places])
        counts, indices = [np.zeros(1, np.int64)], []
        for _, indptr, neighbours in _neighbours(core_tree, xyz[places], xyz[places], problem):
            counts.append(np.diff(indptr))
            indices.append(neighbours)
        index = np.concatenate(indices)
        graph = csr_array((np.ones(len(index)), index, np.cumsum(np.concatenate(counts))), shape=(len(places),) * 2)
        labels[places] = DBSCAN(eps=1.0, min_samples=1, metric="precomputed").fit(graph).labels_
        others = np.flatnonzero(~core)
        labels[others] = _border(core_tree, xyz[places], xyz[others], places, density, labels, problem)
    return Clustering(density, core, labels)


def _neighbours(tree, targets: NDArray, queries: NDArray, problem: Problem) -> Iterator[tuple[slice, NDArray, NDArray]]:
    """Neighbours of the queries, a batch at a time: the rows, where each row's begin, and the targets' indices.

    The tree looks a little further than the radius; what it finds is held against the method's own distance test.
    """
    for first in range(0, len(queries), BATCH):
        batch = queries[first : first + BATCH]
        found = tree.query_radius(batch, np.sqrt(problem.reach.maybe))
        counts = np.array([len(row) for row in found])
        index = np.concatenate(found)
        row = np.repeat(np.arange(len(batch)), counts)
        delta = targets[index] - batch[row]
        delta *= delta
        near = delta[:, 0] + delta[:, 1] + delta[:, 2] <= problem.reach.limit
        indptr = np.concatenate(([0], np.cumsum(np.bincount(row[near], minlength=len(batch)))))
        yield slice(first, first + len(batch)), indptr, index[near]


def _border(tree, core_xyz, xyz, places, density, labels, problem: Problem) -> NDArray[np.int64]:
    """Label of each non-core point: that of its preferred core neighbour, or noise."""
    result = np.full(len(xyz), NOISE, np.int64)
    value = -density[places] if problem.border == "densest" else labels[places]
    order = np.lexsort((problem.lon[places], problem.lat[places], value))
    preference = np.empty(len(order), np.int64)
    preference[order] = np.arange(len(order))
    for rows, indptr, neighbours in _neighbours(tree, core_xyz, xyz, problem):
        some = np.diff(indptr) > 0
        best = np.minimum.reduceat(preference[neighbours], indptr[:-1][some])
        result[rows][some] = labels[places[order[best]]]
    return result
