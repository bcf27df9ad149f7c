"""The lines between clusters: where the nearest member changes from one cluster to another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

FRAME = 8  # so many radii beyond the points lie four further ones, which keep the lines between real points finite
FLAT = 1e-9  # sine of an angle of a triangle below which rounding decides where the centre of its circle is


class Lines(NamedTuple):
    """Straight pieces of the lines between groups: their ends (x, y), (n, 2, 2) float64, and both groups, (n, 2) int64."""

    ends: NDArray[np.float64]
    sides: NDArray[np.int64]


def lines_between(points: NDArray[np.float64], group: NDArray[np.int64], radius: float) -> Lines:
    """Where two groups are equally near, and no farther than ``radius``: edges of Voronoi's diagram.

    The diagram comes from GEOS' triangulation, which decides in extended precision: points have their cells however close they
    are to each other. A corner is computed once, so that the lines that meet there do meet.

    Parameters
    ----------
    points : (n, 2) float64
        Distinct points in a plane.
    group : (n,) int64
        0 and above.
    radius : float
    """
    if not len(points):
        return Lines(np.empty((0, 2, 2)), np.empty((0, 2), np.int64))
    low, high = points.min(axis=0) - FRAME * radius, points.max(axis=0) + FRAME * radius
    vertices = np.concatenate([points, [low, high, (low[0], high[1]), (high[0], low[1])]])
    label = np.concatenate([group, np.full(4, -1)])
    triangles = _triangles(vertices)
    pair, left, right = _edges_between(triangles, label)
    a, b = vertices[pair[:, 0]], vertices[pair[:, 1]]
    length = np.hypot(*(b - a).T)
    across = np.stack([a[:, 1] - b[:, 1], b[:, 0] - a[:, 0]], axis=1) / length[:, None]
    most = np.sqrt(np.maximum(radius * radius - length * length / 4, 0.0))
    corners, flat = _centres(vertices[triangles])
    begin, end = (
        np.where(flat[side], infinity, _height(a, b, vertices[triangles[side]].sum(axis=1) - a - b))
        for side, infinity in ((right, -np.inf), (left, np.inf))
    )
    kept = (length <= 2 * radius) & (begin < most) & (end > -most)
    ends = [
        np.where(
            (np.abs(height) < most)[:, None],
            corners[side],
            (a + b) / 2 + across * np.clip(height, -most, most)[:, None],
        )
        for height, side in ((begin, right), (end, left))
    ]
    return Lines(np.stack(ends, axis=1)[kept], label[pair[kept]])


def _triangles(vertices: NDArray[np.float64]) -> NDArray[np.int64]:
    """Delaunay's triangles, anticlockwise, as indices of their corners; (t, 3)."""
    parts = shapely.get_parts(shapely.delaunay_triangles(shapely.multipoints(vertices)))
    corners = shapely.get_coordinates(parts).reshape(-1, 4, 2)[:, :3].reshape(-1, 2)
    name, names = (values[:, 0] + 1j * values[:, 1] for values in (corners, vertices))
    order = np.argsort(names)
    index = order[np.searchsorted(names[order], name)].reshape(-1, 3)
    clockwise = _cross(*(vertices[index[:, k]] for k in range(3))) < 0
    index[clockwise] = index[clockwise][:, ::-1]
    return index


def _edges_between(
    triangles: NDArray[np.int64], label: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Edges between points of different groups, (e, 2), and the triangles to their left and right, (e,) each."""
    start, stop = triangles.ravel(), triangles[:, [1, 2, 0]].ravel()
    triangle = np.repeat(np.arange(len(triangles)), 3)
    between = (label[start] != label[stop]) & (label[start] >= 0) & (label[stop] >= 0)
    start, stop, triangle = start[between], stop[between], triangle[between]
    key = np.minimum(start, stop) * len(label) + np.maximum(start, stop)
    upward = start < stop
    shared, left, right = np.intersect1d(key[upward], key[~upward], assume_unique=True, return_indices=True)
    pair = np.stack([shared // len(label), shared % len(label)], axis=1)
    return pair, triangle[upward][left], triangle[~upward][right]


def _cross(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    u, v = b - a, c - a
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _centres(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Centres of the circles around triangles (t, 3, 2), and which of them are `FLAT`: their centres are not known."""
    a = corners[:, 0]
    u, v = corners[:, 1] - a, corners[:, 2] - a
    twice = 2 * (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0])
    uu, vv = (u * u).sum(axis=1), (v * v).sum(axis=1)
    flat = ~(np.abs(twice) > 2 * FLAT * np.hypot(*u.T) * np.hypot(*v.T))
    over = np.stack([v[:, 1] * uu - u[:, 1] * vv, u[:, 0] * vv - v[:, 0] * uu], axis=1)
    return a + over / np.where(flat, 1.0, twice)[:, None], flat


def _height(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far to the left of the middle of ``ab`` the centre of the circle through a, b, c lies; (n,)."""
    twice = 2 * _cross(a, b, c) / np.hypot(*(b - a).T)
    dot = ((a - c) * (b - c)).sum(axis=1)
    return np.divide(dot, twice, out=np.copysign(np.full(len(dot), np.inf), dot), where=twice != 0)
