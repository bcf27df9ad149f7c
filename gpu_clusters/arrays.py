"""Arrays of a CPU or a GPU, for steps that are the same on both: a result is on the device of what it is made from."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEW = 1 << 12  # whole numbers that CuPy may count by itself


def namespace(array: Any) -> Any:
    """The module whose functions take ``array``: numpy, or that of a GPU's arrays, which is cupy."""
    return np if isinstance(array, np.ndarray) else sys.modules[type(array).__module__.partition(".")[0]]


def gathered(values: NDArray[Any], index: Any) -> Any:
    """The host's ``values`` at each ``index``, on the device of the index."""
    return namespace(index).asarray(values)[index]


def repeat_each(values: Any, counts: Any) -> Any:
    """Each of ``values`` (n,) as often as ``counts`` (n,) say; CuPy before 14 takes one count for all."""
    xp = namespace(values)
    if xp is np:
        return np.repeat(values, counts)
    ends = xp.cumsum(counts)
    return values[xp.searchsorted(ends, xp.arange(int(ends[-1]) if len(ends) else 0), side="right")]


def count_each(numbers: Any, kinds: int = 0) -> Any:
    """How often each whole number from 0 on is among ``numbers`` (n,); int64, (kinds,) or as many as there are.

    CuPy's ``bincount`` makes each block of its threads a table of all numbers, on an H100 660 tables or more. Where the largest
    number is not small, all are sorted instead.
    """
    xp = namespace(numbers)
    if xp is np:
        return np.bincount(numbers, minlength=kinds)
    if len(numbers) == 0:  # which ``bincount`` before CuPy 14 does not take
        return xp.zeros(kinds, np.int64)
    kinds = max(kinds, int(numbers.max()) + 1)
    if kinds <= FEW:
        return xp.bincount(numbers.astype(np.int64, copy=False), minlength=kinds)
    return xp.diff(xp.searchsorted(xp.sort(numbers), xp.arange(kinds + 1)))


def numbered(values: Any) -> tuple[Any, Any]:
    """The distinct numbers among ``values`` (n,), ascending, and the place of each value among them; (k,) and (n,) int64.

    NumPy sorts all n; where few are distinct, pandas, which looks them up in a table, takes a thirtieth of the time.
    """
    xp = namespace(values)
    if xp is not np:
        return xp.unique(values, return_inverse=True)
    place, distinct = pd.factorize(values, sort=True)
    return distinct, place


def sum_by(place: Any, values: Any, places: int) -> Any:
    """Sum of the whole numbers ``values`` (n,) int64 of each ``place`` (n,), 0..places - 1; (places,) int64."""
    xp = namespace(place)
    if xp is np:
        result = np.zeros(places, np.int64)
        np.add.at(result, place, values)
        return result
    # CuPy has no such sum of 64-bit integers; of sorted rows, totals that run over still have the right differences
    totals = xp.concatenate((xp.zeros(1, np.int64), xp.cumsum(values[xp.argsort(place)])))
    ends = xp.cumsum(count_each(place, places))
    return xp.diff(totals[xp.concatenate((xp.zeros(1, np.int64), ends))])


def to_host(array: Any) -> Any:
    """The array as one of numpy's: itself, or a copy from the GPU."""
    return array if isinstance(array, np.ndarray) else array.get()


def blocks(total: Any, most: int) -> list[tuple[int, int, int, int]]:
    """Cut what is counted by running totals, from 0 on, into blocks of at most ``most`` and what one more entry counts.

    First and past-the-last entry of each block, and the totals there; each counts something.
    """
    xp = namespace(total)
    cuts = xp.searchsorted(total, xp.arange(0, int(total[-1]), most), side="right") - 1
    ends = xp.unique(xp.concatenate((cuts, xp.full(1, len(total) - 1, np.int64))))
    ends, totals = to_host(xp.stack((ends, total[ends]))).tolist()
    return list(zip(ends[:-1], ends[1:], totals[:-1], totals[1:], strict=True))
