"""The GPU's path on a GPU. Every test here is skipped without one, and none of them had been run when it was written."""

from __future__ import annotations

from functools import partial

import naive
import numpy as np
import pandas as pd
import pytest
from test_cuml import towns
from test_engines import random_problem
from test_inside import points_about, random_polygons
from worlds import random_world

import gpu_clusters
from gpu_clusters import backend
from gpu_clusters.engines import native
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.kernels.spaces import on_sphere, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.steps.inside import points_inside
from gpu_clusters.steps.merge import merge
from gpu_clusters.steps.overlay import overlay

pytestmark = pytest.mark.gpu


@pytest.fixture(params=["native", "cuml"])
def engine(request):
    if request.param == "cuml":
        pytest.importorskip("cuml")
    return request.param


def on_gpu(engine):
    return backend.pick(Settings(device="gpu", engine=engine)).cluster


def assert_equal(found, expected, message=""):
    for mine, other in zip(found, expected, strict=True):
        assert isinstance(mine, np.ndarray)
        np.testing.assert_array_equal(mine, other, err_msg=message)


@pytest.mark.parametrize("kind", naive.KINDS)
def test_random_worlds_equal_all_pairs(engine, kind):
    run = on_gpu(engine)
    for seed in range(60):
        problem = random_problem(seed, kind)
        assert_equal(run(problem), naive.cluster(problem), f"{kind} {seed}")


@pytest.mark.parametrize("weight", [1, 10**8, 2**44])
def test_weights_of_any_size(engine, weight):
    assert_equal(on_gpu(engine)(towns(weight)), naive.cluster(towns(weight)))


def test_many_places_equal_the_cpu_twice():
    rng = np.random.default_rng(1)
    n = 400_000
    centres = rng.uniform([5, 47], [8, 50], (40, 2))
    lon, lat = (centres[rng.integers(0, 40, n)] + rng.normal(size=(n, 2)) * 0.08).T
    for radius, threshold in ((1.0, 900), (15.0, 60_000)):
        problem = Problem(
            *(on_sphere(lon, lat), lon, lat, rng.integers(1, 9, n), sphere_reach(radius), threshold, "densest")
        )
        expected = native.cluster(problem)
        for _ in range(3):
            assert_equal(on_gpu("native")(problem), expected)


def test_two_long_rows_just_out_of_reach_stay_apart():
    lon = np.tile(np.arange(60_000) * 0.00001, 2)
    lat = np.repeat([0.0, 0.0091], 60_000)
    problem = Problem(on_sphere(lon, lat), lon, lat, np.ones(120_000, np.int64), sphere_reach(1.0), 3, "densest")
    assert_equal(on_gpu("native")(problem), native.cluster(problem))


@pytest.mark.parametrize("seed", range(20))
def test_points_in_polygons(engine, seed):
    rng = np.random.default_rng(seed)
    shapes = random_polygons(rng, 1)
    points = points_about(rng, shapes, 1)
    points[::40, 0] = -180
    found = backend.pick(Settings(device="gpu", engine=engine)).inside(shapes, *points.T.copy())
    assert_equal(found, points_inside(shapes, *points.T.copy()))


@pytest.mark.parametrize("seed", range(20))
def test_rankings_equal_the_cpu(engine, seed):
    world = random_world(seed)
    tables = (world.patents, world.publications, world.deals)
    expected = gpu_clusters.rank(*tables, device="cpu", **world.settings)
    result = gpu_clusters.rank(*tables, device="gpu", engine=engine, **world.settings)
    assert (result.manifest["device"], result.manifest["engine"]) == ("gpu", engine)
    for name in ("ranking", "locations", "deals"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(expected, name), check_exact=True)


@pytest.mark.parametrize("kind", naive.KINDS)
def test_areas_and_gaps_equal_all_pairs(kind, monkeypatch):
    cupy = pytest.importorskip("cupy")
    from cuda_areas import close, nearest

    from gpu_clusters.engines import areas

    for seed in range(60):
        if kind != "plane":
            *given, expected, _ = nearest(seed, kind)
            np.testing.assert_array_equal(areas.nearest_members(cupy, *given), expected, err_msg=str(seed))
        *given, expected = close(seed, kind)
        monkeypatch.setattr(areas, "BLOCK", (1, 5, 40, 1 << 23)[seed % 4])
        expected = np.array(expected, np.int64).reshape(-1, 2)
        np.testing.assert_array_equal(areas.close_pairs(cupy, *given), expected, err_msg=str(seed))


def test_strongest_partners_equal_the_cpu(monkeypatch):
    cupy = pytest.importorskip("cupy")
    from test_ties import random_case

    from gpu_clusters.steps import ties

    for seed in range(200):
        clusters, units, given = random_case(seed)
        there = [ties.Tie(cupy.asarray(tie.doc_start), cupy.asarray(tie.place), tie.worth) for tie in given]
        monkeypatch.setattr(ties, "BLOCK", (7, 100, 1 << 23)[seed % 3])
        found, expected = (ties.strongest_partner(clusters, units, some) for some in (there, given))
        np.testing.assert_array_equal(found, expected, err_msg=str(seed))


def test_merging_and_overlay_equal_the_cpu():
    cupy = pytest.importorskip("cupy")
    from cuda_areas import world

    from gpu_clusters.engines import areas

    for seed in range(60):
        tables, there, located, located_there, deals, clustering, settings = world(seed, cupy)
        found = merge(located_there, clustering, *there, settings, partial(areas.close_pairs, cupy))
        assert_equal(found, merge(located, clustering, *tables, settings), str(seed))
        given = (deals, located.locations, found.labels, settings)
        assert_equal(overlay(*given, partial(areas.nearest_members, cupy)), overlay(*given), str(seed))
