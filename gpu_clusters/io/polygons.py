"""Sums of rasters in polygons, by exactextract."""

from __future__ import annotations

import os
import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from exactextract import exact_extract
from exactextract.raster import RasterSource
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from gpu_clusters.errors import InputError, UsageError, first_line
from gpu_clusters.io.folding import fold, joined
from gpu_clusters.io.grids import Grid
from gpu_clusters.io.mosaic import Mosaic

EDGE = 0.05  # degrees: longer edges get points between their ends before they are projected
CELLS = 4_000_000  # that exactextract may hold in memory


def read_polygons(given: Any, called: str = "polygons") -> gpd.GeoSeries:
    """Polygons in WGS 84 degrees.

    Parameters
    ----------
    given : path, GeoDataFrame, GeoSeries or sequence of shapely polygons
    called : str
        What messages call them, if they are not a path.

    Raises
    ------
    InputError
        A file that cannot be read, or something in it that is no polygon or nowhere on Earth.
    UsageError
        Nothing to read polygons from.
    """
    if isinstance(given, (str, os.PathLike)):
        path, given, called = given, read_vector(given), os.fspath(given)
        for caveat in caveats(path):
            warnings.warn(caveat, stacklevel=3)
    if isinstance(given, gpd.GeoDataFrame):
        if given.active_geometry_name is None:
            raise InputError(f"{called}: has no column of shapes; set one with set_geometry")
        given = given.geometry
    try:
        if given is None:
            raise TypeError  # GeoPandas makes an empty series of it
        shapes = given if isinstance(given, gpd.GeoSeries) else gpd.GeoSeries(given)
    except (TypeError, ValueError):
        kind = type(given).__name__
        raise UsageError(
            f"{called} must be a file, a GeoDataFrame, a GeoSeries or a list of shapely polygons, not {kind}"
        ) from None
    if shapes.crs is not None:
        try:
            shapes = shapes.to_crs("EPSG:4326")
        except ProjError as error:
            raise InputError(
                f"{called}: coordinates in {shapes.crs.name!r} cannot be turned into longitudes and latitudes "
                f"({first_line(error)}); give polygons in WGS 84 degrees"
            ) from None
    polygonal = shapes.geom_type.isin(["Polygon", "MultiPolygon"])
    wrong = np.flatnonzero(~polygonal & shapes.geom_type.notna() & ~shapes.is_empty)
    if len(wrong):
        raise InputError(
            f"{called}: polygon {wrong[0] + 1} is a {shapes.geom_type.iloc[wrong[0]]}; give polygons and multipolygons only"
        )
    corners, of_shape = shapely.get_coordinates(shapes.to_numpy(), return_index=True)
    nowhere = of_shape[~np.isfinite(corners).all(axis=1)]
    if len(nowhere):
        raise InputError(
            f"{called}: polygon {nowhere[0] + 1} has a corner without longitude and latitude (not a finite number in WGS 84); "
            "mend it, or check the coordinate system"
        )
    valid = shapes.where(polygonal, shapely.Polygon()).make_valid(method="structure", keep_collapsed=False)
    return gpd.GeoSeries([joined([shape]) for shape in valid], index=shapes.index)


def read_vector(path: str | os.PathLike[str]) -> gpd.GeoDataFrame:
    """A file of shapes with its columns, the first layer's where it has several.

    Raises
    ------
    InputError
        It cannot be read, or is a table without shapes.
    """
    try:
        if str(path).lower().endswith("parquet"):
            found = gpd.read_parquet(path)
        else:
            found = gpd.read_file(path, layer=next(iter(_layers(path)), None))
    except Exception as error:  # whatever the library raises
        said = (
            first_line(error).removeprefix(f"{path}: ").partition(".; ")[0].rstrip(".")
        )  # without advice for programmers
        raise InputError(f"{path}: cannot be read as polygons: {said}; check the file") from error
    if not isinstance(found, gpd.GeoDataFrame):
        raise InputError(f"{path}: is a table without shapes; give a file of polygons")
    return found


def caveats(path: str | os.PathLike[str]) -> list[str]:
    """What the reader must know of a file of shapes that could be read."""
    layers = _layers(path)
    if len(layers) < 2:
        return []
    listed = ", ".join(layers)
    return [f"{path}: of its {len(layers)} layers ({listed}) the first is read; for another make a file of that alone"]


def _layers(path: str | os.PathLike[str]) -> list[str]:
    """Names of the layers of a file of shapes; none of Parquet."""
    return [] if str(path).lower().endswith("parquet") else [str(name) for name, _ in pyogrio.list_layers(path)]


def sums_in_polygons(mosaic: Mosaic, shapes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """People in each polygon, NaN where there is no number, and the part (0..1) of it that is without one; (k,) each."""
    folded = fold(shapes)
    people, covered = np.zeros((2, len(shapes)))
    for own, raster in enumerate(mosaic.rasters):
        source = _Source(mosaic, own)
        projected = _project(folded, raster.grid)
        area = shapely.area(projected)
        width, height = source.res()
        for shift in raster.grid.shifts():
            moved = shapely.transform(projected, lambda points, shift=shift: points + np.array([shift, 0.0]))
            near = np.flatnonzero((area > 0) & shapely.intersects(moved, shapely.box(*raster.grid.bounds())))
            if len(near):
                frame = gpd.GeoDataFrame(geometry=moved[near], crs=raster.grid.crs)
                found = exact_extract(source, frame, ["sum", "count"], output="pandas", max_cells_in_memory=CELLS)
                count = found["count"].to_numpy(np.float64)
                people[near] += np.where(count > 0, found["sum"].to_numpy(np.float64), 0.0)
                covered[near] += count * width * height / area[near]
    without = np.where(covered > 1 - 1e-6, 0.0, 1 - covered)
    return np.where(covered > 0, people, np.nan), without


def _project(shapes: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Polygons in a raster's CRS, their edges drawn through enough points."""
    dense = shapely.segmentize(shapes, EDGE)
    projected = shapely.transform(dense, lambda points: np.stack(grid.native(*points.T), axis=1))
    bounds = shapely.bounds(projected)
    usable = np.isfinite(bounds).all(axis=1)
    projected = np.where(usable, projected, shapely.Polygon())
    return shapely.make_valid(projected, method="structure", keep_collapsed=False)


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
