"""How the clusters of a setting compare with those of a baseline (method, section 11)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by
from gpu_clusters.compiled import cached
from gpu_clusters.kernels.nodes import Nodes
from gpu_clusters.kernels.sums import Arrivals, grouped
from gpu_clusters.steps.match import Overlaps, matched

SPLIT = 10  # two clusters that each hold one in so many of a baseline cluster's weight, or more, split it


class Baseline(NamedTuple):
    """The clusters of the baseline by rank, ``b`` of them.

    ``number`` (n,) int32 is each location's cluster, counted from 0 by rank, -1 for noise; ``rank`` and ``size`` (b,).
    """

    number: NDArray[np.int32]
    rank: NDArray[np.int64]
    size: NDArray[np.int64]


class Shared(NamedTuple):
    """Locations and weight that a node (or cluster) and a baseline cluster share, (p,) each."""

    one: NDArray[np.int64]
    other: NDArray[np.int64]
    locations: NDArray[np.int64]
    weight: NDArray[np.int64]


class Comparison(NamedTuple):
    """``match`` (k,): baseline cluster of each cluster, -1 for none. The others are by baseline cluster, (b,).

    ``rank`` is that of the matched cluster (0: none), ``likeness`` the weight that the two share in all the weight of either
    (0: none); ``split`` and ``swallowed`` are flags.
    """

    match: NDArray[np.int64]
    adjusted_rand: float
    kendall_tau: float
    rank: NDArray[np.int32]
    likeness: NDArray[np.float64]
    split: NDArray[np.bool_]
    swallowed: NDArray[np.bool_]


def compare(
    found: Shared,
    rank: NDArray[np.int64],
    size: NDArray[np.int64],
    weight: NDArray[np.int64],
    baseline: Baseline,
    baseline_weight: NDArray[np.int64],
    top: int,
) -> Comparison:
    """Match clusters, numbered by rank, with those of the baseline.

    Parameters
    ----------
    found : Shared
    rank, size, weight : (k,)
        Rank, number of locations and weight of each cluster.
    baseline : Baseline
    baseline_weight : (b,) int64
        Weight of each baseline cluster, in the weights of this setting.
    top : int
        So many baseline clusters enter Kendall's tau.
    """
    k, b = len(rank), len(baseline.rank)
    match = matched(Overlaps(found.one, found.other, found.weight), k, b)
    of_baseline = np.full(b, -1, np.int64)
    of_baseline[match[match >= 0]] = np.flatnonzero(match >= 0)
    is_matched = of_baseline >= 0
    rank_there = np.where(is_matched, rank[of_baseline] if k else 0, 0).astype(np.int32)
    likeness = np.zeros(b)
    pair = match[found.one] == found.other
    one, other, both = found.one[pair], found.other[pair], found.weight[pair]
    likeness[other] = both / (weight[one] + baseline_weight[other] - both)
    enough = found.weight >= -(-baseline_weight[found.other] // SPLIT)  # rounded up: exact
    split = np.bincount(found.other[enough], minlength=b) >= 2
    order = np.lexsort((found.one, -found.weight, found.other))
    largest = order[np.flatnonzero(np.diff(found.other[order], prepend=-1))]
    holder_match = match[found.one[largest]]
    swallowed = np.zeros(b, bool)
    swallowed[found.other[largest]] = (holder_match >= 0) & (holder_match != found.other[largest])
    first = is_matched[:top]
    tau = kendall_tau(baseline.rank[:top][first], rank_there[:top][first].astype(np.int64))
    rand = adjusted_rand(found, size, baseline)
    return Comparison(match, rand, tau, rank_there, likeness, split, swallowed)


def adjusted_rand(found: Shared, size: NDArray[np.int64], baseline: Baseline) -> float:
    """Adjusted Rand index over all locations, noise as one class; computed in whole numbers up to the last division."""
    n = len(baseline.number)
    b = len(baseline.size)
    in_both = found.locations
    only_one = size - np.bincount(found.one, weights=in_both, minlength=len(size)).astype(np.int64)
    only_other = baseline.size - np.bincount(found.other, weights=in_both, minlength=b).astype(np.int64)
    noise, noise_other = n - int(size.sum()), n - int(baseline.size.sum())
    neither = noise - int(only_other.sum())
    together = _pairs(in_both) + _pairs(only_one) + _pairs(only_other) + _pairs(np.array([neither]))
    one, other = _pairs(size) + _pairs(np.array([noise])), _pairs(baseline.size) + _pairs(np.array([noise_other]))
    tp, fn, fp = together, other - together, one - together
    tn = n * (n - 1) // 2 - tp - fn - fp
    if fn == 0 and fp == 0:
        return 1.0
    return 2 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))


def kendall_tau(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Kendall's tau-b of two rankings, (m,) each; NaN where there is nothing to compare."""
    pair = np.sort(one * len(one) + np.unique(other, return_inverse=True)[1])
    same_one, same_other, same = (_pairs(np.unique(of, return_counts=True)[1]) for of in (one, other, pair))
    every = len(one) * (len(one) - 1) // 2
    decided = every - same_one - same_other + same
    root = math.sqrt((every - same_one) * (every - same_other))  # of one product: equal factors give themselves
    return (decided - 2 * _descents(pair % len(one))) / root if root > 0 else float("nan")


def combined(found: Shared) -> Shared:
    """One entry for each pair of clusters, where ``found`` has several."""
    others = int(found.other.max(initial=0)) + 1
    pair, place = np.unique(found.one * others + found.other, return_inverse=True)
    one, other = np.divmod(pair, others)
    return Shared(one, other, sum_by(place, found.locations, len(pair)), sum_by(place, found.weight, len(pair)))


def shared_by_level(nodes: Nodes, arriving: Arrivals, others: int, levels: int) -> list[Shared]:
    """What the nodes of each level share with the ``others`` clusters; ``one`` are nodes. Entry 0 is level 1."""
    child_start, child = grouped(nodes.parent, len(nodes.level))
    slot = np.full((len(nodes.level), 2), 0, np.int64)
    scratch = np.zeros((3, others), np.int64)
    empty = np.empty(0, np.int64)
    above = Shared(empty, empty, empty, empty)
    result = [above] * levels
    ends = np.searchsorted(-nodes.level[nodes.order], -np.arange(levels, -1, -1))
    for level in range(levels, 0, -1):
        some = nodes.order[ends[levels - level] : ends[levels - level + 1]]
        room = len(above.one) + int((arriving.start[some + 1] - arriving.start[some]).sum())
        columns = np.empty((4, room), np.int64)
        filled = _share(some, *arriving, child_start, child, *above[1:], slot, scratch, columns)
        above = Shared(*columns[:, :filled].copy())
        result[level - 1] = above
    return result


def _pairs(counts: NDArray[np.int64]) -> int:
    """Number of pairs within groups of these sizes; exact."""
    products = counts * (counts - 1) // 2
    return int(products.sum()) if float(products.astype(float).sum()) < 2**62 else sum(products.tolist())


@cached(njit)
def _share(
    some,
    start,
    member,
    number,
    count,
    weight,
    child_start,
    child,
    other,
    locations,
    shared_weight,
    slot,
    scratch,
    columns,
):
    """Entries of the nodes ``some`` from their own arrivals and from their children's entries, at ``slot``."""
    filled = 0
    for node in some:
        begin = filled
        for k in range(start[node], start[node + 1]):
            b = number[member[k]]
            if scratch[0, b] == 0:
                columns[0, filled], columns[1, filled] = node, b
                filled += 1
            scratch[0, b] = 1
            scratch[1, b] += count[member[k]] if len(count) else 1
            scratch[2, b] += weight[member[k]]
        for k in range(child_start[node], child_start[node + 1]):
            for e in range(slot[child[k], 0], slot[child[k], 1]):
                b = other[e]
                if scratch[0, b] == 0:
                    columns[0, filled], columns[1, filled] = node, b
                    filled += 1
                scratch[0, b] = 1
                scratch[1, b] += locations[e]
                scratch[2, b] += shared_weight[e]
        for e in range(begin, filled):
            b = columns[1, e]
            columns[2, e], columns[3, e] = scratch[1, b], scratch[2, b]
            scratch[:, b] = 0
        slot[node, 0], slot[node, 1] = begin, filled
    return filled


@cached(njit)
def _descents(place):
    """Pairs of which the first is larger, by a binary indexed tree of those before; ``place`` counts from 0."""
    tree, found = np.zeros(len(place) + 1, np.int64), 0
    for i in range(len(place)):
        found += i
        k = place[i] + 1
        while k > 0:  # those that are not larger
            found -= tree[k]
            k -= k & -k
        k = place[i] + 1
        while k <= len(place):
            tree[k] += 1
            k += k & -k
    return found
