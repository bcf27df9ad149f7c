"""The area of each cluster as a polygon."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.areas import nearest_members
from gpu_clusters.kernels.discs import Areas, areas, within
from gpu_clusters.kernels.outline import near_others, uncovered
from gpu_clusters.kernels.spaces import degrees_reach, in_degrees
from gpu_clusters.steps.divide import lines_between

QUARTER = 16  # edges of a polygon to a quarter of a circle
OUTSIDE = 1 / math.cos(math.pi / (4 * QUARTER))  # radius of a polygon around a circle of radius 1
SMALLEST = 1e-9  # degrees: smaller areas are drawn so large, for the coordinates have no more room
EVERYTHING = 500.0  # degrees: an area that holds all of the plane of longitudes and latitudes
WORLD = shapely.box(-180, -90, 180, 90)
Polygons = NDArray[Any]


def decimals(area_degrees: float) -> int:
    """Decimals of a degree that the corners of areas are rounded to: 7, a centimetre, or more for very small areas."""
    return min(max(7, 4 - math.floor(math.log10(area_degrees))), 12)


def tolerance(area_degrees: float) -> float:
    """How far, in degrees, a polygon of `area_polygons` may reach beyond the area; it never stays behind it."""
    return area_degrees * (OUTSIDE - 1) + 4 * 10.0 ** -decimals(area_degrees)


def area_polygons(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    group: NDArray[np.int64],
    groups: int,
    area_degrees: float,
    *,
    divided: bool = True,
) -> Polygons:
    """Areas of clusters (method, section 7) as polygons.

    A polygon holds all of its cluster's area and reaches at most `tolerance` beyond it. Where areas overlap, the nearest member
    decides whose a place is, as it does for deals: there the polygons meet on the line between (up to the rounding of their
    corners). Polygons that reach over the date line are cut there, at the poles they end.

    Parameters
    ----------
    lon, lat : (m,) float64
        Distinct member locations; degrees, lon in [-180, 180).
    group : (m,) int64
        Their clusters, 0..groups - 1; each has a member.
    groups : int
    area_degrees : float
    divided : bool
        False leaves areas that overlap as they are.

    Returns
    -------
    (groups,) array of shapely polygons and multipolygons, valid, longitudes in -180..180

    Notes
    -----
    Only members are drawn whose disc is not covered by discs around (`kernels.outline.uncovered`): a few in a hundred. Gaps that
    come of leaving out the others are told from real ones by asking whether a point in them lies in the area.
    """
    polygons = np.full(groups, shapely.Polygon(), object)
    if not groups:
        return polygons
    area_degrees = min(max(area_degrees, SMALLEST), EVERYTHING)
    grid = 10.0 ** -decimals(area_degrees)
    radius = (area_degrees + 2 * grid) * OUTSIDE
    x, y, owner = _with_images(lon, lat, group, radius)
    outer = np.flatnonzero(uncovered(x, y, owner, area_degrees))
    outer = outer[np.argsort(owner[outer], kind="stable")]
    start = np.searchsorted(owner[outer], np.arange(groups + 1))
    discs = shapely.buffer(shapely.points(x[outer], y[outer]), radius, quad_segs=QUARTER)
    for number in range(groups):
        polygons[number] = shapely.union_all(discs[start[number] : start[number + 1]])
    polygons = _filled(polygons, areas(lon, lat, group, groups, area_degrees))
    polygons = shapely.set_precision(shapely.intersection(polygons, WORLD), grid)
    reach = radius * (1 + 1e-6) + 8 * grid  # lines must end beyond the edges, whose corners are rounded
    return _divided(polygons, x, y, owner, reach, grid) if divided else polygons


def turned(lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes at most a turn away, brought back to [-180, 180)."""
    return np.where(lon >= 180, lon - 360, np.where(lon < -180, lon + 360, lon))


def _with_images(
    lon: NDArray[np.float64], lat: NDArray[np.float64], group: NDArray[np.int64], radius: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Members, and once more, a turn farther, those whose discs come back on the other side of the date line."""
    east, west = np.flatnonzero(lon <= 2 * radius - 180), np.flatnonzero(lon >= 180 - 2 * radius)
    every = np.concatenate([np.arange(len(lon)), east, west])
    return np.concatenate([lon, lon[east] + 360, lon[west] - 360]), lat[every], group[every]


def _filled(polygons: Polygons, found: Areas) -> Polygons:
    """The polygons without the gaps that lie in the areas themselves; a gap lies there wholly or not at all."""
    gaps, owner = [np.empty(0, object)], [np.empty(0, np.int64)]
    for number, polygon in enumerate(polygons):
        gaps.append(_gaps(polygon))
        owner.append(np.full(len(gaps[-1]), number))
    every, owners = np.concatenate(gaps), np.concatenate(owner)
    there = shapely.intersection(every, WORLD)
    seen = shapely.area(there) > 0
    every, owners = every[seen], owners[seen]
    at = shapely.get_coordinates(shapely.point_on_surface(there[seen]))
    false = within(found, owners, turned(at[:, 0]), at[:, 1])
    filled = polygons.copy()
    for number in np.unique(owners[false]):
        filled[number] = shapely.union_all([polygons[number], *every[false & (owners == number)]])
    return filled


def _gaps(polygon: Any) -> Polygons:
    """The gaps in a polygon, without the parts of it that lie in them."""
    parts = shapely.get_parts(polygon)
    rings, part = shapely.get_rings(parts, return_index=True)
    first = np.diff(part, prepend=-1) > 0  # of a part: what is around it
    outer, gaps = shapely.polygons(rings[first]), shapely.polygons(rings[~first])
    gap, island = shapely.STRtree(outer).query(gaps, predicate="contains")
    for number in np.unique(gap):
        gaps[number] = shapely.difference(gaps[number], shapely.union_all(outer[island[gap == number]]))
    return shapely.get_parts(gaps)


def _divided(
    polygons: Polygons,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    group: NDArray[np.int64],
    radius: float,
    grid: float,
) -> Polygons:
    """The polygons without what is nearer to another group's members."""
    facing = np.flatnonzero(near_others(x, y, group, 2 * radius))
    unit = grid / 1024
    facing = facing[_apart(x[facing], y[facing], group[facing], unit)]
    x, y, group = x[facing], y[facing], group[facing]
    lines = lines_between(_in_units(x, y, unit), group, math.ceil(radius / unit))
    order = np.argsort(lines.sides.ravel(), kind="stable")
    start = np.searchsorted(lines.sides.ravel()[order], np.arange(len(polygons) + 1))
    cut = np.flatnonzero(np.diff(start))
    faces, owner = [np.empty(0, object)], [np.empty(0, np.int64)]
    for number in cut:
        own = shapely.linestrings(lines.ends[order[start[number] : start[number + 1]] // 2] * unit)
        faces.append(_faces(polygons[number], own, grid))
        owner.append(np.full(len(faces[-1]), number))
    every, owners = np.concatenate(faces), np.concatenate(owner)
    at = shapely.get_coordinates(shapely.point_on_surface(every))
    nearest = _nearest(at, x, y, group, radius)
    kept = (nearest == owners) | (nearest < 0)
    result = polygons.copy()
    for number in cut:
        result[number] = shapely.union_all(every[kept & (owners == number)], grid_size=grid)
    return result


def _apart(
    x: NDArray[np.float64], y: NDArray[np.float64], group: NDArray[np.int64], distance: float
) -> NDArray[np.int64]:
    """One of each group's points that all but coincide: triangles between these have no width, and their lines no place."""
    keys = (y, x, np.rint(y / distance), np.rint(x / distance), group)
    order = np.lexsort(keys)
    first = np.ones(len(order), np.bool_)
    first[1:] = np.any([key[order[1:]] != key[order[:-1]] for key in keys[2:]], axis=0)
    return np.sort(order[first])


def _in_units(x: NDArray[np.float64], y: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Points in whole units, (n, 2), but for those that would become one: what is in a line must not be almost in a line.

    GEOS leaves triangles with next to no width where they are, and wrong ones around them.
    """
    exact = np.stack([x, y], axis=1) / unit
    whole = np.rint(exact)
    _, place, points = np.unique(whole[:, 0] + 1j * whole[:, 1], return_inverse=True, return_counts=True)
    return np.where(points[place, None] > 1, exact, whole)


def _faces(polygon: Any, lines: Polygons, grid: float) -> Polygons:
    """The parts that lines cut a polygon into."""
    noded = shapely.union_all([shapely.boundary(polygon), *lines], grid_size=grid)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    at = shapely.get_coordinates(shapely.point_on_surface(faces))
    shapely.prepare(polygon)
    return faces[shapely.intersects_xy(polygon, at[:, 0], at[:, 1])]


def _nearest(
    at: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], group: NDArray[np.int64], radius: float
) -> NDArray[np.int64]:
    """Group of the nearest point within the radius of each place; -1 for none."""
    result = np.full(len(at), -1)
    if len(at):
        reach = degrees_reach(radius)
        targets = index.build(in_degrees(turned(x), y), reach)
        queries = index.build(in_degrees(turned(at[:, 0]), at[:, 1]), reach)
        result[queries.order] = nearest_members(queries, targets, group[targets.order], reach)
    return result
