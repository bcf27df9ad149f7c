"""Doubles of GPU packages: what they document and what is known of them, on a CPU. They show that the adapters keep to that; they
do not show what the packages do on a GPU."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import cupy_double
import numpy as np
import pandas as pd
import shapely
import sklearn.cluster
from scipy.sparse import csr_array
from sklearn.neighbors import KDTree


class DBSCAN:
    """``cuml.DBSCAN`` of RAPIDS 26.10, brute force, as far as its sources tell.

    ``eps`` is narrowed to float32 and ``min_samples`` is a 32-bit integer. Sums of weights are made in the type of ``X`` in any
    order, and truncated. All but keywords is refused: the order of the arguments differs between releases.
    """

    calls: ClassVar[list[tuple]] = []  # rows, eps and min_samples of every fit
    lost = 0  # core points that go missing in each fit

    def __init__(self, *, eps, min_samples, metric, algorithm, max_mbytes_per_batch, output_type):
        if metric != "euclidean" or algorithm != "brute" or output_type != "numpy" or max_mbytes_per_batch < 1:
            raise ValueError(f"this double knows no {metric}, {algorithm}, {output_type}")
        if not -(2**31) <= min_samples < 2**31:
            raise OverflowError("value too large to convert to int")
        self.eps, self.min_samples = float(np.float32(eps)), int(min_samples)

    def fit(self, *, X, sample_weight, out_dtype):  # noqa: N803
        assert X.dtype == sample_weight.dtype == np.float64 and X.flags.c_contiguous and out_dtype == "int64"
        rng = np.random.default_rng(len(X))
        near = KDTree(X).query_radius(X, self.eps * (1 + 1e-9))
        near = [row[((X[row] - X[i]) ** 2).sum(axis=1) <= self.eps * self.eps] for i, row in enumerate(near)]
        sums = np.array([np.add.accumulate(sample_weight[rng.permutation(row)])[-1] for row in near])
        core = sums.astype(np.int64) >= self.min_samples
        core[np.flatnonzero(core)[: self.lost]] = False
        start = np.concatenate(([0], np.cumsum([len(row) for row in near])))
        graph = csr_array((np.ones(start[-1]), np.concatenate(near), start), shape=(len(X),) * 2)
        # weights that say which points are core, and nothing else
        fitted = (
            sklearn.cluster.DBSCAN(eps=1.0, min_samples=1, metric="precomputed").fit(graph[core][:, core])
            if core.any()
            else None
        )
        self.labels_ = np.full(len(X), -1)
        if fitted is not None:
            self.labels_[core] = fitted.labels_
        self.core_sample_indices_ = np.flatnonzero(core)
        DBSCAN.calls.append((len(X), self.eps, self.min_samples))
        return self


class Swallowed:
    """A callback whose error goes nowhere, as that of CuPy's sorts before 14.1."""

    def __init__(self, error):
        self.error = error

    def __del__(self):
        raise self.error


class CUDARuntimeError(RuntimeError):
    """An error of CUDA's."""


def cupy_with(devices: int | Exception) -> ModuleType:
    """CuPy with so many GPUs, or with a driver that fails; its arrays are those of `cupy_double`."""

    def count() -> int:
        if isinstance(devices, Exception):
            raise devices
        return devices

    runtime = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        getDeviceCount=count,
        getDevice=lambda: 0,
        getDeviceProperties=lambda number: {"name": (b"Double H100", b"Double L4")[number]},
    )
    module = _module("cupy")
    vars(module).update({name: value for name, value in vars(cupy_double).items() if not name.endswith("__")})
    module.__getattr__ = cupy_double.__getattr__
    module.cuda = SimpleNamespace(runtime=runtime, get_current_stream=lambda: SimpleNamespace(ptr=0))
    return module


def cuml_of(version: str) -> ModuleType:
    """cuML with its DBSCAN."""
    module = _module("cuml")
    module.__version__, module.DBSCAN = version, DBSCAN
    return module


def numba_cuda() -> ModuleType:
    """A package that is there."""
    return _module("numba_cuda")


def rmm(resource: str = "CudaMemoryResource") -> ModuleType:
    """RMM, whose memory comes from a resource of that kind."""
    names = ("CudaMemoryResource", "CudaAsyncMemoryResource", "PoolMemoryResource")
    methods = {"allocate": lambda _, nbytes: nbytes, "deallocate": lambda *_: None}
    kinds = {name: type(name, (), dict(methods)) for name in names}
    held = [kinds[resource]()]
    module = _module("rmm")
    module.mr = SimpleNamespace(
        **kinds,
        get_current_device_resource=lambda: held[-1],
        set_current_device_resource=held.append,
    )
    return module


def cudf() -> ModuleType:
    """cuDF with its series."""
    module = _module("cudf")
    module.Series = pd.Series
    return module


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    return module


class GeoSeries:
    """``cuspatial.GeoSeries`` of points or of polygons."""

    def __init__(self, data):
        self.data = data

    @classmethod
    def from_points_xy(cls, points_xy):
        assert type(points_xy) is pd.Series and points_xy.dtype == np.float64
        return cls(points_xy.to_numpy().reshape(-1, 2))


def point_in_polygon(points, polygons):
    """``cuspatial.point_in_polygon`` of RAPIDS 25.04, after its kernel.

    No multipolygons, at most 31 polygons, edges are outside; and a point counts as on an edge if it is on the edge's line, to 4
    units in the last place, and its x is within the edge's: with an upright edge that is everything above and below.
    """
    if any(shape.geom_type != "Polygon" for shape in polygons.data):
        raise ValueError("GeoSeries cannot contain multipolygon.")
    if len(polygons.data) > 31:
        raise RuntimeError("Number of polygons cannot exceed 31")
    return pd.DataFrame({k: _properly_in(points.data, shape) for k, shape in enumerate(polygons.data)})


def _properly_in(points, shape):
    x, y = points.T
    inside, on_edge = np.zeros(len(x), bool), np.zeros(len(x), bool)
    for ring in shapely.get_rings(shape):
        corners = shapely.get_coordinates(ring)
        for (x0, y0), (x1, y1) in pairwise(corners):
            rise, run = y1 - y0, x1 - x0
            one, other = (x - x0) * rise, run * (y - y0)
            on_line = np.abs(one - other) <= 4 * np.spacing(np.maximum(np.abs(one), np.abs(other)))
            on_edge |= on_line & (min(x0, x1) <= x) & (x <= max(x0, x1))
            between = (y0 > y) != (y1 > y)
            inside ^= between & ((x - x0) * rise < run * (y - y0) if rise > 0 else (x - x0) * rise > run * (y - y0))
    return inside & ~on_edge


def cuspatial() -> ModuleType:
    """cuSpatial with its points in polygons."""
    module = _module("cuspatial")
    module.GeoSeries, module.point_in_polygon = GeoSeries, point_in_polygon
    return module
