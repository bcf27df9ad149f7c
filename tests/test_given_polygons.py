"""Polygons that the user brings: which cluster a boundary belongs to, where a region is, and what cannot be used."""

from __future__ import annotations

import json
import math
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from gpu_clusters_cli.output import emit_table, ranking_table
from program import address_table
from worlds import world_of_three

import gpu_clusters
from gpu_clusters import DeviceError, InputError, UsageError
from gpu_clusters.io.folding import fold
from gpu_clusters.io.polygons import read_polygons
from gpu_clusters.steps.boundary import claimed, warnings_of
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.members import of_locations
from gpu_clusters.steps.regions import in_regions, named_regions


@pytest.mark.parametrize(("heavy", "owner"), [(5, 1), (2, 0), (1, 0)])
def test_a_polygon_is_that_clusters_whose_places_weigh_most(heavy, owner):
    """Two places of the first cluster, of weight 1, and one of the second; of equals the first has it."""
    lon, none = np.array([0.1, 0.2, 0.3]), np.zeros(3, np.int64)
    locations = Locations(lon, np.zeros(3), none, none, np.array([1, 1, heavy]), 1)
    box, far = shapely.box(0, -1, 1, 1), shapely.box(5, 5, 6, 6)
    found = claimed(np.array([far, box]), locations, of_locations(np.array([0, 0, 1])))
    assert found[owner].equals(box) and found[1 - owner].is_empty


def test_a_region_without_addresses_is_at_a_point_within_it():
    ranking = pd.DataFrame({"lon": [7.5, np.nan, np.nan], "lat": [46.5, np.nan, np.nan], "locations": [3, 0, 0]})
    polygons = np.array([shapely.box(7, 46, 8, 47), shapely.box(20, -4, 22, -2), shapely.Polygon()])
    found = named_regions(ranking, ["a", None, "c"], polygons)
    assert found["name"].tolist() == ["a", None, "c"]
    assert found["lon"].tolist()[:2] == [7.5, 21.0] and found["lat"].tolist()[:2] == [46.5, -3.0]
    assert found.loc[2, ["lon", "lat"]].isna().all()


def test_only_clusters_without_a_polygon_are_told_of():
    box, none = shapely.box(0, 0, 1, 1), shapely.Polygon()
    assert warnings_of(np.array([box, box])) == []
    (line,) = warnings_of(np.array([none, box, none]))
    assert line.startswith("boundary: the file has no polygon for 2 of 3 clusters")


def test_places_in_regions_are_not_clustered():
    none, weight = np.zeros(3, np.int64), np.array([4, 5, 6])
    locations = Locations(np.array([0.5, 9.0, 2.5]), np.full(3, 0.5), none, none, weight, 1)
    clustering, merged = in_regions(locations, np.array([shapely.box(2, 0, 3, 1), shapely.box(0, 0, 4, 1)]))
    assert merged.labels.tolist() == [1, -1, 0] and merged.pairs.shape == (0, 2)
    assert clustering.density_at.tolist() == [4, 5, 6]
    assert clustering.core.tolist() == [False] * 3 and clustering.labels.tolist() == [-1] * 3


def test_population_follows_the_polygons():
    import rioxarray  # noqa: F401
    import xarray

    cells = xarray.DataArray(
        np.full((80, 200), 10.0), {"y": 3.95 - 0.1 * np.arange(80), "x": -4.95 + 0.1 * np.arange(200)}, ("y", "x")
    ).rio.write_crs("EPSG:4326")
    regions = [shapely.box(-1, -1, 1, 1), shapely.box(3.95, -1, 5, 1), shapely.box(50, 50, 51, 51)]
    found = world_of_three(regions=regions, population=cells)
    assert found.ranking["population"].tolist()[:2] == [4000, 2200]  # centres on an edge count
    assert found.ranking["population"].isna().tolist() == [False, False, True]
    assert "outside of the rasters" in " ".join(found.manifest["warnings"])
    regions[2] = shapely.Polygon()
    (warning,) = world_of_three(regions=regions, population=cells).manifest["warnings"]
    assert warning == "population: 1 of 3 clusters without a polygon, with an empty population (cluster 3)"


def test_people_in_polygons_alone_need_exactextract(monkeypatch):
    """Which has no wheels for Linux on ARM."""
    for module in ("polygons", "regions", "zonal"):
        monkeypatch.delitem(sys.modules, f"gpu_clusters.io.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "exactextract", None)
    box = shapely.box(-1, -1, 1, 1)
    assert len(world_of_three(regions=[box]).ranking) == 1
    with pytest.raises(
        DeviceError, match=r"by exactextract, which cannot be used \(.*\); install it \(docs/population"
    ):
        gpu_clusters.people_in_polygons([box], "none.tif")


@pytest.mark.parametrize("flat", [None, shapely.Polygon(), shapely.Polygon([(9, 9), (9, 8), (9, 9)])], ids=str)
def test_a_region_without_an_area_is_nowhere(flat, tmp_path, capsys):
    regions = gpd.GeoSeries([shapely.box(50, 50, 51, 51), flat, shapely.box(-1, -1, 1, 1)], crs="EPSG:4326")
    found = world_of_three(regions=regions)
    at = found.ranking[["lon", "lat"]]
    assert at.isna().all(axis=1).tolist() == [False, False, True] and at.iloc[1].tolist() == [50.5, 50.5]
    found.write(tmp_path / "out")
    compared = gpu_clusters.compare(tmp_path / "out", tmp_path / "out").clusters
    assert compared["lon"].isna().tolist()[:3] == [False, False, True]
    emit_table(ranking_table(found.ranking, 3))
    assert "nan" not in capsys.readouterr().out


def test_what_cannot_be_used(tmp_path):
    with pytest.raises(InputError, match="neither area, hull or concave nor a file"):
        world_of_three(boundary="hul")
    with pytest.raises(UsageError, match="regions have their own boundaries"):
        world_of_three(boundary="hull", regions=[shapely.box(0, 0, 1, 1)])
    with pytest.raises(InputError, match="no polygon with an area"):
        world_of_three(regions=[shapely.Polygon()])
    with pytest.raises(InputError, match="cannot be read as polygons"):
        world_of_three(regions=tmp_path / "none.gpkg")
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326")
    with pytest.raises(InputError, match="no column 'b' to name the regions by; there are a"):
        world_of_three(regions=frame, region_name="b")
    named = world_of_three(regions=frame, region_name="a")
    assert named.ranking["name"].tolist() == ["1"] and named.manifest["warnings"] == []
    assert world_of_three(regions=frame).manifest["warnings"] == [
        "regions (data frame): no column gives the regions names; choose one with --region-name (in Python region_name): "
        "there are a"
    ]
    assert world_of_three(regions=frame[["geometry"]]).manifest["warnings"] == []
    with pytest.raises(InputError, match="no column 'b' to name the regions by; there are none but the geometry"):
        world_of_three(regions=[shapely.box(0, 0, 1, 1)], region_name="b")
    with pytest.raises(InputError, match="no column 'geometry' to name the regions by; there are a"):
        world_of_three(regions=frame, region_name="geometry")
    assert world_of_three(regions=frame[["geometry"]].rename_geometry("name")).ranking["name"].isna().all()
    with pytest.raises(UsageError, match="region_name is the column that names regions"):
        world_of_three(region_name="a")
    with pytest.raises(InputError, match="neither area, hull or concave nor a file"):
        world_of_three(boundary="x" * 300)
    for wrong in ({"boundary": 3}, {"boundary": ""}, {"region_name": 3}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            world_of_three(**wrong)


ONE = shapely.box(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ([ONE, shapely.Point(0, 0)], "polygon 2 is a Point; give polygons"),
        (gpd.GeoSeries([shapely.box(0, 0, 1e9, 1e9)], crs="EPSG:3035"), "polygon 1 has a corner without longitude"),
        ([ONE, shapely.Polygon([(0, 0), (math.inf, 0), (1, 1)])], "polygon 2 has a corner without longitude"),
        (gpd.GeoSeries([ONE], crs='LOCAL_CS["here",UNIT["metre",1]]'), "coordinates in 'here' cannot be turned into"),
        (gpd.GeoDataFrame({"a": [1]}), "has no column of shapes"),
    ],
)
def test_shapes_that_cannot_be_used(shapes, says):
    with pytest.raises(InputError, match=r"regions \(data frame\): " + says):
        world_of_three(regions=shapes)


_TAVEUNI = shapely.box(178, -18, 182, -16).difference(shapely.box(180.5, -17.5, 181, -17))
_CUT = [shapely.box(178, -18, 180, -16), shapely.box(-180, -18, -178, -16)]


@pytest.mark.parametrize("crs", ["EPSG:3460", "EPSG:2193", "EPSG:3338", "EPSG:32601", "EPSG:32660"])
@pytest.mark.parametrize(
    "shape",
    [_TAVEUNI, *_CUT, shapely.MultiPolygon(_CUT), shapely.union_all([_TAVEUNI, shapely.box(170, -18, 171, -16)])],
    ids=["across", "west", "east", "cut", "parts"],
)
def test_polygons_on_a_map_go_on_across_the_date_line(shape, crs):
    """What is drawn in one piece there had corners on both sides, so that it went round the Earth the other way."""
    shape = shapely.segmentize(shape, 0.1)
    wanted = fold(np.array([shape]))[0]
    (found,) = fold(read_polygons(gpd.GeoSeries([shape], crs="EPSG:4326").to_crs(crs)).to_numpy())
    assert shapely.area(shapely.symmetric_difference(found, wanted)) < 0.01


def test_polygons_on_a_map_that_do_not_go_on_across_the_date_line():
    """All longitudes, a cap around the pole and what is no polygon are as they were."""
    around = gpd.GeoSeries([shapely.box(-180, -60, 180, 60)], crs="EPSG:4326").to_crs("EPSG:3857")
    assert read_polygons(around).area.tolist() == pytest.approx([360 * 120])
    cap = gpd.GeoSeries([shapely.Point(0, 0).buffer(1e6)], crs="EPSG:3995")
    assert read_polygons(cap).equals(read_polygons(cap.to_crs("EPSG:4326")))
    line = shapely.LineString([(179, 0), (181, 1)])
    several = gpd.GeoSeries([shapely.GeometryCollection([line, shapely.box(179, 0, 181, 1)])], crs="EPSG:4326")
    with pytest.raises(InputError, match="polygon 1 is a GeometryCollection"):
        read_polygons(several.to_crs("EPSG:3460"))


def test_lists_are_no_names():
    """As some files have them, a name in each language."""
    regions = gpd.GeoDataFrame({"a": [[1, 2], [3]], "name": [None, "Two"]}, geometry=[ONE, shapely.box(1, 0, 2, 1)])
    assert set(world_of_three(regions=regions).ranking["name"].dropna()) == {"Two"}
    with pytest.raises(
        InputError, match=r"column 'a' holds lists or records, which are no names; name the regions by an"
    ):
        world_of_three(regions=regions, region_name="a")


def test_numbers_as_names_where_one_is_missing(tmp_path):
    """GeoPandas reads them as floats: region 101 was called 101.0."""
    codes = pd.array([101, None, 7], dtype="Int64")
    shapes = [shapely.box(x, 0, x + 1, 1) for x in range(3)]
    gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs="EPSG:4326").to_file(tmp_path / "r.gpkg")
    assert set(world_of_three(regions=tmp_path / "r.gpkg", region_name="code").ranking["name"].dropna()) == {"101", "7"}


def test_files_of_several_layers(tmp_path, recwarn):
    path = tmp_path / "r.gpkg"
    for layer, name in (("z", "first"), ("a", "second")):
        gpd.GeoDataFrame({"name": [name]}, geometry=[ONE], crs="EPSG:4326").to_file(path, layer=layer)
    found = world_of_three(regions=path)
    assert found.ranking["name"].tolist() == ["first"]
    assert found.manifest["warnings"] == [
        f"{path}: of its 2 layers (z, a) the first is read; for another make a file of that alone"
    ]
    assert not [warning for warning in recwarn if "layer" in str(warning.message)]
    with pytest.warns(UserWarning, match="the first is read"):
        assert len(read_polygons(path)) == 1


@pytest.mark.parametrize("option", ["--boundary", "--regions"])
def test_files_that_hold_no_polygons(program, option):
    given = ["rank", "--patents", "patents.csv", "--density", 5, "--out", "out"]
    address_table().to_csv("patents.csv")
    program.refused(3, *given, option, "patents.csv", says="patents.csv: is a table without shapes")
    gpd.GeoSeries([shapely.Point(0, 0)], crs="EPSG:4326").to_file("points.geojson")
    program.refused(3, *given, option, "points.geojson", says="points.geojson: polygon 1 is a Point")


def test_the_command_line_and_configuration(program):
    here = program.here
    address_table().to_parquet(here / "patents.parquet")
    frame = gpd.GeoDataFrame({"id": ["x", "y"]}, geometry=[shapely.box(0, 40, 5, 50), shapely.box(16, -25, 18, -20)])
    (here / "study").mkdir()
    frame.set_crs("EPSG:4326").to_file(here / "study" / "r.gpkg")
    given = ["rank", "--patents", "patents.parquet", "--density", 5]
    assert program(*given, "--boundary", "hull", "--out", "hull").code == 0
    assert json.loads((here / "hull" / "manifest.json").read_text())["settings"]["boundary"] == "hull"
    assert program(*given, "--boundary", "study/r.gpkg", "--out", "file").code == 0
    ran = program(*given, "--regions", "study/r.gpkg", "--region-name", "id", "--out", "regions")
    assert ran.code == 0 and "\n2 regions of 60 addresses" in ran.err
    assert set(pd.read_csv(here / "regions" / "ranking.csv")["name"]) == {"x", "y"}
    (here / "study" / "study.toml").write_text('patents = "../patents.parquet"\nregions = "r.gpkg"\nregion_name = "id"')
    assert program("rank", "--config", "study/study.toml", "--out", "config").code == 0
    one, two = ((here / name / "boundaries.geojson").read_bytes() for name in ("regions", "config"))
    assert one == two
    (here / "study" / "study.toml").write_text('patents = "../patents.parquet"\nboundary = "r.gpkg"\ndensity = 5')
    assert program("rank", "--config", "study/study.toml", "--out", "again").code == 0
    program.refused(
        2, *given, "--regions", "study/r.gpkg", "--boundary", "hull", "--out", "no", says="regions have their own"
    )
    program.refused(3, *given, "--boundary", "hul", "--out", "no", says="neither area, hull or concave nor a file")
