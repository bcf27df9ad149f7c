"""The part of areas and polygons that no raster covers, counted in plain Python, and what a reader is told about it."""

from __future__ import annotations

import math

import numpy as np
import pyproj
import pytest
import shapely
from rasters import Plain

from gpu_clusters import people_within
from gpu_clusters.io.cells import cells_in
from gpu_clusters.io.grids import Grid
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import open_rasters
from gpu_clusters.steps import population
from gpu_clusters.steps.population import People, count_people, count_people_in, gaps, share_outside, warnings_of

AREA, STEP = 0.05, 0.01
DISC = [(i, j) for i in range(-5, 5) for j in range(-5, 5) if math.hypot(i + 0.5, j + 0.5) <= 5]


def box(west: float, south: float, east: float, north: float) -> Grid:
    """A raster of one cell."""
    return Grid("box", pyproj.CRS("EPSG:4326"), (east - west, 0, west, 0, south - north, north), 1, 1)


def outside(grids, places, area=AREA) -> float:
    """Part of one area outside of the rasters."""
    lon, lat = np.array(places, float).T
    (share,) = share_outside(grids, lon, lat, np.zeros(len(lon), np.int64), 1, area)
    return share


@pytest.mark.parametrize("steps", [-5, -3, -1, -0.6, -0.4, 0, 0.4, 0.6, 1, 2, 3, 4, 5])
def test_a_disc_is_eighty_points(steps):
    assert len(DISC) == 80
    beyond = sum(i + 0.5 > steps for i, _ in DISC) / 80
    edge = 0.5 + steps * STEP
    for grid in (box(0, 0, edge, 1), box(0, 0, 1, edge)):
        assert outside([grid], [(0.5, 0.5)]) == pytest.approx(beyond, abs=1e-12)
    for grid in (box(edge, 0, 1, 1), box(0, edge, 1, 1)):
        assert outside([grid], [(0.5, 0.5)]) == pytest.approx(1 - beyond, abs=1e-12)


@pytest.mark.parametrize("part", [1, 3, population.AT_A_TIME])
@pytest.mark.parametrize("seed", range(5))
def test_discs_that_overlap_count_once(seed, part, monkeypatch):
    monkeypatch.setattr(population, "AT_A_TIME", part)
    rng = np.random.default_rng(seed)
    at = np.array([(0, 0), *rng.integers(0, 12, (6, 2)).tolist()])
    points = {(x + i, y + j) for x, y in at.tolist() for i, j in DISC}
    turn = (0.0, 180.0 - 6 * STEP)[seed % 2]  # the second across the date line
    edges = rng.integers(-4, 16, (2, 2))
    grids = [
        box(turn - 1, -1, turn + edges[0, 0] * STEP, edges[0, 1] * STEP),
        box(turn + edges[1, 0] * STEP, edges[1, 1] * STEP, turn + 1, 1),
    ]
    lost = [not ((x < edges[0]).all() or (x >= edges[1]).all()) for x in map(np.array, sorted(points))]
    lon = (turn + at[:, 0] * STEP + 180) % 360 - 180
    assert outside(grids, np.column_stack([lon, at[:, 1] * STEP])) == pytest.approx(np.mean(lost), abs=1e-12)


def test_nothing_and_all_are_exact():
    assert outside([box(0.45, 0.45, 0.56, 0.56)], [(0.5, 0.5), (0.51, 0.51)], 0.05 - 1e-9) == 0
    assert outside([box(0, 0, 0.5, 1), box(0.5, 0, 1, 1)], [(0.5, 0.5)]) == 0
    assert outside([box(0, 0, 1, 1)], [(3.0, 0.5)]) == outside([], [(3.0, 0.5)]) == 1
    half = [box(0, -90, 180, 90)]
    assert 0 < outside(half, [(0.5, 0.5)], 500) < 1
    assert outside(half, [(0.5, 0.5)], 1e4) == outside(half, [(0.5, 0.5)], 1e308) == outside(half, [(0.5, 0.5)], 500)
    assert outside([box(0, 0, 1, 1)], [(0.5, 0.5), (3.0, 0.5)], 1e-300) == 0.5
    assert outside([box(0, 89, 1, 90)], [(0.5, 89.98)]) == outside([box(0, -90, 1, -89)], [(0.5, -89.98)]) == 0
    assert outside([box(0, 89, 0.5, 90)], [(0.5, 89.98)]) == 0.5  # what is beyond the pole is no place
    assert outside([box(0, 0, 1, 1)], [(0.95, 0.5), (0.05, 0.5)]) == 0


@pytest.mark.parametrize("other", [(0.5, 0.0), (0.0, 0.5), (1.0, 0.5), (0.5, 1.0)])
def test_a_member_at_the_edge_counts_on_every_side(other):
    assert outside([box(0, 0, 1, 1)], [(0.5, 0.5), other]) == outside([box(0, 0, 1, 1)], [other, (0.5, 0.5)]) == 0.25


def test_every_cluster_has_its_own_part():
    lon, lat = np.array([0.5, 3.0, 1.0, 0.6, 1.0]), np.array([0.5, 0.5, 0.5, 0.5, 0.53])
    share = share_outside([box(0, 0, 1, 1)], lon, lat, np.array([1, 2, 0, 1, 0]), 3, AREA)
    assert share.tolist() == [0.5, 0.0, 1.0]


def test_no_cluster_has_no_people():
    none = np.zeros(0)
    found = count_people(iter([]), [box(0, 0, 1, 1)], none, none, none.astype(np.int64), 0, AREA)
    assert [(len(column), column.dtype.kind) for column in found] == [(0, kind) for kind in "fiffb"]


def in_polygons(grids, polygons) -> list[float]:
    """Parts of polygons outside of the rasters, when no cell is read."""
    return count_people_in([], grids, np.array(polygons, object)).outside.tolist()


def test_polygons_are_weighed_by_the_area_of_their_parts():
    grid, near = box(0, 0, 1, 1), shapely.box(0.1, 0.1, 0.5, 0.2)
    far, half = shapely.box(5, 5, 5.1, 5.1), shapely.box(0.9, 0.5, 1.1, 0.7)
    triangle = shapely.Polygon([(0.8, 0), (1.2, 0), (1.2, 0.4)])
    found = in_polygons([grid], [near, far, half, triangle, shapely.MultiPolygon([far, near, half])])
    assert found[:2] == [0, 1]
    assert found[2] == pytest.approx(0.5, abs=1e-12)
    assert found[3] == pytest.approx(0.75, abs=0.03)
    assert found[4] == pytest.approx((0.01 + 0.02) / (0.01 + 0.04 + 0.04), abs=1e-12)
    assert in_polygons([box(0, 0, 1, 0.55)], [half]) == pytest.approx([1 - 0.5 * 5 / 20], abs=1e-12)


def test_a_polygon_between_the_points_of_its_lattice_has_a_point_of_its_own():
    angle = shapely.box(0, 0, 1, 1).difference(shapely.box(0.001, 0.001, 1, 1))
    x, y = shapely.get_coordinates(shapely.point_on_surface(angle))[0]
    around = box(x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4)
    assert in_polygons([around], [angle]) == [0]
    assert in_polygons([box(0.5, 0.5, 0.6, 0.6)], [angle]) == [1]


def test_no_number_and_no_raster_add_up():
    raster = Plain(np.ones((100, 50)), (0.01, 0, 0, 0, -0.01, 1))
    raster.stored[:50] = np.nan
    places, labels = [(0.5, 0.5), (0.105, 0.905)], [3, 4]
    for area, of_cell in (
        (0.1, [0.75, 1]),
        (0.004, [0.5, 1]),
    ):  # the second holds a cell, or none and one without a number
        found = people_within(places, raster.array(), area_degrees=area, labels=labels)["without_data"]
        assert found.tolist() == pytest.approx(of_cell, abs=1e-12)
    half, cell = shapely.box(0.4, 0.4, 0.6, 0.6), shapely.box(0.101, 0.901, 0.109, 0.909)
    polygons = np.array([half, cell], object)
    with open_rasters(raster.array()) as (rasters, _):
        found = count_people_in(cells_in(Mosaic(rasters), polygons), [one.grid for one in rasters], polygons)
    assert found.cells.tolist() == [100, 0] and found.without_data.tolist() == pytest.approx([0.75, 1], abs=1e-12)


def people(*rows) -> People:
    """People of areas: population, cells, part without data, part outside, whether there is none."""
    columns = np.array(rows, float).reshape(-1, 5).T
    return People(columns[0], columns[1].astype(np.int64), *columns[2:4], columns[4] > 0)


NONE = math.nan
ALL = people(
    (5, 10, 0, 0, 0),  # nothing to say
    (NONE, 0, 1, 1, 0),  # all outside
    (NONE, 0, 1, 0.4, 0),  # no number in the rasters
    (NONE, 0, 0, 0, 0),  # cells too large
    (NONE, 0, 0.3, 0.3, 0),  # so, and partly outside
    (3, 9, 0.25, 0.125, 0),  # partly outside
    (3, 9, 0.5, 0.001, 0),  # as well
    (3, 10, 0.0625, 0, 0),  # some cells without a number
    (NONE, 0, 1, 0, 1),  # no area
)
IDS = np.array([8, 7, 6, 5, 4, 3, 2, 1, 9])


def test_the_reader_is_told_what_is_missing_and_why():
    of = "of 9 clusters"
    assert warnings_of(ALL, IDS, 100) == [
        f"population: 1 {of} outside of the rasters, with an empty population; add the rasters that are missing (cluster 7)",
        f"population: 1 {of} without a polygon, with an empty population (cluster 9)",
        f"population: 1 {of} where the rasters hold no number, with an empty population (cluster 6)",
        f"population: 2 {of} without a cell's centre in the area, the cells are too large; take finer rasters or larger "
        "areas (cluster 4, 5)",
        f"population: 2 {of} partly outside of the rasters, with a population that is too small; without data are 50 % of "
        "cluster 2, 25 % of cluster 3",
        f"population: 1 {of} partly where the rasters hold no number (often water); without data are 6.25 % of cluster 1",
    ]
    assert warnings_of(people((5, 10, 0, 0, 0)), np.array([1]), 100) == []


def test_numbers_that_are_no_people_are_told():
    """Sums of what stands for no number in a raster that does not say so."""
    found = people((1e10, 10, 0, 0, 0), (9.97e36, 10, 0, 0, 0), (math.inf, 10, 0, 0, 0), (NONE, 0, 1, 1, 0))
    assert warnings_of(found, np.array([4, 3, 2, 1]), 100)[-1] == (
        "population: 2 of 4 clusters with more people than live on Earth; does the raster name its nodata value, and do its "
        "cells count people? (cluster 2, 3)"
    )


def test_areas_of_few_cells_are_told_as_far_as_the_intensity_ranking_goes():
    found = people(
        (5, 9, 0, 0, 0), (5, 10, 0, 0, 0), (NONE, 0, 0, 0, 0), (5, 1, 0, 0, 0), (5, 1, 0.9, 0, 0), (5, 1, 0, 0, 0)
    )
    ids = np.array([3, 2, 1, 5, 4, 6])
    for top, among, listed in ((5, "2 of the 5 clusters", "3, 5"), (100, "3 of the 6 clusters", "3, 5, 6")):
        assert warnings_of(found, ids, top)[-1] == (
            f"population: fewer than 10 cells lie in the area of {among} that may enter the intensity ranking, so that people "
            f"and intensity there are a matter of luck; take finer rasters or larger areas (cluster {listed})"
        )
    assert len(warnings_of(found, ids, 2)) == 2  # of centres, of numbers


@pytest.mark.parametrize("count", [10, 11])
def test_ten_clusters_are_listed(count):
    more, numbers = ", ..." * (count > 10), np.arange(count, 0, -1)
    (line,) = warnings_of(people(*[(NONE, 0, 1, 1, 0)] * count), numbers, 0)
    assert line.endswith(f"(cluster 1, 2, 3, 4, 5, 6, 7, 8, 9, 10{more})")
    (line,) = warnings_of(people(*[(1, 1, 0.5, 0.5, 0)] * count), numbers, 0)
    assert line.endswith(f"are {', '.join(f'50 % of cluster {i}' for i in range(1, 11))}{more}")


def test_the_record_has_every_cluster_with_a_gap():
    found = gaps(ALL, IDS)
    assert [entry["cluster_id"] for entry in found] == [1, 2, 3, 4, 5, 6, 7, 9]
    assert found[1] == {"cluster_id": 2, "cells": 9, "without_data": 0.5, "outside": 0.001}
    assert found[3] == {"cluster_id": 4, "cells": 0, "without_data": 0.3, "outside": 0.3}
    assert gaps(people((1, 1, 0.00006, 0.12344, 0)), np.array([1]))[0]["without_data"] == 0.0001
