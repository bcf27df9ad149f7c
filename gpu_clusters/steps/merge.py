"""Merging neighbouring clusters that belong together by the documents that they share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.io.model import Addresses
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.gaps import close_pairs
from gpu_clusters.kernels.spaces import on_sphere, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.steps.locate import Located, Locations


class Merged(NamedTuple):
    """Group of each location, (n,) int64, -1 for noise; and the merged pairs of initial clusters, (p, 2) int64."""

    labels: NDArray[np.int64]
    pairs: NDArray[np.int64]


def merge(
    located: Located,
    clustering: Clustering,
    patents: Addresses | None,
    publications: Addresses | None,
    settings: Settings,
) -> Merged:
    """Merge clusters whose strongest partner is a cluster next door (method, section 6).

    A cluster's partners are the other clusters and every single noise location; its tie to a partner is the share of all
    patents with an address in both, plus the same of publications. One pass: ties are those of the initial clusters.
    """
    labels = clustering.labels
    count = int(labels.max(initial=-1)) + 1
    unmerged = Merged(labels, np.empty((0, 2), np.int64))
    if settings.merge_km is None or count < 2:
        return unmerged
    pairs = neighbours(located.locations, clustering, settings)
    if not len(pairs):
        return unmerged
    units = _units(labels, count)
    strongest = _strongest_partner(np.unique(pairs), units, _ties(located, patents, publications))
    small, large = pairs[:, 0], pairs[:, 1]
    joined = pairs[(strongest[small] == large) | (strongest[large] == small)]
    graph = coo_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    return Merged(np.where(labels >= 0, group[labels], labels).astype(np.int64), joined)


def neighbours(locations: Locations, clustering: Clustering, settings: Settings) -> NDArray[np.int64]:
    """Pairs of clusters whose members come within ``merge_km`` of each other on the sphere; (p, 2) int64."""
    merge_km = settings.merge_km or 0.0
    members = np.flatnonzero(clustering.labels >= 0)
    points = on_sphere(locations.lon[members], locations.lat[members])
    reach = sphere_reach(merge_km)
    targets = index.build(points, reach)
    target_label = clustering.labels[members][targets.order]
    queries, query_label = targets, target_label
    if settings.crs is None and merge_km <= settings.radius_km:
        # two core locations so near to each other are in one cluster: one of any pair is a border location
        border = ~clustering.core[members][targets.order]
        queries, places = index.select(targets, points.kind, border)
        query_label = target_label[places]
    return close_pairs(queries, query_label, targets, target_label, reach)


class _Tie(NamedTuple):
    """A table's part in the ties: where its documents start, the location of each row, and what one document adds."""

    doc_start: NDArray[np.int64]
    place: NDArray[np.int32]
    worth: int


def _ties(located: Located, patents: Addresses | None, publications: Addresses | None) -> list[_Tie]:
    """The tables with whole-number worths: p / #patents + s / #publications, times both denominators."""
    tables = [(t, p) for t, p in ((patents, located.patents), (publications, located.publications)) if t is not None]
    documents = [table.documents for table, _ in tables]
    worths = [1] if len(tables) == 1 else documents[::-1]
    return [
        _Tie(table.doc_start, place, worth)
        for (table, place), worth in zip(tables, worths, strict=True)
        if place is not None
    ]


def _units(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Partners by number: the clusters, then the noise locations."""
    noise = labels < 0
    units = labels.copy()
    units[noise] = count + np.arange(int(noise.sum()))
    return units


def _strongest_partner(clusters: NDArray[np.int64], units: NDArray[np.int64], ties: list[_Tie]) -> NDArray[np.int64]:
    """For each cluster asked for the partner with the strictly strongest tie, -1 for none; indexed by cluster."""
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
