"""Which locations belong to which cluster, with the clusters in a fixed order: that of their first members."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Members(NamedTuple):
    """Clusters numbered 0, 1, ... in the order of their first members.

    ``number`` translates a label to that number, its last entry (which -1 picks) being -1 for noise. ``place`` are the member
    locations, ascending, and ``cluster`` their clusters' numbers, (m,) int64 each. ``clusters`` is the number of clusters.
    """

    number: NDArray[np.int64]
    place: NDArray[np.int64]
    cluster: NDArray[np.int64]
    clusters: int

    def labels(self) -> NDArray[np.int64]:
        """The label of each cluster number, (clusters,); the inverse of ``number``."""
        known = np.flatnonzero(self.number >= 0)
        return known[np.argsort(self.number[known])]

    def densest(self, density_at: NDArray[np.int64]) -> NDArray[np.int64]:
        """The densest location of each cluster that has any, the first among equals; ``density_at`` is that of all locations."""
        density = density_at[self.place]
        most = np.full(self.clusters, -1)
        np.maximum.at(most, self.cluster, density)
        best = np.flatnonzero(density == most[self.cluster])
        first = _first_of(self.cluster[best], self.clusters)
        return self.place[best[first[first < len(best)]]]

    def ids(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Cluster id of each label: 1, 2, ... in the given order of the numbers; -1 for noise."""
        identity = np.full(self.clusters + 1, -1, np.int64)
        identity[order] = np.arange(1, self.clusters + 1)
        return identity[self.number]


def of_regions(labels: NDArray[np.int64], regions: int) -> Members:
    """Members of regions 0..regions - 1 that ``labels`` of the locations name; regions without any come last, by number."""
    found = of_locations(labels)
    rest = np.setdiff1d(np.arange(regions), labels)
    number = np.full(regions + 1, -1, np.int64)
    number[: len(found.number) - 1] = found.number[:-1]
    number[rest] = found.clusters + np.arange(len(rest))
    return found._replace(number=number, clusters=regions)


def of_locations(labels: NDArray[np.int64]) -> Members:
    """Members of the clusters that ``labels`` ((n,) int64, -1 noise) of the locations in (lat, lon) order name."""
    place = np.flatnonzero(labels >= 0)
    label = labels[place]
    first = _first_of(label, int(labels.max(initial=-1)) + 1)
    names = np.flatnonzero(first < len(label))
    number = np.full(len(first) + 1, -1, np.int64)
    number[names[np.argsort(first[names])]] = np.arange(len(names))
    return Members(number, place, number[label], len(names))


def _first_of(group: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Where each group first occurs; the length of ``group`` for one that does not."""
    first = np.full(groups, len(group))
    first[group[::-1]] = np.arange(len(group))[::-1]  # of several values for one place the last one stays
    return first
