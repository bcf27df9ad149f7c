"""Shares and ranks of clusters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TIE = 1e-9  # shares, in percent, that are less than this apart are equal


class Scores(NamedTuple):
    """Counts, shares in percent and ranks of clusters, (k,) each; ``order`` lists the clusters by rank."""

    patents: NDArray[np.float64]
    publications: NDArray[np.float64]
    deals: NDArray[np.float64]
    patent_share: NDArray[np.float64]
    publication_share: NDArray[np.float64]
    deal_share: NDArray[np.float64]
    total_share: NDArray[np.float64]
    rank: NDArray[np.int64]
    rank_without_deals: NDArray[np.int64]
    order: NDArray[np.int64]


def score(
    patents: NDArray[np.float64],
    publications: NDArray[np.float64],
    deals: NDArray[np.float64],
    totals: tuple[float, float, float],
) -> Scores:
    """Shares and ranks of clusters (method, section 8).

    Parameters
    ----------
    patents, publications, deals : (k,) float64
        Counts of the clusters, which are in the order of their first members.
    totals : (float, float, float)
        Global totals; the shares of an indicator whose total is 0 are 0.
    """
    shares = [share_of(c, t) for c, t in zip((patents, publications, deals), totals, strict=True)]
    total_share = shares[0] + shares[1] + shares[2]
    order, rank = ranked(total_share)
    _, rank_without_deals = ranked(shares[0] + shares[1])
    return Scores(patents, publications, deals, *shares, total_share, rank, rank_without_deals, order)


def share_of(count: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """Percentages of ``total``; 0 if that is 0."""
    return 100 * count / total if total > 0 else np.zeros(len(count))


def ranked(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order of ``values``, largest first, and the rank of each value.

    In that order neighbours less than `TIE` apart are equal; a run of equals shares its smallest rank and keeps the order in
    which its values are given.
    """
    order = np.argsort(-values, kind="stable")
    new_run = -np.diff(values[order], prepend=np.inf) >= TIE
    run = np.cumsum(new_run) - 1
    order = order[np.lexsort((order, run))]
    rank = np.empty(len(values), np.int64)
    rank[order] = np.flatnonzero(new_run)[run] + 1
    return order, rank
