"""The native engine: exact weighted DBSCAN on compiled kernels, with nothing stored for a pair of locations."""

from __future__ import annotations

import numpy as np
from numba import njit

from gpu_clusters.engines.protocol import NOISE, Clustering, Problem
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.density import densities
from gpu_clusters.kernels.linking import components, preferred_core


def cluster(problem: Problem) -> Clustering:
    """Cluster the locations of ``problem``."""
    points, reach = problem.points, problem.reach
    n = len(points.key)
    bands = index.build(points, reach)
    density = densities(bands, problem.weight[bands.order], reach)
    is_core = density >= problem.threshold
    density_at = np.empty(n, np.int64)
    density_at[bands.order] = density

    core, core_places = index.select(bands, points.kind, is_core)
    labels = np.full(n, NOISE, np.int64)
    if len(core_places):
        labels[core.order] = components(core, reach)
        _number(labels)
        if len(core_places) < n:
            others, _ = index.select(bands, points.kind, ~is_core)
            density_first = problem.border == "densest"
            value = density[core_places] if density_first else -labels[core.order]
            lon, lat = problem.lon[core.order], problem.lat[core.order]
            best = preferred_core(others, core, reach, value, lon, lat)
            joined = best >= 0
            labels[others.order[joined]] = labels[core.order[best[joined]]]
    is_core_at = np.zeros(n, bool)
    is_core_at[core.order] = True
    return Clustering(density_at, is_core_at, labels)


@njit(cache=True)
def _number(labels):
    """Replace the labels other than -1 by 0, 1, ... in the order in which they first appear."""
    names = np.full(len(labels), -1, np.int64)
    count = 0
    for i in range(len(labels)):
        if labels[i] >= 0:
            if names[labels[i]] < 0:
                names[labels[i]] = count
                count += 1
            labels[i] = names[labels[i]]
