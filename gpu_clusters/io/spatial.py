"""Coordinates from geometry columns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.errors import InputError, first_line
from gpu_clusters.io.columns import is_text
from gpu_clusters.io.place import Rows

_CODES_OF_WGS84 = {("EPSG", "4326"), ("EPSG", "4979"), ("OGC", "CRS84"), ("OGC", "CRS84h")}
_MARKS = {"geoarrow.wkb": "WKB", "ogc.wkb": "WKB", "geoarrow.point": "point"}


@dataclass(frozen=True)
class Geometry:
    """A geometry column: its name, its encoding ("WKB", "point", ...), and its CRS (None: WGS 84)."""

    column: str
    encoding: str
    crs: Any


def find_geometry(schema: pa.Schema) -> Geometry | None:
    """Find the geometry column of an Arrow schema, by GeoParquet's metadata or by GeoArrow's.

    A CRS that is absent or null is taken as WGS 84 longitude and latitude.
    """
    geo = (schema.metadata or {}).get(b"geo")
    try:
        described = json.loads(geo) if geo else {}
        name = described.get("primary_column")
        column = described.get("columns", {}).get(name)
        if isinstance(name, str) and name in schema.names and isinstance(column, dict):
            return Geometry(name, str(column.get("encoding", "WKB")), column.get("crs"))
    except (ValueError, AttributeError):
        pass  # metadata that is no GeoParquet
    for field in schema:
        marks = field.metadata or {}
        mark = getattr(field.type, "extension_name", marks.get(b"ARROW:extension:name", b"").decode())
        if mark.startswith(("geoarrow.", "ogc.")):
            text = marks.get(b"ARROW:extension:metadata") or b"{}"
            if isinstance(field.type, pa.BaseExtensionType):
                text = field.type.__arrow_ext_serialize__() or b"{}"
            try:
                crs = json.loads(text).get("crs")
            except (ValueError, AttributeError):
                crs = None
            return Geometry(field.name, _MARKS.get(mark, mark), crs)
    return None


def is_wgs84(crs: Any) -> bool:
    """Whether a ``pyproj.CRS`` gives longitude and latitude on WGS 84 in degrees."""
    return crs.to_authority(min_confidence=100) in _CODES_OF_WGS84 or crs.equals("OGC:CRS84", ignore_axis_order=True)


def coordinates(array: pa.Array, geometry: Geometry, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of points.

    Parameters
    ----------
    array : (n,) Arrow array
        Points in WKB or as pairs of numbers.
    geometry : Geometry
        Encoding and CRS.
    rows : Rows
        Where the rows come from.

    Returns
    -------
    lon, lat : (n,) float64
        Degrees, WGS 84. NaN for null and empty geometries, infinite where there is no such place in WGS 84.

    Raises
    ------
    InputError
        A geometry that is not a point, that cannot be read, or an unknown CRS.
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    try:
        if geometry.encoding.upper() == "WKB" or is_text(array.type):
            x, y = _from_wkb(array, geometry.column, rows)
        elif geometry.encoding == "point":
            x, y = _from_pairs(array)
        else:
            present = np.flatnonzero(array.is_valid().to_numpy(zero_copy_only=False))
            if len(present):
                what = f"holds {geometry.encoding}; only points are addresses"
                raise rows.error(geometry.column, what, int(present[0]))
            x = y = np.full(len(array), np.nan)
    except (TypeError, pa.ArrowException):
        raise rows.error(
            geometry.column, f"holds {array.type} and not {geometry.encoding}, as its metadata says"
        ) from None
    return _to_wgs84(x, y, geometry, rows)


def _from_wkb(array: pa.Array, column: str, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    import shapely

    blobs = array.to_numpy(zero_copy_only=False)
    shapes = shapely.from_wkb(blobs, on_invalid="ignore")
    kinds = shapely.get_type_id(shapes)
    broken = (kinds < 0) & array.is_valid().to_numpy(zero_copy_only=False)
    if broken.any():
        raise rows.error(column, "is not a geometry in well-known binary", int(np.flatnonzero(broken)[0]))
    filled = (kinds >= 0) & ~shapely.is_empty(shapes)
    other = (kinds > 0) & filled
    if other.any():
        index = int(np.flatnonzero(other)[0])
        raise rows.error(column, f"is a {shapes[index].geom_type}; only points are addresses", index)
    x, y = np.full((2, len(shapes)), np.nan)
    x[filled], y[filled] = shapely.get_x(shapes[filled]), shapely.get_y(shapes[filled])
    return x, y


def _from_pairs(array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Points as structs {x, y} or as lists of fixed size: nulls become NaN."""
    if pa.types.is_struct(array.type):
        x, y = pc.struct_field(array, "x"), pc.struct_field(array, "y")
    else:
        x, y = pc.list_element(array, 0), pc.list_element(array, 1)
    return x.to_numpy(zero_copy_only=False).astype(np.float64), y.to_numpy(zero_copy_only=False).astype(np.float64)


def _to_wgs84(x: np.ndarray, y: np.ndarray, geometry: Geometry, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Transform to WGS 84 degrees; coordinates that already are stay bit for bit."""
    if geometry.crs is None:
        return x, y
    import pyproj

    try:
        crs = pyproj.CRS.from_user_input(geometry.crs)
        if is_wgs84(crs):
            return x, y
        transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except pyproj.exceptions.ProjError as error:
        reason = first_line(error)
        raise InputError(f"{rows.file}: its coordinate reference system cannot be used: {reason}") from error
    lon, lat = x.copy(), y.copy()
    finite = np.isfinite(x) & np.isfinite(y)
    lon[finite], lat[finite] = transformer.transform(x[finite], y[finite])
    return lon, lat
