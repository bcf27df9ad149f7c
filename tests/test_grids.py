"""Where a raster's cells are, at the edges of its own map and of all maps, and what another raster holds there."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
from rasters import Plain, random_raster

from gpu_clusters import InputError
from gpu_clusters.io import mosaic
from gpu_clusters.io.grids import Grid
from gpu_clusters.io.rasters import open_rasters

DEGREES = pyproj.CRS("EPSG:4326")
MERCATOR = pyproj.CRS("EPSG:3857")


@pytest.mark.parametrize(
    ("lon", "expected"),
    [
        (-180.0, -180.0),
        (180.0, -180.0),
        (np.nextafter(180, 0), -180.0),  # less than a rounded decimal away
        (180 - 6e-11, 179.9999999999),
        (180.5, -179.5),
        (-180.5, 179.5),
        (540.25, -179.75),
        (np.nan, np.nan),
        (np.inf, np.nan),
    ],
)
def test_longitudes_are_in_one_turn(lon, expected):
    grid = Grid("some", DEGREES, (1, 0, 0, 0, -1, 10), 10, 10)
    found = grid.lonlat(np.array([lon]), np.array([5.0]))
    np.testing.assert_array_equal(found, [[expected], [np.nan if np.isnan(expected) else 5.0]])


@pytest.mark.parametrize(
    ("lat", "there"), [(90.0, True), (-90.0, True), (90.25, False), (-90.25, False), (np.nan, False)]
)
def test_beyond_the_poles_is_no_place(lat, there):
    grid = Grid("some", DEGREES, (1, 0, 0, 0, -1, 10), 10, 10)
    found = grid.lonlat(np.array([7.0]), np.array([lat]))
    np.testing.assert_array_equal(found, [[7.0 if there else np.nan], [lat if there else np.nan]])


@pytest.mark.parametrize("up", [-1.0, 1.0])
def test_a_raster_covers_from_its_first_edges_to_short_of_its_last(up):
    grid = Grid("some", DEGREES, (0.5, 0, 10, 0, 0.5 * up, 40), 4, 6)
    row, column = np.meshgrid([-0.001, 0, 3.999, 4], [-0.001, 0, 5.999, 6], indexing="ij")
    lon, lat = 10 + 0.5 * column.ravel(), 40 + up * 0.5 * row.ravel()
    expected = np.zeros((4, 4), bool)
    expected[1:3, 1:3] = True
    for turn in (-360, 0, 360):
        np.testing.assert_array_equal(grid.covers(lon + turn, lat), expected.ravel())


def test_a_raster_in_metres_covers_places_on_either_side_of_the_date_line():
    edge = 20037508.342789244
    grid = Grid("some", MERCATOR, (10_000, 0, edge - 50_000, 0, -10_000, 50_000), 10, 10)
    found = grid.covers(np.array([179.9, -179.9, 179.0, -179.0, 0.0]), np.zeros(5))
    np.testing.assert_array_equal(found, [True, True, False, False, False])


@pytest.mark.parametrize("seed", range(100))
def test_all_cells_are_within_the_ends_of_a_raster_in_degrees(seed):
    raster = random_raster(seed)
    with open_rasters(raster.array()) as (rasters, _):
        grid = rasters[0].grid
    row, column = (index.ravel() for index in np.indices(raster.stored.shape))
    x, y = grid.centres(row, column)
    lon, lat = grid.lonlat(x, y)
    there = np.isfinite(lon)
    west, south, east, north = grid.bounds_in_degrees
    assert ((lat[there] >= south) & (lat[there] <= north)).all()
    turned = west + (lon[there] - west) % 360
    assert (turned <= east).all()
    found = np.stack(grid.place(lon, lat))
    assert np.isfinite(found[:, there]).all() and grid.covers(lon[there], lat[there]).all()
    if raster.crs != "EPSG:4326":
        wide, high = np.ptp(turned), np.ptp(lat[there])
        assert east - west < 1.5 * wide + 1 or (east - west == 360 and wide > 60)
        assert north - south < 1.5 * high + 1 or (north - south == 180 and high > 60)


@pytest.mark.parametrize(
    ("crs", "lon", "lat", "expected"),
    [
        ("EPSG:3832", 179.95, 0.0, (179.0, -1, 181.0, 1)),  # on both sides of the date line
        ("EPSG:32701", -179.95, -17.0, (179.0, -18, 181.0, -16)),
        ("EPSG:3413", 10.0, 90.0, (-180, 89, 180, 91)),  # around a pole
        ("EPSG:3031", 10.0, -90.0, (-180, -91, 180, -89)),
        ("EPSG:3035", 10.0, 50.0, (9, 49, 11, 51)),
    ],
)
def test_the_ends_in_degrees_are_near(crs, lon, lat, expected):
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    grid = Grid("some", pyproj.CRS(crs), (2000, 0, x - 20_000, 0, -2000, y + 20_000), 20, 20)
    west, south, east, north = grid.bounds_in_degrees
    assert expected[0] <= west < east <= expected[2] and expected[1] <= south < north <= expected[3]
    opposite = np.array([lon]) + 180, -np.array([lat])
    assert np.isnan(grid.place(*opposite)).all() and not grid.covers(*opposite).any()


@pytest.mark.parametrize(
    "affine",
    [
        (0.1, 0, 0, 0, 0, 50),
        (1, 1, 0, 1, 1, 50),  # all on one line, though no factor is zero
        (np.nan, 0, 0, 0, -1, 50),
        (1, 0, np.inf, 0, -1, 50),
        (1, 0, 0, 0, -1, np.nan),
    ],
)
def test_cells_without_an_area_are_refused(affine):
    with pytest.raises(InputError, match=r"some: its geotransform .* gives its cells no area; georeference it again"):
        Grid("some", DEGREES, affine, 4, 4)


@pytest.mark.parametrize("seed", range(20))
def test_single_cells_are_looked_at_a_square_at_a_time(seed, monkeypatch):
    monkeypatch.setattr(mosaic, "LOOK", 5)
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 24, 2)
    raster = Plain(rng.uniform(0, 9, (height, width)), (0.1, 0, 0, 0, -0.1, 10))
    row, column = rng.integers(0, height, 60), rng.integers(0, width, 60)
    with open_rasters(raster.array()) as (rasters, _):
        windows, plain = [], rasters[0].read
        monkeypatch.setattr(
            type(rasters[0]), "read", lambda _, rows, columns: windows.append((rows, columns)) or plain(rows, columns)
        )
        found = mosaic.look(rasters[0], row, column)
    np.testing.assert_array_equal(found, raster.stored[row, column])
    squares = {(r // 5, c // 5) for r, c in zip(row.tolist(), column.tolist(), strict=True)}
    assert len(windows) == len(squares)
    for rows, columns in windows:  # from the first to the last that is asked for, in one square
        asked = (row >= rows.start) & (row < rows.stop) & (column >= columns.start) & (column < columns.stop)
        assert (row[asked].min(), row[asked].max() + 1) == (rows.start, rows.stop)
        assert (column[asked].min(), column[asked].max() + 1) == (columns.start, columns.stop)
        assert rows.start // 5 == (rows.stop - 1) // 5 and columns.start // 5 == (columns.stop - 1) // 5
