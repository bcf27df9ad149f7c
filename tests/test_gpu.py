"""The GPU's path on a GPU. No test here has met one: all are skipped without, but for `gpu_on_cpu`, with which they pass."""

from __future__ import annotations

import csv
from functools import partial

import hierarchies
import naive
import numpy as np
import pandas as pd
import pytest
import shapely
from problems import random_problem, towns
from rasters import random_members, random_raster
from readings import IDS, random_table, same
from test_discs import World, assert_all_pairs
from test_discs import random_world as places_and_areas
from test_inside import points_about, random_polygons
from test_sweep import prepared
from test_sweep_gpu import assert_same
from worlds import random_world

import gpu_clusters
from gpu_clusters import backend
from gpu_clusters.engines import native
from gpu_clusters.engines.counting import ON_CPU
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.io import device, read_addresses
from gpu_clusters.io.cells import cells_in
from gpu_clusters.io.folding import fold
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import open_rasters
from gpu_clusters.kernels import exact
from gpu_clusters.kernels.spaces import on_sphere, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.steps.hierarchy import Neighbourhood
from gpu_clusters.steps.inside import points_inside
from gpu_clusters.steps.merge import merge
from gpu_clusters.steps.overlay import overlay
from gpu_clusters.steps.population import count_people_in

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("default")]  # packages for GPUs may warn of what they like


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


def test_a_threshold_that_64_bits_do_not_hold(engine):
    problem = towns()._replace(threshold=10**30)
    assert_equal(on_gpu(engine)(problem), native.cluster(problem))


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


def counted(counting, world):
    """Totals of places in areas, window by window."""
    totals, areas = counting.nothing(world.members[3]), counting.areas(*world.members)
    for part in world.windows:
        counting.gather(areas, totals, *(values[part] for values in world.places))
    return counting.finish(totals)


@pytest.mark.parametrize("seed", range(60))
def test_people_in_areas_equal_all_pairs(seed, monkeypatch):
    world, counting = places_and_areas(seed), backend.pick(Settings(device="gpu")).counting
    expected = counted(ON_CPU, world)
    assert_all_pairs(expected, world)
    assert_equal(counted(counting, world), expected)
    monkeypatch.setattr(exact, "TERMS", 7)
    assert_equal(counted(counting, world), expected)


def test_many_cells_equal_the_cpu_twice():
    """A crowd of threads adds to the same limbs."""
    rng, n = np.random.default_rng(6), 100_000
    lon, lat = rng.normal(size=(2, n)) * 0.3
    x, y = (values.ravel() for values in np.meshgrid(np.linspace(-2, 2, 2400), np.linspace(-2, 2, 2400)))
    value = np.where(rng.random(len(x)) < 0.1, np.nan, rng.pareto(1, len(x)))
    world = World((lon, lat, rng.integers(0, 9, n), 9, 0.05), (x, y, value), [slice(None)])
    counting, expected = backend.pick(Settings(device="gpu")).counting, counted(ON_CPU, world)
    assert expected.held.min() > 100_000
    for _ in range(3):
        assert_equal(counted(counting, world), expected)
    group = rng.integers(0, 9, len(x))
    found, other = counting.nothing(9), ON_CPU.nothing(9)
    counting.add(found, group, value)
    ON_CPU.add(other, group, value)
    assert_equal(counting.finish(found), other)


@pytest.mark.parametrize("seed", range(20))
def test_people_from_rasters(seed):
    raster, counting = random_raster(seed), backend.pick(Settings(device="gpu")).counting
    places, area = random_members(raster, seed)
    given = {"members": places, "raster": raster.array(), "area_degrees": area, "labels": np.arange(len(places)) % 2}
    expected = gpu_clusters.people_within(**given, device="cpu")
    pd.testing.assert_frame_equal(gpu_clusters.people_within(**given, device="gpu"), expected, check_exact=True)
    polygons = fold(shapely.intersection(shapely.buffer(shapely.points(places), 1.5), shapely.box(-360, -90, 360, 90)))
    with open_rasters(raster.array()) as (rasters, _):
        grids, mosaic = [one.grid for one in rasters], Mosaic(rasters)
        expected = count_people_in(cells_in(mosaic, polygons), grids, polygons)
        found = count_people_in(cells_in(mosaic, polygons), grids, polygons, counting=counting)
    assert_equal(found, expected)


@pytest.mark.parametrize("seed", range(20))
def test_rankings_equal_the_cpu(engine, seed):
    world = random_world(seed)
    tables = (world.patents, world.publications, world.deals)
    expected = gpu_clusters.rank(*tables, device="cpu", **world.settings)
    result = gpu_clusters.rank(*tables, device="gpu", engine=engine, **world.settings)
    assert (result.manifest["device"], result.manifest["engine"]) == ("gpu", engine)
    for name in ("ranking", "locations", "deals"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(expected, name), check_exact=True)


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("seed", range(4))
def test_tables_read_by_cudf_equal_the_cpu(ids, seed, tmp_path):
    cudf, cupy = pytest.importorskip("cudf"), pytest.importorskip("cupy")
    frame = random_table(np.random.default_rng(seed), 200_000)
    frame["doc_id"] = IDS[ids](frame["doc_id"])
    if seed % 2:
        frame = frame.astype({"organization": "category", "country": "category", "lat": "float32", "year": "Int16"})
    half = len(frame) // 2
    (tmp_path / "year=1").mkdir()
    frame.iloc[:half].to_parquet(tmp_path / "b.parquet", row_group_size=30_000, compression="snappy")
    frame.iloc[half:].to_parquet(tmp_path / "year=1" / "a.parquet", row_group_size=10_000_000, compression="zstd")
    for years in (None, (2001, 2003)):
        for piece in (1, device.PIECE):
            said: list[str] = []
            how = {"years": years, "remark": said.append, "piece": piece}
            read = device.read_addresses(cudf, cupy, tmp_path, "patents", **how)
            same(read, read_addresses(tmp_path, "patents", years=years), cupy.ndarray)
            assert said == ["patents read by cuDF"]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE])
@pytest.mark.parametrize("seed", range(4))
def test_csv_read_by_cudf_equals_the_cpu(quoting, seed, tmp_path):
    """Releases of cuDF differ in quotation marks; what they read otherwise must be found out, and is read by the CPU."""
    cudf, cupy = pytest.importorskip("cudf"), pytest.importorskip("cupy")
    frame = random_table(np.random.default_rng(seed), 200_000)
    if quoting == csv.QUOTE_NONE:
        frame["organization"] = frame["organization"].str.replace('["\n,]', "", regex=True)
    path = tmp_path / ["a.csv", "a.csv.gz"][seed % 2]
    frame.to_csv(path, index=False, quoting=quoting, lineterminator=["\n", "\r\n"][seed // 2])
    for piece in (1_000_000, device.PIECE):
        said: list[str] = []
        read = device.read_addresses(cudf, cupy, path, "patents", remark=said.append, piece=piece)
        same(read, read_addresses(path, "patents"), cupy.ndarray)
        assert said == ["patents read by cuDF"] or (quoting != csv.QUOTE_NONE and "cuDF reads other" in said[0])


def test_tables_that_the_cpu_reads_for_the_gpu(tmp_path):
    cudf, cupy = pytest.importorskip("cudf"), pytest.importorskip("cupy")
    frame = random_table(np.random.default_rng(1), 1000)
    (tmp_path / "a.csv").write_text(frame.to_csv(index=False) + "\n", encoding="utf-8")
    frame.set_index("doc_id").to_parquet(tmp_path / "b.parquet")
    for source, why in (
        (frame, "data frame"),
        (tmp_path / "a.csv", "numbers of cells"),
        (tmp_path / "b.parquet", "columns"),
    ):
        said: list[str] = []
        read = device.read_addresses(cudf, cupy, source, "patents", remark=said.append)
        same(read, read_addresses(source, "patents"), cupy.ndarray)
        assert len(said) == 1 and why in said[0]


@pytest.mark.parametrize("kind", naive.KINDS)
def test_clusters_of_all_densities_and_what_they_hold(kind):
    kernels = backend.pick(Settings(device="gpu")).hierarchy
    for seed in range(60):
        points, reach, weight, thresholds = hierarchies.random_points(seed, kind, 250)
        found = Neighbourhood(lambda p=points: p, weight, kernels).hierarchy(reach, thresholds)
        expected = Neighbourhood(lambda p=points: p, weight).hierarchy(reach, thresholds)
        hierarchies.assert_equal(found, expected, f"{kind} {seed}")
        hierarchies.assert_totals_equal(found, kernels, seed)


def test_many_places_at_all_densities_equal_the_cpu_twice():
    rng = np.random.default_rng(1)
    n = 400_000
    centres = rng.uniform([5, 47], [8, 50], (40, 2))
    lon, lat = (centres[rng.integers(0, 40, n)] + rng.normal(size=(n, 2)) * 0.08).T
    points, weight = on_sphere(lon, lat), rng.integers(1, 9, n)
    thresholds = np.unique(np.geomspace(500, 500_000, 50).astype(np.int64))
    around = Neighbourhood(lambda: points, weight, backend.pick(Settings(device="gpu")).hierarchy)
    for radius in (1.0, 1.2, 15.0):
        expected = Neighbourhood(lambda: points, weight).hierarchy(sphere_reach(radius), thresholds)
        for _ in range(3):
            hierarchies.assert_equal(around.hierarchy(sphere_reach(radius), thresholds), expected, str(radius))


@pytest.mark.parametrize("seed", range(12))
def test_sweeps_equal_the_cpu(seed):
    world, given, radii, densities = prepared(seed)
    tables = (world.patents, world.publications, world.deals)
    given |= {"radius_km": radii, "density": densities}
    found = gpu_clusters.sweep(*tables, device="gpu", check=3, **given)
    assert found.manifest["device"] == "gpu"
    assert_same(found, gpu_clusters.sweep(*tables, device="cpu", **given))


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
        there = [ties.Tie(*map(cupy.asarray, tie[:2]), *tie[2:]) for tie in given]
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
