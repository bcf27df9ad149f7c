"""Population: the people in each cluster's area, and what a cluster has per million of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gpu_clusters.degrees import meet
from gpu_clusters.engines.counting import ON_CPU, Counting
from gpu_clusters.kernels.totals import Totals, sums
from gpu_clusters.steps.inside import Inside, points_inside
from gpu_clusters.steps.outline import EVERYTHING, SMALLEST
from gpu_clusters.steps.score import ranked
from gpu_clusters.wording import counted

if TYPE_CHECKING:
    from gpu_clusters.io.cells import Cells
    from gpu_clusters.io.grids import Grid

MILLION = 1e6
PER_MILLION = ("patents", "publications", "deals")
STEPS = 5  # from the middle of an area's disc to its edge, where the part outside of the rasters is estimated
AT_A_TIME = 20_000  # members whose discs are laid out together
SLACK = 1e-6  # degrees
LISTED = 10  # clusters that a warning names
ON_EARTH = 1e10  # people; more are no people
FEW_CELLS = 10  # in an area; with fewer its people are those of the cells that happen to have their centre in it


class People(NamedTuple):
    """What rasters say about ``k`` areas; (k,) each."""

    population: NDArray[np.float64]  # NaN where not one cell with a number has its centre in the area
    cells: NDArray[np.int64]  # with a number and their centre in the area
    without_data: NDArray[np.float64]  # part of the area, 0..1, outside of the rasters or without a number there
    outside: NDArray[np.float64]  # part of the area, 0..1, outside of every raster
    nowhere: NDArray[np.bool_]  # there is no area: the polygon is empty


def count_people(
    cells: Iterable[Cells],
    grids: Sequence[Grid],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    cluster: NDArray[np.int64],
    clusters: int,
    area_degrees: float,
    tell: Callable[[float], None] | None = None,
    counting: Counting = ON_CPU,
) -> People:
    """Sum the cells whose centre is in each cluster's area (method, section 9).

    The sums are exact until their last rounding, so neither the order of cells nor their division into windows, tiles or
    rasters changes them. A cell in two areas counts in both.

    Parameters
    ----------
    cells : iterable of Cells
        Every cell near the members once, as of `io.cells.cells_near`.
    grids : sequence of Grid
        The rasters that the cells come from.
    lon, lat : (m,) float64
        Member locations of all clusters; degrees, lon in [-180, 180).
    cluster : (m,) int64
        Their clusters, 0..clusters - 1; each has a member.
    clusters : int
    area_degrees : float
        An area is what lies within so many degrees of a member.
    tell : callable, optional
        Told the part that is done, 0..1.
    counting : Counting
    """
    if not clusters:
        return People(np.zeros(0), np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
    found = counting.nothing(clusters)
    areas = counting.areas(lon, lat, cluster, clusters, area_degrees)
    for window in cells:
        counting.gather(areas, found, window.lon, window.lat, window.value)
        if tell is not None:
            tell(window.part)
    outside = share_outside(grids, lon, lat, cluster, clusters, area_degrees)
    return _people(counting.finish(found), outside, np.zeros(clusters, np.bool_))


def count_people_in(
    cells: Iterable[Cells],
    grids: Sequence[Grid],
    polygons: NDArray[Any],
    tell: Callable[[float], None] | None = None,
    inside: Inside = points_inside,
    counting: Counting = ON_CPU,
) -> People:
    """Sum the cells whose centre is in each polygon, (k,) of shapely, which replace the areas; as `count_people` else.

    ``cells`` are those of `io.cells.cells_in`. An empty polygon is all without data.
    """
    found = counting.nothing(len(polygons))
    for window in cells:
        point, polygon = inside(polygons, window.lon, window.lat)
        counting.add(found, polygon, window.value[point])
        if tell is not None:
            tell(window.part)
    return _people(counting.finish(found), _polygons_outside(grids, polygons), shapely.is_empty(polygons))


def _people(totals: Totals, outside: NDArray[np.float64], nowhere: NDArray[np.bool_]) -> People:
    empty = np.where(nowhere, 1.0, totals.empty / np.maximum(totals.held + totals.empty, 1))
    return People(sums(totals), totals.held, outside + (1 - outside) * empty, outside, nowhere)


def share_outside(
    grids: Sequence[Grid],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    cluster: NDArray[np.int64],
    clusters: int,
    area_degrees: float,
) -> NDArray[np.float64]:
    """Part of each area, 0..1, that lies in no raster: nothing and all of it exactly, else by a lattice of points."""
    area_degrees = min(max(area_degrees, SMALLEST), EVERYTHING)  # a lattice has points on Earth, and numbers for them
    boxes = _boxes(grids)
    order = np.argsort(cluster, kind="stable")
    start = np.searchsorted(cluster[order], np.arange(clusters + 1))
    share = np.empty(clusters)
    for number in range(clusters):
        own = order[start[number] : start[number + 1]]
        x, y = lon[own], lat[own]
        x = np.where(x < x[0] - 180, x + 360, np.where(x >= x[0] + 180, x - 360, x))
        box = (x.min() - area_degrees, y.min() - area_degrees, x.max() + area_degrees, y.max() + area_degrees)
        share[number] = _outside(grids, boxes, box, partial(_lattice, x, y, area_degrees))
    return share


def _polygons_outside(grids: Sequence[Grid], polygons: NDArray[Any]) -> NDArray[np.float64]:
    """Part of each polygon, 0..1, that lies in no raster, as `share_outside`; 0 of an empty one."""
    boxes = _boxes(grids)
    parts, number = shapely.get_parts(polygons, return_index=True)
    outside = [_outside(grids, boxes, part.bounds, partial(_lattice_in, part)) for part in parts]
    area = shapely.area(parts)
    whole = np.bincount(number, weights=area, minlength=len(polygons))
    lost = np.bincount(number, weights=area * outside, minlength=len(polygons))
    return np.divide(lost, whole, out=np.zeros(len(polygons)), where=whole > 0)


def _boxes(grids: Sequence[Grid]) -> NDArray[np.float64]:
    return np.array([grid.bounds_in_degrees for grid in grids]).reshape(-1, 4)


def _outside(
    grids: Sequence[Grid],
    boxes: NDArray[np.float64],
    box: tuple[float, float, float, float],
    lattice: Callable[[], tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> float:
    """Part of what lies in ``box`` that no raster covers; the points of ``lattice`` stand for it where that is not plain."""
    near = [grids[i] for i in np.flatnonzero(meet(box, boxes, 360.0, -SLACK)).tolist()]
    frame = _frame(*box)
    if any(grid.covers(*frame).all() for grid in near):
        return 0.0
    points = lattice() if near else frame
    covered = np.zeros(len(points[0]), np.bool_)
    for grid in near:
        covered |= grid.covers(*points)
    return float(1 - covered.mean())


def _frame(west: float, south: float, east: float, north: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points all over a box."""
    x = np.linspace(west, east, 2 * STEPS)
    y = np.linspace(max(south, -90.0), min(north, 90.0), 2 * STEPS)
    x, y = (values.ravel() for values in np.meshgrid(x, y))
    return _on_earth(x), y


def _lattice(
    lon: NDArray[np.float64], lat: NDArray[np.float64], area_degrees: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a lattice in the area, about 80 to a disc, members moved to the middle of the nearest four."""
    step = area_degrees / STEPS
    first = lon.min() - 1, lat.min() - 1
    at = np.stack([np.round((lon - first[0]) / step), np.round((lat - first[1]) / step)], axis=1).astype(np.int64)
    row, column = np.mgrid[-STEPS:STEPS, -STEPS:STEPS].reshape(2, -1)
    disc = np.stack([column, row], axis=1)[(row + 0.5) ** 2 + (column + 0.5) ** 2 <= STEPS * STEPS]
    at = np.unique(at, axis=0)
    points = np.empty((0, 2), np.int64)
    for part in range(0, len(at), AT_A_TIME):
        more = (at[part : part + AT_A_TIME, None, :] + disc).reshape(-1, 2)
        points = np.unique(np.concatenate([points, more]), axis=0)
    x, y = first[0] + step * (points[:, 0] + 0.5), first[1] + step * (points[:, 1] + 0.5)
    there = np.abs(y) <= 90
    return _on_earth(x[there]), y[there]


def _lattice_in(polygon: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a lattice in a polygon; at least one."""
    west, south, east, north = polygon.bounds
    x, y = np.meshgrid(np.linspace(west, east, 8 * STEPS + 1)[1::2], np.linspace(south, north, 8 * STEPS + 1)[1::2])
    shapely.prepare(polygon)
    inside = shapely.intersects_xy(polygon, x, y)
    if not inside.any():
        x, y = shapely.get_coordinates(shapely.point_on_surface(polygon)).T
        return _on_earth(x), y
    return _on_earth(x[inside]), y[inside]


def _on_earth(lon: NDArray[np.float64]) -> NDArray[np.float64]:
    return (lon + 180) % 360 - 180


def with_people(ranking: pd.DataFrame, people: People, order: NDArray[np.int64], top: int) -> pd.DataFrame:
    """Add population and what a cluster has per million people; empty where none are known or there are none.

    Parameters
    ----------
    ranking : DataFrame
        By rank, in the columns of ``schema.RANKING``.
    people : People
    order : (k,) int64
        The clusters by rank.
    top : int
        ``intensity_rank`` is among the first so many clusters; ties as in `score.ranked`.
    """
    number = people.population[order]
    peopled = number > 0
    millions = np.where(peopled, number, 1.0) / MILLION
    columns = {"population": nullable(number, np.isfinite(number))}
    for name in PER_MILLION:
        columns[f"{name}_per_million"] = nullable(ranking[name].to_numpy(np.float64) / millions, peopled)
    intensity = ranking["total_share"].to_numpy(np.float64) / millions
    columns["intensity"] = nullable(intensity, peopled)
    among = peopled & (np.arange(len(ranking)) < top)
    rank = np.zeros(len(ranking), np.int64)
    _, rank[among] = ranked(intensity[among])
    columns["intensity_rank"] = pd.array(rank, dtype="Int64")
    columns["intensity_rank"][~among] = pd.NA
    return ranking.assign(**columns)


def nullable(values: NDArray[np.float64], known: NDArray[np.bool_]) -> Any:
    """A pandas array that is empty where ``values`` are not known."""
    result = pd.array(np.where(known, values, 0.0), dtype="Float64")
    result[~known] = pd.NA
    return result


def gaps(people: People, cluster_id: NDArray[np.int64]) -> list[dict[str, Any]]:
    """The clusters of whose areas a part is without data, in the order of their numbers."""
    order = np.argsort(cluster_id)
    return [
        {
            "cluster_id": int(cluster_id[i]),
            "cells": int(people.cells[i]),
            "without_data": round(float(people.without_data[i]), 4),
            "outside": round(float(people.outside[i]), 4),
        }
        for i in order
        if people.without_data[i] > 0 or people.cells[i] == 0
    ]


def warnings_of(people: People, cluster_id: NDArray[np.int64], top: int) -> list[str]:
    """What the reader of the populations must know; the first ``top`` clusters are in the intensity ranking."""
    missing = (people.cells == 0) & ~people.nowhere
    all_outside, partly = missing & (people.outside == 1), ~missing & (people.outside > 0)
    no_number, no_centre = _without(people, missing)
    blank = (people.cells > 0) & (people.outside == 0) & (people.without_data > 0)
    found = (
        (all_outside, "outside of the rasters, with an empty population; add the rasters that are missing"),
        (people.nowhere, "without a polygon, with an empty population"),
        (no_number, "where the rasters hold no number, with an empty population"),
        (
            no_centre,
            "without a cell's centre in the area, the cells are too large; take finer rasters or larger areas",
        ),
        (partly, "partly outside of the rasters, with a population that is too small; without data are"),
        (
            people.population > ON_EARTH,
            "with more people than live on Earth; does the raster name its nodata value, and do its cells count people?",
        ),
        (blank, "partly where the rasters hold no number (often water); without data are"),
    )
    lines = []
    for which, what in found:
        if which.any():
            count = int(which.sum())
            shares = people.without_data if which is partly or which is blank else None
            lines.append(
                f"population: {count:,} of {counted(len(missing), 'cluster')} {what} {_listed(cluster_id, which, shares)}"
            )
    few = (cluster_id <= top) & (people.cells > 0) & (people.cells < FEW_CELLS * (1 - people.without_data))
    if few.any():
        among = counted(min(top, len(few)), "cluster")
        lines.append(
            f"population: fewer than {FEW_CELLS} cells lie in the area of {int(few.sum()):,} of the {among} that may enter the "
            "intensity ranking, so that people and intensity there are a matter of luck; take finer rasters or larger areas "
            + _listed(cluster_id, few, None)
        )
    return lines


def _without(people: People, missing: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Clusters without a number though not all outside: for want of numbers, or for want of cells."""
    rest = missing & (people.outside < 1)
    no_number = rest & (people.without_data > people.outside)
    return no_number, rest & ~no_number


def _listed(cluster_id: NDArray[np.int64], which: NDArray[np.bool_], shares: NDArray[np.float64] | None) -> str:
    """Numbers of clusters for reading, or the largest shares with theirs."""
    chosen = np.flatnonzero(which)
    if shares is None:
        names = [str(number) for number in np.sort(cluster_id[chosen])[:LISTED].tolist()]
        return f"(cluster {', '.join(names)}{', ...' if len(chosen) > LISTED else ''})"
    chosen = chosen[np.lexsort((cluster_id[chosen], -shares[chosen]))]
    texts = [f"{100 * shares[i]:.3g} % of cluster {cluster_id[i]}" for i in chosen[:LISTED]]
    return ", ".join(texts) + (", ..." if len(chosen) > LISTED else "")
