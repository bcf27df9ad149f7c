"""Points in polygons, and what follows for places in several of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gpu_clusters.engines.inside import Pairs, sorted_pairs, with_seam
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.areas import nearest_members
from gpu_clusters.kernels.spaces import degrees_reach, in_degrees
from gpu_clusters.steps.members import Members

AT_A_TIME = 1 << 18  # points that are looked up together

Inside = Callable[[NDArray[Any], NDArray[np.float64], NDArray[np.float64]], Pairs]
"""`points_inside`, or what a GPU does in its place."""


def points_inside(polygons: NDArray[Any], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Pairs:
    """Which points lie in which polygons, their edges included: the one question that an engine on a GPU has to answer.

    Parameters
    ----------
    polygons : (k,) array of shapely polygons and multipolygons
        Valid, longitudes in -180..180; holes are outside, their edges inside; empty ones hold nothing.
    lon, lat : (n,) float64
        Degrees, lon in [-180, 180); -180 and 180 are the same.

    Returns
    -------
    point, polygon : (p,) int64
        All pairs, sorted by point, then polygon.
    """
    tree = shapely.STRtree(polygons)
    shapely.prepare(polygons)
    number, x, y = with_seam(lon, lat)
    points, found = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for first in range(0, len(x), AT_A_TIME):
        part = slice(first, first + AT_A_TIME)
        near, polygon = tree.query(shapely.points(x[part], y[part]))
        order = np.argsort(polygon, kind="stable")
        near, polygon = near[order] + first, polygon[order]
        for own in np.split(np.arange(len(polygon)), np.flatnonzero(np.diff(polygon)) + 1) if len(polygon) else ():
            inside = near[own][shapely.intersects_xy(polygons[polygon[own[0]]], x[near[own]], y[near[own]])]
            points.append(number[inside])
            found.append(np.full(len(inside), polygon[own[0]]))
    return sorted_pairs(np.concatenate(points), np.concatenate(found))


def smallest_holding(
    polygons: NDArray[Any], lon: NDArray[np.float64], lat: NDArray[np.float64], inside: Inside = points_inside
) -> NDArray[np.int64]:
    """The polygon of the least area (in square degrees) that holds each point, the first of equals; -1 for none."""
    point, polygon = inside(polygons, lon, lat)
    place = np.empty(len(polygons), np.int64)
    place[np.argsort(shapely.area(polygons), kind="stable")] = np.arange(len(polygons))
    order = np.lexsort((place[polygon], point))
    point, first = np.unique(point[order], return_index=True)
    result = np.full(len(lon), -1)
    result[point] = polygon[order[first]]
    return result


def nearest_holding(
    polygons: NDArray[Any],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    members: Members,
    member_lon: NDArray[np.float64],
    member_lat: NDArray[np.float64],
    inside: Inside = points_inside,
) -> NDArray[np.int64]:
    """The cluster whose polygon holds each place, the one with the nearest member of several; -1 for none.

    Distances and ties are those of the method's section 7.

    Parameters
    ----------
    polygons : (k,) array of shapely polygons and multipolygons
        One a cluster, the clusters in the order of ``members``.
    lon, lat : (n,) float64
        Places, degrees.
    members : Members
    member_lon, member_lat : (m,) float64
    inside : Inside
    """
    point, polygon = inside(polygons, lon, lat)
    result = np.full(len(lon), -1)
    result[point] = polygon
    several = np.flatnonzero(np.bincount(point, minlength=len(lon)) > 1)
    starts, ends = np.searchsorted(point, several), np.searchsorted(point, several, side="right")
    contests: dict[tuple[int, ...], list[int]] = {}
    for place, start, end in zip(several.tolist(), starts.tolist(), ends.tolist(), strict=True):
        contests.setdefault(tuple(polygon[start:end].tolist()), []).append(place)
    order = np.argsort(members.cluster, kind="stable")
    first = np.searchsorted(members.cluster[order], np.arange(len(polygons) + 1))
    for rivals, places in contests.items():
        own = np.sort(np.concatenate([order[first[rival] : first[rival + 1]] for rival in rivals]))
        result[places] = _nearest(lon[places], lat[places], member_lon[own], member_lat[own], members.cluster[own])
    return result


def _nearest(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    member_lon: NDArray[np.float64],
    member_lat: NDArray[np.float64],
    cluster: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Cluster of the nearest member, however far: the reach grows until every place has one."""
    result, radius = np.full(len(lon), -1), 0.05
    while (open_ := np.flatnonzero(result < 0)).size:
        reach = degrees_reach(radius)
        targets = index.build(in_degrees(member_lon, member_lat), reach)
        queries = index.build(in_degrees(lon[open_], lat[open_]), reach)
        result[open_[queries.order]] = nearest_members(queries, targets, cluster[targets.order], reach)
        radius *= 4
    return result
