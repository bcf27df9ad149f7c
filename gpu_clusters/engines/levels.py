"""What the clusters of all thresholds are made of on one device; the kernels for a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels import cells, forest, nodes
from gpu_clusters.kernels.density import densities


class Kernels(NamedTuple):
    """Between them, arrays are those of ``xp`` (numpy or cupy) and stay there.

    The functions are named after those of `gpu_clusters.kernels`. Cells, the forest over them and the numbers of nodes may differ
    between devices; the clusters of every level, and what is found of them, do not.
    """

    xp: Any
    build: Callable[..., Any]
    densities: Callable[..., Any]
    cut: Callable[..., Any]
    grow: Callable[..., Any]
    hang: Callable[..., Any]
    nodes_of: Callable[..., Any]
    first_members: Callable[..., Any]
    densest_members: Callable[..., Any]


ON_CPU = Kernels(
    np,
    index.build,
    densities,
    cells.cut,
    forest.grow,
    forest.hang,
    nodes.nodes_of,
    nodes.first_members,
    nodes.densest_members,
)
