"""Members of clusters and of regions, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_clusters.steps.members import of_locations, of_regions


@pytest.mark.parametrize("seed", range(200))
def test_members_are_those_found_one_by_one(seed):
    rng = np.random.default_rng(seed)
    n, groups = int(rng.integers(0, 30)), int(rng.integers(1, 8))
    labels = rng.integers(-1, groups, n)
    density = rng.integers(0, 4, n)
    found = of_locations(labels) if seed % 2 else of_regions(labels, groups)
    order = list(dict.fromkeys(label for label in labels.tolist() if label >= 0))
    settled = len(order)
    if not seed % 2:
        order += [region for region in range(groups) if region not in order]
    assert found.clusters == len(order) and found.labels().tolist() == order
    assert found.place.tolist() == [i for i in range(n) if labels[i] >= 0]
    assert found.cluster.tolist() == [order.index(label) for label in labels.tolist() if label >= 0]
    assert found.number[labels].tolist() == [order.index(label) if label >= 0 else -1 for label in labels.tolist()]
    densest = [max(np.flatnonzero(labels == label).tolist(), key=lambda i: density[i]) for label in order[:settled]]
    assert found.densest(density).tolist() == densest  # of equals, max gives the first
