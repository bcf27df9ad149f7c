"""Both engines against all pairs: poles, date line, ties, duplicates, radii beyond the globe, no weight at all."""

from __future__ import annotations

import math

import naive
import numpy as np
import pytest
from problems import random_problem

from gpu_clusters.engines import native, sklearn
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.density import densities
from gpu_clusters.kernels.spaces import EARTH_RADIUS_KM, on_sphere, sphere_reach

ENGINES = {"native": native.cluster, "sklearn": sklearn.cluster}


@pytest.mark.parametrize("kind", naive.KINDS)
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_equal_all_pairs(engine, kind):
    for seed in range(120 if engine == "native" else 25):
        problem = random_problem(seed, kind)
        for found, expected in zip(ENGINES[engine](problem), naive.cluster(problem), strict=True):
            np.testing.assert_array_equal(found, expected, err_msg=f"{kind} {seed}")


@pytest.mark.parametrize("kind", naive.KINDS)
def test_the_height_of_bands_never_changes_a_density(kind):
    for seed in range(20):
        problem = random_problem(seed, kind)
        expected = (naive.neighbours(problem.points, problem.reach) * problem.weight).sum(axis=1)
        for cuts in (1, 2, 7, 40):
            bands = index.build(problem.points, problem.reach, cuts)
            found = densities(bands, problem.weight[bands.order], problem.reach)
            np.testing.assert_array_equal(found, expected[bands.order], err_msg=f"{kind} {seed} {cuts}")


def test_large_densities_are_exact():
    rng = np.random.default_rng(5)
    lon, lat = rng.normal(size=400) * 0.1, rng.normal(size=400) * 0.1
    weight = rng.integers(2**51, 2**53, 400)
    problem = Problem(on_sphere(lon, lat), lon, lat, weight, sphere_reach(10), int(weight.sum() // 3) + 1, "densest")
    for engine in ENGINES.values():
        for found, expected in zip(engine(problem), naive.cluster(problem), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_many_points_in_strips_agree_with_scikit_learn():
    """Enough points that threads share the work and strips meet."""
    rng = np.random.default_rng(1)
    centres = rng.uniform([5, 47], [8, 50], (40, 2))
    lon, lat = (centres[rng.integers(0, 40, 20_000)] + rng.normal(size=(20_000, 2)) * 0.08).T
    weight = rng.integers(1, 9, 20_000)
    for radius, threshold in ((1.0, 60), (3.0, 600), (8.0, 2500)):
        problem = Problem(on_sphere(lon, lat), lon, lat, weight, sphere_reach(radius), threshold, "densest")
        for found, expected in zip(native.cluster(problem), sklearn.cluster(problem), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_rows_cut_into_different_numbers_of_bands():
    """A crowd in one row of bands, which is cut, and single points in the rows around it, which are not."""
    rng = np.random.default_rng(0)
    lon, lat = np.concatenate([rng.normal(0.09, 0.01, (1500, 2)), rng.uniform(-1, 1, (300, 2))]).T
    problem = Problem(on_sphere(lon, lat), lon, lat, np.ones(1800, np.int64), sphere_reach(20), 10, "densest")
    number = index.band_numbers(problem.points, problem.reach)
    assert number.max() + 1 > len(np.unique(np.floor(problem.points.height / problem.reach.height)))
    assert (np.diff(number[np.argsort(problem.points.height)]) >= 0).all()
    for engine in ENGINES.values():
        for found, expected in zip(engine(problem), naive.cluster(problem), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_two_long_rows_just_out_of_reach_stay_apart():
    """Many candidates next to each other, none within reach: the worst case of linking."""
    lon = np.tile(np.arange(600) * 0.001, 2)
    lat = np.repeat([0.0, 0.0091], 600)
    problem = Problem(on_sphere(lon, lat), lon, lat, np.ones(1200, np.int64), sphere_reach(1.0), 3, "densest")
    found = native.cluster(problem)
    assert found.labels.max() == 1
    for mine, expected in zip(found, naive.cluster(problem), strict=True):
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_half_way_round_the_earth_is_everywhere(engine):
    """Also where rounding makes the chord of two antipodes longer than a diameter."""
    north = np.arange(1.0, 90.0)
    lon, lat = np.tile([-143.0, 37.0], len(north)), np.column_stack([north, -north]).ravel()
    points = on_sphere(lon, lat)
    chord = sum(np.square(axis[::2] - axis[1::2]) for axis in (points.x, points.y, points.z))
    assert (chord > 4).any()
    for radius, everything in ((math.pi * EARTH_RADIUS_KM, True), (20_015.0, False)):
        pairs = Problem(points, lon, lat, np.ones(len(lon), np.int64), sphere_reach(radius), 2, "densest")
        assert (ENGINES[engine](pairs).density_at == len(lon)).all() == everything


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("short", "spread"), [(5e-14, 5e-4), (1e-12, 5e-4), (1e-10, 1e-6), (2e-9, 1e-9), (1e-8, 1e-6)])
def test_a_little_less_than_half_way_round_the_earth(engine, short, spread):
    """There rounding of a chord can move a point by a metre, from one side of a pole to the other."""
    rng = np.random.default_rng(0)
    lon, lat = rng.normal(size=100) * 0.001, 90 - np.abs(rng.normal(size=100) * spread)
    lon, lat = np.concatenate([lon, lon - 180, [0.0, 0.0]]), np.concatenate([lat, -lat, [90.0, -90.0]])
    radius = math.pi * EARTH_RADIUS_KM * (1 - short)
    problem = Problem(on_sphere(lon, lat), lon, lat, np.ones(202, np.int64), sphere_reach(radius), 202, "densest")
    for found, expected in zip(ENGINES[engine](problem), naive.cluster(problem), strict=True):
        np.testing.assert_array_equal(found, expected)
