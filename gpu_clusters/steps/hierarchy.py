"""The clusters of one radius at all thresholds at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import to_host
from gpu_clusters.engines.levels import ON_CPU, Kernels
from gpu_clusters.kernels.bands import Bands
from gpu_clusters.kernels.cells import HEIGHT
from gpu_clusters.kernels.nodes import Nodes, ancestors
from gpu_clusters.kernels.spaces import Coordinates, Reach

STRETCH = 1.3  # bands serve radii up to so many times the one that they were built for


class Hierarchy(NamedTuple):
    """The clusters of ``n`` locations at ascending ``thresholds``; level ``l`` is the ``l``-th of them, counted from 1.

    ``arrival`` (n,) int32 is the node in which a location is a member at the highest level, -1 if it never is; ``core`` (n,) the
    same for being core. ``first`` (m,) is the first member of each node, ``densest`` (m,) its densest.

    What is by node is on the host; what is by location, and ``held``, the nodes again, is on the device of the kernels.
    """

    thresholds: NDArray[np.int64]
    nodes: Nodes
    held: Nodes
    arrival: Any
    core: Any
    density_at: Any
    first: NDArray[np.int64]
    densest: NDArray[np.int64]

    def at(self, level: int) -> NDArray[np.int64]:
        """The nodes of a level in the order of their first members."""
        some = np.flatnonzero(self.nodes.level == level)
        return some[np.argsort(self.first[some])]

    def numbering(self, level: int) -> NDArray[np.int64]:
        """The cluster of a level, 0, 1, ... in the order of first members, that what arrives at a node is in.

        (m + 1,); -1 for none, and in the last place.
        """
        some = self.at(level)
        number = np.full(len(self.nodes.level) + 1, -1, np.int64)
        number[some] = np.arange(len(some))
        return number[ancestors(self.nodes, level)]


class Neighbourhood:
    """The points of all radii; bands are built again only where a radius has outgrown them.

    Parameters
    ----------
    points : callable
        Gives the coordinates. They are asked for when bands are built, and on the host not kept: the bands hold them too.
    weight : (n,) int64
        On the host; the attribute is on the device.
    kernels : Kernels
        Those of the device that does the work.
    """

    def __init__(self, points: Callable[[], Coordinates], weight: NDArray[np.int64], kernels: Kernels = ON_CPU) -> None:
        self._points, self._kernels = kernels.held(points), kernels
        self.weight = kernels.xp.asarray(weight)
        self._bands: Bands | None = None
        self._built_for = 0.0

    @property
    def bands(self) -> Bands | None:
        """The bands of the latest radius, if they are on the host."""
        return self._bands if self._kernels is ON_CPU else None

    def hierarchy(self, reach: Reach, thresholds: NDArray[np.int64]) -> Hierarchy:
        """Cluster at all thresholds.

        Parameters
        ----------
        reach : Reach
        thresholds : (t,) int64
            Ascending, no two equal, fewer than 2^15.
        """
        k, bands = self._kernels, self._bands_for(reach)
        density = k.densities(bands, self.weight[bands.order], reach)
        level = k.xp.searchsorted(k.xp.asarray(thresholds), density, side="right").astype(np.int16)
        cells = k.cut(bands, reach, density, level)
        forest = k.grow(bands, cells, reach, density, level)
        hangs_on = k.hang(bands, cells, reach, density, level)
        held, arrival, core = k.nodes_of(bands, cells, forest, level, hangs_on)
        density_at = k.xp.empty_like(density)
        density_at[bands.order] = density
        first = to_host(k.first_members(held, arrival))
        densest = to_host(k.densest_members(held, core, density_at))
        nodes = Nodes(*map(to_host, held))
        return Hierarchy(thresholds, nodes, held, arrival, core, density_at, first, densest)

    def _bands_for(self, reach: Reach) -> Bands:
        if self._bands is None or not self._built_for <= reach.height <= STRETCH * self._built_for:
            self._bands = None  # before the new ones take memory
            self._bands = self._kernels.build(self._points(), reach._replace(height=HEIGHT * reach.height))
            self._built_for = reach.height
        return self._bands
