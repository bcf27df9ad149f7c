"""A GPU's path without one: CuPy by `cupy_on_cpu`, the kernels' PTX by `cuda_machine`, doubles of cuDF and cuML.

pytest -p gpu_on_cpu -m gpu                         the tests marked ``gpu`` (with this folder on the PYTHONPATH)
gpu_on_cpu.py bench/gpu.py ...                      the benchmark, all but compute-sanitizer

Shows that these are right before they meet a GPU, and as much of the path as they try. Times and memory mean nothing. Needs
numba-cuda, CuPy and g++.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cupy_on_cpu import pytest_sessionfinish, run, take_the_place_of_the_double

__all__ = ["pytest_sessionfinish"]  # for pytest, as `pytest_configure` below

FREE, ALL = 8 << 30, 80 << 30  # bytes of memory that CUDA tells of


def take_the_place_of_a_gpu() -> None:
    """Let the package find a GPU, and packages for it."""
    take_the_place_of_the_double()
    import cudf_double
    import cupy
    import doubles
    from cuda_machine import launch

    from gpu_clusters.engines import cuda

    sys.modules |= {"cudf": cudf_double, "cuml": doubles.cuml_of("26.10.0")}
    cupy.cuda.is_available = lambda: True
    cupy.cuda.runtime.memGetInfo = lambda: (FREE, ALL)
    cuda.launch = launch


def pytest_configure() -> None:
    """As a plugin of pytest."""
    take_the_place_of_a_gpu()


if __name__ == "__main__":
    take_the_place_of_a_gpu()
    run(Path(sys.argv[1]))
