"""Functions that need another body on a GPU to give the same bits there.

A GPU's compiler contracts a product and a sum into one operation, rounded once, and whether a point at exactly the radius counts
would depend on the device. Numba's CUDA target has no option against it. And threads of a GPU share what a CPU keeps apart or
does one after the other. `engines/cuda.py` holds the other bodies; one that is missing there is a compiler's error, not another
result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba.extending import overload

F = TypeVar("F", bound=Callable[..., Any])


def on_cpu(function: F) -> F:
    """Compile a function as it stands where kernels for CPUs call it; for CPUs alone."""
    options: Any = {"error_model": "numpy", "forceinline": True, "_nrt": False}
    overload(function, target="cpu", jit_options=options, strict=False)(lambda *_: function)
    return function


@on_cpu
def squared_length(dx, dy, dz):
    """``dx*dx + dy*dy + dz*dz``, every product and every sum rounded."""
    return dx * dx + dy * dy + dz * dz


@on_cpu
def squared_length_in_plane(dx, dy):
    """``dx*dx + dy*dy``, every product and the sum rounded."""
    return dx * dx + dy * dy


@on_cpu
def plus_product(total, one, other):
    """``total + one * other``, the product and the sum rounded."""
    return total + one * other


@on_cpu
def add_at(sums, row, column, value):
    """Add a whole number to one of a table's."""
    sums[row, column] += value
