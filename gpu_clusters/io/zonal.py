"""Sums of rasters in polygons, by exactextract."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from exactextract import exact_extract
from exactextract.raster import RasterSource
from numpy.typing import NDArray

from gpu_clusters.errors import InputError
from gpu_clusters.io.folding import fold
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.projecting import Polygons

CELLS = 4_000_000  # that exactextract may hold in memory


def sums_in_polygons(mosaic: Mosaic, shapes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """People in each polygon, NaN where there is no number, and the part (0..1) of it that is without one; (k,) each."""
    polygons = Polygons(fold(shapes))
    people, covered = np.zeros((2, len(shapes)))
    for own, raster in enumerate(mosaic.rasters):
        source = _Source(mosaic, own)
        drawn, area = polygons.on(raster.grid)
        width, height = source.res()
        west, south, east, north = source.extent()
        for shift in raster.grid.shifts():
            frame = shapely.box(west - shift, south, east - shift, north)
            near = np.flatnonzero((area > 0) & shapely.intersects(drawn, frame))
            if len(near):
                moved = shapely.transform(drawn[near], lambda points, shift=shift: points + np.array([shift, 0.0]))
                table = gpd.GeoDataFrame(geometry=moved, crs=raster.grid.crs)
                found = exact_extract(source, table, ["sum", "count"], output="pandas", max_cells_in_memory=CELLS)
                count = found["count"].to_numpy(np.float64)
                people[near] += np.where(count > 0, found["sum"].to_numpy(np.float64), 0.0)
                covered[near] += count * width * height / area[near]
    without = np.where(covered > 1 - 1e-6, 0.0, 1 - covered)
    return np.where(covered > 0, people, np.nan), without


class _Source(RasterSource):
    """A raster of a mosaic as exactextract wants it: north up, NaN where there is no number or another raster's counts."""

    def __init__(self, mosaic: Mosaic, own: int) -> None:
        super().__init__()
        self._mosaic, self._own = mosaic, own
        self._raster = mosaic.rasters[own]
        a, b, _, d, e, _ = self._raster.grid.affine
        if b or d:
            raise InputError(
                f"{self._raster.name}: is rotated; for polygons resample it to a grid with north up (gdalwarp)"
            )
        self._mirrored, self._south_up = a < 0, e > 0

    def res(self) -> tuple[float, float]:
        a, _, _, _, e, _ = self._raster.grid.affine
        return abs(a), abs(e)

    def extent(self) -> tuple[float, float, float, float]:
        return self._raster.grid.bounds()

    def srs_wkt(self) -> str:
        return self._raster.grid.wkt

    def nodata_value(self) -> None:
        return None

    def read_window(self, x0: int, y0: int, nx: int, ny: int) -> NDArray[np.float64]:
        if not nx or not ny:
            return np.empty((ny, nx))
        grid = self._raster.grid
        top = grid.height - y0 - ny if self._south_up else y0
        left = grid.width - x0 - nx if self._mirrored else x0
        people = self._raster.read(slice(top, top + ny), slice(left, left + nx))
        if self._mosaic.shared(self._own):
            row, column = (values.ravel() for values in np.mgrid[top : top + ny, left : left + nx])
            kept = self._mosaic.keep(self._own, *grid.centres(row, column), people.ravel())
            people = np.where(kept.reshape(people.shape), people, np.nan)
        people = people[::-1] if self._south_up else people
        return np.ascontiguousarray(people[:, ::-1] if self._mirrored else people)
