"""Rows of a GPU to documents and to the coverage table, with the numbers that `grouping` and `coverage` give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpu_clusters.arrays import count_each
from gpu_clusters.degrees import GEOCODED
from gpu_clusters.io.coverage import coverage_table

_STATUSES = GEOCODED + 1


def group(xp: Any, codes: Any) -> tuple[Any, Any]:
    """Group rows by code.

    Parameters
    ----------
    xp : module
    codes : (n,) int32

    Returns
    -------
    start : (d + 1,) int64
        Rows ``order[start[i]:start[i + 1]]`` have the i-th of the codes that occur.
    order : (n,) int64
        Rows of one code in their order.
    """
    sizes = count_each(codes)
    sizes = sizes[sizes > 0]
    start = xp.zeros(len(sizes) + 1, np.int64)
    start[1:] = xp.cumsum(sizes)
    return start, xp.argsort(codes)


def coverage(xp: Any, table: str, countries: Sequence[str], country: Any, status: Any, codes: Any) -> pd.DataFrame:
    """The coverage table: all of it is counted on the GPU, and the counts alone come to the host.

    Parameters
    ----------
    xp : module
    table : str
    countries : sequence of str, k of them
        Ascending by code point.
    country : (n,) int32
        Index into `countries`, -1 where missing.
    status : (n,) int8
    codes : (n,) int32
        Document of each row.
    """
    k = len(countries)
    place = xp.where(country < 0, k, country).astype(np.int64)
    geocoded = status == GEOCODED
    counts = count_each(place * _STATUSES + status, (k + 1) * _STATUSES).get()
    documents = _documents(xp, codes, place, k)
    covered = _documents(xp, codes[geocoded], place[geocoded], k)
    each = np.repeat(np.arange(k + 1, dtype=np.int32), _STATUSES)
    return coverage_table(
        *(
            table,
            countries,
            np.where(each < k, each, np.int32(-1)),
            np.tile(np.arange(_STATUSES, dtype=np.int8), k + 1),
        ),
        *(documents, covered, counts),
    )


def _documents(xp: Any, codes: Any, place: Any, k: int) -> np.ndarray:
    """Documents of each of `k` countries, of the missing country, and of the world: (k + 2,) int64."""
    pairs = xp.unique(codes.astype(np.int64) * (k + 1) + place)
    each = count_each(pairs % (k + 1), k + 1).get()
    return np.append(each, len(xp.unique(codes)))
