"""Sums without rounding: whole-number limbs that hold any total of floating-point numbers exactly.

A float64 that is not negative is a whole number of 2**-1074, so a total of such numbers is one too. It is kept in limbs of 32
bits. Adding whole numbers in any order gives the same limbs; the only rounding is the last step's, from the exact total
to the nearest float64. So a total depends neither on the order of its terms nor on how they are dealt out to tiles and threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.search import point_function

LIMBS = 67  # 64 for the exponents of float64, and three for what a term and the carries reach beyond
BITS = 32
MASK = (1 << BITS) - 1
TERMS = 1 << 29  # a limb has room for so many terms after a `carry`

_FRACTION_BITS = 52
_FRACTION = (1 << _FRACTION_BITS) - 1


def zeros(*shape: int) -> NDArray[np.int64]:
    """Empty totals, (..., LIMBS) int64."""
    return np.zeros((*shape, LIMBS), np.int64)


@point_function
def parts(value):
    """The first limb that ``value``, finite and not negative, adds to, and what it adds to that and to the next two."""
    bits = np.float64(value).view(np.int64)
    exponent = (bits >> _FRACTION_BITS) & 0x7FF
    fraction = bits & _FRACTION
    if exponent > 0:
        fraction |= 1 << _FRACTION_BITS
        exponent -= 1
    limb, shift = exponent >> 5, exponent & 31
    low = (fraction & MASK) << shift
    high = (fraction >> BITS) << shift
    return limb, low & MASK, (low >> BITS) + (high & MASK), high >> BITS


@point_function
def add(limbs, task, group, value):
    """Add ``value``, finite and not negative, to the total ``limbs[task, group]``."""
    limb, low, middle, high = parts(value)
    limbs[task, group, limb] += low
    limbs[task, group, limb + 1] += middle
    limbs[task, group, limb + 2] += high


@point_function
def carry_in(limbs, total):
    """Bring all limbs but the last of one of the totals (k, LIMBS) below 2**32, in place."""
    for limb in range(LIMBS - 1):
        limbs[total, limb + 1] += limbs[total, limb] >> BITS
        limbs[total, limb] &= MASK


@cached(njit)
def carry(limbs):
    """Bring all limbs but the last of totals (k, LIMBS) below 2**32, in place."""
    for total in range(len(limbs)):
        carry_in(limbs, total)


def rounded(limbs: NDArray[np.int64]) -> NDArray[np.float64]:
    """The nearest float64 of each total; (k,) from (k, LIMBS), infinite where a total is beyond all of them."""
    result = np.zeros(len(limbs))
    for i, total in enumerate(limbs):
        whole = 0
        for limb in np.flatnonzero(total).tolist():
            whole += int(total[limb]) << (BITS * limb)
        try:
            result[i] = whole / (1 << 1074)  # whole numbers divide to the nearest float64
        except OverflowError:
            result[i] = math.inf
    return result
