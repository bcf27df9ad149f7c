"""Polygons on maps that tear, turn or fold the Earth: people in them, by points of each cell in longitude and latitude."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from rasters import Plain

from gpu_clusters.io.projecting import LEAST, Polygons
from gpu_clusters.io.rasters import open_rasters

DEEP = 6  # points of a cell along each side

NATIONAL = {  # a place on land for each
    "EPSG:2056": (8, 47),  # folds the far side of the Earth over the near one
    "EPSG:2066": (-60.7, 11.2),
    "EPSG:27200": (173, -41),
    "EPSG:27700": (-2, 53),
    "EPSG:3031": (10, -80),
    "EPSG:3034": (10, 50),
    "EPSG:3035": (10, 50),
    "EPSG:3413": (-45, 80),
    "EPSG:32631": (3, 50),
    "EPSG:32760": (179.9, -40),  # on the date line
    "EPSG:3395": (0, 0),
    "EPSG:3832": (179.9, -18),
    "EPSG:5070": (-96, 38),
    "EPSG:5513": (15, 50),  # to the south and west: a mirror of the Earth
    "EPSG:5514": (15, 50),
    "EPSG:6931": (0, 89.5),  # the pole
    "EPSG:6933": (100, 10),
    "ESRI:102033": (-55, -15),
}
GLOBAL = {  # half their width and height in metres
    "EPSG:3832": (20_037_508, 16_000_000),
    "ESRI:54009": (18_040_096, 9_020_048),
    "+proj=moll +lon_0=150 +datum=WGS84": (18_040_096, 9_020_048),
    "+proj=robin +lon_0=-90 +datum=WGS84": (17_005_833, 8_625_154),
    "+proj=eqearth +lon_0=11 +datum=WGS84": (17_243_959, 8_392_927),
    "+proj=cea +lon_0=100 +datum=WGS84": (20_037_508, 6_363_885),
    "+proj=igh +datum=WGS84": (20_037_508, 8_683_259),
    "+proj=laea +lat_0=50 +lon_0=10 +datum=WGS84": (12_700_000, 12_700_000),
    "+proj=geos +h=35785831 +lon_0=20 +datum=WGS84": (5_500_000, 5_500_000),  # as far as a satellite sees
}
WORLD = shapely.box(-180, -90, 180, 90)


def onto(crs: str):
    """Gives the points of longitudes and latitudes on a map."""
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform


def by_corners(shapes, crs: str):
    """Shapes with their corners on a map, and points between."""
    move = onto(crs)
    return shapely.transform(shapely.segmentize(shapes, 0.05), lambda points: np.stack(move(*points.T), axis=1))


def of_the_world(crs: str, people: np.ndarray) -> Plain:
    """A raster as large as a map of the world."""
    (height, width), (half_x, half_y) = people.shape, GLOBAL[crs]
    return Plain(people, (2 * half_x / width, 0, -half_x, 0, -2 * half_y / height, half_y), crs)


def around(crs: str, lon: float, lat: float, cells: int = 12, half: float = 3e5) -> Plain:
    """A raster of random people about a place."""
    x, y = onto(crs)(lon, lat)
    pitch = 2 * half / cells
    people = np.random.default_rng(0).uniform(1, 9, (cells, cells))
    return Plain(people, (pitch, 0, x - half, 0, -pitch, y + half), crs)


def by_points(raster: Plain):
    """Gives people in a shape: of each cell the part of its points that come back into it; those not on the map are nowhere."""
    height, width = raster.stored.shape
    a, _, c, _, e, f = raster.affine
    inner = (np.arange(DEEP) + 0.5) / DEEP
    row, column = ((np.arange(size)[:, None] + inner).ravel() for size in (height, width))
    x, y = (values.ravel() for values in np.meshgrid(c + a * column, f + e * row))
    there = onto(raster.crs)
    lon, lat = there(x, y, direction="INVERSE")
    on_map = np.isfinite(lon) & np.isfinite(lat)
    lon, lat = np.where(on_map, lon, 0), np.where(on_map, lat, 0)
    far = np.abs(np.stack(there(lon, lat)) - [x, y])
    if raster.crs == "EPSG:3832":
        far[0] = np.minimum(far[0], np.abs(far[0] - 40_075_016.69))
    on_map &= (far < abs(a) / 100).all(axis=0)

    def people(shape) -> float:
        inside = on_map & np.any([shapely.intersects_xy(shape, lon + turn, lat) for turn in (-360, 0, 360)], axis=0)
        return float(np.sum(raster.people() * inside.reshape(height, DEEP, width, DEEP).mean(axis=(1, 3))))

    return people


def shapes_of(seed: int, count: int) -> list:
    """Large and small shapes, anywhere."""
    rng, shapes = np.random.default_rng(seed), [WORLD, shapely.box(-180, -60, 180, 75), shapely.box(19, 41, 190, 82)]
    for _ in range(count):
        wide, high = rng.uniform(10, [170, 80])
        west, south = rng.uniform([-180, -90], [180, 90 - high])
        box = shapely.box(west, south, west + wide, south + high)
        shapes.append(box if rng.random() < 0.5 else shapely.affinity.scale(box.buffer(1), 0.4, 0.4).intersection(box))
    return shapes


def of_polygons(shapes, raster: Plain):
    pytest.importorskip("exactextract", reason="exactextract is not installed")
    from gpu_clusters import people_in_polygons

    return people_in_polygons(shapes, raster.array())


pytestmark = pytest.mark.filterwarnings("ignore:angle from rectified")  # pyproj's, where an array is given EPSG:2056


@pytest.mark.parametrize("crs", NATIONAL)
def test_large_polygons_on_the_map_of_a_country(crs):
    """Whatever they do to the map's far side: all the people are in them, or none."""
    lon, lat = NATIONAL[crs]
    raster = around(crs, lon, lat)
    all_people = raster.stored.sum()
    shapes = [*shapes_of(1, 40), shapely.box(lon - 175, -70, lon - 5.5, 70), shapely.box(lon + 5.5, -70, lon + 175, 70)]
    found, wanted = of_polygons(shapes, raster), list(map(by_points(raster), shapes))
    assert 0 in wanted and max(wanted) == pytest.approx(all_people)
    for expected, people, without in zip(wanted, found["population"], found["without_data"], strict=True):
        if expected == 0:
            assert math.isnan(people) and without == 1
        elif expected == pytest.approx(all_people, rel=1e-12):
            assert people == pytest.approx(all_people, rel=1e-7) and 0.9 < without < 1
        else:
            assert people == pytest.approx(expected, rel=0.15) and 0.9 < without < 1


@pytest.mark.parametrize("crs", GLOBAL)
def test_polygons_on_a_map_of_the_world(crs):
    raster = of_the_world(crs, np.random.default_rng(0).uniform(1, 9, (40, 80)))
    shapes = shapes_of(2, 10)[: 2 if "geos" in crs else None]
    found, expect = of_polygons(shapes, raster), by_points(raster)
    for shape, people in zip(shapes, found["population"], strict=True):
        assert np.nan_to_num(people) == pytest.approx(expect(shape), rel=0.03, abs=30)
    if "3832" not in crs and "geos" not in crs:  # these end before the Earth does
        assert found["without_data"].max() < (0.01 if "laea" in crs else 0.001)


@pytest.mark.parametrize(
    ("crs", "seams"),
    [
        ("ESRI:54009", ()),  # at the date line, where polygons are cut anyway
        ("EPSG:3035", ()),
        ("EPSG:32631", ()),
        ("EPSG:28992", ()),
        ("EPSG:4326", ()),
        ("EPSG:4267", ()),
        ("EPSG:5070", (84,)),
        ("EPSG:3832", (-30,)),
        ("EPSG:2154", (-177,)),
        ("+proj=moll +lon_0=150 +datum=WGS84", (-30,)),
        ("+proj=igh +datum=WGS84", (-100, -40, -20, 80)),
    ],
)
def test_seams(crs, seams):
    with open_rasters(around(crs, 8, 50, half=3 if crs.startswith("EPSG:4") else 3e5).array()) as (rasters, _):
        assert rasters[0].grid.seams == pytest.approx(seams, abs=1e-8)


def test_a_polygon_that_a_map_has_whole_is_drawn_as_it_is():
    raster = around("EPSG:3035", 10, 50)
    shape = shapely.box(-30, 20, 40, 80) - shapely.Point(12, 50).buffer(1)
    expected = by_corners(shape, raster.crs)
    with open_rasters(raster.array()) as (rasters, _):
        drawn = Polygons(np.array([shape, shapely.Polygon()])).on(rasters[0].grid)
    assert shapely.equals_exact(shapely.normalize(drawn.shapes[0]), shapely.normalize(expected), tolerance=1e-6)
    assert drawn.area.tolist() == [pytest.approx(expected.area, rel=1e-12), 0]
    assert drawn.shapes[1].is_empty


@pytest.mark.parametrize("crs", ["EPSG:3035", "EPSG:32631", "EPSG:2056", "EPSG:5513"])
def test_the_area_of_what_a_map_cannot_show_is_about_that_on_the_earth(crs):
    with open_rasters(around(crs, *NATIONAL[crs]).array()) as (rasters, _):
        (area,) = Polygons(np.array([WORLD])).on(rasters[0].grid).area
    assert area == pytest.approx(5.1e14, rel=0.02)


@pytest.mark.parametrize(("bounds", "area"), [((-175, -55, -165, -45), 0.93), ((-175, -50.1, -165, -49.9), 0.8)])
def test_pieces_end_where_a_map_stretches_the_earth_a_hundred_times(bounds, area):
    """About the point opposite to the middle of a map of the world, 1.15 degrees around it."""
    crs = "+proj=laea +lat_0=50 +lon_0=10 +datum=WGS84"
    with open_rasters(of_the_world(crs, np.ones((4, 4))).array()) as (rasters, _):
        drawn = Polygons(np.array([shapely.box(*bounds)])).on(rasters[0].grid)
    west, south, east, north = bounds
    lon, lat = np.random.default_rng(0).uniform([west, south], [east, north], (2000, 2)).T
    places = shapely.points(*onto(crs)(lon, lat))
    apart = np.hypot((lon + 170) * math.cos(math.radians(50)), lat + 50)
    assert shapely.dwithin(drawn.shapes, places[apart > 1.15 + 1.5 * LEAST], 10_000).all()  # edges are drawn by chords
    assert not shapely.intersects(drawn.shapes, places[apart < 0.6]).any()
    metres, height = 111_195 / math.radians(1), math.sin(math.radians(north)) - math.sin(math.radians(south))
    assert area < drawn.area[0] / (metres**2 * math.radians(10) * height) < 1


def test_a_polygon_across_a_seam_near_a_pole_where_the_map_is_narrow():
    """Its edges over the seam are not long there, and its larger part keeps its side: the seam alone tells."""
    crs = "+proj=moll +lon_0=150 +datum=WGS84"
    bridge = shapely.box(-31, 89.94, -20, 89.98)
    shape = shapely.union(shapely.box(-80, 80, -31, 89.99), bridge)
    with open_rasters(of_the_world(crs, np.ones((4, 4))).array()) as (rasters, _):
        (drawn,) = Polygons(np.array([shape])).on(rasters[0].grid).shapes
    lon, lat = np.meshgrid(np.arange(-180, 180) + 0.5, [81, 89.95, 89.96, 89.97])
    found = shapely.intersects_xy(drawn, *onto(crs)(lon, lat))
    assert not found[abs(lon + 50) > 70].any()
    np.testing.assert_array_equal(found[0], shapely.intersects_xy(shape, lon, lat)[0])


def test_slivers_that_turn_over_on_a_map_are_drawn_all_the_same():
    """Of two sides a hair apart one gets its points elsewhere than the other, so that they may cross."""
    rng = np.random.default_rng(0)
    start = rng.uniform([5, 45], [15, 55], (300, 2))
    end = start + rng.uniform(0.05, 0.24, (300, 2))
    corners = [
        start,
        end,
        start + (end - start) * rng.uniform(0.2, 0.8, (300, 1)) + rng.normal(scale=1e-7, size=(300, 2)),
    ]
    slivers = shapely.orient_polygons(shapely.polygons(np.stack([*corners, start], axis=1)))
    on_map = by_corners(slivers, "EPSG:3035")
    turned = [not shapely.is_ccw(ring) for ring in shapely.get_exterior_ring(on_map)]
    assert 20 < sum(turned) < 280
    with open_rasters(around("EPSG:3035", 10, 50).array()) as (rasters, _):
        drawn = Polygons(slivers).on(rasters[0].grid)
    assert (drawn.area > 0).all()
    assert drawn.area == pytest.approx(
        shapely.area(shapely.make_valid(on_map, method="structure", keep_collapsed=False))
    )
