"""Merging neighbouring clusters that belong together by the documents that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.io.model import Addresses
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.bands import Bands
from gpu_clusters.kernels.gaps import close_pairs
from gpu_clusters.kernels.spaces import SPHERE, Reach, on_sphere, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.steps.locate import Located, Locations
from gpu_clusters.steps.ties import Tie, strongest_partner

ClosePairs = Callable[[Bands, NDArray[np.int64], Bands, NDArray[np.int64], Reach], NDArray[np.int64]]
"""`kernels.gaps.close_pairs`, or what a GPU does in its place."""


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
    close: ClosePairs = close_pairs,
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
    pairs = neighbours(located.locations, clustering, settings, close)
    if not len(pairs):
        return unmerged
    joined = belonging(pairs, labels, count, ties_of(located, patents, publications))
    group = groups(joined, count)
    return Merged(np.where(labels >= 0, group[labels], labels).astype(np.int64), joined)


def neighbours(
    locations: Locations, clustering: Clustering, settings: Settings, close: ClosePairs = close_pairs
) -> NDArray[np.int64]:
    """Pairs of clusters whose members come within ``merge_km`` of each other on the sphere; (p, 2) int64."""
    members = np.flatnonzero(clustering.labels >= 0)
    points = on_sphere(locations.lon[members], locations.lat[members])
    sorted_members = index.build(points, sphere_reach(settings.merge_km or 0.0))
    order = members[sorted_members.order]
    return next_door(sorted_members, clustering.labels[order], clustering.core[order], settings, close)


def next_door(
    points: Bands,
    label: NDArray[np.int64],
    core: NDArray[np.bool_],
    settings: Settings,
    close: ClosePairs = close_pairs,
) -> NDArray[np.int64]:
    """See `neighbours`; ``label``, -1 for none, and ``core`` (n,) are in the order of the bands, which may suit any radius."""
    merge_km = settings.merge_km or 0.0
    asked = label >= 0
    if settings.crs is None and merge_km <= settings.radius_km:
        # two core locations so near to each other are in one cluster: one of any pair is a border location
        asked &= ~core
    queries, places = index.select(points, SPHERE, asked)
    return close(queries, label[places], points, label, sphere_reach(merge_km))


def belonging(pairs: NDArray[np.int64], labels: NDArray[np.integer], count: int, ties: list[Tie]) -> NDArray[np.int64]:
    """The pairs of neighbours among ``count`` clusters, (p, 2), of which one is the strongest partner of the other."""
    strongest = strongest_partner(np.unique(pairs), _units(labels, count), ties)
    small, large = pairs[:, 0], pairs[:, 1]
    return pairs[(strongest[small] == large) | (strongest[large] == small)]


def groups(joined: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Group of each of ``count`` clusters, those of a merged pair being in one; (count,)."""
    graph = coo_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def ties_of(located: Located, patents: Addresses | None, publications: Addresses | None) -> list[Tie]:
    """The tables with whole-number worths: p / #patents + s / #publications, times both denominators."""
    found = located.locations
    tables = [(patents, located.patents, found.inventors), (publications, located.publications, found.authors)]
    given = [(table, place, rows) for table, place, rows in tables if table is not None and place is not None]
    worths = [table.documents for table, _, _ in given][::-1] if len(given) == 2 else [1]
    return [Tie(table.doc_start, place, worth, rows) for (table, place, rows), worth in zip(given, worths, strict=True)]


def _units(labels: NDArray[np.integer], count: int) -> NDArray[np.int32]:
    """Partners by number: the clusters, then the noise locations."""
    units = labels.astype(np.int32)
    noise = labels < 0
    units[noise] = np.arange(count, count + int(noise.sum()), dtype=np.int32)
    return units
