"""Small problems of clustering for engines."""

from __future__ import annotations

import naive
import numpy as np

from gpu_clusters.engines.protocol import Problem
from gpu_clusters.kernels.spaces import on_sphere, sphere_reach


def random_problem(seed, kind):
    """A few places of a kind, at times twice, with weights and a threshold that some of them reach."""
    rng = np.random.default_rng([seed, naive.KINDS.index(kind)])
    n = int(rng.integers(1, 300))
    lon, lat, radius = naive.random_problem_points(rng, kind, n)
    if rng.random() < 0.5:
        copies = rng.integers(0, n, n // 3)
        lon, lat = np.append(lon, lon[copies]), np.append(lat, lat[copies])
    weight = rng.integers(0, 5, len(lon)) if rng.random() < 0.5 else np.ones(len(lon), np.int64)
    points, reach = naive.in_space(kind, lon, lat, radius)
    density = (naive.neighbours(points, reach) * weight).sum(axis=1)
    threshold = max(1, int(np.quantile(density, rng.random())))
    return Problem(points, lon, lat, weight.astype(np.int64), reach, threshold, str(rng.choice(["densest", "lowest"])))


def towns(weight=1, n=600, seed=0):
    """Places about a few towns, far from ties."""
    rng = np.random.default_rng(seed)
    centres = np.array(
        [[2.3, 48.9], [2.6, 48.8], [13.4, 52.5], [179.99, -17], [-179.98, -17], [20, 89.9], [-160, 89.9]]
    )
    lon, lat = (centres[rng.integers(0, len(centres), n)] + rng.normal(size=(n, 2)) * 0.06).T
    lon, lat = (lon + 180) % 360 - 180, np.clip(lat, -90, 90)
    return Problem(
        *(on_sphere(lon, lat), lon, lat, rng.integers(1, 9, n) * weight, sphere_reach(8.0)), 150 * weight, "densest"
    )
