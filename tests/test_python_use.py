"""The library as a notebook uses it: results that are pickled and copied, frames of any library, odd arguments."""

from __future__ import annotations

import copy
import pickle

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from program import address_table
from rasters import Plain

import gpu_clusters
from gpu_clusters import InputError, UsageError, WeightedDBSCAN, people_within, report


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy], ids=["pickle", "copy"])
def test_results_can_be_pickled_and_copied(again):
    found = gpu_clusters.rank(address_table(), density=1)
    assert_frame_equal(again(found).ranking, found.ranking)
    assert_frame_equal(again(gpu_clusters.compare(found, found)).matched, gpu_clusters.compare(found, found).matched)
    swept = gpu_clusters.sweep(address_table(), address_table(), radius_km=[5, 15], density=[1, 20])
    twin = again(swept)
    assert_frame_equal(twin.settings, swept.settings)
    assert_frame_equal(twin.labels(15, 20), swept.labels(15, 20))


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table, pl.DataFrame], ids=["pandas", "pyarrow", "polars"])
def test_people_around_the_places_of_any_frame(make):
    raster = Plain(np.ones((20, 20)), (0.1, 0, 0.0, 0, -0.1, 2.0)).array()
    places = make({"lon": [0.55, 1.55], "name": ["a", "b"], "lat": [1.55, 0.55]})
    assert people_within(places, raster, area_degrees=0.15) == 18


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint64])
def test_labels_of_any_whole_numbers(kind):
    raster = Plain(np.ones((20, 20)), (0.1, 0, 0.0, 0, -0.1, 2.0)).array()
    largest = np.iinfo(kind).max
    for boundary in ("area", "hull"):
        places, labels = [(0.55, 1.55), (0.85, 1.55), (0.55, 1.05)], np.full(3, largest)
        found = people_within(places, raster, area_degrees=0.15, labels=labels.astype(kind), boundary=boundary)
        assert found.index.tolist() == [largest] and found["population"].item() > 0


@pytest.mark.parametrize(
    "points",
    [pd.DataFrame({"lon": [1.0, None], "lat": [2.0, 2.0]}, dtype="Float64"), [["a", "b"]], [[1], [2, 3]]],
    ids=["null", "text", "ragged"],
)
def test_points_that_are_no_numbers(points):
    with pytest.raises(ValueError, match="X must hold numbers, longitude and latitude in degrees"):
        WeightedDBSCAN(5, 2).fit(points)


@pytest.mark.parametrize("check", [2.5, None, "2", -1])
def test_settings_to_check_are_a_number(check):
    with pytest.raises(UsageError, match="check must be a number of settings"):
        gpu_clusters.sweep(address_table(), radius_km=5, density=1, check=check)


@pytest.mark.parametrize("read", [gpu_clusters.rank, gpu_clusters.geocode], ids=["rank", "geocode"])
@pytest.mark.parametrize("finish", ["compute", "collect"])
def test_frames_that_are_only_planned(read, finish):
    """Dask's can be gone through, which gives the names of their columns: these are no files."""
    if finish == "compute":
        planned = pytest.importorskip("dask.dataframe").from_pandas(address_table(), npartitions=1)
    else:
        planned = pl.LazyFrame({"doc_id": [1], "lon": [0.0], "lat": [0.0]})
    with pytest.raises(UsageError, match=rf"not (DataFrame|LazyFrame); give what its {finish}\(\) returns"):
        read(planned)


@pytest.mark.parametrize("column", [pd.Series([0.0]), pl.Series([0.0])], ids=["pandas", "polars"])
def test_a_column_is_no_table(column):
    """Of some versions of pandas, and of polars, it is a stream of Arrow's too."""
    for given in (column, [column]):
        with pytest.raises(
            UsageError, match=r"^deals: a source is a path, a data frame or a list of these, not Series$"
        ):
            gpu_clusters.rank(address_table(), deals=given)


def test_tables_that_have_their_columns_as_attributes():
    """One may be called as what tells columns from tables."""
    deals = duckdb.sql("select 0.0 as lon, 0.0 as lat, 1 as dtype")
    assert gpu_clusters.rank(address_table(), deals=deals, names=False).coverage["rows"].iloc[-1] == 1


@pytest.mark.parametrize("level", ["doc_id", "country", "fraction"])
def test_columns_in_the_index_are_asked_for(level):
    """Else countries are not told, and documents that have fractions count otherwise."""
    table = address_table().assign(fraction=0.5)
    says = rf'patents \(data frame\): "{level}" is in the index; give what its reset_index\(\) returns'
    with pytest.raises(InputError, match=says):
        gpu_clusters.rank(table.set_index(level))
    assert len(gpu_clusters.rank(table.set_index(level, drop=False), names=False, density=20).ranking) == 2


def test_a_missing_column_is_named_as_in_python():
    with pytest.raises(InputError, match=r'name the right one with columns=\{"patents": \{"doc_id": NAME\}\}$'):
        gpu_clusters.rank(address_table().rename(columns={"doc_id": "id"}))


def test_a_folder_that_is_not_empty_is_replaced_as_in_python(tmp_path):
    found = gpu_clusters.rank(address_table(), names=False, density=20)
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "notes.txt").touch()
    with pytest.raises(UsageError, match=r"give --force \(in Python force=True\) to replace the result"):
        found.write(tmp_path / "result")


@pytest.mark.parametrize("make", [pd.DataFrame, pa.table, pl.DataFrame], ids=["pandas", "pyarrow", "polars"])
def test_points_of_frames_are_longitude_and_latitude(make):
    """Columns go by their order, so the wrong one would give clusters of other places."""
    lon, lat = [13.40, 13.41, 2.35], [52.52, 52.52, 48.85]
    assert WeightedDBSCAN(5, 2).fit(make({"lon": lon, "lat": lat})).labels_.tolist() == [0, 0, -1]
    assert WeightedDBSCAN(5, 2).fit(make({"a": lon, "b": lat})).labels_.tolist() == [0, 0, -1]
    for names in (("lat", "lon"), ("Latitude", "Longitude"), ("y", "x")):
        with pytest.raises(ValueError, match=rf"X has the columns {', '.join(names)}: give longitude first, X\[\['"):
            WeightedDBSCAN(5, 2).fit(make(dict(zip(names, (lat, lon), strict=True))))


def test_masked_values_are_no_points_and_no_weights():
    points, weights = np.ma.masked_equal([[13.40, 52.52], [0.0, 52.52]], 0), np.ma.masked_equal([1, 0], 0)
    with pytest.raises(ValueError, match="X has masked values"):
        WeightedDBSCAN(5, 2).fit(points)
    with pytest.raises(ValueError, match="sample_weight has masked values"):
        WeightedDBSCAN(5, 2).fit(points.data, sample_weight=weights)
    assert WeightedDBSCAN(5, 1).fit(points[:1]).labels_.tolist() == [0]


def test_what_results_say_of_themselves_is_short(tmp_path):
    """A notebook shows it where a cell ends with one."""
    found = gpu_clusters.rank(address_table(), names=False, density=20)
    assert repr(found) == "<Result: 2 clusters of 22 locations>"
    nothing = gpu_clusters.rank(address_table(), names=False, density=1000)
    assert repr(nothing) == "<Result: 0 clusters of 22 locations; 1 warning in manifest['warnings']>"
    swept = gpu_clusters.sweep(address_table(), radius_km=5, density=1000)
    assert repr(swept) == "<SweepResult: 1 setting, 0 clusters of the baseline; 2 warnings in manifest['warnings']>"
    found.write(tmp_path / "result")
    assert repr(report.read(tmp_path / "result")) == "<Contents: 2 clusters of 22 locations>"
    assert repr(gpu_clusters.compare(found, found)) == "<Comparison: 2 clusters matched, 0 entrants, 0 leavers>"
    rounds = "uuid,company_name,city,region,country_code,investment_type,announced_on\n1,a,Paris,,FRA,seed,2015-01-01\n"
    (tmp_path / "funding_rounds.csv").write_text(rounds)
    done = gpu_clusters.convert("crunchbase", tmp_path / "funding_rounds.csv", tmp_path / "deals")
    assert repr(done) == "<Converted: deals, 1 row>"


@pytest.mark.parametrize("top", ["3", None, 0, True])
def test_the_first_of_a_comparison_are_a_number(top):
    found = gpu_clusters.rank(address_table(), names=False, density=20)
    compared = gpu_clusters.compare(found, found)
    for of in (compared.entered, compared.left):
        with pytest.raises(UsageError, match=f"top must be a whole number, 1 or more, not {top!r}"):
            of(top)
    assert compared.entered(np.int64(3)).empty
