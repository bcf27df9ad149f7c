"""Boundaries as a GeoDataFrame, as GeoParquet and as GeoJSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gpu_clusters.schema import BOUNDARIES

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

DECIMALS = 7  # of GeoJSON: a centimetre


def boundaries_table(ranking: pd.DataFrame, polygons: NDArray[Any]) -> GeoDataFrame:
    """The clusters by rank with their polygons, (k,) in that order, in the columns of ``schema.BOUNDARIES``."""
    from geopandas import GeoDataFrame

    names = list(BOUNDARIES[:-1])
    shapes = np.where(shapely.is_empty(polygons), None, shapely.orient_polygons(polygons, exterior_cw=False))
    about = ranking[names].astype({"name": "string"})
    return GeoDataFrame(about, geometry=list(shapes), crs="OGC:CRS84")


def write_geoparquet(frame: GeoDataFrame, path: Path) -> None:
    """GeoParquet 1.1 with a column of bounding boxes."""
    frame.to_parquet(path, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True)


def write_geojson(frame: GeoDataFrame, path: Path) -> None:
    """GeoJSON by RFC 7946: outer rings anticlockwise, nothing across the date line, coordinates rounded to `DECIMALS`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, row in enumerate(frame.itertuples(index=False)):
            about = {"cluster_id": row.cluster_id, "rank": row.rank, "name": None if pd.isna(row.name) else row.name}
            feature = {"type": "Feature", "properties": about, "geometry": _geometry(row.geometry)}
            file.write((",\n" if number else "\n") + json.dumps(feature, ensure_ascii=False, allow_nan=False))
        file.write("\n]}\n")


def _geometry(shape: Any) -> dict[str, Any] | None:
    rounded = shapely.set_precision(shape, 10.0**-DECIMALS) if shape is not None else None
    if rounded is None or rounded.is_empty:
        return None
    polygons = [
        [np.round(shapely.get_coordinates(ring), DECIMALS).tolist() for ring in shapely.get_rings(part)]
        for part in shapely.get_parts(shapely.orient_polygons(rounded, exterior_cw=False))
    ]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}
