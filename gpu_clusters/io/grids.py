"""The geometry of a raster: where its cells are on the Earth, and in which cell a place lies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from gpu_clusters.errors import InputError, first_line
from gpu_clusters.io.spatial import is_wgs84

Floats = NDArray[np.float64]
Affine = tuple[float, float, float, float, float, float]

LON_LAT = "OGC:CRS84"
SAMPLES = 33  # along each side, where an extent in another system is estimated
DECIMALS = 10  # of a degree: a hundredth of a millimetre
FAR_NORTH = 95.0  # a raster in degrees may reach beyond a pole by a coarse cell, not by more
MANY_TURNS = 720.0
TORN = 20.0  # times as long as usual: a step on a map from one side of a cut to the other


@dataclass(frozen=True, eq=False)
class Grid:
    """A raster's cells.

    Attributes
    ----------
    name : str
        The raster's, for messages.
    crs : pyproj.CRS
    affine : (a, b, c, d, e, f)
        ``x = a * column + b * row + c`` and ``y = d * column + e * row + f`` in the unit of ``crs``; whole numbers are corners
        of cells, halves their centres. Any affine map: south-up, rotated, skewed.
    height, width : int
        Rows and columns.
    turn : float
        Once round the Earth, in the unit of ``x``: places that differ by it are the same. 0 where ``crs`` does not go round.
    """

    name: str
    crs: pyproj.CRS
    affine: Affine
    height: int
    width: int
    turn: float = field(init=False)
    wkt: str = field(init=False)  # of ``crs``: equal systems have equal texts
    _degrees: bool = field(init=False)  # already longitude and latitude on WGS 84
    _to_lonlat: Any = field(init=False)

    def __post_init__(self) -> None:
        a, b, _, d, e, _ = self.affine
        if not all(map(math.isfinite, self.affine)) or a * e - b * d == 0:
            raise InputError(
                f"{self.name}: its geotransform {self.affine} gives its cells no area; georeference it again"
            )
        wkt = self.crs.to_wkt()
        try:
            degrees, to_lonlat, turn = _system(wkt)
        except pyproj.exceptions.ProjError as error:
            raise InputError(
                f"{self.name}: its coordinate reference system {self.crs.name} cannot be turned into longitudes and latitudes "
                f"({first_line(error)}); take the raster in another one, such as EPSG:4326"
            ) from None
        for name, value in (("wkt", wkt), ("_degrees", degrees), ("_to_lonlat", to_lonlat), ("turn", turn)):
            object.__setattr__(self, name, value)
        self._check_place()

    def centres(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """``x, y`` of the centres of cells."""
        a, b, c, d, e, f = self.affine
        column, row = column + 0.5, row + 0.5  # type: ignore[assignment]
        return a * column + b * row + c, d * column + e * row + f

    def cells(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """``row, column`` of the cells that hold ``x, y``, as numbers with fractions; anything outside of the raster too."""
        a, b, c, d, e, f = self.affine
        determinant = a * e - b * d
        x, y = x - c, y - f
        return (a * y - d * x) / determinant, (e * x - b * y) / determinant

    def inside(self, row: Floats, column: Floats) -> NDArray[np.bool_]:
        """Which of the cells of `cells` the raster has."""
        return (row >= 0) & (row < self.height) & (column >= 0) & (column < self.width)

    def lonlat(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """WGS 84 degrees of ``x, y``, longitudes in [-180, 180); NaN where there is no such place.

        They are rounded to `DECIMALS`, so that a cell whose place is computed from a tile's corner instead of the whole
        raster's is at the same place to the last bit.
        """
        lon, lat = (x, y) if self._degrees else self._to_lonlat.transform(x, y)
        with np.errstate(invalid="ignore"):
            lon, lat = np.round(lon, DECIMALS), np.round(lat, DECIMALS)
            lon = np.where((lon >= -180) & (lon < 180), lon, lon - 360 * np.floor((lon + 180) / 360))
            lost = ~(np.isfinite(lon) & (np.abs(lat) <= 90))
        return np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)

    def native(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """``x, y`` of WGS 84 degrees; not finite where ``crs`` does not reach."""
        if self._degrees:
            return lon, lat
        return self._to_lonlat.transform(lon, lat, direction="INVERSE")

    def place(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """`native` of what may lie on the raster, NaN for all else: some maps have two places of the Earth at one point.

        So EPSG:5514, made for Czechia, has the Lofoten where Opole is.
        """
        if self._degrees:
            return lon, lat
        west, south, east, north = self.bounds_in_degrees
        near = (west + (lon - west) % 360 <= east) & (lat >= south) & (lat <= north)
        x, y = self.native(lon, lat)
        return np.where(near, x, np.nan), np.where(near, y, np.nan)

    def shifts(self) -> tuple[float, ...]:
        """What to add to an ``x`` for all its places on the raster: whole turns, nearest first."""
        return (0.0, *(k * self.turn for k in (-1, 1, -2, 2))) if self.turn else (0.0,)

    def covers(self, lon: Floats, lat: Floats) -> NDArray[np.bool_]:
        """Which of the places given in WGS 84 degrees lie in a cell of the raster."""
        x, y = self.place(lon, lat)
        covered = np.zeros(len(lon), np.bool_)
        for shift in self.shifts():
            covered |= self.inside(*self.cells(x + shift, y))
        return covered

    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north end of all cells, in the unit of ``crs``."""
        a, b, c, d, e, f = self.affine
        x = [c + a * i + b * j for i in (0, self.width) for j in (0, self.height)]
        y = [f + d * i + e * j for i in (0, self.width) for j in (0, self.height)]
        return min(x), min(y), max(x), max(y)

    @cached_property
    def bounds_in_degrees(self) -> tuple[float, float, float, float]:
        """West, south, east and north end in degrees, a little wide; all of the Earth where that is hard to say.

        West may be below -180, or east beyond 180, on a raster that goes across the date line.
        """
        if self._degrees:
            return self.bounds()
        lon, lat = self._sample
        if not np.isfinite(lon).all():
            return -180.0, -90.0, 180.0, 90.0
        west, east = _ends((lon - lon[0] + 180) % 360 - 180 + lon[0], 360)
        south, north = _ends(lat, 180)
        return west, south, east, north

    @property
    def seams(self) -> tuple[float, ...]:
        """Meridians, in degrees, on whose two sides the map of ``crs`` is far apart; the date line need not be among them."""
        return () if self._degrees else _seams(self.wkt)

    @cached_property
    def side(self) -> float:
        """1 where the map shows the Earth as it is from above, -1 where as in a mirror."""
        lon, lat = self._sample
        there = np.flatnonzero(np.isfinite(lon))
        lon, lat = lon[there[len(there) // 2]], np.clip(lat[there[len(there) // 2]], -89, 89)
        x, y = self.native(np.array([lon, lon + 1e-4, lon]), np.array([lat, lat, lat + 1e-4]))
        return math.copysign(1.0, (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))

    @cached_property
    def _sample(self) -> tuple[Floats, Floats]:
        """Longitudes and latitudes of places all over the raster, its edges too."""
        row, column = np.meshgrid(np.linspace(0, self.height, SAMPLES), np.linspace(0, self.width, SAMPLES))
        return self.lonlat(*self.centres(row.ravel() - 0.5, column.ravel() - 0.5))  # type: ignore[arg-type]

    def _check_place(self) -> None:
        """Refuse a CRS that cannot be the one of these coordinates."""
        west, south, east, north = self.bounds()
        where = f"its cells reach from {west:g}, {south:g} to {east:g}, {north:g}"
        advice = "set the right one, for example with gdal_edit -a_srs or DataArray.rio.write_crs"
        if self._degrees:
            if min(south, -north) < -FAR_NORTH or max(abs(west), abs(east)) > MANY_TURNS or east - west > 2 * 360:
                raise InputError(
                    f"{self.name}: {where}, which are no degrees as its CRS {self.crs.name} has it; {advice}"
                )
        elif self.crs.is_projected and max(abs(west), abs(east)) <= 360 and max(abs(south), abs(north)) <= FAR_NORTH:
            raise InputError(
                f"{self.name}: {where}, which looks like degrees and not like its CRS {self.crs.name}; {advice}"
            )
        if not np.isfinite(self._sample[0]).any():
            raise InputError(f"{self.name}: {where}, where its CRS {self.crs.name} has no place on Earth; {advice}")


def parse_crs(given: Any, name: str) -> pyproj.CRS:
    """The CRS of a raster.

    Raises
    ------
    InputError
        There is none, it is not known, or it has no places on Earth.
    """
    advice = (
        "with gdal_edit -a_srs ESRI:54009 FILE or DataArray.rio.write_crs (take the CRS from the data's description)"
    )
    if given is None:
        raise InputError(f"{name}: has no coordinate reference system; give it the one that it is in, {advice}")
    try:
        crs = pyproj.CRS.from_user_input(given)
    except pyproj.exceptions.CRSError as error:
        reason = first_line(error)
        raise InputError(
            f"{name}: its coordinate reference system cannot be used: {reason}; give it one, {advice}"
        ) from None
    if not (crs.is_geographic or crs.is_projected):
        raise InputError(
            f"{name}: its coordinate reference system {crs.name!r} says nothing about places on Earth; give it the one that "
            f"it is in, {advice}"
        )
    return crs


def _ends(values: Floats, turn: int) -> tuple[float, float]:
    """Least and largest of samples, with room; half a turn on both sides of 0 where they reach far."""
    reach = np.ptp(values)
    if reach > 90:
        return -turn / 2, turn / 2
    room = reach * 4 / SAMPLES
    return values.min() - room, values.max() + room


@lru_cache(maxsize=16)
def _system(wkt: str) -> tuple[bool, Any, float]:
    """What a CRS has for all tiles in it: whether it is longitude and latitude, how to get there, its whole turn."""
    crs = pyproj.CRS.from_wkt(wkt)
    degrees = is_wgs84(crs)
    return degrees, None if degrees else pyproj.Transformer.from_crs(crs, LON_LAT, always_xy=True), _turn(crs)


def _turn(crs: pyproj.CRS) -> float:
    """Once round the Earth along ``x``, 0 where there is no such thing.

    A projection goes round if its equator is a line with a fixed length per degree, and what is a whole turn away from a
    place has the same longitude and latitude.
    """
    if crs.is_geographic:
        return round(2 * math.pi / crs.axis_info[0].unit_conversion_factor, 9)
    if crs.geodetic_crs is None:
        return 0.0
    transformer = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    unit = round(2 * math.pi / crs.geodetic_crs.axis_info[0].unit_conversion_factor, 9) / 360
    along, _ = transformer.transform(np.arange(-179.5, 180) * unit, np.zeros(360))
    along = along[np.isfinite(along)]
    if len(along) < 180:
        return 0.0
    steps = np.diff(along)
    turn = 360 * float(np.median(steps))
    if turn == 0 or np.mean(np.abs(steps * 360 / turn - 1) < 1e-6) < 0.9:
        return 0.0
    lon, lat = np.array([-170.0, -60.0, 0.0, 45.0, 170.0]) * unit, np.array([-50.0, -10.0, 0.0, 30.0, 60.0]) * unit
    x, y = transformer.transform(lon, lat)
    for shift in (turn, -turn):
        back, up = transformer.transform(x + shift, y, direction="INVERSE")
        if not np.isfinite(back + up).all():
            return 0.0
        off = np.abs((back - lon) / unit + 180) % 360 - 180
        if np.abs(off).max() > 1e-6 or np.abs(up - lat).max() > 1e-6 * unit:
            return 0.0
    return abs(turn)


@lru_cache(maxsize=16)
def _seams(wkt: str) -> tuple[float, ...]:
    """Meridians where a map is cut: a step over them, along some parallels, is much longer than the others."""
    _, to_lonlat, _ = _system(wkt)
    found: set[float | None] = set()
    for lat in (-60.0, -10.0, 10.0, 60.0):

        def place(lon: Any, lat: float = lat) -> Floats:
            return np.stack(to_lonlat.transform(lon, np.full(np.shape(lon), lat), direction="INVERSE"))

        around = np.linspace(-180, 180, 361)
        with np.errstate(invalid="ignore"):  # places that the projection does not reach
            step = np.hypot(*np.diff(place(around)))
        if np.isfinite(step).any():
            long = np.isfinite(step) & (step > TORN * np.median(step[np.isfinite(step)]))
            found |= {_jump(place, west, west + 1) for west in around[:-1][long].tolist()}
    return tuple(sorted(seam for seam in found if seam is not None))


def _jump(place: Callable[[Any], Floats], west: float, east: float) -> float | None:
    """Longitude between two, to 1e-10 degrees, where ``place`` jumps; None where it only goes fast."""
    left, right = place(west), place(east)
    far = np.hypot(*(right - left))
    while east - west > 1e-10:
        middle = (west + east) / 2
        at = place(middle)
        if np.hypot(*(at - left)) < np.hypot(*(at - right)):
            west, left = middle, at
        else:
            east, right = middle, at
    return round((west + east) / 2, 9) if np.hypot(*(right - left)) > far / 2 else None
