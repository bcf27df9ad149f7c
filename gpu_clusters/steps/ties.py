"""The ties between clusters and their partners: the documents with addresses in both.

A unit is a cluster or a single noise location. On a CPU loops go through the documents of one cluster after the other. On a
GPU the distinct (document, unit) pairs are joined with themselves, so many joined pairs at a time, from anywhere in a document or
a cluster to anywhere: one document with addresses in all units needs no more memory than others do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.arrays import blocks, namespace, to_host

BLOCK = 1 << 23  # rows, or pairs of units that share a document, that are held at a time


class Tie(NamedTuple):
    """A table's part in the ties: where its documents start, the location of each row, and what one document adds.

    The arrays, (d + 1,) int64 and (n,) int32, are on the device of the run.
    """

    doc_start: Any
    place: Any
    worth: int


def strongest_partner(clusters: NDArray[np.int64], units: NDArray[np.int64], ties: list[Tie]) -> NDArray[np.int64]:
    """For each cluster asked for the partner with the strictly strongest tie, -1 for none; indexed by cluster.

    Parameters
    ----------
    clusters : (c,) int64
        Units, ascending, no two equal.
    units : (l,) int64
        Unit of each location.
    ties : list of Tie
        Of the tables that there are.
    """
    find = _by_loops if namespace(ties[0].place) is np else _by_arrays
    return find(clusters, units, ties)


def _by_loops(clusters: NDArray[np.int64], units: NDArray[np.int64], ties: list[Tie]) -> NDArray[np.int64]:
    """See `strongest_partner`; for arrays of the host."""
    size = int(units.max()) + 1
    wanted = np.zeros(size, bool)
    wanted[clusters] = True
    documents = [_documents_of(wanted, units, tie.doc_start, tie.place) for tie in ties]
    score, stamp, touched = np.zeros(size, np.int64), np.zeros(size, np.int64), np.empty(size, np.int64)
    strongest = np.full(size, -1, np.int64)
    stamps = 0
    for cluster in clusters:
        filled = 0
        for tie, (start, docs) in zip(ties, documents, strict=True):
            mine = docs[start[cluster] : start[cluster + 1]]
            filled = _add(
                mine, tie.doc_start, tie.place, units, cluster, tie.worth, score, stamp, stamps, touched, filled
            )
            stamps += len(mine)
        partners = touched[:filled]
        scores = score[partners]
        if filled and (scores == scores.max()).sum() == 1:
            strongest[cluster] = partners[scores.argmax()]
        score[partners] = 0
    return strongest


def _documents_of(
    wanted: NDArray[np.bool_], units: NDArray[np.int64], doc_start: NDArray[np.int64], place: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Documents with an address in each unit that is wanted: where each unit's begin, and the documents."""
    none = np.empty(0, np.int32)
    counts = np.zeros(len(wanted) + 1, np.int64)
    _list_documents(wanted, units, doc_start, place, counts[1:], none)
    start = np.cumsum(counts)
    docs = np.empty(start[-1], np.int32)
    _list_documents(wanted, units, doc_start, place, start[:-1].copy(), docs)
    return start, docs


@njit(cache=True)
def _list_documents(wanted, units, doc_start, place, slot, docs):
    """Count each wanted unit's documents into ``slot`` (no ``docs`` given), or write them from there on."""
    last = np.full(len(wanted), -1, np.int64)
    for doc in range(len(doc_start) - 1):
        for row in range(doc_start[doc], doc_start[doc + 1]):
            unit = units[place[row]]
            if wanted[unit] and last[unit] != doc:
                last[unit] = doc
                if len(docs) > 0:
                    docs[slot[unit]] = doc
                slot[unit] += 1


@njit(cache=True)
def _add(docs, doc_start, place, units, cluster, worth, score, stamp, stamps, touched, filled):
    """Add ``worth`` to the score of each partner of a cluster, once a document; list the partners in ``touched``."""
    for doc in docs:
        stamps += 1
        for row in range(doc_start[doc], doc_start[doc + 1]):
            unit = units[place[row]]
            if unit != cluster and stamp[unit] != stamps:
                stamp[unit] = stamps
                if score[unit] == 0:
                    touched[filled] = unit
                    filled += 1
                score[unit] += worth
    return filled


def _by_arrays(clusters: NDArray[np.int64], units: NDArray[np.int64], ties: list[Tie]) -> NDArray[np.int64]:
    """See `strongest_partner`; for arrays of either device."""
    xp = namespace(ties[0].place)
    size = int(units.max()) + 1
    unit_of, wanted = xp.asarray(units), xp.zeros(size, bool)
    wanted[xp.asarray(clusters)] = True
    unit, nth, many, worth = (
        xp.concatenate(column)
        for column in zip(*(part for tie in ties for part in _entries(xp, tie, unit_of, wanted)), strict=True)
    )
    left = xp.flatnonzero(wanted[unit])
    left = left[xp.argsort(unit[left])]
    end = xp.cumsum(many[left])  # of each one's pairs with all units of its document
    shift = left - nth[left] - (end - many[left])
    cluster, worth = xp.concatenate((unit[left], xp.full(1, size, np.int64))), worth[left]
    pairs = int(end[-1]) if len(left) else 0
    strongest = np.full(size, -1, np.int64)
    key, score, best = xp.empty(0, np.int64), xp.empty(0, np.int64), []
    for low in range(0, pairs, BLOCK):
        pair = xp.arange(low, min(low + BLOCK, pairs))
        at = xp.searchsorted(end, pair, side="right")
        one, other = cluster[at], unit[shift[at] + pair]
        apart = one != other
        key = xp.concatenate((key, (one * size + other)[apart]))
        score = xp.concatenate((score, worth[at][apart]))
        key, score = _totals(xp, key, score)
        unfinished = cluster[xp.searchsorted(end, xp.full(1, low + BLOCK, np.int64), side="right")]
        done = int(xp.searchsorted(key, unfinished * size)[0])
        if done:
            best.append(_best(xp, key[:done], score[:done], size))
        key, score = key[done:], score[done:]
    if best:
        cluster, partner = to_host(xp.concatenate(best, axis=1))
        strongest[cluster] = partner
    return strongest


def _entries(xp: Any, tie: Tie, unit_of: Any, wanted: Any) -> list[tuple[Any, ...]]:
    """Distinct units of each document that has a wanted one and another, by document; in blocks of documents.

    Of each entry: unit, its place among those of the document, their number, and the worth of the document.
    """
    found, size = [], len(wanted)
    for begin, end, first, last in blocks(tie.doc_start, BLOCK):
        doc = xp.searchsorted(tie.doc_start[begin + 1 : end + 1], xp.arange(first, last), side="right")
        key = xp.unique(doc * size + unit_of[tie.place[first:last]])
        unit = key % size
        start, stop, run = _runs(xp, key // size)
        hits = xp.concatenate((xp.zeros(1, np.int64), xp.cumsum(wanted[unit].astype(np.int64))))
        many = stop - start
        kept = xp.flatnonzero(((many > 1) & (hits[stop] > hits[start]))[run])
        run = run[kept]
        found.append((unit[kept], kept - start[run], many[run], xp.full(len(kept), tie.worth, np.int64)))
    return found


def _totals(xp: Any, key: Any, value: Any) -> tuple[Any, Any]:
    """The distinct keys, ascending, and the sum of the values of each."""
    order = xp.argsort(key)
    key = key[order]
    total = xp.concatenate((xp.zeros(1, np.int64), xp.cumsum(value[order])))
    start, stop, _ = _runs(xp, key)
    return key[start], total[stop] - total[start]


def _runs(xp: Any, key: Any) -> tuple[Any, Any, Any]:
    """Where each run of equal keys starts and stops, and the run of each key."""
    new = xp.ones(len(key), np.int64)
    new[1:] = key[1:] != key[:-1]
    start = xp.flatnonzero(new)
    return start, xp.concatenate((start, xp.full(1, len(key), np.int64)))[1:], xp.cumsum(new) - 1


def _best(xp: Any, key: Any, score: Any, size: int) -> Any:
    """Clusters and the partner of the strictly highest score of each, -1 for none; (2, c)."""
    cluster, partner = key // size, key % size
    order = xp.lexsort(xp.stack((score, cluster)))
    score = score[order]
    start, stop, _ = _runs(xp, cluster)
    last = stop - 1
    tied = (last > start) & (score[xp.maximum(last - 1, 0)] == score[last])
    return xp.stack((cluster[last], xp.where(tied, -1, partner[order[last]])))
