"""Polygons that the user brings: regions to rank, or boundaries for clusters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd
import shapely
from numpy.typing import NDArray

from gpu_clusters.errors import InputError
from gpu_clusters.io.folding import fold
from gpu_clusters.io.model import InputFile
from gpu_clusters.io.polygons import caveats, read_polygons, read_vector
from gpu_clusters.io.record import input_file
from gpu_clusters.paths import spelled


class Regions(NamedTuple):
    """Polygons, (k,) shapely, valid, in longitudes of -180..180; their names, None where there is none; the file.

    ``warnings`` are what the reader must know of it.
    """

    polygons: NDArray[Any]
    names: list[str | None]
    source: InputFile
    warnings: list[str]


def read_regions(given: Any, table: str, name_column: str | None = None) -> Regions:
    """Read polygons with their names.

    Parameters
    ----------
    given : path, GeoDataFrame, GeoSeries or sequence of shapely polygons
        Files that geopandas reads: GeoParquet, GeoJSON, GeoPackage, Shapefile, ...; WGS 84 degrees if no CRS is said.
    table : str
        What they are, for the record: "regions" or "boundary".
    name_column : str, optional
        Column of names; one called "name" (in whatever case) where left out, if there is one.

    Raises
    ------
    InputError
        A file that cannot be read, something in it that is no polygon, a column that is missing, or no polygon at all.
    UsageError
        An empty path, or nothing to read polygons from.
    """
    path = Path(spelled(given, table)) if isinstance(given, (str, os.PathLike)) else None
    called = str(path) if path else f"{table} (data frame)"
    frame = read_vector(path) if path else given
    polygons = fold(read_polygons(frame, called).to_numpy())
    if not (shapely.area(polygons) > 0).any():
        raise InputError(f"{called}: holds no polygon with an area; give a file of polygons")
    frame = frame if isinstance(frame, gpd.GeoDataFrame) else gpd.GeoDataFrame(geometry=polygons)
    names = _names(frame, called, name_column)
    told = caveats(path) if path else []
    if table == "regions" and all(name is None for name in names):
        told += _unnamed(frame, called, name_column)
    return Regions(polygons, names, input_file(table, called, path, len(polygons)), told)


def _others(frame: gpd.GeoDataFrame) -> list[str]:
    """The columns but the geometry."""
    return [column for column in map(str, frame.columns) if column != frame.active_geometry_name]


def _unnamed(frame: gpd.GeoDataFrame, called: str, wanted: str | None) -> list[str]:
    """What to do where no region has a name; nothing where the file has no names to give."""
    others = _others(frame)
    if wanted or not others:
        return []
    choose = f"choose one with --region-name (in Python region_name): there are {', '.join(others)}"
    return [f"{called}: no column gives the regions names; {choose}"]


def _names(frame: gpd.GeoDataFrame, called: str, wanted: str | None) -> list[str | None]:
    columns = [str(column) for column in frame.columns]
    others = _others(frame)
    found = [c for c in others if c == wanted] if wanted else [c for c in others if c.lower() == "name"]
    if not found:
        if wanted:
            known = ", ".join(others) or "none but the geometry"
            raise InputError(f"{called}: has no column {wanted!r} to name the regions by; there are {known}")
        return [None] * len(frame)
    values = list(frame.iloc[:, columns.index(found[0])])
    if not all(map(pd.api.types.is_scalar, values)):
        raise InputError(
            f"{called}: column {found[0]!r} holds lists or records, which are no names; name the regions by another, with "
            "--region-name (in Python region_name)"
        )
    whole = (int(value) if isinstance(value, float) and value.is_integer() else value for value in values)
    return [None if pd.isna(value) else str(value) for value in whole]  # whole numbers beside a gap come as floats
