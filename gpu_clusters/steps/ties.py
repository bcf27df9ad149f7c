"""The ties between clusters and their partners: the documents with addresses in both.

A unit is a cluster or a single noise location. On a CPU threads go through the documents and count the pairs of units in them. On
a GPU the distinct (document, unit) pairs are joined with themselves, so many joined pairs at a time, from anywhere in a document
or a cluster to anywhere: one document with addresses in all units needs no more memory than others do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import blocks, namespace, to_host
from gpu_clusters.kernels.together import ANSWERS, ASKS, add_rows, documents_of, documents_together, renumber

BLOCK = 1 << 23  # rows, or pairs of units that share a document, that are held at a time


class Tie(NamedTuple):
    """A table's part in the ties: where its documents start, the location of each row, and what one document adds.

    These arrays, (d + 1,) int64 and (n,) int32, are on the device of the run. ``rows`` (l,), of each location, are the host's.
    """

    doc_start: Any
    place: Any
    worth: int
    rows: NDArray[np.integer]


def ties_at(wanted: NDArray[np.bool_], ties: list[Tie]) -> tuple[NDArray[np.bool_], list[Tie]]:
    """Ties, of arrays of the host, that are as good where only units within the ``wanted`` locations, (l,), are asked for.

    Returns
    -------
    at : (l,) bool
        The locations that these ties are among.
    ties : list of Tie
        By place among those, with the rows of those documents alone.
    """
    found = [documents_of(tie.doc_start, tie.place, wanted) for tie in ties]
    at = np.zeros(len(wanted), bool)
    for _, place in found:
        at[place] = True
    number = np.cumsum(at, dtype=np.int32)
    number -= 1
    result = []
    for (doc_start, place), tie in zip(found, ties, strict=True):
        rows = np.zeros(int(at.sum()), np.int32)
        renumber(place, number, rows)
        result.append(Tie(doc_start, place, tie.worth, rows))
    return at, result


def strongest_partner(clusters: NDArray[np.int64], units: NDArray[np.integer], ties: list[Tie]) -> NDArray[np.int64]:
    """For each cluster asked for the partner with the strictly strongest tie if it is asked for too, else -1; by cluster.

    Those that are not asked for have -1, up to the last that is.

    Parameters
    ----------
    clusters : (c,) int64
        Units, ascending, no two equal; one without a location has no ties.
    units : (l,) int32 or int64
        Unit of each location.
    ties : list of Tie
        Of the tables that there are.
    """
    find = _by_documents if namespace(ties[0].place) is np else _by_arrays
    size = max(int(units.max(initial=-1)), int(clusters[-1])) + 1
    found = find(clusters, units, size, ties)
    asked = np.zeros(size + 1, bool)
    asked[clusters] = True
    return np.where(asked[found], found, -1)


def _by_documents(
    clusters: NDArray[np.int64], units: NDArray[np.integer], size: int, ties: list[Tie]
) -> NDArray[np.int64]:
    """See `strongest_partner`; for arrays of the host.

    A location that is a unit by itself shares no more documents with any other than it has rows. So first the ties with units of
    several locations are found, and then only those with locations that have rows enough to be stronger.
    """
    wanted = np.zeros(size, bool)
    wanted[clusters] = True
    shown = wanted | (np.bincount(units, minlength=size) > 1)
    most = np.zeros(size, np.int64)
    for tie in ties:
        add_rows(units, tie.rows, tie.worth, most)
    role = np.where(wanted, np.int8(ASKS | ANSWERS), np.where(shown, np.int8(ANSWERS), np.int8(0)))
    strongest, score = _strongest(units, role, most, np.zeros(clusters[-1] + 1, np.int64), ties)
    asking = np.flatnonzero(wanted[strongest] & (strongest >= 0))
    hidden = ~shown & (most >= score[asking].min(initial=np.iinfo(np.int64).max))
    if hidden.any():
        role = np.where(hidden, np.int8(ANSWERS), np.int8(0))
        role[asking] = ASKS
        _, rival = _strongest(units, role, most, score, ties)
        strongest[(rival >= score) & (score > 0)] = -1
    return strongest


def _strongest(
    units: NDArray[np.integer],
    role: NDArray[np.int8],
    most: NDArray[np.int64],
    least: NDArray[np.int64],
    ties: list[Tie],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The strictly strongest partner of each unit that asks, -1 for none, and its score, 0 for none; sized as ``least``."""
    size = len(role)
    unit = np.where(role[units] > 0, units, -1).astype(np.int32, copy=False)
    found = [documents_together(tie.doc_start, tie.place, unit, role, most, least) for tie in ties]
    worth = [documents * tie.worth for (_, documents), tie in zip(found, ties, strict=True)]
    key, score = _totals(np, np.concatenate([pair for pair, _ in found]), np.concatenate(worth))
    strongest, highest = np.full(len(least), -1, np.int64), np.zeros(len(least), np.int64)
    np.maximum.at(highest, key // size, score)
    cluster, partner = _best(np, key, score, size)
    strongest[cluster] = partner
    return strongest, highest


def _by_arrays(
    clusters: NDArray[np.int64], units: NDArray[np.integer], size: int, ties: list[Tie]
) -> NDArray[np.int64]:
    """See `strongest_partner`; for arrays of either device."""
    xp = namespace(ties[0].place)
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
    strongest = np.full(clusters[-1] + 1, -1, np.int64)
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
