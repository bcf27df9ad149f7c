"""The CUDA kernels as loops of a CPU, compiled: for more points than Numba's simulator can take, one thread after the other.

Threads run in a random order, those behind the last point too, and arrays are those of the double of CuPy. Kernels are built from
their sources: the thread's number becomes the loop's, atomic operations become plain ones.
"""

from __future__ import annotations

import inspect
import re
import textwrap

import cupy_double
import numpy as np
from numba import njit

from gpu_clusters.engines.cuda import THREADS

compiled = {}
launched = []  # names of the kernels, in order
rng = np.random.default_rng(0)


@njit
def atomic_add(array, index, value):
    old = array[index]
    array[index] += value
    return old


@njit
def atomic_min(array, index, value):
    old = array[index]
    array[index] = min(old, value)
    return old


def launch(kernel, count, *args):
    """`cuda.launch` with arrays of the double, and no others."""
    launched.append(kernel.py_func.__name__)
    if kernel not in compiled:
        compiled[kernel] = loop_of(kernel.py_func)
    if count:
        threads = rng.permutation(-(-count // THREADS) * THREADS)
        compiled[kernel](threads, *map(cupy_double.unwrapped, args))


def loop_of(function):
    """A kernel's body for each of the ``threads``."""
    source = inspect.getsource(function)
    _, head, body = re.split(r"^(def [^:]*:[^\n]*\n)", source, maxsplit=1, flags=re.MULTILINE)
    lines = body.replace("cuda.grid(1)", "thread").replace("cuda.atomic.", "atomic_")
    text = head.replace("(", "(threads, ", 1) + "    for thread in threads:\n" + textwrap.indent(lines, "    ")
    names = dict(function.__globals__, atomic_add=atomic_add, atomic_min=atomic_min)
    exec(text, names)
    return njit(names[function.__name__], error_model="numpy")
