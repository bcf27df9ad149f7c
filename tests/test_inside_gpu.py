"""Points in polygons as GPUs find them, without one: the kernel's function for one point, and a double of cuSpatial."""

from __future__ import annotations

from fractions import Fraction

import doubles
import numpy as np
import pandas as pd
import pytest
import shapely
from numba import njit
from test_inside import points_about, random_polygons

from gpu_clusters.engines import inside
from gpu_clusters.kernels.evenodd import IN, NEAR, OUT, where
from gpu_clusters.steps.inside import points_inside


@njit
def states(edges, first, x, y):
    result = np.empty((len(x), len(first) - 1), np.int64)
    for p in range(len(x)):
        for k in range(len(first) - 1):
            result[p, k] = where(edges, first[k], first[k + 1], x[p], y[p])
    return result


def scene(seed):
    rng = np.random.default_rng(seed)
    digits = int(rng.choice([0, 1, 6]))
    shapes = random_polygons(rng, digits)
    corners = shapely.get_coordinates(shapes)
    beside = corners[rng.integers(0, len(corners), 60)] + rng.normal(size=(60, 2)) * 1e-15
    return shapes, np.concatenate([points_about(rng, shapes, digits), beside])


@pytest.mark.parametrize("seed", range(30))
def test_the_kernel_is_right_or_says_that_it_cannot_tell(seed):
    shapes, points = scene(seed)
    found = states(*inside.edges_of(shapes), *points.T.copy())
    exact = np.stack([shapely.intersects_xy(shape, *points.T) for shape in shapes], axis=1)
    assert np.isin(found, (OUT, IN, NEAR)).all() and (found[exact] != OUT).all() and (found[~exact] != IN).all()
    far = shapely.distance(shapely.boundary(shapes)[None, :], shapely.points(points)[:, None]) > 1e-12
    assert (found[far] != NEAR).all()


def test_a_side_that_rounding_has_turned_round_is_not_believed():
    x0, y0, x1, y1 = 0.9132310000045787, -1.160130280123908, -0.7005607102349558, 2.132462139721289
    x, y = 0.35655871730653355, -0.024361068570918798
    one, other = (x0 - x) * (y1 - y), (x1 - x) * (y0 - y)
    a, b, c, d, p, q = map(Fraction, (x0, y0, x1, y1, x, y))
    assert one - other < 0 < (a - p) * (d - q) - (c - p) * (b - q)
    for corner, expected in ((-5.0, True), (5.0, False)):
        shape = np.array([shapely.Polygon([(x0, y0), (x1, y1), (corner, 0.0)])])
        assert states(*inside.edges_of(shape), np.array([x]), np.array([y])).tolist() == [[NEAR]]
        assert inside.covers(shape, np.zeros(1, int), np.array([x]), np.array([y])).tolist() == [expected]


def test_points_right_of_left_of_and_level_with_corners():
    diamond = shapely.Polygon([(0, -1), (1, 0), (0, 1), (-1, 0)], [[(0, -0.5), (0.5, 0), (0, 0.5), (-0.5, 0)]])
    x, y = np.array([(-2, 0), (2, 0), (0, 0), (-0.75, 0), (0.75, 0), (0, 2), (0, -0.75), (5, -1)], dtype=float).T
    found = states(*inside.edges_of(np.array([diamond, shapely.Polygon()])), x, y)
    assert found.tolist() == [
        [OUT, OUT],
        [OUT, OUT],
        [OUT, OUT],
        [IN, OUT],
        [IN, OUT],
        [OUT, OUT],
        [IN, OUT],
        [OUT, OUT],
    ]


@pytest.mark.parametrize("seed", range(30))
def test_cuspatial_equals_shapely(seed):
    shapes, points = scene(seed)
    points[::40, 0] = -180
    shapes = np.append(shapes, [shapely.box(170, -3, 180, 3), shapely.box(-180, 0, -170, 9)])
    lon, lat = points.T.copy()
    found = inside.by_cuspatial(doubles.cuspatial(), pd.Series, shapes, lon, lat)
    for mine, expected in zip(found, points_inside(shapes, lon, lat), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_the_double_has_cuspatials_faults():
    corner = shapely.Polygon([(0, 0), (4, 0), (4, 2), (2, 2), (2, 4), (0, 4)])
    points = np.array([(2.0, 1.0), (1.0, 1.0), (0.0, 1.0)])
    found = doubles.point_in_polygon(doubles.GeoSeries(points), doubles.GeoSeries([corner]))
    assert found[0].tolist() == [
        False,
        True,
        False,
    ]  # the first is inside, below an upright edge; the last is on an edge
    both = inside.by_cuspatial(doubles.cuspatial(), pd.Series, np.array([corner]), *points.T.copy())
    assert both[0].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="multipolygon"):
        doubles.point_in_polygon(doubles.GeoSeries(points), doubles.GeoSeries([shapely.MultiPolygon([corner])]))
    with pytest.raises(RuntimeError, match="31"):
        doubles.point_in_polygon(doubles.GeoSeries(points), doubles.GeoSeries([corner] * 32))


def test_more_polygons_than_a_call_takes_and_none():
    boxes = np.array([shapely.box(i, 0, i + 1.5, 1) for i in range(100)])
    x, y = np.arange(90) + 0.75, np.full(90, 0.5)
    found = inside.by_cuspatial(doubles.cuspatial(), pd.Series, boxes, x, y)
    for mine, expected in zip(found, points_inside(boxes, x, y), strict=True):
        np.testing.assert_array_equal(mine, expected)
    empty = np.empty(0)
    assert [len(a) for a in inside.by_cuspatial(doubles.cuspatial(), pd.Series, boxes, empty, empty)] == [0, 0]
    none = np.array([shapely.Polygon()])
    assert [len(a) for a in inside.by_cuspatial(doubles.cuspatial(), pd.Series, none, x, y)] == [0, 0]
