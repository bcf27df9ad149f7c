"""Whose a cluster is: its economies, and the applicant and the organization with the largest counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.steps.count import PairSums
from gpu_clusters.steps.score import TIE, Indicator, ranked, share_of

ECONOMY_SHARE = 0.01  # of a cluster's output
ROUNDING = 1e-12


def economies(indicators: Sequence[Indicator], total_share: NDArray[np.float64]) -> list[str]:
    """Countries with at least 1 % of each cluster's output, largest first, joined by " / " (method, section 8).

    Parameters
    ----------
    indicators : sequence of Indicator
    total_share : (k,) float64
        Percent, of each cluster.
    """
    codes = sorted({code for indicator in indicators for code in indicator.countries})
    place = {code: i for i, code in enumerate(codes)}
    share = np.zeros((len(total_share), len(codes)))
    for indicator in indicators:
        country = np.array([place[code] for code in indicator.countries], dtype=np.int64)
        pairs = indicator.by_country
        share[pairs.group, country[pairs.category]] += share_of(pairs.sum, indicator.total)
    return [_join(codes, row, total) for row, total in zip(share, total_share, strict=True)]


def _join(codes: list[str], share: NDArray[np.float64], total: float) -> str:
    if total <= 0:
        return ""
    order, _ = ranked(share)
    return " / ".join(codes[i] for i in order if share[i] / total >= ECONOMY_SHARE - ROUNDING)


def largest(pairs: PairSums, names: Sequence[str], groups: int) -> list[str | None]:
    """Name with the largest sum in each group, the first in the alphabet among equals; None where there is none.

    Parameters
    ----------
    pairs : PairSums
        Sums by group and index into ``names``.
    names : sequence of str
        Ascending.
    groups : int
        Number of groups.
    """
    result: list[str | None] = [None] * groups
    if not len(pairs.group):
        return result
    starts = np.flatnonzero(np.diff(pairs.group, prepend=-1))
    most = np.repeat(np.maximum.reduceat(pairs.sum, starts), np.diff(starts, append=len(pairs.group)))
    winners = np.flatnonzero(pairs.sum > most - TIE)
    group, first = np.unique(pairs.group[winners], return_index=True)
    for g, winner in zip(group.tolist(), winners[first].tolist(), strict=True):
        result[g] = names[pairs.category[winner]]
    return result
