"""How many people live around places or in polygons: the population step on its own, for any places and any polygons."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gpu_clusters.backend import pick
from gpu_clusters.compiled import one_thread_at_a_time
from gpu_clusters.degrees import GEOCODED, classify
from gpu_clusters.engines.counting import Counting
from gpu_clusters.errors import DeviceError, InputError, UsageError, first_line
from gpu_clusters.settings import Settings
from gpu_clusters.wording import counted

Boundary = Literal["area", "hull", "concave"]
Device = Literal["auto", "cpu", "gpu"]


def people_within(
    members: Any,
    raster: Any,
    *,
    area_degrees: float = 0.05,
    labels: ArrayLike | None = None,
    boundary: Boundary = "area",
    device: Device = "auto",
) -> Any:
    """People around places, from rasters of people per cell.

    Parameters
    ----------
    members : data frame with ``lon`` and ``lat``, or (n, 2) array of them
        Pandas', pyarrow's or polars'. Places, WGS 84 degrees.
    raster : path, xarray.DataArray, or list of these
        As of ``rank(..., population=...)``: files, folders, patterns, arrays with a CRS.
    area_degrees : float
        A cell counts if its centre is within so many plain degrees of a place.
    labels : (n,) array of whole numbers, optional
        Which area each place belongs to; below 0 to none. A cell in two areas counts in both.
    boundary : {"area", "hull", "concave"}
        Instead of areas, the convex or concave hulls of the places, in which a cell counts with its part that is inside.
    device : {"auto", "cpu", "gpu"}
        Where the cells of areas are summed, as of ``rank``; rasters are read and hulls are summed on the CPU.

    Returns
    -------
    float or DataFrame
        Without ``labels`` the people around all places, NaN if the rasters know nothing there or the places have no hull with
        an area. With labels a data frame by label: ``population``, and ``without_data``, the part of the area (0..1) for which
        the rasters hold no number.

    Raises
    ------
    InputError
        A raster that cannot be used, a place that is none, or a frame without ``lon`` and ``lat``.
    UsageError
        An argument that makes no sense.
    DeviceError
        A GPU that was asked for is not there, or for hulls exactextract is not.

    Examples
    --------
    >>> import numpy as np, rioxarray, xarray
    >>> from gpu_clusters import people_within
    >>> cells = xarray.DataArray(np.full((20, 20), 5.0), {"y": 49 - 0.01 * np.arange(20), "x": 2 + 0.01 * np.arange(20)})
    >>> people_within([(2.1, 48.9)], cells.rio.write_crs("EPSG:4326"), area_degrees=0.015)
    45.0
    """
    lon, lat = _places(members)
    if boundary not in ("area", "hull", "concave"):
        raise UsageError(
            f"boundary must be one of area, hull, concave, not {boundary!r}; for polygons see people_in_polygons"
        )
    settings = Settings(area_degrees=area_degrees, device=device)
    given = np.zeros(len(lon), np.int64) if labels is None else np.asarray(labels)
    if given.shape != lon.shape or given.dtype.kind not in "iu":
        raise UsageError(f"labels must be whole numbers, one for each place: {len(lon):,}")
    if boundary != "area" and device == "gpu":
        raise UsageError(f"hulls are summed on the CPU: give no device 'gpu' with boundary {boundary!r}")
    given = given if given.dtype == np.uint64 else given.astype(np.int64)
    chosen = pick(settings)
    if boundary == "area":
        with chosen.step("population"), one_thread_at_a_time:
            found = _in_areas(lon, lat, given, raster, settings.area_degrees, chosen.counting)
    else:
        found = _in_hulls(lon, lat, given, raster, concave=boundary == "concave")
    return found if labels is not None else float(found["population"].iloc[0])


def people_in_polygons(polygons: Any, raster: Any) -> pd.DataFrame:
    """People in polygons, from rasters of people per cell, by exactextract: a cell counts with its part that is inside.

    Parameters
    ----------
    polygons : path, GeoDataFrame, GeoSeries or sequence of shapely polygons
        A file that geopandas can read; WGS 84 degrees where no other CRS is said.
    raster : path, xarray.DataArray, or list of these
        As of ``rank(..., population=...)``.

    Returns
    -------
    DataFrame
        By the index of ``polygons``: ``population``, NaN where the rasters hold no number at all in the polygon, and
        ``without_data``, the part of the polygon (0..1) for which they hold none.

    Raises
    ------
    InputError
        A raster or a file of polygons that cannot be used, or a shape that is no polygon.
    UsageError
        Arguments that are neither polygons nor rasters.
    DeviceError
        exactextract is not there.

    Examples
    --------
    >>> import numpy as np, rioxarray, shapely, xarray
    >>> from gpu_clusters import people_in_polygons
    >>> cells = xarray.DataArray(np.full((20, 20), 5.0), {"y": 49 - 0.01 * np.arange(20), "x": 2 + 0.01 * np.arange(20)})
    >>> half = shapely.box(2.095, 48.895, 2.1, 48.905)  # of one cell
    >>> people_in_polygons([half], cells.rio.write_crs("EPSG:4326")).round(3).to_dict("list")
    {'population': [2.5], 'without_data': [0.0]}
    """
    from gpu_clusters.io.mosaic import Mosaic
    from gpu_clusters.io.polygons import read_polygons
    from gpu_clusters.io.rasters import open_rasters

    try:
        from gpu_clusters.io.zonal import sums_in_polygons
    except ImportError as error:
        raise DeviceError(
            f"people in polygons are summed by exactextract, which cannot be used ({first_line(error)}); install it "
            "(docs/population.md says how)"
        ) from None
    shapes = read_polygons(polygons)
    with open_rasters(raster) as (rasters, _):
        population, without = sums_in_polygons(Mosaic(rasters), shapes.to_numpy())
    return pd.DataFrame({"population": population, "without_data": without}, index=shapes.index)


def _in_hulls(
    lon: NDArray[np.float64], lat: NDArray[np.float64], labels: NDArray[np.integer], raster: Any, *, concave: bool
) -> pd.DataFrame:
    import geopandas as gpd

    from gpu_clusters.steps.hulls import hulls

    member = labels >= 0
    names, group = np.unique(labels[member], return_inverse=True)
    shapes = hulls(lon[member], lat[member], group, len(names), concave=concave)
    return people_in_polygons(gpd.GeoSeries(shapes, index=pd.Index(names, name="label"), crs="EPSG:4326"), raster)


def _in_areas(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    labels: NDArray[np.integer],
    raster: Any,
    area_degrees: float,
    counting: Counting,
) -> pd.DataFrame:
    from gpu_clusters.io.cells import cells_near
    from gpu_clusters.io.mosaic import Mosaic
    from gpu_clusters.io.rasters import open_rasters
    from gpu_clusters.steps.population import count_people

    member = labels >= 0
    lon, lat = lon[member], lat[member]
    names, area = np.unique(labels[member], return_inverse=True)
    with open_rasters(raster) as (rasters, _):
        cells = cells_near(Mosaic(rasters), lon, lat, area_degrees)
        grids = [one.grid for one in rasters]
        people = count_people(cells, grids, lon, lat, area, len(names), area_degrees, counting=counting)
    columns = {"population": people.population, "without_data": people.without_data}
    return pd.DataFrame(columns, index=pd.Index(names, name="label"))


def _places(members: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Checked longitudes, in [-180, 180), and latitudes."""
    if hasattr(members, "get_coordinates") and not {"lon", "lat"} <= set(getattr(members, "columns", ())):
        made = 'to_crs("EPSG:4326").get_coordinates().to_numpy()'
        raise InputError(f"members: has no columns lon and lat; of GeoPandas' points give what {made} returns")
    if hasattr(members, "columns"):
        there = list(getattr(members, "column_names", members.columns))  # pyarrow's columns are their values
        missing = [name for name in ("lon", "lat") if name not in there]
        if missing:
            raise InputError(f"members: column {missing[0]} is missing; rename the columns to lon and lat")
    try:
        if hasattr(members, "columns"):
            pairs = np.stack([np.asarray(members[name], dtype=np.float64) for name in ("lon", "lat")], axis=1)
        else:
            pairs = np.asarray(members, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"members: lon and lat must be numbers, one of each a place: {error}") from None
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs):
        raise UsageError("members must be a data frame with lon and lat or pairs of them, at least one")
    lon, lat = pairs.T.copy()
    status = np.empty(len(lon), np.int8)
    classify(lon, lat, status)
    wrong = np.flatnonzero(status != GEOCODED)
    if len(wrong):
        first = wrong[0]
        raise InputError(
            f"members: {counted(len(wrong), 'place has', 'places have')} no possible coordinates, the first in row {first + 1} "
            f"(lon {pairs[first, 0]:g}, lat {pairs[first, 1]:g}); leave out what has none"
        )
    return lon, lat
