"""Random rasters, and how many people they hold around places: every cell against every place, in plain numpy."""

import math
from dataclasses import dataclass, replace

import numpy as np
import rioxarray  # noqa: F401 - gives arrays their .rio
import xarray as xr
from affine import Affine
from pyproj import CRS, Transformer


@dataclass
class Plain:
    """A raster in memory: stored values, affine map, CRS, what "none" is stored as, scale and offset."""

    stored: np.ndarray
    affine: tuple
    crs: str = "EPSG:4326"
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0

    def people(self) -> np.ndarray:
        """People per cell, NaN for none."""
        people = self.stored.astype(float) * self.scale + self.offset
        none = np.zeros(people.shape, bool) if self.nodata is None else self.stored == self.nodata
        return np.where(none | ~(people >= 0) | np.isinf(people), np.nan, people)

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        a, b, c, d, e, f = self.affine
        row, column = np.indices(self.stored.shape) + 0.5
        return a * column + b * row + c, d * column + e * row + f

    def lonlat(self) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.centres()
        if self.crs != "EPSG:4326":
            x, y = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True).transform(x, y)
        for _ in range(2):
            x = np.where(x >= 180, x - 360, np.where(x < -180, x + 360, x))
        return x, y

    def part(self, rows: slice, columns: slice) -> "Plain":
        a, b, c, d, e, f = self.affine
        i, j = columns.start, rows.start
        return replace(
            self, stored=self.stored[rows, columns], affine=(a, b, c + a * i + b * j, d, e, f + d * i + e * j)
        )

    def array(self) -> xr.DataArray:
        """As xarray and rioxarray hold it."""
        array = xr.DataArray(self.stored, dims=("y", "x")).rio.write_crs(self.crs)
        array = array.rio.write_transform(Affine(*self.affine))
        array.attrs.update(scale_factor=self.scale, add_offset=self.offset)
        return array if self.nodata is None else array.rio.write_nodata(self.nodata)

    def save(self, path, **how) -> str:
        """As a GeoTIFF."""
        import rasterio

        height, width = self.stored.shape
        about = {"height": height, "width": width, "count": 1, "dtype": self.stored.dtype, "nodata": self.nodata}
        with rasterio.open(path, "w", "GTiff", crs=self.crs, transform=Affine(*self.affine), **about, **how) as file:
            file.write(self.stored, 1)
            file.scales, file.offsets = (self.scale,), (self.offset,)
        return str(path)


def within(lon, lat, members, area) -> np.ndarray:
    """Which places lie within ``area`` plain degrees of a member."""
    found = np.zeros(np.shape(lon), bool)
    for member_lon, member_lat in members:
        dx = np.abs(lon - member_lon)
        dx = np.where(dx > 180, 360 - dx, dx)
        dy = np.abs(lat - member_lat)
        found |= dx * dx + dy * dy <= area * area
    return found


def brute(rasters: list[Plain], members, area) -> float:
    """People around members, NaN where no cell knows; cells at the same place (whole turns apart too) count once."""
    return brute_where(rasters, lambda lon, lat: within(lon, lat, members, area))


def brute_where(rasters: list[Plain], holds) -> float:
    """As `brute`, of the cells whose centres ``holds(lon, lat)`` picks."""
    seen = {}
    for raster in rasters:
        lon, lat = raster.lonlat()
        people, inside = raster.people(), holds(lon, lat)
        a, b, _, d, e, _ = raster.affine
        pitch = min(np.hypot(a, d), np.hypot(b, e))
        turn = 360.0 if CRS(raster.crs).is_geographic else math.inf
        x, y = raster.centres()
        for i, j in np.argwhere(inside & ~np.isnan(people)):
            spot = (
                round(((x[i, j] + 180) % turn if turn < math.inf else x[i, j]) / pitch * 8),
                round(y[i, j] / pitch * 8),
            )
            if turn < math.inf and abs(spot[0] - round(turn / pitch * 8)) < 1:
                spot = 0, spot[1]
            seen.setdefault(spot, people[i, j])
    return math.fsum(seen.values()) if seen else math.nan


def random_raster(seed: int) -> Plain:
    """Another kind of raster for every seed, some 500 cells about a spot on Earth."""
    rng = np.random.default_rng(seed)
    kind = seed % 10
    height, width = rng.integers(5, 30, 2)
    pitch = rng.choice([1 / 16, 0.05, 1 / 120, 0.3])
    lon, lat = rng.uniform(-170, 170), rng.uniform(-60, 60)
    crs, a, b, d, e = "EPSG:4326", pitch, 0.0, 0.0, -pitch
    if kind == 1:  # rotated
        angle = rng.uniform(0, 2 * math.pi)
        a, b, d, e = (pitch * f for f in (math.cos(angle), math.sin(angle), math.sin(angle), -math.cos(angle)))
    elif kind == 2:  # skewed
        b, d = pitch * rng.uniform(-0.7, 0.7), pitch * rng.uniform(-0.4, 0.4)
    elif kind == 3:  # south up, or mirrored
        a, e = rng.choice([-1, 1]) * pitch, pitch
    elif kind == 4:  # across the date line, on either side
        lon = rng.choice([180, -180, 540]) - pitch * rng.integers(1, 6)
    elif kind == 5:  # round the Earth and a little further
        pitch = a = 22.5
        e, width, lon, lat = -1.0, 19, -191.25, rng.uniform(-50, 60)
    elif kind in (6, 7, 8):
        crs = {6: "ESRI:54009", 7: "EPSG:3035", 8: "EPSG:3413"}[kind]
        lon, lat = (
            (rng.uniform(-5, 20), rng.uniform(40, 60))
            if kind == 7
            else (lon, rng.uniform(61, 85) if kind == 8 else lat)
        )
        lon, lat = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
        pitch = a = rng.choice([1000.0, 5000.0, 20_000.0])
        e = -pitch
    elif kind == 9:  # near a pole
        lat = 89.9
    stored, nodata, scale, offset = rng.pareto(1, (height, width)) * 1000, None, 1.0, 0.0
    stored[rng.random(stored.shape) < 0.1] = rng.choice([np.nan, -200.0, -1e-9, np.inf])
    if seed % 3 == 1:
        nodata = rng.choice([-200.0, 7.0])
        stored[rng.random(stored.shape) < 0.2] = nodata
    elif seed % 3 == 2:
        stored = rng.integers(0, 250, (height, width)).astype(rng.choice(["uint8", "int16", "uint32", "int64"]))
        nodata, scale, offset = rng.choice([None, 255, 0]), rng.choice([1.0, 0.5, 0.1]), rng.choice([0.0, -3.0, 0.25])
    if kind == 5:
        stored[:, 16:] = stored[:, :3]  # the same people again, one turn on
    return Plain(stored, (a, b, lon, d, e, lat), crs, nodata, scale, offset)


def random_members(raster: Plain, seed: int) -> tuple[np.ndarray, float]:
    """Places in and about a raster, and a radius in degrees between a part of a cell and more than the raster."""
    rng = np.random.default_rng([seed, 1])
    lon, lat = (values.ravel() for values in raster.lonlat())
    there = np.flatnonzero(np.isfinite(lon) & (np.abs(lat) <= 90))
    chosen = rng.choice(there, rng.integers(1, 6))
    size = min(max(np.ptp(lat[there]), 0.01), 20)
    members = np.column_stack([lon[chosen], lat[chosen]])
    members += rng.choice([0, 1]) * rng.normal(scale=size / 4, size=members.shape)
    members[:, 0] = (members[:, 0] + 180) % 360 - 180
    members[:, 1] = np.clip(members[:, 1], -90, 90)
    return members, float(rng.choice([0.01, 0.0625, 0.05, 0.1, size / 3, 2 * size]))


def off_the_edge(area: float) -> float:
    """A radius that no two places of a grid are apart: on the very edge the last bit of a centre decides."""
    return area * (1 + 1e-7)
