"""PTX of kernels for an H100, where there is no GPU: needs numba-cuda."""

from __future__ import annotations

from typing import Any

import numba.cuda.dispatcher
from numba import cuda, typeof


class Hopper:
    """What the compiler asks the driver about."""

    compute_capability = (9, 0)


numba.cuda.dispatcher.get_current_device = lambda: Hopper


def show(function: Any, *args: Any) -> None:
    """Print the name and the PTX of a kernel's function for arguments of such types."""
    print(f"==== {function.__name__}")
    print(cuda.compile_ptx(function, tuple(map(typeof, args)), cc=Hopper.compute_capability)[0])
