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


def blocks(total: Any, most: int) -> list[tuple[int, int, int, int]]:
    """Cut what is counted by running totals, from 0 on, into blocks of at most ``most`` and what one more entry counts.

    First and past-the-last entry of each block that counts anything, and the totals there.
    """
    xp = namespace(total)
    cuts = xp.searchsorted(total, xp.arange(0, int(total[-1]), most), side="right") - 1
    ends = xp.unique(xp.concatenate((cuts, xp.full(1, len(total) - 1, np.int64))))
    ends, totals = to_host(xp.stack((ends, total[ends]))).tolist()
    return [block for block in zip(ends[:-1], ends[1:], totals[:-1], totals[1:], strict=True) if block[2] < block[3]]
