"""The cells of rasters that may lie near places, window by window: nothing else is read, and nothing twice.

Places are noted in squares of longitude and latitude; a square that holds one, and its neighbours as far as the reach goes, is
*wanted*. The corners of a wanted square, in the rows and columns of a raster, say which small *tiles* of cells may lie in it.
Windows are made of whole blocks of the file, in the order in which it stores them, and of a window only wanted tiles go on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.compiled import cached
from gpu_clusters.io.grids import Grid
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import Raster

POLYGON_SQUARE = 0.25  # degrees, a fraction of 180: side of the squares that cover polygons
SMALLEST, LARGEST = 0.05, 0.5  # degrees: sides of squares, small enough to be straight in any projection
TILES = 1 << 24  # of a raster, at most: one byte each
WINDOW = 512  # rows and columns of a window, about
STRIP_BYTES = 1 << 25  # of a file stored in strips, decoded for one row of windows


class Cells(NamedTuple):
    """Cells of one window; (n,) float64 each."""

    lon: NDArray[np.float64]  # of the centre, degrees in [-180, 180)
    lat: NDArray[np.float64]
    value: NDArray[np.float64]  # people, NaN where there is no number
    part: float  # of all windows, how much is done with this one, 0..1


class Squares(NamedTuple):
    """Wanted squares; (s,) float64 each, degrees, a hair within the square's edges."""

    west: NDArray
    south: NDArray
    east: NDArray
    north: NDArray


def cells_near(
    mosaic: Mosaic, lon: NDArray[np.float64], lat: NDArray[np.float64], reach_degrees: float
) -> Iterator[Cells]:
    """Cells of a mosaic that have a place within ``reach_degrees`` (plain degrees), and some more.

    Parameters
    ----------
    mosaic : Mosaic
    lon, lat : (n,) float64
        Places; degrees, lon in [-180, 180).
    reach_degrees : float
    """
    return _cells(mosaic, wanted_squares(lon, lat, reach_degrees))


def cells_in(mosaic: Mosaic, polygons: NDArray[Any]) -> Iterator[Cells]:
    """Cells of a mosaic whose centre is in one of ``polygons`` ((k,) of shapely, longitudes in -180..180), and some more."""
    return _cells(mosaic, squares_of(polygons))


def _cells(mosaic: Mosaic, squares: Squares) -> Iterator[Cells]:
    plans = [_plan(raster, squares) for raster in mosaic.rasters]
    todo, done = max(1, sum(len(windows) for _, _, windows in plans)), 0
    for own, (raster, (tile, wanted, windows)) in enumerate(zip(mosaic.rasters, plans, strict=True)):
        for top, left in windows:
            done += 1
            cells = _window(mosaic, own, raster, tile, wanted, (top, left))
            if len(cells[0]):
                yield Cells(*cells, done / todo)


def wanted_squares(lon: NDArray[np.float64], lat: NDArray[np.float64], reach_degrees: float) -> Squares:
    """Squares that may hold something within reach of a place."""
    across = math.floor(360 / min(max(reach_degrees, SMALLEST), LARGEST))
    side, up = 360 / across, math.ceil(across / 2)
    row = np.clip(((lat + 90) / side).astype(np.int64), 0, up - 1)
    column = np.clip(((lon + 180) / side).astype(np.int64), 0, across - 1)
    span = math.ceil(min(reach_degrees, 360.0) / side)
    row, column = _widened(row, column, (up, across), min(span, up), min(span, across // 2))
    return _squares(row, column, side)


def squares_of(polygons: NDArray[Any]) -> Squares:
    """Squares that touch a polygon; what is smaller than a square, and not at its map's end, has the box around it."""
    across = round(360 / POLYGON_SQUARE)
    touched = np.zeros((across // 2, across), np.bool_)
    parts = shapely.get_parts(polygons[~shapely.is_empty(polygons)])
    low, high = np.split(shapely.bounds(parts), 2, axis=1)
    small = (high - low < POLYGON_SQUARE).all(axis=1) & (high < np.array([180, 90]) - POLYGON_SQUARE).all(axis=1)
    for polygon in parts[~small]:
        west, south, east, north = shapely.bounds(polygon)
        columns = np.arange(math.floor((west + 180) / POLYGON_SQUARE), math.floor((east + 180) / POLYGON_SQUARE) + 1)
        rows = np.arange(math.floor((south + 90) / POLYGON_SQUARE), math.floor((north + 90) / POLYGON_SQUARE) + 1)
        row, column = (values.ravel() for values in np.meshgrid(rows, columns, indexing="ij"))
        x, y = -180 + POLYGON_SQUARE * column, -90 + POLYGON_SQUARE * row
        shapely.prepare(polygon)
        meets = shapely.intersects(polygon, shapely.box(x, y, x + POLYGON_SQUARE, y + POLYGON_SQUARE))
        column, row = np.minimum(column[meets], across - 1), np.minimum(row[meets], across // 2 - 1)
        touched[row, column] = True
    touched[:, 0] |= touched[:, -1]  # 180 degrees are -180, too
    row, column = np.nonzero(touched)
    large = _squares(row, column, POLYGON_SQUARE)
    boxes = _boxes(*low[small].T, *np.maximum(high, low + SMALLEST)[small].T)
    return Squares(*map(np.concatenate, zip(large, boxes, strict=True)))


def _squares(row: NDArray[np.int64], column: NDArray[np.int64], side: float) -> Squares:
    south, west = -90 + side * row, -180 + side * column
    return _boxes(west, south, west + side, np.minimum(south + side, 90.0))


def _boxes(west: NDArray, south: NDArray, east: NDArray, north: NDArray) -> Squares:
    hair = 1e-9  # the date line's two sides are far apart on a map
    return Squares(west + hair, south, east - hair, north)


def _widened(
    row: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int], high: int, wide: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct squares up to ``high`` rows and ``wide`` columns from given ones; columns go round, rows end at the poles."""
    up, across = shape
    squares = np.unique(row * across + column)
    offset = np.arange(-wide, wide + 1)
    row, column = squares // across, squares % across
    squares = np.unique((row * across)[:, None] + (column[:, None] + offset) % across)
    row, column = squares // across, squares % across
    row = row[:, None] + np.arange(-high, high + 1)
    there = (row >= 0) & (row < up)
    squares = np.unique((row * across + column[:, None])[there])
    return squares // across, squares % across


def _plan(raster: Raster, squares: Squares) -> tuple[int, NDArray[np.bool_], list[tuple[slice, slice]]]:
    """Side of a tile in cells, which tiles are wanted, and the windows (of tiles) that have any of them."""
    grid = raster.grid
    tile = 8
    while math.ceil(grid.height / tile) * math.ceil(grid.width / tile) > TILES:
        tile *= 2
    wanted = wanted_tiles(grid, squares, tile)
    rows, columns = _window_shape(raster, tile)
    windows = []
    for top in range(0, wanted.shape[0], rows):
        band = wanted[top : top + rows]
        if band.any():
            used = np.flatnonzero(band.any(axis=0)) // columns
            windows += [
                (slice(top, top + rows), slice(c * columns, (c + 1) * columns)) for c in np.unique(used).tolist()
            ]
    return tile, wanted, windows


def _window_shape(raster: Raster, tile: int) -> tuple[int, int]:
    """Rows and columns of a window, in tiles: whole blocks of the file, and few rows where a block is as wide as it is."""
    height, width = raster.block
    strip = width * raster.layer.dtype.itemsize
    rows = max(1, min(WINDOW, STRIP_BYTES // strip) // height) * height
    columns = max(1, WINDOW // width) * width if width <= 4 * WINDOW else 4 * WINDOW
    rows = min(rows, 4 * WINDOW)
    return math.ceil(rows / tile), math.ceil(columns / tile)


def wanted_tiles(grid: Grid, squares: Squares, tile: int) -> NDArray[np.bool_]:
    """Which tiles of ``tile`` x ``tile`` cells may lie in a wanted square; (rows, columns) bool."""
    wanted = np.zeros((math.ceil(grid.height / tile), math.ceil(grid.width / tile)), np.bool_)
    edges = [(w, s) for w in (squares.west, squares.east) for s in (squares.south, squares.north)]
    x, y = (np.stack(values) for values in zip(*(grid.native(*edge) for edge in edges), strict=True))
    for shift in grid.shifts():
        with np.errstate(invalid="ignore"):  # what the projection does not reach is infinite
            row, column = grid.cells(x + shift, y)
        bad = ~(np.isfinite(row) & np.isfinite(column))
        row[bad] = column[bad] = np.nan
        seen = np.flatnonzero(~bad.all(axis=0))
        if len(seen):
            room = np.where(bad[:, seen].any(axis=0), 2.0, 0.5)  # for edges that are no straight lines
            low, high = (_grown(values[:, seen], room) for values in (row, column))
            _mark(wanted, *_in_tiles(low, tile, grid.height), *_in_tiles(high, tile, grid.width))
    return wanted


def _grown(values: NDArray[np.float64], room: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least and largest of each column of ``values``, with room on both sides."""
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    room = room * (high - low) + 2
    return low - room, high + room


def _in_tiles(
    ends: tuple[NDArray[np.float64], NDArray[np.float64]], tile: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and past-the-last tile of ranges of rows or columns; empty ranges where they are outside of 0..size."""
    low, high = (np.clip(end, -1, size).astype(np.int64) for end in ends)
    return np.maximum(low, 0) // tile, np.where(low < size, np.minimum(high, size - 1) // tile + 1, 0)


@cached(njit)
def _mark(wanted, top, bottom, left, right):
    for i in range(len(top)):
        for row in range(top[i], bottom[i]):
            for column in range(left[i], right[i]):
                wanted[row, column] = True


def _window(
    mosaic: Mosaic, own: int, raster: Raster, tile: int, wanted: NDArray[np.bool_], window: tuple[slice, slice]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """``lon, lat, value`` of the cells in a window's wanted tiles, without those that are another raster's."""
    grid = raster.grid
    tile_row, tile_column = np.nonzero(wanted[window])
    inner = np.arange(tile)
    row = ((tile_row + window[0].start) * tile)[:, None, None] + inner[:, None]
    column = ((tile_column + window[1].start) * tile)[:, None, None] + inner
    row, column = (values.ravel() for values in np.broadcast_arrays(row, column))
    there = (row < grid.height) & (column < grid.width)
    row, column = row[there], column[there]
    x, y = grid.centres(row, column)
    lon, lat = grid.lonlat(x, y)
    found = np.flatnonzero(np.isfinite(lon))
    if not len(found):
        return lon[:0], lat[:0], lon[:0]
    row, column, x, y, lon, lat = (values[found] for values in (row, column, x, y, lon, lat))
    top, left = int(row.min()), int(column.min())
    people = raster.read(slice(top, int(row.max()) + 1), slice(left, int(column.max()) + 1))
    value = people[row - top, column - left]
    kept = mosaic.keep(own, x, y, value)
    return (lon, lat, value) if kept.all() else (lon[kept], lat[kept], value[kept])
