"""Totals of groups of values, of which some may be missing: exact sums, and how many values there were."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels import exact


class Totals(NamedTuple):
    """What is known so far of ``k`` groups."""

    limbs: NDArray[np.int64]  # (k, LIMBS) exact sums of the values
    held: NDArray[np.int64]  # (k,) values
    empty: NDArray[np.int64]  # (k,) missing ones


def nothing(groups: int) -> Totals:
    """Totals before the first value."""
    return Totals(exact.zeros(groups), np.zeros(groups, np.int64), np.zeros(groups, np.int64))


def add(totals: Totals, group: NDArray[np.int64], value: NDArray[np.float64]) -> None:
    """Add each value to the totals of its group, in place.

    Parameters
    ----------
    totals : Totals
    group : (n,) int64
        0..k - 1.
    value : (n,) float64
        Not negative; NaN where it is missing. At most `exact.TERMS` values.
    """
    _add(totals.limbs[None], totals.held, totals.empty, group, value)
    exact.carry(totals.limbs)


def sums(totals: Totals) -> NDArray[np.float64]:
    """The nearest float64 of each sum, (k,); NaN where all values are missing."""
    result = exact.rounded(totals.limbs)
    result[totals.held == 0] = np.nan
    return result


@cached(njit)
def _add(limbs, held, empty, group, value):
    for i in range(len(value)):
        if math.isnan(value[i]):
            empty[group[i]] += 1
        else:
            held[group[i]] += 1
            exact.add(limbs, 0, group[i], value[i])
