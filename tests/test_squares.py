"""Squares around places and polygons, and the tiles of cells that lie in them: all that may be near is looked at, little else."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from rasters import random_members, random_raster

from gpu_clusters.io.cells import POLYGON_SQUARE, Squares, squares_of, wanted_squares, wanted_tiles
from gpu_clusters.io.rasters import open_rasters

HAIR = 2e-9  # degrees
EDGES = [(-180.0, -90.0), (-180.0, 0.01), (-179.99, 90.0), (np.nextafter(180, 0), 89.99), (179.99, -45.0), (0.0, 0.0)]


def held(squares: Squares, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Which places lie in one of the squares; (n,) bool."""
    west, south, east, north = (edge[:, None] for edge in squares)
    inside = (lon >= west - HAIR) & (lon <= east + HAIR) & (lat >= south) & (lat <= north)
    return inside.any(axis=0)


@pytest.mark.parametrize("reach", [0.001, 0.03, 0.05, 0.0777, 0.3, 0.5, 1.7, 40.0, 200.0])
def test_all_within_reach_of_a_place_is_in_a_square(reach):
    rng = np.random.default_rng(0)
    places = [*EDGES, *np.column_stack([rng.uniform(-180, 180, 20), rng.uniform(-90, 90, 20)])]
    for lon, lat in places[: 2 if reach > 100 else None]:  # then there are a hundred thousand squares and more
        squares = wanted_squares(np.array([lon]), np.array([lat]), reach)
        angle = rng.uniform(0, 2 * np.pi, 200)
        far = reach * np.append(np.sqrt(rng.random(150)), np.full(50, 1 - 1e-9))
        x, y = lon + far * np.cos(angle), lat + far * np.sin(angle)
        x = (x + 180) % 360 - 180
        there = (np.abs(y) <= 90) & (x < 180)
        assert held(squares, x[there], y[there]).all(), (lon, lat)
        side = np.max(squares.east - squares.west) + HAIR
        apart = np.abs((squares.west + squares.east) / 2 - lon)
        apart = np.minimum(apart, 360 - apart)
        assert apart.max() <= reach + 2 * side
        assert np.abs((squares.south + squares.north) / 2 - lat).max() <= reach + 2 * side
        distinct = np.unique(np.column_stack(squares), axis=0)
        assert len(distinct) == len(squares.west)


def test_squares_of_several_places_are_those_of_each():
    rng = np.random.default_rng(1)
    lon, lat = np.array(EDGES).T
    lon, lat = np.append(lon, rng.uniform(-1, 1, 20)), np.append(lat, rng.uniform(-1, 1, 20))
    for reach in (0.05, 0.4):
        alone = [np.column_stack(wanted_squares(lon[[i]], lat[[i]], reach)) for i in range(len(lon))]
        together = np.column_stack(wanted_squares(lon, lat, reach))
        np.testing.assert_array_equal(np.unique(together, axis=0), np.unique(np.concatenate(alone), axis=0))


@pytest.mark.parametrize("seed", range(40))
def test_all_of_a_polygon_is_in_a_square(seed):
    rng = np.random.default_rng(seed)
    size = rng.choice([0.01, 0.2, 0.3, 2.0, 20.0])
    lon, lat = EDGES[seed // 2 % len(EDGES)] if seed % 2 else rng.uniform([-170, -80], [170, 80])
    corners = shapely.MultiPoint(np.array([lon, lat]) + size * rng.uniform(-1, 1, (5, 2))).convex_hull
    polygon = shapely.intersection(corners, shapely.box(-180, -90, 180, 90))
    if polygon.area == 0:
        polygon = shapely.intersection(shapely.box(lon - 1, lat - 1, lon + 1, lat + 1), shapely.box(-180, -90, 180, 90))
    squares = squares_of(np.array([polygon, shapely.Polygon()]))
    west, south, east, north = polygon.bounds
    x, y = rng.uniform([west, south], [east, north], (2000, 2)).T
    x, y = np.append(x, shapely.get_coordinates(polygon)[:, 0]), np.append(y, shapely.get_coordinates(polygon)[:, 1])
    inside = shapely.intersects_xy(polygon, x, y)
    x, y = x[inside], y[inside]
    assert inside.sum() > 4 and held(squares, np.where(x == 180, -180, x), y).all()
    boxes = [shapely.box(squares.west + turn, squares.south, squares.east + turn, squares.north) for turn in (0, 360)]
    apart = np.min([shapely.distance(polygon, of_turn) for of_turn in boxes], axis=0)
    assert apart.max() <= POLYGON_SQUARE


@pytest.mark.parametrize("seed", range(100))
def test_all_cells_in_a_square_are_in_a_wanted_tile(seed):
    raster, rng = random_raster(seed), np.random.default_rng([seed, 4])
    (places, _), tile = random_members(raster, seed), int(rng.choice([1, 2, 8]))
    with open_rasters(raster.array()) as (rasters, _):
        grid = rasters[0].grid
        row, column = (index.ravel() for index in np.indices(raster.stored.shape))
        lon, lat = grid.lonlat(*grid.centres(row, column))
    one = rng.choice(np.flatnonzero(np.isfinite(lon)))  # at least this cell is in a square
    squares = wanted_squares(
        np.append(places[:, 0], lon[one]), np.append(places[:, 1], lat[one]), rng.choice([0.001, 0.06, 0.3])
    )
    wanted, near = wanted_tiles(grid, squares, tile), held(squares, lon, lat)
    assert near[one] and wanted[row[near] // tile, column[near] // tile].all()
