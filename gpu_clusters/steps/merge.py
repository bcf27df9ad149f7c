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
from gpu_clusters.kernels.spaces import Reach, on_sphere, sphere_reach
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
    units = _units(labels, count)
    strongest = strongest_partner(np.unique(pairs), units, _ties(located, patents, publications))
    small, large = pairs[:, 0], pairs[:, 1]
    joined = pairs[(strongest[small] == large) | (strongest[large] == small)]
    graph = coo_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    return Merged(np.where(labels >= 0, group[labels], labels).astype(np.int64), joined)


def neighbours(
    locations: Locations, clustering: Clustering, settings: Settings, close: ClosePairs = close_pairs
) -> NDArray[np.int64]:
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
    return close(queries, query_label, targets, target_label, reach)


def _ties(located: Located, patents: Addresses | None, publications: Addresses | None) -> list[Tie]:
    """The tables with whole-number worths: p / #patents + s / #publications, times both denominators."""
    tables = [(t, p) for t, p in ((patents, located.patents), (publications, located.publications)) if t is not None]
    documents = [table.documents for table, _ in tables]
    worths = [1] if len(tables) == 1 else documents[::-1]
    return [
        Tie(table.doc_start, place, worth)
        for (table, place), worth in zip(tables, worths, strict=True)
        if place is not None
    ]


def _units(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Partners by number: the clusters, then the noise locations."""
    noise = labels < 0
    units = labels.copy()
    units[noise] = count + np.arange(int(noise.sum()))
    return units
