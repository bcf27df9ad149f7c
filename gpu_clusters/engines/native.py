"""The native engine: exact weighted DBSCAN on compiled kernels, with nothing stored for a pair of locations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from gpu_clusters.arrays import to_host
from gpu_clusters.compiled import cached
from gpu_clusters.engines.protocol import NOISE, Clustering, Problem
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.density import densities
from gpu_clusters.kernels.linking import components, preferred_core

LARGEST = np.iinfo(np.int64).max  # CuPy compares with no larger number; weights are far from it


class Kernels(NamedTuple):
    """What the engine is made of on one device; between them, arrays are those of ``xp`` (numpy or cupy) and stay there.

    The functions are named after those of `gpu_clusters.kernels`, do the same and give the same bits.
    """

    xp: Any
    build: Callable[..., Any]
    select: Callable[..., Any]
    densities: Callable[..., Any]
    components: Callable[..., Any]
    preferred_core: Callable[..., Any]
    number: Callable[..., None]


def cluster(problem: Problem, kernels: Kernels | None = None) -> Clustering:
    """Cluster the locations of ``problem``, on the CPU where no other ``kernels`` are given."""
    k = kernels or ON_CPU
    xp, points, reach = k.xp, problem.points, problem.reach
    n = len(points.key)
    weight, lon, lat = (xp.asarray(values) for values in (problem.weight, problem.lon, problem.lat))
    bands = k.build(points, reach)
    density = k.densities(bands, weight[bands.order], reach)
    is_core = density >= min(problem.threshold, LARGEST)
    density_at = xp.empty(n, np.int64)
    density_at[bands.order] = density

    core, core_places = k.select(bands, points.kind, is_core)
    labels = xp.full(n, NOISE, np.int64)
    if len(core_places):
        labels[core.order] = k.components(core, reach)
        k.number(labels)
        if len(core_places) < n:
            others, _ = k.select(bands, points.kind, ~is_core)
            density_first = problem.border == "densest"
            value = density[core_places] if density_first else -labels[core.order]
            best = k.preferred_core(others, core, reach, value, lon[core.order], lat[core.order])
            joined = best >= 0
            labels[others.order[joined]] = labels[core.order[best[joined]]]
    is_core_at = xp.zeros(n, bool)
    is_core_at[core.order] = True
    return Clustering(to_host(density_at), to_host(is_core_at), to_host(labels))


@cached(njit)
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


ON_CPU = Kernels(np, index.build, index.select, densities, components, preferred_core, _number)
