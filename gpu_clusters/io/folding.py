"""Polygons in longitudes of -180..180: what goes past the date line comes back on the other side."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray


def fold(shapes: NDArray[Any]) -> NDArray[Any]:
    """Polygons at most a turn away, cut at the date line; those within -180..180 stay as they are."""
    bounds = shapely.bounds(shapes)
    beyond = np.flatnonzero((bounds[:, 0] < -180) | (bounds[:, 2] > 180))
    folded = np.array(shapes, dtype=object)
    for i in beyond:
        folded[i] = joined(
            [
                shapely.transform(
                    shapely.intersection(shapes[i], shapely.box(-180 + 360 * turn, -90, 180 + 360 * turn, 90)),
                    lambda points, turn=turn: points - np.array([360.0 * turn, 0.0]),
                )
                for turn in (-1, 0, 1)
            ]
        )
    return folded


def joined(parts: Any) -> Any:
    """One shape of the polygons among parts that do not overlap; empty ones would bring GEOS down later."""
    single = shapely.get_parts(shapely.get_parts(parts))
    polygonal = shapely.get_type_id(single) == shapely.GeometryType.POLYGON
    return shapely.multipolygons(single[polygonal & ~shapely.is_empty(single)])
