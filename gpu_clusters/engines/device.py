"""The native engine's kernels for a GPU: as those for a CPU, on arrays that stay on the device.

Coordinates come from the host, where unit vectors are computed for every device; all that follows happens on the device, in
arrays of CuPy. In the tests, where Numba's simulator takes the GPU's place, a double of it: the module is always given.

No GPU has run this yet: see docs/gpu.md.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from gpu_clusters.engines import cuda
from gpu_clusters.engines.native import Kernels
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.bands import Bands, index_of, near
from gpu_clusters.kernels.linking import BLOCK
from gpu_clusters.kernels.search import POINTS_PER_CELL
from gpu_clusters.kernels.spaces import SPHERE, Coordinates, Reach


def kernels(xp: Any) -> Kernels:
    """The kernels, for arrays of the module ``xp``: cupy."""
    functions = (build, select, densities, components, preferred_core, number)
    made: list[Any] = [partial(function, xp) for function in functions]
    return Kernels(xp, *made)


def build(xp: Any, points: Coordinates, reach: Reach) -> Bands:
    """See `bands.build`; ``points`` may be on either device. Edges may differ in their last bits: no result depends on them."""
    points = on_device(xp, points)
    number = index.band_numbers(points, reach)
    order = xp.argsort(points.key)  # of equal keys the first stays first
    order = order[xp.argsort(number[order])]
    number = number[order]
    begins = xp.flatnonzero(number[1:] != number[:-1]) + 1
    ends = xp.full(min(len(order), 1), len(order), np.int64)  # none without points
    start = xp.concatenate((xp.zeros(1, np.int64), begins, ends))
    made = xp.stack([values[order] for values in (points.key, points.x, points.y, points.z)])
    edges = xp.ones((5, len(start) - 1))
    cuda.launch(cuda.bound, len(start) - 1, points.kind == SPHERE, made, start, edges)
    return indexed(xp, order, made, start, edges)


def on_device(xp: Any, points: Coordinates) -> Coordinates:
    """The same coordinates in arrays of the device."""
    return Coordinates(points.kind, *(xp.asarray(array) for array in points[1:]))


def select(xp: Any, bands: Bands, kind: int, keep: Any) -> tuple[Bands, Any]:  # noqa: ARG001 - a plane is no special case
    """See `bands.select`; a selection keeps the heights of the bands that it is from, which are a little wide for it."""
    kept = xp.flatnonzero(keep)
    start = xp.searchsorted(kept, bands.start)
    full = start[1:] > start[:-1]
    start = xp.concatenate((start[:-1][full], xp.full(1, len(kept), np.int64)))
    points = xp.ascontiguousarray(bands.points[:, kept])
    edges = xp.ascontiguousarray(bands.edges[:, full])
    return indexed(xp, bands.order[kept], points, start, edges), kept


def indexed(xp: Any, order: Any, points: Any, start: Any, edges: Any) -> Bands:
    """Bands of points that are sorted already, whose edges are known but for the scales."""
    count = len(start) - 1
    table = xp.empty(len(order) // POINTS_PER_CELL + 2 * count, np.int64)
    cuda.launch(cuda.scale, count, points, start, edges)
    cuda.launch(cuda.tabulate, len(order), points, start, edges, table, band_of(xp, start))
    return Bands(order, points, start, edges, table)


def band_of(xp: Any, start: Any) -> Any:
    """Band of each point."""
    return xp.searchsorted(start[1:], xp.arange(int(start[-1])), side="right")


def densities(xp: Any, bands: Bands, weight: Any, reach: Reach) -> Any:
    """See `density.densities`."""
    first, last = near(bands, bands, reach)
    prefix = xp.concatenate((xp.zeros(1, np.int64), xp.cumsum(weight)))
    result = xp.zeros(len(weight), np.int64)
    args = (*index_of(bands), weight, prefix, reach, first, last, band_of(xp, bands.start), result)
    cuda.launch(cuda.weigh, len(weight), *args)
    return result


def components(xp: Any, core: Bands, reach: Reach) -> Any:
    """See `linking.components`."""
    count, band = core.points.shape[1], band_of(xp, core.start)
    begins = xp.zeros(count, np.int64)
    cuda.launch(cuda.begin_runs, count, core.points, core.start, reach.limit, band, begins)
    begin, run = xp.flatnonzero(begins), xp.cumsum(begins) - 1
    end = xp.concatenate((begin[1:], xp.full(1, count, np.int64)))
    parent, run_end = begin[run], end[run]
    _, last = near(core, core, reach)
    cuda.launch(cuda.link, count, *index_of(core), reach, last, band, parent, run_end)
    root = xp.empty(count, np.int64)
    cuda.launch(cuda.find_roots, count, parent, root)
    return root


def preferred_core(xp: Any, queries: Bands, core: Bands, reach: Reach, value: Any, lon: Any, lat: Any) -> Any:
    """See `linking.preferred_core`."""
    first, last = near(queries, core, reach)
    count, blocks = queries.points.shape[1], -(-len(value) // BLOCK)
    padded = xp.full(blocks * BLOCK, np.iinfo(np.int64).min, np.int64)
    padded[: len(value)] = value
    highest = padded.reshape(blocks, BLOCK).max(axis=1)
    result = xp.empty(count, np.int64)
    args = (queries.points, *index_of(core), value, highest, lon, lat, core.order, reach, first, last)
    cuda.launch(cuda.prefer, count, *args, band_of(xp, queries.start), result)
    return result


def number(xp: Any, labels: Any) -> None:
    """Replace the labels other than -1 by 0, 1, ... in the order in which they first appear."""
    count = len(labels)
    places = xp.flatnonzero(labels >= 0)
    first, found = xp.full(count, count, np.int64), labels[places]
    cuda.launch(cuda.find_first, len(places), found, places, first)
    used = xp.flatnonzero(first < count)
    name = xp.empty(count, np.int64)
    name[used[xp.argsort(first[used])]] = xp.arange(len(used))
    labels[places] = name[found]
