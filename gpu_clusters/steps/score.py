"""Counts, shares and ranks of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import gathered
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.steps import count
from gpu_clusters.steps.members import Members

TIE = 1e-9  # shares, in percent, that are less than this apart are equal


class Indicator(NamedTuple):
    """What one table says of each cluster.

    ``sum`` (k,) float64 is the clusters' counts, ``total`` the global one; ``by_country`` and ``by_organization`` are sums by
    cluster and index into ``countries`` and ``organizations``.
    """

    sum: NDArray[np.float64]
    total: float
    by_country: count.PairSums
    countries: Sequence[str]
    by_organization: count.PairSums
    organizations: Sequence[str]


class Scores(NamedTuple):
    """Shares in percent and ranks of clusters, (k,) each; ``order`` lists the clusters by rank, ``totals`` the global counts."""

    patent_share: NDArray[np.float64]
    publication_share: NDArray[np.float64]
    deal_share: NDArray[np.float64]
    total_share: NDArray[np.float64]
    rank: NDArray[np.int64]
    rank_without_deals: NDArray[np.int64]
    order: NDArray[np.int64]
    totals: dict[str, float]


def indicator(
    table: Addresses | Deals | None,
    labels: NDArray[np.int64] | None,
    place: NDArray[np.int32] | None,
    members: Members,
) -> Indicator:
    """Count a table by cluster.

    Parameters
    ----------
    table : Addresses, Deals or None
        A table that is absent counts nothing.
    labels : (p,) int64
        Cluster label of each place.
    place : (n,) int32
        Place of each of the table's rows.
    members : Members
    """
    if table is None or labels is None or place is None:
        return Indicator(np.zeros(members.clusters), 0.0, count.NO_PAIRS, (), count.NO_PAIRS, ())
    cluster = gathered(members.number[labels], place)
    counts = count.measure(table)
    by_country = count.pair_sums(cluster, table.country, len(table.countries), members.clusters, counts)
    by_organization, organizations = count.NO_PAIRS, tuple[str, ...]()
    if isinstance(table, Addresses):
        organizations = table.organizations
        by_organization = count.pair_sums(cluster, table.organization, len(organizations), members.clusters, counts)
    return Indicator(
        sum=count.sums(cluster, members.clusters, counts),
        total=count.total(counts),
        by_country=by_country,
        countries=table.countries,
        by_organization=by_organization,
        organizations=organizations,
    )


def score_clusters(indicators: Sequence[Indicator]) -> Scores:
    """Shares and ranks of clusters (method, section 8).

    Parameters
    ----------
    indicators : (Indicator, Indicator, Indicator)
        Patents, publications, deals, for clusters in the order of their first members. The shares of an indicator whose global
        total is 0 are 0.
    """
    patents, publications, deals = indicators
    patent_share, publication_share, deal_share = (share_of(i.sum, i.total) for i in indicators)
    total_share = patent_share + publication_share + deal_share
    order, rank = ranked(total_share)
    _, rank_without_deals = ranked(patent_share + publication_share)
    totals = {"patents": patents.total, "publications": publications.total, "deals": deals.total}
    return Scores(patent_share, publication_share, deal_share, total_share, rank, rank_without_deals, order, totals)


def share_of(count: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """Percentages of ``total``; 0 if that is 0."""
    return 100 * count / total if total > 0 else np.zeros(len(count))


def ranked(values: NDArray[np.float64], tie: float = TIE) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order of ``values``, largest first, and the rank of each value.

    In that order neighbours less than ``tie`` apart are equal; a run of equals shares its smallest rank and keeps the order in
    which its values are given.
    """
    order = np.argsort(-values, kind="stable")
    new_run = -np.diff(values[order], prepend=np.inf) >= tie
    run = np.cumsum(new_run) - 1
    order = order[np.lexsort((order, run))]
    rank = np.empty(len(values), np.int64)
    rank[order] = np.flatnonzero(new_run)[run] + 1
    return order, rank
