"""The clusters of all thresholds on a GPU: the kernels of `engines.levels`, on arrays that stay on the device.

A CPU adds links one by one in any order; here the levels follow each other from the highest down, and the points that become core
at one are linked at once. In the tests a double of CuPy makes the arrays, and Numba's simulator or a loop takes the GPU's place.

No GPU has run this yet: see docs/gpu.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from gpu_clusters.arrays import count_each, to_host
from gpu_clusters.engines import cuda, cuda_sweep, sums
from gpu_clusters.engines.device import band_of, build, densities, on_device
from gpu_clusters.engines.levels import Kernels
from gpu_clusters.kernels.bands import Bands, index_of, near
from gpu_clusters.kernels.forest import Forest
from gpu_clusters.kernels.nodes import Nodes, checked
from gpu_clusters.kernels.spaces import Coordinates, Reach


class Cells(NamedTuple):
    """What threads need of `cells.Cells`; ``c`` cells of ``n`` points."""

    start: Any  # (c + 1,) int32
    number: Any  # (n,) int32
    ranked: Any  # (n,) int32
    top: Any  # (c,) int16


def kernels(xp: Any) -> Kernels:
    """The kernels, for arrays of the module ``xp``: cupy."""
    tree = (held, build, densities, cut, grow, hang, nodes_of, first_members, densest_members)
    made: list[Any] = [partial(function, xp) for function in (*tree, *sums.FUNCTIONS)]
    return Kernels(xp, *made)


def held(xp: Any, points: Callable[[], Coordinates]) -> Callable[[], Coordinates]:
    """A function that gives coordinates, as one that brings them to the device when it is first called, and keeps them there."""
    return cache(lambda: on_device(xp, points()))


def cut(xp: Any, bands: Bands, reach: Reach, density: Any, level: Any) -> Cells:
    """See `cells.cut`. Cells are parts of a band, all as wide as is surely within reach of each of its points."""
    n, band = len(density), band_of(xp, bands.start)
    width = xp.empty(n, np.float64)
    cuda.launch(cuda_sweep.measure_widths, n, bands.points, bands.edges, reach, band, width)
    least = xp.full(len(bands.start) - 1, np.iinfo(np.int64).max, np.int64)
    bits = width.view(np.int64)  # the order of positive numbers is that of their bits
    cuda.launch(cuda.find_first, n, band, bits, least)
    narrow = (least.view(np.float64) - 4 * reach.slack) * (1 - 1e-9)  # places in a band are rounded
    opens = xp.empty(n, np.int64)
    cuda.launch(cuda_sweep.open_cells, n, bands.points, bands.start, band, narrow, opens)
    number = xp.cumsum(opens) - 1
    start = xp.concatenate((xp.flatnonzero(opens), xp.full(1, n, np.int64))).astype(np.int32)
    _, rank = _ranked(xp, density, bands.order)
    ranked = xp.argsort(number * n + rank).astype(np.int32)
    return Cells(start, number.astype(np.int32), ranked, level[ranked[start[:-1]]])


def grow(xp: Any, bands: Bands, cells: Cells, reach: Reach, density: Any, level: Any) -> Forest:  # noqa: ARG001 - levels do
    """See `forest.grow`. The trees that threads unite are kept apart from the forest, which learns at the end of each level."""
    count = len(cells.top)
    parent, link, root_of = xp.arange(count, dtype=np.int32), xp.zeros(count, np.int16), xp.arange(count)
    index = (*index_of(bands), reach, *near(bands, bands, reach), band_of(xp, bands.start))
    args = cuda_sweep.held(xp.argsort(-level), *index, *cells, level, root_of)
    roots = cuda_sweep.held(root_of, parent, link)
    begin = 0
    sizes = to_host(count_each(level)).tolist()
    for wanted in range(len(sizes) - 1, 0, -1):
        end = begin + sizes[wanted]
        if end > begin:
            cuda.launch(cuda_sweep.link_level, end - begin, begin, wanted, *args, end)
            cuda.launch(cuda_sweep.end_level, count, wanted, *roots)
        begin = end
    return Forest(parent, link)


def hang(xp: Any, bands: Bands, cells: Cells, reach: Reach, density: Any, level: Any) -> Any:
    """See `forest.hang`."""
    result = xp.empty(len(density), np.int32)
    index = (*index_of(bands), bands.order, reach, *near(bands, bands, reach), band_of(xp, bands.start))
    most = level.max().reshape(1) if len(level) else level
    args = (*index, cells.start, cells.number, cells.ranked, density, level, most, result)
    cuda.launch(cuda_sweep.hang_points, len(density), *args)
    return result


def nodes_of(xp: Any, bands: Bands, cells: Cells, forest: Forest, level: Any, hangs_on: Any) -> tuple[Nodes, Any, Any]:
    """See `nodes.nodes_of`."""
    heights = (cells.top - forest.link).astype(np.int64)
    base = xp.concatenate((xp.zeros(1, np.int64), xp.cumsum(heights)))
    count = checked(int(base[-1]))
    node_level, parent = xp.empty(count, np.int16), xp.empty(count, np.int32)
    cuda.launch(cuda_sweep.grow_nodes, len(heights), *forest, cells.top, base, node_level, parent)
    arrival, core = xp.empty(len(level), np.int32), xp.empty(len(level), np.int32)
    args = (bands.order, cells.number, *forest, base, level, hangs_on, arrival, core)
    cuda.launch(cuda_sweep.arrive, len(level), *args)
    return Nodes(node_level, parent, xp.argsort(-node_level).astype(np.int32)), arrival, core


def first_members(xp: Any, nodes: Nodes, arrival: Any) -> Any:
    """See `nodes.first_members`."""
    first = xp.full(len(nodes.level), len(arrival), np.int64)
    cuda.launch(cuda_sweep.lower, len(arrival), nodes.parent, arrival, xp.arange(len(arrival)), first)
    return first


def densest_members(xp: Any, nodes: Nodes, core: Any, density_at: Any) -> Any:
    """See `nodes.densest_members`."""
    by_density, rank = _ranked(xp, density_at, xp.arange(len(core)))
    least = xp.full(len(nodes.level), len(core), np.int64)
    cuda.launch(cuda_sweep.lower, len(core), nodes.parent, core, rank, least)
    return by_density[least]


def _ranked(xp: Any, density: Any, order: Any) -> tuple[Any, Any]:
    """Points by falling density, of equals the one that was given first; and the place of each in that order."""
    by_density = xp.lexsort(xp.stack((order, -density)))
    rank = xp.empty(len(by_density), np.int64)
    rank[by_density] = xp.arange(len(by_density))
    return by_density, rank
