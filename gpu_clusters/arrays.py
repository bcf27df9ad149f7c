"""Arrays of a CPU or a GPU, for steps that are the same on both: a result is on the device of what it is made from."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def namespace(array: Any) -> Any:
    """The module whose functions take ``array``: numpy, or that of a GPU's arrays, which is cupy."""
    return np if isinstance(array, np.ndarray) else sys.modules[type(array).__module__.partition(".")[0]]


def to_host(array: Any) -> Any:
    """The array as one of numpy's: itself, or a copy from the GPU."""
    return array if isinstance(array, np.ndarray) else array.get()
