"""Tables of points: coordinates in any reference system, and geometries without any."""

from __future__ import annotations

import json
import re

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from sample import as_geometry, same, table

from gpu_clusters.errors import InputError
from gpu_clusters.io import read_addresses


def test_other_reference_systems(tmp_path):
    frame = table().drop(index=5)
    points = as_geometry(frame)
    expected = read_addresses(frame, "patents")
    for crs in (3857, 25832, "ESRI:54009"):
        for path in (tmp_path / "p.parquet", tmp_path / "p.geojson"):
            if path.suffix == ".parquet":
                points.to_crs(crs).to_parquet(path)
            elif crs != 25832:
                continue
            else:
                points.to_crs(crs).to_file(path, driver="GeoJSON")
            data = read_addresses(path, "patents").data
            near = np.abs(data.lon) < 150
            np.testing.assert_allclose(data.lat[near], expected.data.lat[near], atol=1e-3 if crs == 25832 else 1e-7)
    for crs in ("OGC:CRS84", 4326, None):
        points.set_crs(crs, allow_override=True).to_parquet(tmp_path / "q.parquet")
        same(read_addresses(tmp_path / "q.parquet", "patents"), expected)
    far = gpd.GeoDataFrame({"doc_id": [1, 2]}, geometry=gpd.points_from_xy([0.0, 1e30], [0.0, 1e30]), crs=32632)
    assert read_addresses(far, "patents").invalid[0].rows == [2]


def test_empty_geometries_are_ungeocoded(tmp_path):
    shapes = [shapely.Point(1, 2), shapely.Point(), None, shapely.Polygon(), shapely.Point(3, 4, 5)]
    frame = gpd.GeoDataFrame({"doc_id": list("abcde")}, geometry=shapes, crs=4326)
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (frame, tmp_path / "a.parquet"):
        read = read_addresses(source, "patents")
        np.testing.assert_array_equal(read.data.lon, [1, 3])
        assert read.coverage.iloc[-1]["invalid"] == 0
    nothing = {"type": "FeatureCollection", "features": []}
    (tmp_path / "b.geojson").write_text(json.dumps(nothing))
    assert read_addresses([frame, tmp_path / "b.geojson"], "patents").data.rows == 2


@pytest.mark.parametrize("name", ["geometry", "geometry_", "wkb_geometry", "kind"])
def test_a_property_of_geojson_may_be_called_as_its_points_are(tmp_path, name):
    path = tmp_path / "p.geojson"
    _geojson(path, {"type": "Point", "coordinates": [3, 4]}, {name: "Acme"})
    data = read_addresses(path, "patents", columns={"organization": name}).data
    assert (data.lon.tolist(), data.lat.tolist()) == ([3.0], [4.0])
    assert data.organizations == ("Acme",)
    assert read_addresses(path, "patents").data.lon.tolist() == [3.0]


def test_what_is_no_point_in_geojson_is_told_by_the_name_that_the_file_has(tmp_path):
    path = tmp_path / "p.geojson"
    _geojson(path, {"type": "LineString", "coordinates": [[3, 4], [5, 6]]}, {})
    with pytest.raises(InputError, match=r'column "geometry", row 1: is a LineString'):
        read_addresses(path, "patents")


@pytest.mark.parametrize(
    ("encoding", "value"),
    [("WKB", {"x": 3.0, "y": 4.0}), ("WKB", [3.0, 4.0]), ("WKB", 3), ("point", {"lon": 3.0, "lat": 4.0}), ("point", 3)],
)
def test_points_of_another_form_than_their_metadata_say(encoding, value):
    """As where a column has been made anew and the metadata of the old one were kept."""
    table = pa.table({"doc_id": ["a"], "at": [value]})
    about = {"primary_column": "at", "columns": {"at": {"encoding": encoding}}}
    kind = re.escape(str(table["at"].type))
    with pytest.raises(InputError, match=f'column "at": holds {kind} and not {encoding}, as its metadata says$'):
        read_addresses(table.replace_schema_metadata({"geo": json.dumps(about)}), "patents")


def _geojson(path, geometry, properties):
    feature = {"type": "Feature", "properties": {"doc_id": "a", **properties}, "geometry": geometry}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
