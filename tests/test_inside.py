"""Points in polygons against shapely one by one and against exact arithmetic; regions against the reference."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from reference import in_polygon, reference_regions
from worlds import random_world

import gpu_clusters
from gpu_clusters.steps.inside import points_inside, smallest_holding


def star(rng, x, y, size, corners, digits) -> shapely.Polygon:
    """A polygon around a point with, sometimes, a hole of the same shape."""
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    away = size * rng.uniform(0.5, 1, corners)
    ring = np.stack([x + away * np.cos(turn), y + away * np.sin(turn)], axis=1)
    hole = [(np.array([x, y]) + 0.4 * (ring - [x, y])).round(digits)] if rng.random() < 0.6 else []
    shape = shapely.make_valid(shapely.Polygon(ring.round(digits), hole), method="structure", keep_collapsed=False)
    return shape


def random_polygons(rng, digits) -> np.ndarray:
    shapes = []
    for _ in range(rng.integers(1, 12)):
        parts = [star(rng, *rng.uniform(-5, 5, 2), rng.uniform(0.5, 4), rng.integers(3, 12), digits) for _ in range(2)]
        shapes.append(shapely.union_all(parts) if rng.random() < 0.5 else parts[0])
    shapes.append(shapely.Polygon())
    polygonal = [shape if shape.geom_type in ("Polygon", "MultiPolygon") else shapely.Polygon() for shape in shapes]
    return np.array(polygonal, dtype=object)


def rings_of(shape) -> list:
    return [shapely.get_coordinates(ring)[:-1].tolist() for ring in shapely.get_rings(shapely.get_parts(shape))]


def points_about(rng, shapes, digits) -> np.ndarray:
    """Anywhere, on vertices, and on edges: half way where that is exact, and on straight ones."""
    corners = shapely.get_coordinates(shapes)
    middles = (corners[1:] + corners[:-1]) / 2
    points = [rng.uniform(-9, 9, (150, 2)), rng.uniform(-6, 6, (150, 2)).round(digits), corners, middles]
    return np.concatenate(points)


@pytest.mark.parametrize("seed", range(12))
def test_points_in_polygons(seed):
    rng = np.random.default_rng(seed)
    digits = int(rng.choice([0, 1, 6]))
    shapes = random_polygons(rng, digits)
    points = points_about(rng, shapes, digits)
    point, polygon = points_inside(shapes, *points.T.copy())
    found = set(zip(point.tolist(), polygon.tolist(), strict=True))
    assert len(found) == len(point) and (np.diff(point) >= 0).all()
    one_by_one = {
        (i, k) for i, p in enumerate(points) for k, shape in enumerate(shapes) if shape.covers(shapely.Point(p))
    }
    assert found == one_by_one
    exact = {(i, k) for i, p in enumerate(points[::5]) for k, s in enumerate(shapes) if in_polygon(p, rings_of(s))}
    assert {(5 * i, k) for i, k in exact} == {pair for pair in found if pair[0] % 5 == 0}


def test_edges_corners_holes_and_the_date_line():
    ring, hole = [(0, 0), (4, 0), (4, 4), (0, 4)], [(1, 1), (3, 1), (3, 3), (1, 3)]
    shapes = np.array([shapely.Polygon(ring, [hole]), shapely.box(170, 0, 180, 4), shapely.Polygon()], dtype=object)
    places = [(0, 0), (2, 0), (4, 2), (1, 1), (2, 1), (2, 2), (-180, 1), (-180, 5), (-179.9, 1)]
    lon, lat = np.array(places, dtype=float).T
    point, polygon = points_inside(shapes, lon, lat)
    assert list(zip(point.tolist(), polygon.tolist(), strict=True)) == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (6, 1)]
    none = points_inside(shapes, np.empty(0), np.empty(0))
    assert len(none[0]) == len(none[1]) == 0


def test_the_smallest_region_counts_then_the_first():
    city, country, same = shapely.box(1, 1, 2, 2), shapely.box(0, 0, 9, 9), shapely.box(9, 0, 18, 9)
    lon, lat = np.array([(1.5, 1.5), (2.0, 2.0), (5, 5), (9.0, 4.0), (20, 1)]).T
    for shapes, expected in (([country, city, same], [1, 1, 0, 0, -1]), ([same, city, country], [1, 1, 2, 0, -1])):
        assert smallest_holding(np.array(shapes, dtype=object), lon, lat).tolist() == expected


def region_map(rng, world) -> list:
    """Rectangles in whole tenths around a world's places that share edges, some with others on top of them."""
    rows = next(table for table in (world.patents, world.publications) if table is not None)
    rows = rows[
        np.isfinite(rows["lon"]) & np.isfinite(rows["lat"]) & (abs(rows["lat"]) <= 90) & (abs(rows["lon"]) <= 360)
    ]
    lon, lat = ((rows["lon"].to_numpy(float) + 180) % 360 - 180), rows["lat"].to_numpy(float)
    x = np.unique(np.clip([-180, *np.quantile(lon, rng.uniform(size=3)).round(1), 180], -180, 180))
    y = np.unique(np.clip([lat.min(), *np.quantile(lat, rng.uniform(size=2)).round(1), lat.max() + 0.5], -90, 90))
    grid = [shapely.box(w, s, e, n) for w, e in itertools.pairwise(x) for s, n in itertools.pairwise(y)]
    on_top = [shapely.box(a - 0.2, b - 0.2, a + 0.2, min(b + 0.2, 90)) for a, b in zip(lon[:2], lat[:2], strict=True)]
    on_top = [shape.intersection(shapely.box(-180, -90, 180, 90)) for shape in on_top]
    shapes = [shape for shape in [*grid, *on_top, shapely.box(3.21, -1.5, 3.22, -1.4)] if shape.area > 0]
    kept = rng.permutation(len(shapes))[: max(2, int(0.8 * len(shapes)))]
    return [shapes[i] for i in kept]


@pytest.mark.parametrize("seed", range(24))
def test_regions_equal_the_reference(seed):
    import geopandas as gpd  # here: a machine with a GPU, whose tests draw the polygons above, may lack it

    world, rng = random_world(seed), np.random.default_rng(seed)
    shapes = region_map(rng, world)
    areas = shapely.area(shapes).tolist()
    expected, deals, region = reference_regions(
        world.patents, world.publications, world.deals, [rings_of(shape) for shape in shapes], areas
    )
    names = [f"R{k}" for k in range(len(shapes))]
    frame = gpd.GeoDataFrame({"Name": names}, geometry=shapes, crs="EPSG:4326")
    found = gpu_clusters.rank(world.patents, world.publications, world.deals, regions=frame)
    for column in ("cluster_id", "rank", "rank_without_deals", "economies", "locations", "core_locations"):
        assert found.ranking[column].tolist() == expected[column].tolist(), column
    for column in (
        "patents",
        "publications",
        "deals",
        "patent_share",
        "publication_share",
        "deal_share",
        "total_share",
    ):
        np.testing.assert_allclose(found.ranking[column], expected[column], rtol=1e-12, atol=1e-12)
    assert found.ranking["name"].tolist() == [names[r] for r in region]
    assert found.deals["cluster_id"].tolist() == deals.tolist()
    outlines = [shapely.equals(a, shapes[r]) for a, r in zip(found.boundaries.geometry, region, strict=True)]
    assert all(outlines)
    assert found.ranking[["lon", "lat"]].notna().all(axis=None)
