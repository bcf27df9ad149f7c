"""The cuML engine: the partition of the core locations by ``cuml.DBSCAN``, island by island, guarded so that it is exact.

cuML's brute force is quadratic, which islands make bearable, and it differs from the method in ways that are guarded against:

- ``eps`` is narrowed to float32: coordinates are scaled so that it is 1.
- Sums of weights are cut to whole numbers and compared with a 32-bit ``min_samples``: larger thresholds become 1, the weights
  being divided by half a unit less than the threshold.
- ``algorithm="rbc"`` loses weighted core points: brute it is.
- Its border locations depend on the size of its batches: they are joined by the method's own rule.
- The order of the arguments changed between releases: keywords alone are used.

Scaled coordinates decide between two core locations as the method does unless their distance is the radius but for rounding. An
island with such a pair, and one in which cuML's core points are not the exact ones, is linked by the native kernels instead, and
a remark says so. No GPU has run this yet: see docs/gpu.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import to_host
from gpu_clusters.engines import native
from gpu_clusters.engines.islands import islands
from gpu_clusters.engines.native import Kernels
from gpu_clusters.engines.protocol import Clustering, Problem
from gpu_clusters.errors import GpuClustersError
from gpu_clusters.kernels.bands import Bands
from gpu_clusters.kernels.spaces import SPHERE, Coordinates, Reach

LARGEST_COUNT = 2**31 - 1  # of min_samples
EXACT = 2**53  # whole numbers up to it are exact in float64
MOST_ROWS = 4_194_240  # of brute force before cuML 26.04
BATCH_MB = 4096  # cuML's default is 80 % of all the device's memory, whatever else is there


def cluster(
    problem: Problem, kernels: Kernels, dbscan: Callable[..., Any], remark: Callable[[str], object], most_rows: float
) -> Clustering:
    """Cluster the locations of ``problem``.

    Parameters
    ----------
    problem : Problem
    kernels : Kernels
        For densities, borders, and islands that cuML cannot do exactly.
    dbscan : class
        ``cuml.DBSCAN``.
    remark : callable
        Told what the user should know.
    most_rows : float
        Locations that ``dbscan`` can take at once.
    """

    def components(core: Bands, reach: Reach) -> Any:
        return kernels.xp.asarray(_components(problem, kernels, dbscan, remark, most_rows, core, reach))

    return native.cluster(problem, kernels._replace(components=components))


def _components(
    problem: Problem,
    kernels: Kernels,
    dbscan: Callable[..., Any],
    remark: Callable[[str], object],
    most_rows: float,
    core: Bands,
    reach: Reach,
) -> NDArray[np.int64]:
    """Component of each core location, as the place of one of its points; see `linking.components`."""
    order = to_host(core.order)
    place = np.full(len(problem.weight), -1)
    place[order] = np.arange(len(order))
    tied = _tied(kernels, core, reach)
    root = np.full(len(order), -1)
    repaired = 0
    for rows in islands(problem):
        mine = place[rows]
        own = mine[mine >= 0]
        if not len(own):
            continue
        if len(rows) > most_rows:
            raise GpuClustersError(
                f"an island of {len(rows):,} locations is more than this cuML can cluster ({most_rows:,} before 26.04): "
                "install a later one or use engine 'native'"
            )
        exact = mine >= 0
        found = None if tied[own].any() else _by_cuml(problem, rows, exact, dbscan)
        if found is None:
            repaired += 1
            found = _linked(kernels, problem.points, rows[exact], reach)
        _, first, same = np.unique(found, return_index=True, return_inverse=True)
        root[own] = own[first][same]
    if repaired:
        remark(
            f"{repaired} of cuML's islands linked by the native kernels instead: locations at the radius but for rounding, "
            "or core points that differ from the exact ones"
        )
    return root


def _tied(kernels: Kernels, core: Bands, reach: Reach) -> NDArray[np.bool_]:
    """Whether a core location has another at the radius, but for rounding: half the room that the kernels allow for."""
    ones = kernels.xp.ones(core.points.shape[1], np.int64)
    limits = (reach.sure + reach.limit) / 2, (reach.limit + reach.maybe) / 2
    closer, wider = (kernels.densities(core, ones, reach._replace(limit=limit)) for limit in limits)
    return to_host(closer != wider)


def _by_cuml(
    problem: Problem, rows: NDArray[np.int64], exact: NDArray[np.bool_], dbscan: Callable[..., Any]
) -> NDArray[np.int64] | None:
    """cuML's labels of an island's core locations; None if they are not the exact ones."""
    points, weight, threshold = problem.points, problem.weight[rows], problem.threshold
    axes = (points.x, points.y, points.z) if points.kind == SPHERE else (points.x, points.z)
    scale = 1 / math.sqrt(problem.reach.limit)
    scaled = np.stack([axis[rows] * scale for axis in axes], axis=1)
    if threshold <= LARGEST_COUNT and int(weight.sum()) <= EXACT:
        least, weights = threshold, weight.astype(np.float64)
    else:
        least, weights = 1, weight / (threshold - 0.5)
    model = dbscan(
        eps=1.0,
        min_samples=least,
        metric="euclidean",
        algorithm="brute",
        max_mbytes_per_batch=BATCH_MB,
        output_type="numpy",
    )
    model.fit(X=scaled, sample_weight=weights, out_dtype="int64")
    is_core = np.zeros(len(rows), bool)
    is_core[np.asarray(model.core_sample_indices_)] = True
    return np.asarray(model.labels_)[exact] if np.array_equal(is_core, exact) else None


def _linked(kernels: Kernels, points: Coordinates, rows: NDArray[np.int64], reach: Reach) -> NDArray[np.int64]:
    """Component of each of some core locations, by the native kernels."""
    some = Coordinates(points.kind, *(np.ascontiguousarray(array[rows]) for array in points[1:]))
    bands = kernels.build(some, reach)
    found = np.empty(len(rows), np.int64)
    found[to_host(bands.order)] = to_host(kernels.components(bands, reach))
    return found
