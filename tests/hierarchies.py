"""Random points with thresholds, and what two hierarchies of them must share whatever found them."""

from __future__ import annotations

import naive
import numpy as np

from gpu_clusters.arrays import to_host
from gpu_clusters.engines.levels import ON_CPU
from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.kernels.spaces import degrees_reach, in_degrees
from gpu_clusters.steps.compare import shared_by_level


def random_places(seed, kind, most):
    """The generator, and ``lon, lat``, points of which many are there twice, a radius and weights that are made with it."""
    rng = np.random.default_rng([seed, naive.KINDS.index(kind)])
    n = int(rng.integers(1, most))
    lon, lat, radius = naive.random_problem_points(rng, kind, n)
    copies = rng.integers(0, n, n // 3)
    lon, lat = np.append(lon, lon[copies]), np.append(lat, lat[copies])
    points, reach = naive.in_space(kind, lon, lat, radius)
    weight = rng.integers(0, 2**40, len(lon)) if seed % 2 else rng.integers(0, 4, len(lon))
    return rng, lon, lat, points, reach, weight


def random_points(seed, kind, most):
    """Points of which many are there twice, a radius, weights and ascending thresholds; the last is out of reach."""
    rng, _, _, points, reach, weight = random_places(seed, kind, most)
    density = (naive.neighbours(points, reach) * weight).sum(axis=1)
    some = np.quantile(density, rng.random(int(rng.integers(1, 9)))).astype(np.int64)
    return points, reach, weight, np.unique([*np.maximum(some, 1), 1, 2 * int(density.max()) + 1])


def assert_equal(found, expected, where=""):
    """Numbers of nodes may differ, and nothing else."""
    for name in ("thresholds", "density_at"):
        mine, other = (to_host(getattr(one, name)) for one in (found, expected))
        np.testing.assert_array_equal(mine, other, err_msg=f"{where} {name}")
    for name in ("arrival", "core"):
        mine, other = (highest(one, getattr(one, name)) for one in (found, expected))
        np.testing.assert_array_equal(mine, other, err_msg=f"{where} {name}")
    assert len(found.nodes.level) == len(expected.nodes.level), where
    for level in range(1, len(found.thresholds) + 1):
        at = f"{where} level {level}"
        for mine, other in zip(clustering(found, level), clustering(expected, level), strict=True):
            np.testing.assert_array_equal(mine, other, err_msg=at)
        mine, other = found.at(level), expected.at(level)
        np.testing.assert_array_equal(found.first[mine], expected.first[other], err_msg=at)
        np.testing.assert_array_equal(found.densest[mine], expected.densest[other], err_msg=at)
    falling = found.nodes.level[found.nodes.order]
    assert len(set(found.nodes.order.tolist())) == len(falling) and (np.diff(falling) <= 0).all()


def clustering(tree, level):
    """What an engine returns for the threshold of a level, but for the order of the labels: that of first members."""
    density_at, labels = to_host(tree.density_at), tree.numbering(level)[to_host(tree.arrival)]
    return Clustering(density_at, density_at >= tree.thresholds[level - 1], labels)


def highest(tree, node):
    """Level of each location's node; 0 for none."""
    return np.append(tree.nodes.level, 0)[to_host(node)]


def assert_totals_equal(tree, kernels, seed):
    """What the kernels add up over a tree, against the CPU's over the same one: of random weights, rows, clusters and places."""
    rng = np.random.default_rng(seed)
    xp, n, m, levels = kernels.xp, len(tree.arrival), len(tree.nodes.level), len(tree.thresholds)
    arrival, core = to_host(tree.arrival), to_host(tree.core)
    weight, number = rng.integers(0, 2**40, n), rng.integers(-1, 4, n).astype(np.int32)
    count = rng.integers(0, 4, n)
    start = np.concatenate(([0], np.cumsum(count)))
    code, rows = rng.integers(0, 5, start[-1]).astype(np.int32), rng.integers(1, 2**30, start[-1])
    events = 3 * n
    node = rng.integers(-1, m, events).astype(np.int32)
    place, sign = rng.integers(0, n, events).astype(np.int32), rng.choice([-1, 1], events).astype(np.int8)
    values = rng.random(5) + 1 / 3

    def through(name, held, *args):
        moved = [xp.asarray(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
        return getattr(kernels, name)(held, *moved), getattr(ON_CPU, name)(tree.nodes, *args)

    ends = [to_host(array) for array in kernels.rows_by_place(xp.asarray(place), xp.asarray(node % 5), n, 5)]
    for mine, other in zip(ends, ON_CPU.rows_by_place(place, node % 5, n, 5), strict=True):
        np.testing.assert_array_equal(mine, other)
    mine, other = through("members_of", tree.held, arrival, core, weight)
    np.testing.assert_array_equal(to_host(mine), other)
    for given in ((arrival, None, None), (node, place, sign)):
        for low, width in ((0, 5), (1, 2)):
            mine, other = through("rows_of", tree.held, *given, start, code, rows, low, width)
            np.testing.assert_array_equal(to_host(mine), other)
            for parts in (False, True):
                sums, expected = xp.asarray(np.full(m, 0.1)), np.full(m, 0.1)
                kernels.add_worth(mine, xp.asarray(values[low : low + width]), parts, sums)
                ON_CPU.add_worth(other, values[low : low + width], parts, expected)
                np.testing.assert_array_equal(to_host(sums), expected)
    ends = [
        shared_by_level(tree.nodes, arriving, 4, levels)
        for arriving in through("arrivals", tree.held, arrival, number, weight, 4)
    ]
    for mine, other in zip(*ends, strict=True):
        assert sorted(zip(*map(np.ndarray.tolist, mine), strict=True)) == sorted(
            zip(*map(np.ndarray.tolist, other), strict=True)
        )
    step = rng.choice([0.0625, 0.25])  # exact: some are at the very radius
    lon, lat = rng.integers(-9, 9, (2, n)) * step + np.array([[rng.choice([0.0, 180.0])], [40.0]])
    lon = (lon + 180) % 360 - 180
    deals = rng.integers(0, n, n // 2 + 1)
    places = in_degrees((lon[deals] + rng.choice([0, 0.5], len(deals)) * step + 180) % 360 - 180, lat[deals])
    reach = degrees_reach(float(step * rng.choice([1.0, 1.5, 4.0])))
    level = np.append(tree.nodes.level, np.int16(0))[arrival]
    found = [
        k.nearest_by_level(
            k.build(places, reach), k.build(in_degrees(lon, lat), reach), reach, k.xp.asarray(level), levels
        )
        for k in (kernels, ON_CPU)
    ]
    np.testing.assert_array_equal(found[0].start, found[1].start)
    for mine, other in zip(*map(runs_of_equals, found), strict=True):
        assert mine == other


def runs_of_equals(nearby):
    """The locations of each place, nearest first; equally near ones have no order."""
    location = np.where(nearby.location < 0, -1 - nearby.location, nearby.location)
    group = np.cumsum(nearby.location >= 0)
    return [
        sorted(zip(group[low:high].tolist(), location[low:high].tolist(), strict=True))
        for low, high in zip(nearby.start, nearby.start[1:], strict=False)
    ]
