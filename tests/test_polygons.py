"""People in polygons and hulls, against parts of cells worked out by shapely."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from rasters import Plain

from gpu_clusters import InputError, UsageError, people_in_polygons, people_within

pytest.importorskip("exactextract", reason="exactextract is not installed")


def by_parts(raster: Plain, shape) -> float:
    """People in a shape in the raster's own coordinates: each cell by its part inside."""
    a, _, c, _, e, f = raster.affine
    people = raster.people()
    total = 0.0
    for i, j in np.argwhere(~np.isnan(people)):
        x, y = sorted((c + a * j, c + a * (j + 1))), sorted((f + e * i, f + e * (i + 1)))
        cell = shapely.box(x[0], y[0], x[1], y[1])
        total += people[i, j] * cell.intersection(shape).area / cell.area
    return total


def some_people(rng, shape=(20, 30)) -> np.ndarray:
    people = rng.uniform(0, 100, shape)
    people[rng.random(shape) < 0.1] = -200
    return people


@pytest.mark.parametrize("a, e", [(0.1, -0.1), (0.1, 0.1), (-0.1, -0.1)])
def test_polygons_take_parts_of_cells(a, e):
    raster = Plain(some_people(np.random.default_rng(0)), (a, 0, 5.0, 0, e, 50.0), nodata=-200)
    x, y = 5 + 15 * a, 50 + 10 * e
    shapes = [
        shapely.Point(x, y).buffer(0.7),
        shapely.box(x - 0.33, y - 0.27, x + 0.41, y + 0.3).union(shapely.box(0, 0, 1, 1)),
    ]
    found = people_in_polygons(shapes, raster.array())
    expected = [by_parts(raster, shape) for shape in shapes]
    assert found["population"].tolist() == pytest.approx(expected, rel=1e-6)
    assert found["without_data"][1] > 0.5


def test_what_lies_in_the_raster_is_not_without_data():
    """To the last bit: 1e-17 of a polygon would be reported as a gap."""
    rng = np.random.default_rng(0)
    raster = Plain(rng.uniform(0, 9, (20, 30)), (0.1, 0, 5.0, 0, -0.1, 50.0))
    places = rng.uniform([5.3, 48.3], [7.7, 49.7], (50, 2))
    shapes = [shapely.Point(place).buffer(size) for place, size in zip(places, rng.uniform(0.01, 0.3, 50), strict=True)]
    assert (people_in_polygons(shapes, raster.array())["without_data"] == 0).all()
    beside = [shapely.box(5.5, 48.5, 8 + part, 49) for part in (2.5e-5, 1e-3)]
    assert people_in_polygons(beside, raster.array())["without_data"].tolist() == pytest.approx([1e-5, 4e-4], rel=1e-2)


def test_polygons_smaller_than_a_cell_take_their_part_of_it():
    raster = Plain(np.array([[100.0, 7.0], [7.0, -200.0]]), (1.0, 0, 5.0, 0, -1.0, 50.0), nodata=-200)
    within = [shapely.box(5.2, 49.2, 5.7, 49.7), shapely.box(6.2, 48.2, 6.7, 48.7)]
    found = people_in_polygons(within, raster.array())
    assert found["population"].tolist() == pytest.approx([25, np.nan], rel=1e-9, nan_ok=True)
    assert found["without_data"].tolist() == [0, 1]


def test_tiles_and_self_overlap_count_once():
    raster = Plain(some_people(np.random.default_rng(1)), (0.1, 0, 5.0, 0, -0.1, 50.0), nodata=-200)
    shape = [shapely.Point(6.5, 49).buffer(0.8)]
    whole = people_in_polygons(shape, raster.array())["population"][0]
    tiles = [raster.part(slice(0, 12), slice(0, 30)), raster.part(slice(8, 20), slice(0, 30))]
    assert people_in_polygons(shape, [t.array() for t in tiles])["population"][0] == pytest.approx(whole, rel=1e-12)
    people = np.random.default_rng(2).uniform(0, 9, (10, 362))
    people[:, 360:] = people[:, :2]
    globe = Plain(people, (1.0, 0, -180.95, 0, -1.0, 5.0))
    band = [shapely.box(-180, -5, 180, 5), shapely.box(170, -5, 190, 5), shapely.box(-190, -5, -170, 5)]
    found = people_in_polygons(band, globe.array())["population"]
    assert found[0] == pytest.approx(people[:, :360].sum(), rel=1e-9)
    assert found[1] == pytest.approx(found[2], rel=1e-9)
    west = people[:, 1:10].sum() + 0.05 * people[:, 0].sum() + 0.95 * people[:, 10].sum()  # -180 is 0.95 into column 0
    east = people[:, 351:360].sum() + 0.05 * people[:, 350].sum() + 0.95 * people[:, 0].sum()
    assert found[1] == pytest.approx(west + east, rel=1e-6)


def test_polygons_are_drawn_in_the_rasters_projection(tmp_path):
    from pyproj import Transformer

    raster = Plain(np.full((100, 100), 10.0), (1000, 0, 300_000, 0, -1000, 6_000_000), "ESRI:54009")
    lon, lat = Transformer.from_crs("ESRI:54009", "EPSG:4326", always_xy=True).transform(350_000, 5_950_000)
    shape = shapely.box(lon - 0.2, lat - 0.1, lon + 0.2, lat + 0.1)
    frame = gpd.GeoDataFrame({"name": ["here"]}, geometry=[shape], crs="EPSG:4326", index=["a"])
    area = frame.to_crs("ESRI:54009").area.iloc[0]
    found = people_in_polygons(frame, raster.array())
    assert found.index.tolist() == ["a"]
    assert found["population"]["a"] == pytest.approx(10 * area / 1e6, rel=1e-4)
    assert found["without_data"]["a"] == 0
    for name in ("a.geojson", "a.parquet"):
        (frame.to_parquet if name.endswith("parquet") else frame.to_file)(tmp_path / name)
        again = people_in_polygons(tmp_path / name, raster.array())
        assert again["population"].iloc[0] == pytest.approx(found["population"]["a"], rel=1e-12)
    moved = people_in_polygons(frame.to_crs("EPSG:3035"), raster.array())
    assert moved["population"]["a"] == pytest.approx(found["population"]["a"], rel=1e-3)


def test_hulls():
    raster = Plain(np.full((40, 40), 10.0), (0.1, 0, 0.0, 0, -0.1, 50.0))
    corners = [(1.0, 47.0), (2.0, 47.0), (2.0, 48.0), (1.0, 48.0), (1.5, 47.1)]
    assert people_within(corners, raster.array(), boundary="hull") == pytest.approx(1000, rel=1e-9)
    concave = people_within(corners, raster.array(), boundary="concave")
    assert 0 < concave <= 1000 + 1e-6
    of_two = people_within(
        [*corners, *[(1.0, 47.0), (2.0, 48.0)]], raster.array(), boundary="hull", labels=[0] * 5 + [1] * 2
    )
    assert of_two["population"][0] == pytest.approx(1000, rel=1e-9) and of_two.index.name == "label"
    assert math.isnan(of_two["population"][1])  # a line has no area
    globe = Plain(np.full((10, 360), 10.0), (1.0, 0, -180.0, 0, -1.0, 5.0))
    across = [(179.0, -1), (179.0, 1), (-179.0, 1), (-179.0, -1)]
    assert people_within(across, globe.array(), boundary="hull") == pytest.approx(40, rel=1e-9)


def test_polygons_that_cannot_be_used(tmp_path):
    box = [shapely.box(0, 0, 2, 2)]
    for skewed in ((0.2, 0.1), (0.2, 0), (0, 0.1)):
        raster = Plain(np.ones((4, 4)), (1.0, skewed[0], 0, skewed[1], -1.0, 4.0)).array()
        with pytest.raises(InputError, match="rotated"):
            people_in_polygons(box, raster)
    with pytest.raises(InputError, match="polygon 2 is a Point"):
        people_in_polygons([*box, shapely.Point(0, 0)], raster)
    for nothing in (3, None, pd.DataFrame({"a": [1]})):
        with pytest.raises(UsageError, match=f"polygons must be a file, .*, not {type(nothing).__name__}$"):
            people_in_polygons(nothing, raster)
    with pytest.raises(InputError, match="cannot be read as polygons"):
        people_in_polygons(tmp_path / "none.geojson", raster)
