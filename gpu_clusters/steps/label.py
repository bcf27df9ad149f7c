"""Whose a cluster is: its economies, and the applicant and the organization with the largest counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.steps.count import PairSums
from gpu_clusters.steps.score import Indicator, ranked, share_of

ECONOMY_SHARE = 0.01  # of a cluster's output
ROUNDING = 1e-12  # sums that differ by less, relatively, are equal


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
    keys, shares = [], []
    for indicator in indicators:
        country = np.array([place[code] for code in indicator.countries], dtype=np.int64)
        pairs = indicator.by_country
        keys.append(pairs.group * len(codes) + country[pairs.category])
        shares.append(share_of(pairs.sum, indicator.total))
    key, place_of = np.unique(np.concatenate(keys), return_inverse=True)
    cluster, country = np.divmod(key, len(codes))
    output = np.bincount(place_of, weights=np.concatenate(shares), minlength=len(key)).astype(np.float64)
    part = np.divide(output, total_share[cluster], out=np.zeros(len(key)), where=total_share[cluster] > 0)
    enough = part >= ECONOMY_SHARE - ROUNDING
    part, cluster, country = part[enough], cluster[enough], country[enough]
    ends = np.searchsorted(cluster, np.arange(len(total_share) + 1))
    slices = [slice(*pair) for pair in zip(ends.tolist(), ends[1:].tolist(), strict=False)]
    return [" / ".join(codes[country[one][i]] for i in ranked(part[one], ROUNDING)[0]) for one in slices]


def largest(pairs: PairSums, names: Sequence[str], groups: int) -> list[str | None]:
    """Name with the largest sum in each group, the first in the alphabet among equals; None where there is none.

    Sums are equal if they differ by rounding alone.

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
    starts = np.flatnonzero(np.diff(pairs.group, prepend=-1))
    most = np.repeat(np.maximum.reduceat(pairs.sum, starts), np.diff(starts, append=len(pairs.group)))
    winners = np.flatnonzero(pairs.sum >= most * (1 - ROUNDING))
    group, first = np.unique(pairs.group[winners], return_index=True)
    for g, winner in zip(group.tolist(), winners[first].tolist(), strict=True):
        result[g] = names[pairs.category[winner]]
    return result
