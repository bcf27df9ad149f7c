"""The neighbour index built on a GPU: sorting, edges and tables, for points that stay there from one radius to the next.

Bands may differ in the last bits of their edges from those of a CPU; no result depends on them. No GPU has run this yet: see
docs/gpu.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gpu_clusters.engines import cuda, cuda_sweep
from gpu_clusters.engines.device import band_of
from gpu_clusters.kernels.bands import Bands, band_numbers
from gpu_clusters.kernels.search import POINTS_PER_CELL
from gpu_clusters.kernels.spaces import SPHERE, Coordinates, Reach


def held(xp: Any, points: Callable[[], Coordinates]) -> Callable[[], Coordinates]:
    """A function that gives coordinates, as one that brings them to the device when it is first called, and keeps them there."""
    return cache(lambda: _on_device(xp, points()))


def build(xp: Any, points: Coordinates, reach: Reach) -> Bands:
    """See `bands.build`; ``points`` may be on either device."""
    points = _on_device(xp, points)
    number = band_numbers(points, reach)
    order = xp.lexsort(xp.stack((points.key, number.astype(np.float64))))  # floors of floats: none is rounded
    number, n = number[order], len(order)
    start = xp.flatnonzero(number[1:] != number[:-1]) + 1
    start = xp.concatenate((xp.zeros(1, np.int64), start, xp.full(1, n, np.int64)))
    count = len(start) - 1
    columns = xp.stack([values[order] for values in (points.key, points.x, points.y, points.z)])
    edges = xp.ones((5, count), np.float64)
    table = xp.empty(n // POINTS_PER_CELL + 2 * count, np.int64)
    cuda.launch(cuda_sweep.note_edges, count, points.kind == SPHERE, columns, start, edges)
    cuda.launch(cuda.scale, count, columns, start, edges)
    cuda.launch(cuda.tabulate, n, columns, start, edges, table, band_of(xp, start))
    return Bands(order, columns, start, edges, table)


def _on_device(xp: Any, points: Coordinates) -> Coordinates:
    kind, *columns = points
    return Coordinates(kind, *(xp.asarray(column) for column in columns))
