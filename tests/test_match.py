"""Matching two clusterings, compared with a plain reading of the rule."""

import numpy as np
import pytest

from gpu_clusters.steps.match import matched, overlaps


def plainly(one, other, weight, clusters):
    """Take the pair that shares most weight, smaller numbers first, until none is left."""
    shared = {}
    for a, b, w in zip(one.tolist(), other.tolist(), weight.tolist(), strict=True):
        if a >= 0 and b >= 0:
            shared[a, b] = shared.get((a, b), 0) + w
    result = [-1] * clusters
    while shared:
        best = min(shared, key=lambda pair: (-shared[pair], pair))
        result[best[0]] = best[1]
        shared = {pair: w for pair, w in shared.items() if pair[0] != best[0] and pair[1] != best[1]}
    return result


@pytest.mark.parametrize("seed", range(200))
def test_matching_equals_the_plain_rule(seed):
    rng = np.random.default_rng(seed)
    clusters, others, n = rng.integers(1, 9), rng.integers(0, 9), rng.integers(0, 60)
    one, other = rng.integers(-1, clusters, n), rng.integers(-1, others, n)
    weight = rng.integers(1, 4, n)  # ties
    found = overlaps(one, other, weight, others)
    assert matched(found, clusters, others).tolist() == plainly(one, other, weight, clusters)


def test_a_clustering_matches_itself():
    one = np.array([2, 0, 1, -1, 2])
    assert matched(overlaps(one, one, np.ones(5, np.int64), 3), 3, 3).tolist() == [0, 1, 2]
