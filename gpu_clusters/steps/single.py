"""One setting from its labels on, the way of a single run: counts, shares and ranks of its clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by
from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.settings import Settings
from gpu_clusters.steps import count
from gpu_clusters.steps.locate import Located
from gpu_clusters.steps.members import of_locations
from gpu_clusters.steps.merge import merge
from gpu_clusters.steps.overlay import in_areas
from gpu_clusters.steps.score import ranked, share_of


class Clusters(NamedTuple):
    """The clusters of a setting by rank, (k,) each; ``densest`` is the index of the densest location."""

    rank: NDArray[np.int64]
    patents: NDArray[np.float64]
    publications: NDArray[np.float64]
    deals: NDArray[np.float64]
    densest: NDArray[np.int64]
    size: NDArray[np.int64]
    weight: NDArray[np.int64]


class Inputs(NamedTuple):
    """What all settings share: tables, where their rows are, and the distinct places of deals."""

    patents: Addresses | None
    publications: Addresses | None
    deals: Deals | None
    located: Located
    deal_lon: NDArray[np.float64]
    deal_lat: NDArray[np.float64]
    deal_place: NDArray[np.int32] | None
    totals: tuple[float, float, float]


def by_rank(
    counts: Sequence[NDArray[np.float64]], totals: tuple[float, float, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order and rank of clusters that are given in the order of their first members."""
    shares = [share_of(*pair) for pair in zip(counts, totals, strict=True)]
    return ranked(shares[0] + shares[1] + shares[2])


def evaluate(
    inputs: Inputs, clustering: Clustering, weight: NDArray[np.int64], settings: Settings
) -> tuple[Clusters, NDArray[np.int64]]:
    """Merge, assign deals, count and rank; the clusters, and the number of each location's by rank (-1: noise).

    ``weight`` (n,) is that of each location; ``settings`` gives ``merge_km``, ``area_degrees`` and what merging needs.
    """
    labels = merge(inputs.located, clustering, inputs.patents, inputs.publications, settings).labels
    members = of_locations(labels)
    number = members.number[labels]
    deal_number = in_areas(inputs.deal_lon, inputs.deal_lat, inputs.located.locations, number, settings.area_degrees)
    sums = [
        np.zeros(members.clusters)
        if table is None or place is None
        else count.sums(of[place], members.clusters, count.measure(table))
        for table, place, of in (
            (inputs.patents, inputs.located.patents, number),
            (inputs.publications, inputs.located.publications, number),
            (inputs.deals, inputs.deal_place, deal_number),
        )
    ]
    order, rank = by_rank(sums, inputs.totals)
    size = np.bincount(members.cluster)
    total = sum_by(members.cluster, weight[members.place], members.clusters)
    densest = members.densest(clustering.density_at)
    patents, publications, deals = (column[order] for column in sums)
    clusters = Clusters(rank[order], patents, publications, deals, densest[order], size[order], total[order])
    return clusters, np.append(np.argsort(order), -1)[number]
