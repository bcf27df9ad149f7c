"""Population against a sum over every cell, on random rasters and on the real ones."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import Transformer
from rasters import Plain, brute, brute_where, off_the_edge, random_members, random_raster, within

import gpu_clusters
from gpu_clusters import people_within
from gpu_clusters.io.cells import cells_in
from gpu_clusters.io.folding import fold
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import open_rasters
from gpu_clusters.steps.population import count_people_in

SEEDS = range(100)


def same(found: float, expected: float) -> bool:
    return found == expected or (math.isnan(found) and math.isnan(expected))


def people_of(raster: Plain, polygons: np.ndarray):
    """People in polygons, by the steps that ``people_in_polygons`` takes."""
    with open_rasters(raster.array()) as (rasters, _):
        return count_people_in(cells_in(Mosaic(rasters), polygons), [one.grid for one in rasters], polygons)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_rasters_equal_a_sum_over_all_cells(seed):
    raster = random_raster(seed)
    members, area = random_members(raster, seed)
    area = off_the_edge(area)
    assert same(people_within(members, raster.array(), area_degrees=area), brute([raster], members, area))


@pytest.mark.parametrize("seed", SEEDS)
def test_polygons_hold_the_cells_whose_centre_is_inside(seed):
    raster, rng = random_raster(seed), np.random.default_rng([seed, 2])
    (lon, lat), size = random_members(raster, seed)[0][0], rng.choice([0.03, 0.4, 3.0, 30.0])
    turn = np.sort(rng.uniform(0, 2 * np.pi, 9))
    ring = np.array([lon, lat]) + (size * rng.uniform(0.3, 1, 9) * [np.cos(turn), np.sin(turn)]).T
    ring[:, 1] = np.clip(ring[:, 1], -90, 90)
    shape = shapely.make_valid(shapely.Polygon(ring).difference(shapely.Point(lon, lat).buffer(size / 5.1234)))
    polygons = fold(np.array([shape, shapely.Polygon()], object))
    people = people_of(raster, polygons)
    assert same(people.population[0], brute_where([raster], lambda x, y: shapely.intersects_xy(polygons[0], x, y)))
    assert np.isnan(people.population[1]) and people.without_data[1] == 1
    assert 0 <= people.outside[0] <= people.without_data[0] <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_belt_round_the_earth_holds_every_cell(seed):
    raster = random_raster(seed)
    _, lat = raster.lonlat()
    belt = shapely.box(-180, max(np.nanmin(lat) - 0.01, -90), 180, min(np.nanmax(lat) + 0.01, 90))
    people = people_of(raster, np.array([belt]))
    assert same(people.population[0], brute_where([raster], lambda x, y: np.isfinite(x + y)))


@pytest.mark.parametrize("seed", SEEDS[:20])  # two of each kind of raster: a million squares take seconds
def test_the_whole_earth_holds_every_cell(seed):
    raster = random_raster(seed)
    people = people_of(raster, np.array([shapely.box(-180, -90, 180, 90)]))
    assert same(people.population[0], brute_where([raster], lambda x, y: np.isfinite(x + y)))


@pytest.mark.parametrize("seed", SEEDS)
def test_small_polygons_alone_hold_the_cells_whose_centre_is_inside(seed):
    raster, rng = random_raster(seed), np.random.default_rng([seed, 3])
    lon, lat = random_members(raster, seed)[0][0]
    high, wide = rng.choice([1e-3, 0.1234, 0.2], 2)
    box = shapely.box(lon - 0.437 * wide, max(lat - 0.437 * high, -90), lon + 0.563 * wide, min(lat + 0.563 * high, 90))
    polygons = fold(np.array([box], object))
    people = people_of(raster, polygons)
    assert same(people.population[0], brute_where([raster], lambda x, y: shapely.intersects_xy(polygons[0], x, y)))


def test_few_cells_around_small_polygons_are_looked_at():
    raster = Plain(np.ones((1200, 1200)), (1 / 120, 0, 0.0, 0, -1 / 120, 10.0))
    spots = np.mgrid[1:10:2, 1:10:2].reshape(2, -1).T + 0.17
    polygons = np.array([shapely.box(lon, lat, lon + 0.1, lat + 0.1) for lon, lat in spots], object)
    with open_rasters(raster.array()) as (rasters, _):
        looked_at = sum(len(cells.lon) for cells in cells_in(Mosaic(rasters), polygons))
    assert looked_at < 2500 * len(polygons)


def test_polygons_without_an_area_are_all_without_data_wherever_they_stand():
    raster = Plain(np.ones((20, 20)), (0.1, 0, 0.0, 0, -0.1, 2.0))
    box, none = shapely.box(0.5, 0.5, 1.5, 1.5), shapely.MultiPolygon()
    for polygons in ([box, box, none], [none, box], [none]):
        found = people_of(raster, np.array(polygons))
        assert found.cells.tolist() == [100 * (polygon is box) for polygon in polygons]
        assert found.without_data.tolist() == [float(polygon is none) for polygon in polygons]
        assert found.outside.tolist() == [0.0] * len(polygons)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_member_never_lowers_a_population(seed):
    raster = random_raster(seed)
    members, area = random_members(raster, seed)
    before = 0.0
    for count in range(1, len(members) + 1):
        people = people_within(members[:count], raster.array(), area_degrees=area)
        assert (math.isnan(people) and before == 0) or people >= before
        before = 0.0 if math.isnan(people) else people


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_members_changes_nothing(seed):
    raster, rng = random_raster(seed), np.random.default_rng(seed)
    members, area = random_members(raster, seed)
    labels = rng.integers(-1, 3, len(members))
    first = people_within(members, raster.array(), area_degrees=area, labels=labels)
    shuffle = rng.permutation(len(members))
    second = people_within(members[shuffle], raster.array(), area_degrees=area, labels=labels[shuffle])
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    for label, people in first["population"].items():  # a cell in two areas counts in both
        assert same(people, people_within(members[labels == label], raster.array(), area_degrees=area))


def test_files_of_every_layout(tmp_path):
    rng = np.random.default_rng(0)
    raster = Plain(rng.integers(0, 9000, (700, 900)).astype("int32"), (1 / 120, 0, 2.0, 0, -1 / 120, 52.0), nodata=-200)
    raster.stored[rng.random(raster.stored.shape) < 0.2] = -200
    members = np.column_stack([rng.uniform(2, 9.5, 40), rng.uniform(46.2, 52, 40)])
    expected = brute([raster], members, 0.05)
    layouts = [{}, {"tiled": True, "blockxsize": 128, "blockysize": 64, "compress": "deflate"}, {"blockysize": 700}]
    for number, layout in enumerate(layouts):
        path = raster.save(tmp_path / f"{number}.tif", **layout)
        assert people_within(members, path) == expected
    with rasterio.open(path) as file:
        about = file.profile | {"driver": "COG", "compress": "deflate", "blocksize": 128}
    for name in ("blockxsize", "blockysize", "tiled", "interleave"):
        about.pop(name, None)
    with rasterio.open(tmp_path / "cog.tif", "w", **about) as file:
        file.write(raster.stored, 1)
    assert people_within(members, tmp_path / "cog.tif") == expected


def test_folders_patterns_and_archives(tmp_path):
    import zipfile

    raster = random_raster(0)
    members, _ = random_members(raster, 0)
    whole = people_within(members, raster.array(), area_degrees=1.0)
    folder = tmp_path / "tiles"
    (folder / "deeper").mkdir(parents=True)
    (folder / "read me.txt").write_text("no raster")
    half = raster.stored.shape[0] // 2
    columns = slice(0, raster.stored.shape[1])
    one, two = raster.part(slice(0, half), columns), raster.part(slice(half, raster.stored.shape[0]), columns)
    one.save(folder / "b.tif")
    two.save(folder / "deeper" / "a.tif")
    pattern = str(folder / "**" / "*.tif")
    for source in (folder, pattern, [folder / "b.tif", folder / "deeper"], [folder, str(folder / "b.tif")]):
        assert people_within(members, source, area_degrees=1.0) == whole
    (folder / "_old").mkdir()
    (folder / "_old" / "b.tif").write_bytes(b"")  # passed over, as in a folder of tables
    (tmp_path / "linked").symlink_to(folder)
    (tmp_path / "links").mkdir()
    for name in ("b.tif", "deeper"):
        (tmp_path / "links" / name).symlink_to(folder / name)
    for source in (folder, tmp_path / "linked", tmp_path / "links"):
        assert people_within(members, source, area_degrees=1.0) == whole
    with zipfile.ZipFile(tmp_path / "tile.zip", "w") as archive:
        archive.write(folder / "b.tif", "inner/b.tif")
        archive.writestr("inner/b.txt", "no raster")
    assert people_within(members, [tmp_path / "tile.zip", folder / "deeper"], area_degrees=1.0) == whole


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("with_crs", [True, False])
def test_netcdf(tmp_path, engine, with_crs):
    import xarray as xr

    rng = np.random.default_rng(3)
    people = rng.uniform(0, 100, (30, 40)).astype("float32")
    people[5, 5] = -9999
    lat, lon = 50 + 0.1 * (np.arange(30) + 0.5), 5 + 0.1 * (np.arange(40) + 0.5)  # south up
    array = xr.DataArray(people, {"lat": lat, "lon": lon}, name="count", attrs={"_FillValue": np.float32(-9999)})
    array["lat"].attrs["units"], array["lon"].attrs["units"] = "degrees_north", "degrees_east"
    if with_crs:
        array = array.rio.set_spatial_dims("lon", "lat").rio.write_crs("EPSG:4326")
    path = tmp_path / "people.nc"
    array.to_netcdf(path, engine=engine)
    plain = Plain(people, (0.1, 0, 5.0, 0, 0.1, 50.0), nodata=np.float32(-9999))
    members = [(6.0, 51.0), (5.55, 50.55)]
    assert people_within(members, path, area_degrees=0.33) == pytest.approx(brute([plain], members, 0.33), rel=1e-15)


def test_a_mercator_raster_across_the_date_line():
    edge = 20037508.342789244
    people = np.arange(1.0, 101).reshape(10, 10)
    raster = Plain(people, (10_000, 0, edge - 50_000, 0, -10_000, 50_000), "EPSG:3857")
    members = [(179.99, 0.0)]
    assert people_within(members, raster.array(), area_degrees=0.2) == brute([raster], members, 0.2)
    assert people_within([(-179.8, 0.1)], raster.array(), area_degrees=0.1) == brute([raster], [(-179.8, 0.1)], 0.1)


@pytest.mark.parametrize("crs", ["EPSG:8857", "ESRI:54030"])  # maps of the world whose two sides do not meet
def test_a_polygon_that_ends_at_180_degrees_holds_a_cell_at_180_west(crs):
    west, _ = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(-180.0, 0.0)
    side, people = -west / 360, np.zeros((9, 721))
    people[4, 0] = 7
    raster = Plain(people, (side, 0, west - side / 2, 0, -side, 4.5 * side), crs)
    polygons = np.array([shapely.box(170, -1, 180, 1), shapely.box(170, -1, 179.9, 1)], object)
    people_in = people_of(raster, polygons)
    np.testing.assert_array_equal(people_in.population, [7, 0])


def test_exact_sums_do_not_depend_on_magnitudes():
    people = np.array([[1e300, 1.0, 1e-300, 3e15, 1e-320, 0.1]])
    raster = Plain(people, (0.01, 0, 0, 0, -0.01, 0.005))
    assert people_within([(0.03, 0.0)], raster.array(), area_degrees=1) == math.fsum(people[0])
    assert people_within([(0.045, 0.0)], raster.array(), area_degrees=0.031) == math.fsum(people[0, 1:])


def test_without_data_is_a_share_of_the_area():
    raster = Plain(np.ones((200, 200)), (0.01, 0, 0, 0, -0.01, 1))
    members, labels = [(0.5, 0.5), (2.0, 0.5), (0.5, -1.0), (50, 50), (1.0, -1.0)], [0, 1, 2, 3, 4]
    found = people_within(members, raster.array(), area_degrees=0.2, labels=labels)
    assert found["without_data"].tolist()[0] == 0
    assert found["without_data"].tolist()[1:3] == pytest.approx([0.5, 0.5], abs=0.05)
    assert found["without_data"][3] == 1
    assert math.isnan(found["population"][3])
    raster.stored[:, :50] = np.nan
    found = people_within(members, raster.array(), area_degrees=0.2, labels=labels)
    assert found["without_data"][0] == pytest.approx(0.5, abs=0.03)


def test_without_data_is_a_share_of_the_area_of_a_raster_in_metres_too():
    raster = Plain(
        np.ones((200, 200)), (1000, 0, 400_000, 0, -1000, 4_527_757), "EPSG:32650"
    )  # 200 km around (117, 40)
    members, labels = [(117.0, 40.0), (117.0, 39.0992), (40.0, 117 - 90.0)], [0, 1, 2]
    found = people_within(members, raster.array(), area_degrees=0.1, labels=labels)
    assert found["without_data"].tolist() == pytest.approx([0, 0.5, 1], abs=0.05)


TABLE = pd.DataFrame({"doc_id": range(30), "lon": [2.0] * 10 + [7.0] * 10 + [12.0] * 5 + [17.0] * 5, "lat": 48.0})


def test_rank_fills_the_columns():
    raster = Plain(np.full((100, 200), 1000.0), (0.05, 0, 0, 0, -0.05, 50.0))
    raster.stored[:, 120:160] = 0  # nobody lives around lon 7
    result = gpu_clusters.rank(TABLE, population=raster.array(), density=3, area_degrees=0.1, top=3)
    ranking = result.ranking
    assert ranking["rank"].tolist() == [1, 1, 3, 3]
    first = brute([raster], [(2.0, 48.0)], 0.1)
    assert ranking["population"].tolist()[:2] == [first, 0.0]
    assert ranking["population"].isna().tolist() == [False, False, True, True]
    assert ranking["patents_per_million"][0] == 10 / (first / 1e6)
    assert ranking["intensity"][0] == ranking["total_share"][0] / (first / 1e6)
    empty = ["patents_per_million", "publications_per_million", "deals_per_million", "intensity", "intensity_rank"]
    assert ranking.loc[1:, empty].isna().all(axis=None)
    assert ranking["intensity_rank"][0] == 1
    assert [gap["cluster_id"] for gap in result.manifest["population"]["without_data"]] == [3, 4]
    assert result.manifest["inputs"][-1] == {
        "table": "population", "name": "population (array)", "size": None, "sha256": None, "rows": 20_000
    }  # fmt: skip
    (warning,) = result.manifest["warnings"]
    assert "2 of 4 clusters outside of the rasters" in warning
    assert result.manifest["timings"]["population"] > 0


def test_the_record_of_a_file_of_people(tmp_path):
    file = tmp_path / "people.tif"
    Plain(np.ones((10, 20)), (0.5, 0, 0, 0, -0.5, 50.0)).save(file)
    found = gpu_clusters.rank(TABLE, population=file, density=3).manifest["inputs"][-1]
    data = file.read_bytes()
    assert (found["size"], found["sha256"], found["rows"]) == (len(data), hashlib.sha256(data).hexdigest(), 200)


def test_intensity_rank_is_among_the_first_and_ties_share_it():
    raster = Plain(np.full((100, 400), 1000.0), (0.05, 0, 0, 0, -0.05, 50.0))
    ranking = gpu_clusters.rank(TABLE, population=raster.array(), density=3, area_degrees=0.1, top=3).ranking
    assert ranking["intensity_rank"].isna().tolist() == [False, False, False, True]
    assert ranking["intensity_rank"].tolist()[:3] == [1, 1, 3]
    assert ranking["intensity"].notna().all()


def test_no_cluster_is_a_result_with_population_too():
    raster = Plain(np.ones((4, 4)), (1, 0, 0, 0, -1, 50.0))
    result = gpu_clusters.rank(TABLE, population=raster.array(), density=1000)
    assert not len(result.ranking)


@pytest.mark.parametrize("area", [0.05, 0.1])
@pytest.mark.parametrize("name", ["ghs_pop_2020_belgium_1km_esri54009", "worldpop_2020_5arcmin_epsg4326"])
def test_real_rasters_equal_a_sum_over_all_cells(real_data, name, area):
    path = real_data / "raster" / f"{name}.tif"
    tables = (real_data / "patents.parquet", real_data / "publications.parquet", real_data / "deals.parquet")
    result = gpu_clusters.rank(*tables, population=path, density=100, area_degrees=area)
    with rasterio.open(path) as file:
        whole = Plain(file.read(1), tuple(file.transform)[:6], file.crs.to_wkt(), file.nodata)
    lon, lat = (values.ravel() for values in whole.lonlat())
    lon = np.where(lon < -180, lon + 360, lon)
    people = whole.people().ravel()
    order = np.argsort(lat)
    lon, lat, people = lon[order], lat[order], people[order]
    found = result.ranking.set_index("cluster_id")["population"]
    for cluster, members in result.locations.query("cluster_id > 0").groupby("cluster_id"):
        rows = slice(*np.searchsorted(lat, [members["lat"].min() - 2 * area, members["lat"].max() + 2 * area]))
        inside = within(lon[rows], lat[rows], members[["lon", "lat"]].to_numpy(), area) & ~np.isnan(people[rows])
        if inside.any():
            assert found[cluster] == pytest.approx(math.fsum(people[rows][inside]), rel=1e-9, abs=1e-9)
        else:
            assert pd.isna(found[cluster])
    known = {("ghs", 0.05): 3, ("ghs", 0.1): 3, ("worldpop", 0.05): 239, ("worldpop", 0.1): 240}
    assert found.notna().sum() == known[name.split("_")[0], area]


def test_brussels_agrees_where_the_area_is_larger_than_the_cells(real_data):
    ghs, worldpop = (next((real_data / "raster").glob(f"{name}*.tif")) for name in ("ghs", "worldpop"))
    tables = (real_data / "patents.parquet", real_data / "publications.parquet")
    result = gpu_clusters.rank(*tables, density=100)
    near = within(result.locations["lon"], result.locations["lat"], [(4.35, 50.85)], 0.05)
    (cluster,) = set(result.locations["cluster_id"][near]) - {-1}
    of_cluster = result.locations.loc[result.locations["cluster_id"] == cluster, ["lon", "lat"]].to_numpy()
    for places in (of_cluster, [(4.35, 50.85)]):
        one, two = (people_within(places, path, area_degrees=0.1) for path in (ghs, worldpop))
        assert abs(one / two - 1) < 0.1
        one, two = (people_within(places, path, area_degrees=0.05) for path in (ghs, worldpop))
        assert abs(one / two - 1) > 0.2  # one or two cells of 9 km are no picture of a disc of 5.6 km
