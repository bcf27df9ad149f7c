"""Documents with addresses in two units, counted for the pairs that are asked for; on a CPU."""

from __future__ import annotations

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached

ASKS, ANSWERS = 1, 2  # what a unit is in a pair; it may be both
FEW = 1 << 14  # slots of each thread's table at the first attempt


def documents_together(
    doc_start: NDArray[np.int64],
    place: NDArray[np.int32],
    unit: NDArray[np.int32],
    role: NDArray[np.int8],
    most: NDArray[np.int64],
    least: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a unit that asks and another one that answers, and the number of documents with addresses in both.

    Parameters
    ----------
    doc_start : (d + 1,) int64
        Where documents start among the rows.
    place : (r,) int32
        Location of each row.
    unit : (n,) int32
        Unit of each location; those with a negative one count for none.
    role : (u,) int8
        `ASKS`, `ANSWERS`, both or 0.
    most : (u,) int64
    least : (a,) int64
        A pair counts where ``most`` of the one that answers is not below ``least`` of the one that asks, 0..a - 1.

    Returns
    -------
    pair, documents : (p,) int64
        ``asks * u + answers``, and documents; a pair comes as often as there are threads that found it.
    """
    tasks = get_num_threads()
    cuts = np.searchsorted(doc_start, np.linspace(0, doc_start[-1], tasks + 1).astype(np.int64))
    cuts[0], cuts[-1] = 0, len(doc_start) - 1
    longest, slots = int(np.diff(doc_start).max(initial=0)), FEW
    while True:
        keys, counts = np.full((tasks, slots), -1), np.zeros((tasks, slots), np.int64)
        held = np.zeros(tasks, np.int64)
        _count(doc_start, place, unit, role, most, least, cuts, longest, keys, counts, held)
        if held.max() <= slots // 2:
            break
        slots *= 4
    some = keys >= 0
    return keys[some], counts[some]


def documents_of(
    doc_start: NDArray[np.int64], place: NDArray[np.int32], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The documents at several locations, one of them ``wanted`` (n,): where they start among their rows, and the rows."""
    kept = np.zeros(len(doc_start) - 1, bool)
    _keep(doc_start, place, wanted, kept)
    sizes = np.diff(doc_start)
    rows = np.repeat(kept, sizes)
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes[kept]))), place[rows]


@cached(njit)
def renumber(place, number, rows):
    """Replace each ``place`` (r,) by its ``number`` (n,), and count them by that in ``rows``."""
    for i in range(len(place)):
        place[i] = number[place[i]]
        rows[place[i]] += 1


@cached(njit)
def add_rows(unit, rows, worth, total):
    """Add ``worth`` for each of the ``rows`` (n,) of a location to the ``total`` (u,) of its ``unit`` (n,)."""
    for i in range(len(unit)):
        total[unit[i]] += worth * rows[i]


@cached(njit, parallel=True)
def _keep(doc_start, place, wanted, kept):
    for doc in prange(len(kept)):
        several, asked = False, False
        for row in range(doc_start[doc], doc_start[doc + 1]):
            several |= place[row] != place[doc_start[doc]]
            asked |= wanted[place[row]]
        kept[doc] = several and asked


@cached(njit)
def _add(key, keys, counts):
    """Count a key in an open-addressed table; whether it is new."""
    mask = len(keys) - 1
    h = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    slot = np.int64((h ^ (h >> np.uint64(32))) & np.uint64(mask))
    while keys[slot] != key and keys[slot] >= 0:
        slot = (slot + 1) & mask
    new = keys[slot] < 0
    keys[slot] = key
    counts[slot] += 1
    return new


@cached(njit)
def _distinct(values, count):
    """Sort the first ``count`` values, and move the distinct ones to the front; how many."""
    if count > 32:
        values[:count].sort()
    else:
        for i in range(1, count):
            value, k = values[i], i
            while k > 0 and values[k - 1] > value:
                values[k] = values[k - 1]
                k -= 1
            values[k] = value
    kept = 1
    for i in range(1, count):
        if values[i] != values[kept - 1]:
            values[kept] = values[i]
            kept += 1
    return kept


@cached(njit)
def _add_pairs(units, role, most, least, keys, counts, held):
    """Count the pairs of one document, unless more than half of the table is full; how many are new."""
    new = 0
    for one in units:
        if role[one] & ASKS == 0:
            continue
        for other in units:
            if other != one and role[other] & ANSWERS != 0 and most[other] >= least[one]:
                new += _add(np.int64(one) * len(role) + other, keys, counts)
                if held + new > len(keys) // 2:
                    return new
    return new


@cached(njit, parallel=True)
def _count(doc_start, place, unit, role, most, least, cuts, longest, keys, counts, held):
    """Count the pairs of each task's documents until its table is more than half full."""
    for task in prange(len(held)):
        mine = np.empty(longest, np.int32)
        for doc in range(cuts[task], cuts[task + 1]):
            filled, latest = 0, -1
            for row in range(doc_start[doc], doc_start[doc + 1]):
                one = unit[place[row]]
                if one >= 0 and one != latest:
                    mine[filled] = latest = one
                    filled += 1
            if filled < 2:
                continue
            held[task] += _add_pairs(
                mine[: _distinct(mine, filled)], role, most, least, keys[task], counts[task], held[task]
            )
            if held[task] > keys.shape[1] // 2:
                break
