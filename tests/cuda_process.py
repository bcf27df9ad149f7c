"""Programs that run or compile CUDA kernels without a GPU, each in a process of its own: the simulator is chosen at import."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest
from numba import cuda

THREADS, BLOCKS = 128, 4  # of a block, as in `engines.cuda`; that a multiprocessor has room for at least
REGISTERS = 65_536  # of a multiprocessor

needs_compiler = pytest.mark.skipif(
    getattr(cuda, "implementation", "") != "NVIDIA", reason="numba-cuda is not installed, or not in use"
)
ROUNDED_EACH = {"mul.rn.f64", "add.rn.f64"}  # the arithmetic of a distance test that rounds like a CPU's


def _said(program: str, *mode: str, **environment: str) -> str:
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name(program)), *mode]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def simulated(program: str, *mode: str) -> list[str]:
    """Lines that a program of this folder prints in Numba's simulator."""
    return _said(program, "simulate", *mode, NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1").splitlines()


def emulated(program: str, *mode: str) -> list[str]:
    """Lines that it prints with the kernels' PTX on the machine of `cuda_machine`."""
    return _said(program, "emulate", *mode).splitlines()


def with_cupy(program: str, *mode: str) -> list[str]:
    """Lines that it prints with that PTX and with CuPy itself, by `cupy_on_cpu`."""
    return _said("cupy_on_cpu.py", program, "emulate", *mode).splitlines()


def launched(program: str, *mode: str) -> list[str]:
    """The same, where numba-cuda launches them itself, up to the driver, see `numba_launch`."""
    return _said("cupy_on_cpu.py", "numba_launch.py", program, "emulate", *mode).splitlines()


needs_cupy = pytest.mark.skipif(
    find_spec("cupy") is None or which("g++") is None, reason="CuPy or a C++ compiler is not installed"
)
_as_ptx = [
    pytest.param(emulated, 5, marks=needs_compiler),
    pytest.param(with_cupy, 1, marks=[needs_compiler, needs_cupy]),
]
needs_launch = pytest.mark.skipif(
    not hasattr(getattr(cuda, "dispatcher", None), "launch"),
    reason="numba-cuda is not installed, or launches otherwise",
)
as_ptx = pytest.mark.parametrize(("way", "more"), _as_ptx)
in_each_way = pytest.mark.parametrize(("way", "more"), [(simulated, 1), *_as_ptx])
"""The way to run a program, and how many times more worlds there is time for."""


def ptx_of(program: str) -> dict[str, str]:
    """The PTX for an H100 that a program of this folder makes of each kernel, see `cuda_ptx.show`; what it takes is looked at."""
    compiled = dict(part.split("\n", 1) for part in _said(program, "compile").split("==== ")[1:])
    for name, code in compiled.items():
        assert ".target sm_90" in code, name
        assert ".nc." not in code, name  # a cache that does not learn what other threads write
        taken = re.match(r"// (\d+) registers, (\d+) bytes of stack, (\d+) bytes spilled", code)
        if taken:  # there is an assembler
            registers, stack, spilled = map(int, taken.groups())
            assert registers * THREADS * BLOCKS <= REGISTERS and stack == spilled == 0, (name, taken.group())
    return compiled


def arithmetic(code: str) -> set[str]:
    """Products and sums of float64 in some PTX."""
    return set(re.findall(r"\b(?:fma|mul|add)\S*\.f64", code))
