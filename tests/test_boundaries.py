"""Boundaries of results: hulls, and the files of polygons that are written and read."""

from __future__ import annotations

import json

import geopandas as gpd
import jsonschema
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from rasters import Plain
from reference import assign_deals, by_first_member
from scenes import KINDS
from worlds import random_world, world_of_three

import gpu_clusters
from gpu_clusters.steps.hulls import _brought_back, hulls

POSITION = {
    "type": "array",
    "minItems": 2,
    "maxItems": 2,
    "prefixItems": [
        {"type": "number", "minimum": -180, "maximum": 180},
        {"type": "number", "minimum": -90, "maximum": 90},
    ],
}
RING = {"type": "array", "minItems": 4, "items": POSITION}
POLYGON = {"type": "array", "minItems": 1, "items": RING}


def shape_schema(kind: str, coordinates: dict) -> dict:
    about = {"type": {"const": kind}, "coordinates": coordinates}
    return {"type": "object", "required": ["type", "coordinates"], "properties": about, "additionalProperties": False}


GEOMETRY = [
    {"type": "null"},
    shape_schema("Polygon", POLYGON),
    shape_schema("MultiPolygon", {"type": "array", "minItems": 1, "items": POLYGON}),
]
PROPERTIES = {
    "type": "object",
    "required": ["cluster_id", "rank", "name"],
    "properties": {
        "cluster_id": {"type": "integer", "minimum": 1},
        "rank": {"type": "integer", "minimum": 1},
        "name": {"type": ["string", "null"]},
    },
    "additionalProperties": False,
}
RFC_7946 = {  # of what is written here: sections 3.1.1, 3.1.6, 3.1.7, 3.2, 3.3; no "crs" (section 4)
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"const": "FeatureCollection"},
        "features": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "properties", "geometry"],
                "properties": {"type": {"const": "Feature"}, "properties": PROPERTIES, "geometry": {"oneOf": GEOMETRY}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def signed_area(ring) -> float:
    x, y = np.array(ring).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def check_geojson(path, frame) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, RFC_7946, jsonschema.Draft202012Validator)
    assert len(document["features"]) == len(frame)
    for feature, row in zip(document["features"], frame.itertuples(index=False), strict=True):
        assert feature["properties"]["cluster_id"] == row.cluster_id
        geometry = feature["geometry"]
        assert (geometry is None) == (row.geometry is None)
        if geometry is None:
            continue
        parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        assert (geometry["type"] == "MultiPolygon") == (len(parts) > 1)
        for outer, *holes in parts:
            assert all(ring[0] == ring[-1] for ring in (outer, *holes))
            assert signed_area(outer) > 0 and all(signed_area(hole) < 0 for hole in holes)
        read = shapely.geometry.shape(geometry)
        assert read.is_valid
        assert all(round(c, 7) == c for c in shapely.get_coordinates(read).ravel().tolist())
        assert shapely.symmetric_difference(read, row.geometry).area <= 1e-7 * row.geometry.length  # spikes may close


def check_geoparquet(path, frame) -> None:
    read = gpd.read_parquet(path)
    assert read.columns.tolist() == ["cluster_id", "rank", "name", "geometry"]
    assert read.crs == frame.crs == "OGC:CRS84" and len(read) == len(frame)
    assert all((a is None and b is None) or a.equals(b) for a, b in zip(read.geometry, frame.geometry, strict=True))
    about = json.loads(pq.read_schema(path).metadata[b"geo"])
    column = about["columns"]["geometry"]
    assert about["version"] == "1.1.0" and about["primary_column"] == "geometry" and column["encoding"] == "WKB"
    assert set(column["covering"]["bbox"]) == {"xmin", "ymin", "xmax", "ymax"}
    if "Parquet" in pyogrio.list_drivers():
        assert len(pyogrio.read_dataframe(path)) == len(frame)


def polygon_deals(rng, shapes, count=120) -> pd.DataFrame:
    """Deals on corners of polygons, about them, and on straight lines between two corners."""
    corners = shapely.get_coordinates([shape for shape in shapes if shape is not None])
    if not len(corners):
        corners = np.zeros((1, 2))
    at = corners[rng.integers(len(corners), size=count)]
    away = np.where(rng.random((count, 1)) < 0.5, 0.0, rng.normal(size=(count, 2)) * 0.1)
    lon, lat = ((at + away).T).copy()
    return pd.DataFrame({"lon": (lon + 180) % 360 - 180, "lat": np.clip(lat, -90, 90)})


def nearest_of_holding(shapes, deals, members, group) -> list[int]:
    """By all pairs: the cluster whose polygon holds a deal, the nearest member's where there are several."""
    found = []
    for lon, lat in deals[["lon", "lat"]].to_numpy():
        spelt = [shapely.Point(x, lat) for x in ([lon, 180.0] if lon == -180 else [lon])]
        holding = [k for k, s in enumerate(shapes) if s is not None and any(s.covers(p) for p in spelt)]
        own = np.where(np.isin(group, holding), group, -1)
        found.append(int(assign_deals([(lat, lon)], members, own, 1e3)[0]) if holding else -1)
    return found


@pytest.mark.parametrize("boundary", ["hull", "concave"])
@pytest.mark.parametrize("kind", KINDS)
def test_hulls_hold_members_and_decide_over_deals(kind, boundary, tmp_path):
    seed = list(KINDS).index(kind)
    world, rng = random_world(seed), np.random.default_rng(seed)
    first = gpu_clusters.rank(world.patents, world.publications, **world.settings, boundary=boundary)
    shapes = list(first.boundaries.geometry)
    deals = polygon_deals(rng, shapes)
    found = gpu_clusters.rank(world.patents, world.publications, deals, **world.settings, boundary=boundary)
    table = found.locations[found.locations["cluster_id"] > 0]
    for number, own in table.groupby("cluster_id"):
        shape = found.boundaries.geometry[number - 1]
        assert shape.is_valid
        lon, lat = own["lon"].to_numpy(), own["lat"].to_numpy()
        inside = shapely.intersects_xy(shape, lon, lat) | ((lon == -180) & shapely.intersects_xy(shape, -lon, lat))
        assert inside.all(), number
    places = list(zip(table["lat"], table["lon"], strict=True))
    group = by_first_member(table["cluster_id"].to_numpy())
    ids = [*dict.fromkeys(table["cluster_id"].tolist()), -1]
    by_number = [found.boundaries.geometry[i - 1] for i in ids[:-1]]
    expected = [ids[k] for k in nearest_of_holding(by_number, found.deals, places, group)] if places else None
    if places:
        assert found.deals["cluster_id"].tolist() == expected
    found.write(tmp_path / "out")
    check_geojson(tmp_path / "out" / "boundaries.geojson", found.boundaries)
    check_geoparquet(tmp_path / "out" / "boundaries.parquet", found.boundaries)


@pytest.mark.parametrize("kind", ["cities", "date_line", "north_pole", "deal_edges", "no_cluster"])
def test_files_of_areas(kind, tmp_path):
    world = random_world(list(KINDS).index(kind))
    found = gpu_clusters.rank(world.patents, world.publications, world.deals, **world.settings)
    found.write(tmp_path / "out")
    assert (kind == "no_cluster") == (len(found.boundaries) == 0)
    check_geojson(tmp_path / "out" / "boundaries.geojson", found.boundaries)
    check_geoparquet(tmp_path / "out" / "boundaries.parquet", found.boundaries)


def test_duckdb_reads_the_geoparquet(tmp_path):
    """Its Parquet reader alone: the spatial extension is a download."""
    import duckdb

    world = random_world(0)
    found = gpu_clusters.rank(world.patents, world.publications, **world.settings)
    found.write(tmp_path / "out")
    path = tmp_path / "out" / "boundaries.parquet"
    rows = duckdb.sql(f"select cluster_id, rank, bbox.xmin, bbox.ymax from read_parquet('{path}')").fetchall()
    bounds = found.boundaries.geometry.bounds
    assert [row[:2] for row in rows] == list(zip(found.ranking["cluster_id"], found.ranking["rank"], strict=True))
    np.testing.assert_allclose([row[2:] for row in rows], bounds[["minx", "maxy"]], rtol=1e-6)


def test_hulls_across_the_date_line_and_around_poles():
    lon, lat = np.array([(179.0, -1), (179.0, 1), (-179.0, 1), (-179.0, -1)]).T
    (shape,) = hulls(lon, lat, np.zeros(4, np.int64), 1, concave=False)
    assert shape.geom_type == "MultiPolygon" and shape.area == pytest.approx(4, abs=1e-8)
    assert (
        shape.covers(shapely.Point(180, 0))
        and shape.covers(shapely.Point(-180, 0))
        and not shape.covers(shapely.Point(0, 0))
    )
    for sign in (1, -1):
        lon = np.array([-180.0, -90.0, 0.0, 90.0])
        (shape,) = hulls(lon, np.full(4, sign * 89.0), np.zeros(4, np.int64), 1, concave=False)
        # On the map the square with corners one degree from the pole: edges come within 1 / sqrt(2) of it, at 45 degrees.
        assert shape.covers(shapely.Point(17, sign * 90)) and shape.covers(shapely.Point(45, sign * (90 - 0.707)))
        assert not shape.covers(shapely.Point(45, sign * (90 - 0.708))) and not shape.covers(shapely.Point(0, 0))
        assert shape.bounds[0] == -180 and shape.bounds[2] == 180
        assert all(shape.covers(shapely.Point(x, sign * 90)) for x in range(-175, 180, 10))
    flat = hulls(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]), np.array([0, 0, 1]), 2, concave=False)
    assert shapely.is_empty(flat).all()


@pytest.mark.parametrize("concave", [False, True])
def test_places_that_rounding_alone_tells_apart_have_no_hull(concave):
    """GEOS finds no triangles among three such places in London."""
    lon = -0.1276 - np.arange(3) * np.spacing(0.1276)
    assert shapely.is_empty(hulls(lon, np.full(3, 51.5072), np.zeros(3, np.int64), 1, concave=concave)).all()


def test_a_hull_that_leaves_half_of_the_longitudes_is_not_drawn_around_a_pole():
    lon, lat = np.array([(-90.0, 10), (0.0, 60), (90.0, 10)]).T
    (shape,) = hulls(lon, lat, np.zeros(3, np.int64), 1, concave=False)
    assert shape.equals(shapely.Polygon([(-90, 10), (0, 60), (90, 10)]))


def test_a_concave_hull_around_a_pole_may_leave_a_quarter_of_the_longitudes_out():
    lon, lat = np.array([(-130.0, 82), (-60.0, 82), (20.0, 88), (70.0, 82)]).T
    (shape,) = hulls(lon, lat, np.zeros(4, np.int64), 1, concave=True)
    assert shape.is_valid and shapely.intersects_xy(shape, lon, lat).all()
    assert shape.bounds[:3] == pytest.approx((-130, 82, 70), abs=1e-8) and shape.bounds[3] < 90


@pytest.mark.parametrize("begin", range(4))
def test_a_pole_becomes_an_edge_wherever_a_ring_begins(begin):
    ring = [(0, 0), (1, 0), (1, 1), (0, 1)]
    found = _brought_back(shapely.Polygon(ring[begin:] + ring[:begin]), 0.0, 1.0)
    expected = shapely.Polygon([(0, 90), (0, 89), (45, 90 - np.sqrt(2)), (90, 89), (90, 90)])
    assert found.symmetric_difference(expected).area == pytest.approx(0, abs=1e-9)


def test_clusters_without_a_hull_keep_their_area():
    deals = pd.DataFrame({"lon": [0.05, 0.0, 2.04, 2.06], "lat": [0.0, 0.04, 0.0, 0.0]})
    found = world_of_three(deals=deals, boundary="hull")
    assert found.ranking["deals"].tolist() == [2.0, 1.0, 0.0]
    assert all(shape.area > 0.005 for shape in found.boundaries.geometry)


def test_areas_that_stand_in_for_hulls_overlap_as_areas_do():
    """Two places 0.08 degrees apart: what is between them lies in both areas, and its people count in both."""
    patents = pd.DataFrame({"doc_id": [1, 2], "lon": [0.0, 0.08], "lat": 0.0})
    people = Plain(np.full((1, 1), 7.0), (0.02, 0, 0.03, 0, -0.02, 0.01)).array()
    found = gpu_clusters.rank(patents, density=1, radius_km=1, boundary="hull", population=people)
    assert found.ranking["population"].tolist() == [7.0, 7.0]
    assert shapely.covers(
        found.boundaries.geometry.to_numpy(), shapely.points(0.04 + np.array([[-0.005], [0.005]]), 0)
    ).all()


def test_polygons_of_a_file(tmp_path):
    shapes = [
        shapely.box(-1, -1, 2.5, 1),  # cluster 1 (10 addresses) and cluster 2 (9): the first has more
        shapely.box(1.9, -0.1, 2.1, 0.1),  # cluster 2
        shapely.box(2.05, -0.1, 2.3, 0.1).union(shapely.box(10, 10, 11, 11)),  # nobody's
        shapely.box(1.8, 0.05, 2.0, 0.5).union(shapely.box(1.99, -0.01, 2.0, 0.01)),  # cluster 2 again
    ]
    gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326").to_file(tmp_path / "b.geojson")
    deals = pd.DataFrame({"lon": [2.0, 2.4, 1.2, 2.1, 1.9, 10.5, 4.0], "lat": [0.0, 0.0, 0.0, 0.1, 0.4, 10.5, 0.0]})
    found = world_of_three(deals=deals, boundary=str(tmp_path / "b.geojson"))
    ids = found.locations.drop_duplicates("cluster_id").set_index("lon")["cluster_id"]
    one, two, three = ids[0.0], ids[2.0], ids[4.0]
    at = {(d.lon, d.lat): d.cluster_id for d in found.deals.itertuples()}
    # In two polygons: the nearest member. (2.4, 0) is in the first polygon alone, though the second cluster is nearer.
    expected = {
        (2, 0): two,
        (2.4, 0): one,
        (1.2, 0): one,
        (2.1, 0.1): two,
        (1.9, 0.4): two,
        (10.5, 10.5): -1,
        (4, 0): -1,
    }
    assert at == expected
    missing = found.boundaries.set_index("cluster_id").geometry.isna()
    assert missing.to_dict() == {one: False, two: False, three: True}
    assert found.boundaries.geometry[two - 1].equals(shapely.union(shapes[1], shapes[3]))
    assert "no polygon for 1 of 3 clusters" in found.manifest["warnings"][0]
    assert found.manifest["inputs"][-1]["table"] == "boundary" and len(found.manifest["inputs"][-1]["sha256"]) == 64
    found.write(tmp_path / "out")
    check_geojson(tmp_path / "out" / "boundaries.geojson", found.boundaries)
    check_geoparquet(tmp_path / "out" / "boundaries.parquet", found.boundaries)
