"""Points in polygons on a GPU, by the native kernel or by cuSpatial, and shapely for what rounding could decide.

Both answer as `gpu_clusters.steps.inside.points_inside` does, edges included. No GPU has run them yet: see docs/gpu.md.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gpu_clusters.arrays import to_host
from gpu_clusters.kernels.evenodd import IN, NEAR

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]

MOST_POLYGONS = 31  # of one call of cuSpatial
TURN = 1 / math.sqrt(7)  # radians: no edge of a map is upright after it
CLOSE = 1e-9  # degrees: far more than what turning can move a point


def with_seam(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Points with those at -180 a second time, at 180: number, x and y of each."""
    seam = np.flatnonzero(lon == -180)
    number = np.concatenate([np.arange(len(lon)), seam])
    return number, np.concatenate([lon, np.full(len(seam), 180.0)]), lat[number]


def sorted_pairs(point: NDArray[np.int64], polygon: NDArray[np.int64]) -> Pairs:
    """The distinct pairs, by point, then polygon."""
    polygons = int(polygon.max(initial=0)) + 1
    key = np.sort(point * polygons + polygon)  # numbers sort many times as fast as rows
    return np.divmod(key[np.diff(key, prepend=-1) > 0], polygons)


def by_kernel(xp: Any, polygons: NDArray[Any], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Pairs:
    """By the native kernel, on arrays of the module ``xp``: cupy."""
    from gpu_clusters.engines import cuda

    number, x, y = with_seam(lon, lat)
    edges, first = edges_of(polygons)
    shapes = [xp.asarray(array) for array in (edges, first, np.ascontiguousarray(shapely.bounds(polygons).T))]
    points = [xp.asarray(array) for array in (x, y)]
    count, nothing = xp.zeros(len(x) + 1, np.int64), xp.empty(0, np.int64)
    cuda.launch(cuda.find_polygons, len(x), *points, *shapes, count[1:], nothing, nothing)
    slot = xp.cumsum(count)
    polygon, state = xp.empty((2, int(slot[-1])), np.int64)
    cuda.launch(cuda.find_polygons, len(x), *points, *shapes, slot[:-1].copy(), polygon, state)
    point = np.repeat(np.arange(len(x)), np.diff(to_host(slot)))
    polygon, state = to_host(polygon), to_host(state)
    inside = state == IN
    near = np.flatnonzero(state == NEAR)
    inside[near] = covers(polygons, polygon[near], x[point[near]], y[point[near]])
    return sorted_pairs(number[point[inside]], polygon[inside])


def by_cuspatial(
    cuspatial: Any, series: Any, polygons: NDArray[Any], lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> Pairs:
    """By ``cuspatial.point_in_polygon``, which knows no multipolygons, takes 31 polygons, and is wrong beside upright edges.

    Parameters
    ----------
    cuspatial : module
        Of RAPIDS 25.04, the last.
    series : class
        ``cudf.Series``.
    polygons, lon, lat
        See `steps.inside.points_inside`.
    """
    number, x, y = with_seam(lon, lat)
    parts, owner = shapely.get_parts(polygons, return_index=True)
    parts, owner = parts[~shapely.is_empty(parts)], owner[~shapely.is_empty(parts)]
    close, near = shapely.STRtree(shapely.boundary(parts)).query(
        shapely.points(x, y), predicate="dwithin", distance=CLOSE
    )
    turned = shapely.transform(parts, _turned)
    points = cuspatial.GeoSeries.from_points_xy(series(_turned(np.stack([x, y], axis=1)).ravel()))
    exact = covers(parts, near, x[close], y[close])
    pairs = [(close[exact], near[exact])]
    for begin in range(0, len(parts) if len(x) else 0, MOST_POLYGONS):
        some = turned[begin : begin + MOST_POLYGONS]
        point, part = np.nonzero(cuspatial.point_in_polygon(points, cuspatial.GeoSeries(list(some))).to_numpy())
        part += begin
        clear = ~np.isin(part * len(x) + point, near * len(x) + close)
        pairs.append((point[clear], part[clear]))
    point, part = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return sorted_pairs(number[point], owner[part])


def edges_of(polygons: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Edges of all rings, (4, e) ``x0, y0, x1, y1``, polygon after polygon, and the first of each polygon, (k + 1,)."""
    parts, polygon = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    same = np.flatnonzero(ring[1:] == ring[:-1])
    edges = np.ascontiguousarray(np.concatenate([corners[same], corners[same + 1]], axis=1).T)
    return edges, np.searchsorted(polygon[part[ring[same]]], np.arange(len(polygons) + 1))


def covers(
    polygons: NDArray[Any], polygon: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each point is in its polygon, edges included, by shapely."""
    return shapely.intersects_xy(polygons[polygon], x, y) if len(x) else np.zeros(0, bool)


def _turned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    sine, cosine = math.sin(TURN), math.cos(TURN)
    return np.stack([points[:, 0] * cosine - points[:, 1] * sine, points[:, 0] * sine + points[:, 1] * cosine], axis=1)
