"""Which clusters are near each other, against all pairs: some of the places asked for, labels in runs and at random."""

from __future__ import annotations

import naive
import numpy as np
import pytest

from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels import gaps


@pytest.mark.parametrize("kind", naive.KINDS)
def test_close_pairs_equal_all_pairs(kind, monkeypatch):
    found = 0
    for seed in range(12):
        rng = np.random.default_rng([seed, naive.KINDS.index(kind)])
        lon, lat, radius = naive.random_problem_points(rng, kind, int(rng.integers(1, 80)))
        points, reach = naive.in_space(kind, lon, lat, radius)
        label = rng.integers(-1, 9, len(lon)) if seed % 2 else np.sort(rng.integers(-1, 9, len(lon)))  # -1: in no pair
        asked = (
            (label >= 0) & (label != 8) & (rng.random(len(lon)) < (0.6 if seed else 0.0))
        )  # no query has the last label
        targets = index.build(points, reach)
        queries, chosen = index.select(targets, points.kind, asked[targets.order])
        near = naive.neighbours(points, reach) & asked[:, None] & (label[:, None] != label) & (label >= 0)
        pairs = {
            (min(pair), max(pair)) for pair in zip(*(label[side].tolist() for side in np.nonzero(near)), strict=True)
        }
        monkeypatch.setattr(gaps, "BLOCK", (1, 5, 40, 1 << 21)[seed % 4])
        names = label[targets.order]
        close = gaps.close_pairs(queries, names[chosen], targets, names, reach)
        assert close.dtype == np.int64 and close.shape == (len(pairs), 2)
        assert list(map(tuple, close.tolist())) == sorted(pairs), seed
        found += len(pairs)
    assert found > 10 or kind == "one place"
