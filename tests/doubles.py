"""Doubles of GPU packages: what they document and what is known of them, on a CPU. They show that the adapters keep to that; they
do not show what the packages do on a GPU."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
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


class CUDARuntimeError(RuntimeError):
    """An error of CUDA's."""


def cupy_with(devices: int | Exception) -> ModuleType:
    """CuPy with so many GPUs, or with a driver that fails; its arrays are NumPy's."""

    def count() -> int:
        if isinstance(devices, Exception):
            raise devices
        return devices

    runtime = SimpleNamespace(
        CUDARuntimeError=CUDARuntimeError,
        getDeviceCount=count,
        getDeviceProperties=lambda number: {"name": b"Double H100", "number": number},
    )
    module = _module("cupy")
    module.cuda = SimpleNamespace(runtime=runtime)
    return module


def cuml_of(version: str) -> ModuleType:
    """cuML with its DBSCAN."""
    module = _module("cuml")
    module.__version__, module.DBSCAN = version, DBSCAN
    return module


def numba_cuda() -> ModuleType:
    """A package that is there."""
    return _module("numba_cuda")


def _module(name: str) -> ModuleType:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    return module
