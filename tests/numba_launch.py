"""Launches by numba-cuda itself, up to the driver: types, arguments and kept kernels are its own, and `ptx_machine` runs the PTX.

cupy_on_cpu.py numba_launch.py PROGRAM ...      run a program of this folder so, with CuPy's own arrays

Arrays come to numba-cuda by DLPack, or by `cuda_sweep.held`; what it hands to the driver must be what `cuda_machine` takes.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cuda_machine
import cupy_double
import numpy as np
from numba.cuda import api, codegen, dispatcher
from numba.cuda.cudadrv import devicearray, devices
from ptx_machine import Machine

from gpu_clusters.engines import cuda, cuda_sweep

machines: dict[int, tuple[Machine, Any]] = {}  # by the number of a compiled kernel, which is kept with it
given: list[Any] = []  # arguments of the launch
by_numba = cuda.launch


def on_host(value: Any) -> Any:
    """NumPy's view of an array, also of one that is held, or of those in a tuple."""
    return cupy_double.unwrapped(value.gpu_data.owner if isinstance(value, devicearray.DeviceNDArray) else value)


def flat(value: Any, arrays: list[np.ndarray]) -> list[int | float]:
    """What the driver gets for one argument: of an array without values it gets no address."""
    if isinstance(value, np.ndarray) and not value.size:
        return [0, 0, 0, value.itemsize, 0, *value.shape, *[0] * value.ndim]
    return cuda_machine.flat(value, arrays)


def drive(_stream: Any, config: Any, library: Any, *args: Any) -> None:
    """In the place of the driver."""
    if id(library) not in machines:
        library.get_cubin()
        machines[id(library)] = Machine(library.get_lto_ptx().strip("\0")), library
    arrays: list[np.ndarray] = []
    values = [getattr(arg, "value", arg) for arg in args]
    expected = [number for value in given for number in flat(on_host(value), arrays)]
    assert values == expected, (values, expected)
    threads = cuda_machine.rng.permutation(config.grid[0] * config.block[0])
    machines[id(library)][0](threads, config.block[0], values, arrays)


def launch(kernel: Any, count: int, *args: Any) -> None:
    given[:] = args
    by_numba(kernel, count, *args)


def take_the_place_of_the_driver() -> None:
    """A context and a stream are nothing, and a kernel that is loaded its code."""
    importlib.reload(cuda_sweep)  # its own `held`
    devices.get_context = api.current_context = api.external_stream = lambda *_: None
    api.from_cuda_array_interface = api.from_cuda_array_interface.__wrapped__
    codegen.CUDACodeLibrary.get_cufunc = lambda library: SimpleNamespace(kernel=library)
    dispatcher._Kernel.bind = lambda _: None
    dispatcher.launch, cuda_machine.launch = drive, launch


if __name__ == "__main__":
    take_the_place_of_the_driver()
    del sys.argv[0]
    runpy.run_path(str(Path(__file__).with_name(sys.argv[0])), run_name="__main__")
    assert machines
