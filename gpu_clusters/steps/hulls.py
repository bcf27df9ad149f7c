"""Convex and concave hulls of clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gpu_clusters.io.folding import fold

CONCAVITY = 0.3  # shapely's ratio: 0 as tight as can be, 1 convex
WIDER = 1e-11  # degrees by which a hull is widened that is turned or cut, so that rounding leaves no place outside
STEP = 0.01  # of a quarter turn around a pole, between points on an edge


def hulls(
    lon: NDArray[np.float64], lat: NDArray[np.float64], group: NDArray[np.int64], groups: int, *, concave: bool
) -> NDArray[Any]:
    """Hulls of the places of each group, in plain degrees.

    A hull spans the date line where that is the shorter way. Where places go all round, so that no half of the circle of
    longitudes is free of them, the hull is drawn on a map around the nearer pole (azimuthal, equal distances) and holds the
    pole if that map's hull does. Hulls without an area (a single place, places in a line) are empty.

    Parameters
    ----------
    lon, lat : (m,) float64
        Degrees, lon in [-180, 180).
    group : (m,) int64
        0..groups - 1.
    groups : int
    concave : bool
        Concave hulls without holes, of ratio `CONCAVITY`.

    Returns
    -------
    (groups,) array of shapely polygons and multipolygons, longitudes in -180..180
    """
    order = np.argsort(group, kind="stable")
    start = np.searchsorted(group[order], np.arange(groups + 1))
    result = np.full(groups, shapely.Polygon(), object)
    for number in range(groups):
        own = order[start[number] : start[number + 1]]
        result[number] = _hull(lon[own], lat[own], concave)
    return result


def _hull(lon: NDArray[np.float64], lat: NDArray[np.float64], concave: bool) -> Any:
    meridians = np.unique(lon)
    gaps = np.diff(meridians, append=meridians[0] + 360)
    widest = int(gaps.argmax())
    if gaps[widest] < 180:
        return _around_pole(lon, lat, concave)
    if widest == len(gaps) - 1:
        return _shape(lon, lat, concave)
    shape = _shape(np.where(lon <= meridians[widest], lon + 360, lon), lat, concave)
    return fold(np.array([_wider(shape)]))[0]


def _shape(x: NDArray[np.float64], y: NDArray[np.float64], concave: bool) -> Any:
    points = shapely.multipoints(np.stack([x, y], axis=1))
    hull = shapely.convex_hull(points)
    if hull.geom_type != "Polygon":  # of which GEOS may fail to make a concave one
        return shapely.Polygon()
    return shapely.concave_hull(points, CONCAVITY) if concave else hull


def _wider(shape: Any) -> Any:
    return shapely.buffer(shape, WIDER, join_style="mitre")


def _around_pole(lon: NDArray[np.float64], lat: NDArray[np.float64], concave: bool) -> Any:
    """The hull on a map around a pole, brought back to longitudes and latitudes quarter by quarter."""
    sign = 1.0 if lat.mean() >= 0 else -1.0
    away, turn = 90 - sign * lat, np.radians(lon)
    shape = _wider(_shape(away * np.cos(turn), away * np.sin(turn), concave))
    if shape.is_empty:
        return shape
    shape = shapely.segmentize(shape, STEP * max(away.max(), WIDER))
    quarters = []
    for west in (-180.0, -90.0, 0.0, 90.0):
        east = np.radians([west, west + 90])
        reach = 4 * away.max() + 1
        wedge = shapely.Polygon([(0, 0), *(reach * np.stack([np.cos(east), np.sin(east)], axis=1)).round(6)])
        for part in shapely.get_parts(shapely.intersection(shape, wedge)):
            if part.geom_type == "Polygon" and not part.is_empty:  # a concave hull may leave a quarter out
                quarters.append(_brought_back(part, west, sign))
    whole = shapely.union_all(quarters, grid_size=WIDER / 10)
    return shapely.intersection(shapely.make_valid(whole), shapely.box(-180, -90, 180, 90))


def _brought_back(part: Any, west: float, sign: float) -> Any:
    """A polygon on the map, in the quarter from ``west``, in degrees; the pole becomes an edge."""
    rings = []
    for ring in shapely.get_rings(part):
        x, y = shapely.get_coordinates(ring).T
        away = np.hypot(x, y)
        lon = np.clip(west + (np.degrees(np.arctan2(y, x)) - west) % 360, west, None)
        lon = np.where(lon > west + 180, west, np.minimum(lon, west + 90))  # a hair before the quarter
        corners = np.stack([lon, sign * (90 - away)], axis=1)
        pole = np.flatnonzero(away[:-1] < WIDER / 2)
        if len(pole):
            k = int(pole[0])
            before, after = lon[k - 1 if k else len(lon) - 2], lon[k + 1]
            corners = np.concatenate([corners[:k], [(before, sign * 90), (after, sign * 90)], corners[k + 1 : -1]])
        rings.append(corners)
    return shapely.make_valid(shapely.Polygon(rings[0], rings[1:]), method="structure", keep_collapsed=False)
