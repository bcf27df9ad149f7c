"""Polygons of a file or a frame, in WGS 84, checked and made valid."""

from __future__ import annotations

import os
import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj.exceptions import ProjError

from gpu_clusters.errors import InputError, UsageError, first_line
from gpu_clusters.io.folding import joined

KINDS = ("Polygon", "MultiPolygon")
DEGREES = "EPSG:4326"
STEPS = 360  # along a shape that jumps over the date line, at least


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
            shapes = _in_degrees(shapes)
        except ProjError as error:
            raise InputError(
                f"{called}: coordinates in {shapes.crs.name!r} cannot be turned into longitudes and latitudes "
                f"({first_line(error)}); give polygons in WGS 84 degrees"
            ) from None
    polygonal = shapes.geom_type.isin(KINDS)
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


def _in_degrees(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Shapes in WGS 84; of those on a map that reach the date line or across it the longitudes go on beyond 180."""
    found = shapes.to_crs(DEGREES)
    if shapes.crs.is_geographic:
        return found
    polygons = found.where(found.geom_type.isin(KINDS)).to_numpy()
    parts, of_shape = shapely.get_parts(polygons, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    points, of_ring = shapely.get_coordinates(rings, return_index=True)
    with np.errstate(invalid="ignore"):  # of corners that are nowhere
        steps = np.abs(np.diff(points[:, 0]))
    far = (steps > 180) & (steps < np.inf) & (np.diff(of_ring) == 0)
    whole = found.to_numpy(copy=True)
    for i in np.unique(of_shape[of_part[of_ring[1:][far]]]):
        west, south, east, north = shapes.iloc[[i]].total_bounds
        dense = shapes.iloc[[i]].segmentize(max(east - west, north - south) / STEPS)  # which way round an edge goes
        whole[i] = _unrolled(dense.to_crs(DEGREES).iloc[0], whole[i])
    return gpd.GeoSeries(whole, index=found.index, crs=found.crs)


def _unrolled(dense: Any, otherwise: Any) -> Any:
    """A shape without jumps from one side of the date line to the other; another one where a ring goes round a pole."""
    parts = []
    for part in shapely.get_parts(dense):
        rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(part)]
        for ring in rings:
            with np.errstate(invalid="ignore"):  # of corners that are nowhere
                ring[:, 0] = np.unwrap(ring[:, 0], period=360)
            if not abs(ring[-1, 0] - ring[0, 0]) < 180:
                return otherwise
            ring[:, 0] += 360 * np.round((_middle(rings[0]) - _middle(ring)) / 360)  # a hole is where its shell is
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.multipolygons(parts)


def _middle(ring: Any) -> float:
    return float(ring[:, 0].min() + ring[:, 0].max()) / 2


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
