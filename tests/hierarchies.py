"""Random points with thresholds, and what two hierarchies of them must share whatever found them."""

from __future__ import annotations

import naive
import numpy as np

from gpu_clusters.kernels.spaces import in_plane, on_sphere, plane_reach, sphere_reach


def random_points(seed, kind, most):
    """Points of which many are there twice, a radius, weights and ascending thresholds; the last is out of reach."""
    rng = np.random.default_rng([seed, naive.KINDS.index(kind)])
    n = int(rng.integers(1, most))
    lon, lat, radius = naive.random_problem_points(rng, kind, n)
    copies = rng.integers(0, n, n // 3)
    lon, lat = np.append(lon, lon[copies]), np.append(lat, lat[copies])
    if kind == "plane":
        points, reach = in_plane(lon, lat), plane_reach(1000 * radius, float(np.abs(lat).max()))
    else:
        points, reach = on_sphere(lon, lat), sphere_reach(radius)
    weight = rng.integers(0, 2**40, len(lon)) if seed % 2 else rng.integers(0, 4, len(lon))
    density = (naive.neighbours(points, reach) * weight).sum(axis=1)
    some = np.quantile(density, rng.random(int(rng.integers(1, 9)))).astype(np.int64)
    return points, reach, weight, np.unique([*np.maximum(some, 1), 1, 2 * int(density.max()) + 1])


def assert_equal(found, expected, where=""):
    """Numbers of nodes may differ, and nothing else."""
    for name in ("thresholds", "density_at"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=f"{where} {name}")
    for name in ("arrival", "core"):
        mine, other = (highest(one, getattr(one, name)) for one in (found, expected))
        np.testing.assert_array_equal(mine, other, err_msg=f"{where} {name}")
    assert len(found.nodes.level) == len(expected.nodes.level), where
    for level in range(1, len(found.thresholds) + 1):
        at = f"{where} level {level}"
        for mine, other in zip(found.clustering(level), expected.clustering(level), strict=True):
            np.testing.assert_array_equal(mine, other, err_msg=at)
        mine, other = found.at(level), expected.at(level)
        np.testing.assert_array_equal(found.first[mine], expected.first[other], err_msg=at)
        np.testing.assert_array_equal(found.densest[mine], expected.densest[other], err_msg=at)
    falling = found.nodes.level[found.nodes.order]
    assert len(set(found.nodes.order.tolist())) == len(falling) and (np.diff(falling) <= 0).all()


def highest(tree, node):
    """Level of each location's node; 0 for none."""
    return np.append(tree.nodes.level, 0)[node]
