"""Fractional counts whose sums do not depend on the order of the rows.

Floating-point sums depend on their order. So rows are first counted by (group, value), which is exact, and only those few
products are added, always in the same order. Where there are too many different values, each is taken as a whole number of
tiny quanta instead: whole numbers may be added in any order.

Rows are counted on the device that holds them; what is left of them, and all results, are the host's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import count_each, namespace, numbered, repeat_each, sum_by, to_host
from gpu_clusters.io.model import Addresses, Deals

MOST_VALUES = 4096  # that are told apart; of more, each is rounded to quanta
BITS = 61  # of the sum of all rows in quanta


class Measure(NamedTuple):
    """What each row counts.

    ``values[code]``; one part in ``values[code]`` where ``parts`` is true; ``code`` times ``values[0]`` where ``quanta`` is.
    ``code`` is on the device of the rows, ``values`` on the host.
    """

    code: NDArray[np.integer]
    values: NDArray[np.float64]
    parts: bool
    quanta: bool = False

    def worth(self, code: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """What ``rows`` rows of each code count together."""
        return rows / self.values[code] if self.parts else rows * self.values[code]


def measure(table: Addresses | Deals) -> Measure:
    """Fractional counts of addresses (method, section 2), numbers of deals."""
    if isinstance(table, Deals):
        return _measure_values(table.deals)
    if table.fraction is not None:
        return _measure_values(table.fraction)
    xp = namespace(table.doc_start)
    sizes = xp.diff(table.doc_start)
    documents = to_host(count_each(sizes))
    values = np.flatnonzero(documents)
    number = np.zeros(len(documents), np.int32)
    number[values] = np.arange(len(values))
    code = repeat_each(xp.asarray(number)[sizes], sizes)
    if len(values) > MOST_VALUES:
        return _in_quanta(1 / values, code)
    return Measure(code, values.astype(np.float64), parts=True)


def _measure_values(given: NDArray[np.float64]) -> Measure:
    values, code = numbered(given)
    values = to_host(values)
    if len(values) > MOST_VALUES:
        return _in_quanta(values, code)
    return Measure(code, values, parts=False)


def _in_quanta(values: NDArray[np.float64], code: NDArray[np.integer]) -> Measure:
    """Round to multiples of a power of two that is 2**-61 of the sum of all rows or less."""
    xp = namespace(code)
    about = float((values * to_host(count_each(code, len(values)))).sum())
    shift = min(BITS - math.frexp(about)[1], 1074)
    quanta = np.rint(np.ldexp(values, shift)).astype(np.int64)
    return Measure(xp.asarray(quanta)[code], np.array([math.ldexp(1.0, -shift)]), parts=False, quanta=True)


def total(counts: Measure) -> float:
    """Sum over all rows."""
    return float(sums(namespace(counts.code).zeros(len(counts.code), np.int64), 1, counts)[0])


def sums(group: NDArray[np.int64], groups: int, counts: Measure) -> NDArray[np.float64]:
    """Sum of the rows of each group; (groups,) float64. Rows with a negative group count for none."""
    member, worth = _products(group, groups, counts)
    return np.bincount(member, weights=worth, minlength=groups).astype(np.float64)


class PairSums(NamedTuple):
    """Sums by pair of a group and a category, sorted by both; (p,) each."""

    group: NDArray[np.int64]
    category: NDArray[np.int64]
    sum: NDArray[np.float64]


NO_PAIRS = PairSums(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def pair_sums(
    group: NDArray[np.int64], category: NDArray[np.int32], categories: int, groups: int, counts: Measure
) -> PairSums:
    """Sum of the rows of each pair that occurs. Rows with a negative group or category count for none."""
    if not groups or not categories:
        return NO_PAIRS
    known = (group >= 0) & (category >= 0)
    rows = counts._replace(code=counts.code[known])
    member, worth = _products(group[known] * categories + category[known], groups * categories, rows)
    first = np.diff(member, prepend=-1) > 0
    pair = member[first]
    total: NDArray[np.float64] = np.bincount(np.cumsum(first) - 1, weights=worth).astype(np.float64)
    return PairSums(pair // categories, pair % categories, total)


def _products(group: NDArray[np.int64], groups: int, counts: Measure) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The groups and worths of all (group, value) that occur, sorted by group and value."""
    xp = namespace(group)
    if counts.quanta:
        some = group >= 0
        names, place = xp.unique(group[some], return_inverse=True)
        number = sum_by(place, counts.code[some], len(names))
        return to_host(names), to_host(number) * counts.values[0]
    kinds = len(counts.values)
    if groups * kinds >= 2**62:  # too many for one number, pairs then, none negative: use those alone that occur
        names, dense = xp.unique(group, return_inverse=True)
        place, worth = _products(dense, len(names), counts)
        return to_host(names)[place], worth
    key = group * kinds + counts.code
    if (group < 0).any():
        key = key[group >= 0]
    if groups * kinds <= len(key) + (1 << 16):
        rows = count_each(key, groups * kinds)
        key = xp.flatnonzero(rows)
        rows = rows[key]
    else:
        key, rows = xp.unique(key, return_counts=True)
    key, rows = to_host(key), to_host(rows)
    return key // kinds, counts.worth(key % kinds, rows)
