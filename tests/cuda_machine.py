"""The kernels' PTX for an H100, run by `ptx_machine` on arrays of the double of CuPy: needs numba-cuda, but no GPU."""

from __future__ import annotations

from typing import Any

import cuda_ptx
import cupy_double
import numpy as np
from numba import typeof
from ptx_machine import Machine

from gpu_clusters.engines.cuda import THREADS

machines: dict[Any, Machine] = {}
rng = np.random.default_rng(0)


def flat(value: Any, arrays: list[np.ndarray]) -> list[int | float]:
    """What numba-cuda hands to a kernel for one argument."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]
    if isinstance(value, tuple):
        return [one for part in value for one in flat(part, arrays)]
    return [value if isinstance(value, float) else int(value)]


def launch(kernel: Any, count: int, *args: Any) -> None:
    """`cuda.launch`: threads in a random order, those behind the last point too."""
    given = [cupy_double.unwrapped(arg) for arg in args]
    key = kernel, *map(typeof, given)
    if key not in machines:
        machines[key] = Machine(cuda_ptx.ptx_of(kernel, given))
    if count:
        numbers = rng.permutation(-(-count // THREADS) * THREADS)
        arrays: list[np.ndarray] = []
        machines[key](numbers, THREADS, flat(tuple(given), arrays), arrays)
