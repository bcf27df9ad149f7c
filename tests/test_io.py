"""The input layer: every kind of source gives the same arrays."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from sample import KINDS, same, table, write

from gpu_clusters.errors import UsageError
from gpu_clusters.io import Addresses, Deals, read_addresses, read_deals
from gpu_clusters.schema import COVERAGE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("years", [None, (2021, None)])
def test_every_kind_of_source_reads_the_same(kind, years, tmp_path):
    frame = table()
    read = read_addresses(write(frame, kind, tmp_path), "patents", years=years)
    expected = read_addresses(frame, "patents", years=years)
    if "files" in kind or kind == "folder":
        assert read.invalid[0].rows == [4]
        read.invalid[0] = read.invalid[0]._replace(rows=[6])
    same(read, expected)


def test_addresses_of_the_sample():
    data = read_addresses(table(), "patents").data
    assert isinstance(data, Addresses)
    assert (data.name, data.rows, data.documents) == ("patents", 4, 2)
    np.testing.assert_array_equal(data.doc_start, [0, 2, 4])
    np.testing.assert_array_equal(data.lon, [139.7, 0.0, -180.0, -74.006])
    np.testing.assert_array_equal(data.lat, [35.7, 0.0, 12.5, 40.7128])
    assert not np.signbit(data.lon[1]) and not np.signbit(data.lat[1])
    assert data.countries == ("JP", "NA", "US")
    np.testing.assert_array_equal(data.country, [0, -1, 1, 2])
    assert data.organizations == ("Ab", "é")
    np.testing.assert_array_equal(data.organization, [1, 0, -1, 0])
    np.testing.assert_array_equal(data.fraction, [0.5, 0.1, 0.25, 1 / 3])
    assert data.doc_start.dtype == np.int64 and data.country.dtype == data.organization.dtype == np.int32


def test_coverage_of_the_sample():
    read = read_addresses(table(), "patents")
    assert tuple(read.coverage.columns) == COVERAGE
    assert read.coverage["country"].tolist() == ["", "JP", "NA", "US", "Ö", "World"]
    assert read.coverage["rows"].tolist() == [1, 1, 1, 2, 1, 6]
    assert read.coverage["geocoded"].tolist() == [1, 1, 1, 1, 0, 4]
    assert read.coverage["invalid"].tolist() == [0, 0, 0, 1, 0, 1]
    assert read.coverage["documents"].tolist() == [1, 1, 1, 2, 1, 4]
    assert read.coverage["documents_covered"].tolist() == [1, 1, 1, 1, 0, 2]
    assert read.coverage["rows_pct"].tolist() == [100, 100, 100, 50, 0, 100 * 4 / 6]
    assert read.coverage["documents_pct"].tolist() == [100, 100, 100, 50, 0, 50]
    assert [tuple(entry) for entry in read.invalid] == [("patents (data frame)", [6], 1)]


def test_coverage_has_a_row_without_a_country_only_where_one_is_missing():
    assert read_addresses(table(country="FR"), "patents").coverage["country"].tolist() == ["FR", "World"]
    assert read_deals(table(country="FR")).coverage["country"].tolist() == ["FR", "World"]


def test_files_are_recorded(tmp_path):
    path = write(table(), "csv", tmp_path)
    (file,) = read_addresses(str(path), "patents", years=(2022, 2022)).inputs
    assert (file.table, file.name, file.path, file.rows) == ("patents", str(path), path, 6)
    assert (file.size, file.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    one, two = read_addresses([table(), table()], "patents").inputs
    assert (one.name, two.name) == ("patents (data frame 1)", "patents (data frame 2)")
    assert one.path is one.size is one.sha256 is None and one.rows == 6


def test_columns_are_mapped(tmp_path):
    frame = table().rename(columns={"doc_id": "id", "lon": "x", "lat": "y.y", "organization": "applicant"})
    names = {"doc_id": "id", "lon": "x", "lat": "y.y", "organization": "applicant"}
    frame["lon"] = 1.0
    expected = read_addresses(table(), "patents")
    for kind in ("parquet", "csv", "objects"):
        same(read_addresses(write(frame, kind, tmp_path), "patents", columns=names), expected)
    both = read_addresses(frame, "patents", columns={"doc_id": "id", "lat": "lon"}).data
    np.testing.assert_array_equal(both.lon, both.lat)


def test_optional_columns_may_be_missing_in_some_files():
    frame = table().drop(columns="fraction")
    lean = frame[["doc_id", "lon", "lat"]]
    data = read_addresses([lean, frame], "patents").data
    assert data.countries == ("JP", "NA", "US") and data.rows == 8
    assert np.count_nonzero(data.country < 0) == 5 and data.fraction is None
    assert read_addresses(lean, "patents").coverage["country"].tolist() == ["", "World"]


def test_progress_rises_to_one(tmp_path):
    seen = []
    paths = write(table(), "two files", tmp_path)
    read_addresses([*paths, table()], "patents", progress=lambda name, part: seen.append((name, part)))
    parts = [part for _, part in seen]
    assert parts == sorted(parts) and 0 <= parts[0] < 1 and parts[-1] == 1.0
    assert {name for name, _ in seen} == {*map(str, paths), "patents (data frame)"}


def test_only_needed_columns_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("doc_id,junk,lon,lat,year\n1,,2,3,never\n2,x,3,4,\n", encoding="utf-8")
    assert read_addresses(path, "patents").data.rows == 2


def test_deals(tmp_path):
    frame = pd.DataFrame(
        {
            "lon": [1.0, 200.0, np.nan, 4.0, 5.0],
            "lat": [1.0, 2.0, 3.0, 99.0, 5.0],
            "country": ["US", "DE", "DE", "FR", None],
            "deals": [2.0, np.nan, 3.0, 1.0, 0.0],
            "deal_id": [None, "a", "b", "c", "d"],
        }
    )
    for kind in ("parquet", "csv", "geoparquet", "objects", "nullable", "categories"):
        source = write(frame, kind, tmp_path)
        read = read_deals(source)
        assert isinstance(read.data, Deals) and read.data.rows == 3
        np.testing.assert_array_equal(read.data.lon, [1.0, -160.0, 5.0])
        np.testing.assert_array_equal(read.data.deals, [2.0, 1.0, 0.0])
        np.testing.assert_array_equal(read.data.country, [1, 0, -1])
        assert read.data.countries == ("DE", "US")
        assert read.coverage["country"].tolist() == ["", "DE", "FR", "US", "World"]
        assert read.coverage["rows"].tolist() == [1, 2, 1, 1, 5]
        assert read.coverage["documents"].tolist() == [0, 4, 1, 2, 7]
        assert read.coverage["documents_covered"].tolist() == [0, 1, 0, 2, 3]
        assert np.isnan(read.coverage["documents_pct"][0]) and read.coverage["documents_pct"][1] == 25.0
    np.testing.assert_array_equal(read_deals(frame[["lon", "lat"]]).data.deals, [1, 1, 1])
    by = read_deals(frame.rename(columns={"deals": "n"}), columns={"deals": "n", "deal_id": "deal_id"})
    np.testing.assert_array_equal(by.data.deals, [2, 1, 0])


def test_arguments_that_make_no_sense():
    for call, says in (
        (lambda: read_addresses(table(), "patent"), "unknown table 'patent'"),
        (lambda: read_addresses(table(), "deals"), "deals are read by read_deals"),
        (lambda: read_addresses(table(), "patents", columns={"longitude": "lon"}), "no column 'longitude' to map"),
        (lambda: read_addresses(table(), "patents", years=(2021, 2020)), "2021:2020 ends before it begins"),
        (lambda: read_addresses(5, "patents"), "patents: a source is a path, .* not int"),
        (lambda: read_deals([None]), "deals: a source is a path, .* not NoneType"),
        (lambda: read_deals(table(), columns={"doc_id": "doc_id"}), "deals has no column 'doc_id' to map"),
    ):
        with pytest.raises(UsageError, match=says):
            call()
