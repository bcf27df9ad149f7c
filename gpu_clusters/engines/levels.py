"""What the clusters of all thresholds are made of on one device; the kernels for a CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels import cells, forest, nearby, nodes, sums
from gpu_clusters.kernels.density import densities
from gpu_clusters.kernels.spaces import Coordinates


class Kernels(NamedTuple):
    """Between them, arrays are those of ``xp`` (numpy or cupy) and stay there.

    The functions are named after those of `gpu_clusters.kernels`. Cells, the forest over them and the numbers of nodes may differ
    between devices; the clusters of every level, and what is found of them, do not. What ``arrivals`` and
    ``nearest_by_level`` find is little, and on the host. ``held`` takes a function that gives coordinates, and returns one.
    """

    xp: Any
    held: Callable[..., Callable[[], Coordinates]]
    build: Callable[..., Any]
    densities: Callable[..., Any]
    cut: Callable[..., Any]
    grow: Callable[..., Any]
    hang: Callable[..., Any]
    nodes_of: Callable[..., Any]
    first_members: Callable[..., Any]
    densest_members: Callable[..., Any]
    rows_by_place: Callable[..., Any]
    members_of: Callable[..., Any]
    rows_of: Callable[..., Any]
    add_worth: Callable[..., None]
    arrivals: Callable[..., sums.Arrivals]
    nearest_by_level: Callable[..., nearby.Nearby]

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Those for a CPU are pickled by their name: no pickle holds the module ``xp``."""
        return "ON_CPU" if self is ON_CPU else (type(self), tuple(self))


def _as_it_is(points: Callable[[], Coordinates]) -> Callable[[], Coordinates]:
    return points


ON_CPU = Kernels(
    np,
    _as_it_is,
    index.build,
    densities,
    cells.cut,
    forest.grow,
    forest.hang,
    nodes.nodes_of,
    nodes.first_members,
    nodes.densest_members,
    sums.rows_by_place,
    sums.members_of,
    sums.rows_of,
    sums.add_worth,
    sums.arrivals,
    nearby.nearest_by_level,
)
