"""Polygons drawn on the maps of rasters: in one piece where a map has them so, else in pieces that it has.

A map is torn along seams (for many the meridian opposite to its middle), turns inside out what lies around the point opposite
to its middle, and has some places nowhere, or at the point of another place. A polygon there, drawn by its corners alone, would
cover what it does not hold.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from gpu_clusters.degrees import elsewhere, meet
from gpu_clusters.io.folding import fold, joined
from gpu_clusters.io.grids import Grid

Shapes = NDArray[Any]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

EDGE = 0.05  # degrees: longer edges get points between their ends before they are projected
LEAST = 0.25  # degrees: smaller pieces of a polygon are left out where the map does not have them whole
HAIR = 1e-9  # degrees: on either side of a seam
WIDE = 10.0  # degrees: a polygon larger than so may hold the raster though none of its corners is near it
TORN = 100.0  # times as long as on the Earth: an edge that the map has torn, or stretched until it shows nothing there
SLIVER = 1e-5  # degrees: narrower polygons may turn over by themselves, as their edges get points in different places
SHRUNK = 1e-3  # of its area on the Earth: a map on which a polygon has less has turned a part of it inside out
METRES = 111_320.0  # of a degree


class Drawn(NamedTuple):
    """Polygons in a raster's CRS; (k,) each."""

    shapes: Shapes  # all of a polygon where that can be, else what of it the raster may have cells in
    area: Floats  # of the whole polygon, in square units of the CRS; estimated where not all of it is drawn


class Polygons:
    """Polygons to draw on the maps of several rasters; those that a map has whole are drawn once for all rasters in its CRS.

    Parameters
    ----------
    shapes : (k,) of shapely polygons and multipolygons
        Longitudes in -180..180 and latitudes, degrees.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._of_crs: dict[str, tuple[Drawn, NDArray[np.int64]]] = {}

    def on(self, grid: Grid) -> Drawn:
        """The polygons in a raster's CRS."""
        if grid.wkt not in self._of_crs:
            drawn, whole = _drawn(shapely.segmentize(self._shapes, EDGE), grid)
            drawn = _valid(np.where(whole, drawn, shapely.Polygon()))
            torn = np.flatnonzero(~whole & ~shapely.is_empty(self._shapes))
            self._of_crs[grid.wkt] = Drawn(drawn, shapely.area(drawn)), torn
        plain, torn = self._of_crs[grid.wkt]
        if not len(torn):
            return plain
        shapes, area = plain.shapes.copy(), plain.area.copy()
        for i in torn:
            pieces, drawn = _pieces(self._shapes[i], grid)
            part = _area_on_earth(pieces) / _area_on_earth(shapely.segmentize(self._shapes[i], EDGE))
            shapes[i] = shapely.union_all(_valid(drawn))
            area[i] = shapely.area(shapes[i]) / part if part else 0.0
        return Drawn(shapes, area)


def _valid(shapes: Any) -> Any:
    return shapely.make_valid(shapes, method="structure", keep_collapsed=False)


def _pieces(shape: Any, grid: Grid) -> tuple[Shapes, Shapes]:
    """What of a polygon is near the raster, cut at seams and in halves until the map has each piece whole; on the map, too."""
    pieces = _parts(shapely.intersection(shape, fold(np.array([shapely.box(*grid.bounds_in_degrees)]))))
    for seam in grid.seams:
        west, east = shapely.box(-180, -90, seam - HAIR, 90), shapely.box(seam + HAIR, -90, 180, 90)
        pieces = _parts(shapely.intersection(pieces[:, None], np.array([west, east])))
    done, done_on_map = [pieces[:0]], [pieces[:0]]
    while len(pieces):
        dense = shapely.segmentize(pieces, EDGE)
        drawn, whole = _drawn(dense, grid)
        done.append(dense[whole])
        done_on_map.append(drawn[whole])
        pieces, drawn = pieces[~whole], drawn[~whole]
        pieces = _halves(pieces[_may_meet(pieces, drawn, grid)])
    return np.concatenate(done), np.concatenate(done_on_map)


def _parts(shapes: Any) -> Shapes:
    """The polygons among shapes and their parts."""
    return shapely.get_parts(joined(np.ravel(shapes)))


def _halves(shapes: Shapes) -> Shapes:
    """Polygons cut in the middle of their longer side, without those that are too small for it."""
    shapes = shapes[_size(shapes) > LEAST]
    west, south, east, north = shapely.bounds(shapes).T
    wide = east - west > north - south
    x, y = np.where(wide, (west + east) / 2, east), np.where(wide, north, (south + north) / 2)
    first = shapely.box(west, south, x, y)
    second = shapely.box(np.where(wide, x, west), np.where(wide, south, y), east, north)
    return _parts(shapely.intersection(shapes, np.stack([first, second])))


def _size(shapes: Shapes) -> Floats:
    """The longer side of the box around each shape, degrees."""
    west, south, east, north = shapely.bounds(shapes).T
    return np.maximum(east - west, north - south)


def _may_meet(shapes: Shapes, drawn: Shapes, grid: Grid) -> Bools:
    """Which polygons may have cells of the raster: large ones, and where corners that its map has are near, with much room."""
    placed, shape = shapely.get_coordinates(drawn, return_index=True)
    placed[~np.isfinite(placed).all(axis=1)] = np.nan
    start = np.flatnonzero(np.diff(shape, prepend=-1))
    low, high = np.fmin.reduceat(placed, start), np.fmax.reduceat(placed, start)
    low, high = low - 2 * (high - low), high + 2 * (high - low)
    return (_size(shapes) > WIDE) | meet(grid.bounds(), np.hstack([low, high]), grid.turn, 0.0)


def _drawn(dense: Shapes, grid: Grid) -> tuple[Shapes, Bools]:
    """Polygons with their corners on a raster's map, and which it has whole."""
    on_earth = shapely.get_coordinates(dense)
    on_map = np.stack(grid.native(*on_earth.T), axis=1)
    return shapely.set_coordinates(dense.copy(), on_map), _whole(dense, on_earth, on_map, grid)


def _whole(dense: Shapes, on_earth: Floats, on_map: Floats, grid: Grid) -> Bools:
    """Which polygons, with corners ``on_earth`` and ``on_map``, a map has whole."""
    parts, shape = shapely.get_parts(dense, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    ring = np.repeat(np.arange(len(rings)), shapely.get_num_coordinates(rings))
    unit = grid.crs.axis_info[0].unit_conversion_factor
    scaled = on_map * (unit / (math.radians(1) if grid.crs.is_geographic else METRES))
    (lon, lat), back = on_earth.T, grid.lonlat(*on_map.T)
    with np.errstate(invalid="ignore", over="ignore"):  # places that the map does not have
        turned = _turned(on_earth, scaled, ring, grid.side) & (np.diff(part, prepend=-1) > 0)
        broken = [
            ring[1:][_torn(on_earth, scaled, ring)],
            ring[elsewhere(lon, lat, *back)],
            np.flatnonzero(turned),
        ]
    whole = ~_across(dense, grid.seams) & ~shapely.is_empty(dense)
    whole[shape[part[np.concatenate(broken)]]] = False
    return whole


def _torn(on_earth: Floats, on_map: Floats, ring: NDArray[np.int64]) -> Bools:
    """Which edges of rings are much longer on the map than on the Earth, or have an end that it does not have."""
    steps, steps_on_map = (np.hypot(*np.diff(points, axis=0).T) for points in (on_earth, on_map))
    return (ring[1:] == ring[:-1]) & ~(steps_on_map <= TORN * (steps + HAIR))


def _turned(on_earth: Floats, on_map: Floats, ring: NDArray[np.int64], side: float) -> Bools:
    """Which rings, but the narrow ones, a map shows from the other side than the Earth, or as next to nothing."""
    even = _even(on_earth)
    area, area_on_map = _signed(even, ring), _signed(on_map, ring) * side
    edges = np.where(ring[1:] == ring[:-1], np.hypot(*np.diff(even, axis=0).T), 0.0)
    around = np.bincount(ring[1:], edges, minlength=len(area))
    return (np.abs(area) > SLIVER * around) & ~(area_on_map * np.sign(area) > SHRUNK * np.abs(area))


def _signed(points: Floats, ring: NDArray[np.int64]) -> Floats:
    """Area of each ring, negative where it goes clockwise."""
    start = np.flatnonzero(np.diff(ring, prepend=-1))
    x, y = (points - points[start][ring]).T
    cross = np.where(ring[1:] == ring[:-1], x[:-1] * y[1:] - x[1:] * y[:-1], 0.0) / 2
    return np.bincount(ring[1:], cross, minlength=len(start)).astype(np.float64)


def _across(shapes: Shapes, seams: tuple[float, ...]) -> Bools:
    """Which shapes lie on both sides of a seam."""
    west, _, east, _ = shapely.bounds(shapes).T
    across = np.zeros(len(shapes), np.bool_)
    for seam in seams:
        across |= (west < seam) & (seam < east)
    return across


def _even(points: Floats) -> Floats:
    """Longitudes and latitudes on a map without distortion of areas."""
    return np.stack([points[:, 0], np.degrees(np.sin(np.radians(points[:, 1])))], axis=1)


def _area_on_earth(shapes: Any) -> float:
    """Of all shapes together, in square degrees of the equator."""
    return float(np.sum(shapely.area(shapely.transform(shapes, _even))))
