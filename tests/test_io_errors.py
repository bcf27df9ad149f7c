"""The input layer on bad data: one clear message that names file, column and row."""

from __future__ import annotations

import datetime
import gzip
import json
import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from gpu_clusters.errors import InputError
from gpu_clusters.io import read_addresses, read_deals
from gpu_clusters.io.sources import SUPPORTED, readers

HEAD = "doc_id,lon,lat\n"


def table(n: int = 4, **more) -> pd.DataFrame:
    return pd.DataFrame({"doc_id": np.arange(n), "lon": np.linspace(-170, 170, n), "lat": 1.0, **more})


def refused(source, *parts: object, reader=read_addresses, **how) -> str:
    """Assert that the source is refused in one line that has all the parts; give that line."""
    with pytest.raises(InputError) as caught:
        reader(source, *(["patents"] if reader is read_addresses else []), **how)
    message = str(caught.value)
    for part in parts:
        assert str(part) in message, message
    assert "\n" not in message and caught.value.exit_code == 3
    return message


def text(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_no_such_file(tmp_path):
    for name in ("a.parquet", "a.csv", "folder", "a.xlsx"):
        refused(tmp_path / name, tmp_path / name, "does not exist")
        refused([str(tmp_path / name)], tmp_path / name, "does not exist")
    refused([], "patents", "no file")


def test_folders_without_a_table(tmp_path):
    text(tmp_path / "a.txt", "x")
    text(tmp_path / "_a.csv", HEAD)
    refused(tmp_path, tmp_path, "no supported file", ".parquet")


def test_unsupported_ending(tmp_path):
    for name in ("a.xlsx", "parquet", "a.csv.bz2", "a"):
        refused(text(tmp_path / name, "x"), name, "not supported", ".parquet", ".csv.gz", ".geojson")
    os.mkfifo(tmp_path / "pipe.csv")
    refused(tmp_path / "pipe.csv", "pipe.csv", "neither a file nor a folder")


def test_no_permission(tmp_path, monkeypatch):
    path = text(tmp_path / "a.csv", HEAD + "1,2,3\n")

    def refuse(self, *_, **__):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    refused(path, path, "want of permission")
    monkeypatch.undo()
    if os.getuid() != 0:
        path.chmod(0)
        refused(path, path, "want of permission")


@pytest.mark.parametrize("ending", ["parquet", "csv", "csv.gz", "tsv.zst", "geojson", "json", "geoparquet"])
def test_empty_file(ending, tmp_path):
    path = text(tmp_path / f"a.{ending}", b"")
    refused(path, path, "is empty")
    refused(tmp_path, path, "is empty")


@pytest.mark.parametrize("ending", ["parquet", "csv", "csv.gz", "tsv.zst", "geojson"])
def test_random_bytes(ending, tmp_path):
    path = text(tmp_path / f"a.{ending}", np.random.default_rng(3).bytes(5000))
    refused(path, path)


def test_truncated_files(tmp_path):
    frame = table(20_000, organization=[f"name {i * 7919 % 10007}" for i in range(20_000)])
    frame.to_parquet(tmp_path / "a.parquet")
    plain = frame.to_csv(index=False).encode()
    points = gpd.GeoDataFrame(frame[["doc_id"]], geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=4326)
    files = {
        "b.parquet": (tmp_path / "a.parquet").read_bytes(),
        "b.csv.gz": gzip.compress(plain),
        "b.csv.zst": pa.Codec("zstd").compress(plain, asbytes=True),
        "b.geojson": points.iloc[:200].to_json().encode(),
    }
    for name, content in files.items():
        for cut in (len(content) // 2, len(content) - 1):
            path = text(tmp_path / name, content[:cut])
            refused(path, path, "complete")
    damaged = bytearray(files["b.parquet"])
    damaged[2000:12000] = bytes(10000)
    refused(text(tmp_path / "c.parquet", bytes(damaged)), "c.parquet", "Parquet")


def test_wrong_compression(tmp_path):
    plain = (HEAD + "1,2,3\n").encode()
    refused(text(tmp_path / "a.csv.gz", plain), "a.csv.gz", "gzip")
    refused(text(tmp_path / "a.csv", gzip.compress(plain)), "a.csv", "compressed", ".gz")
    refused(text(tmp_path / "b.csv", pa.Codec("zstd").compress(plain, asbytes=True)), "b.csv", "compressed", ".zst")


def test_text_that_is_not_utf8(tmp_path):
    words = HEAD.replace("\n", ",organization\n") + "1,2,3,Zürich\n"
    refused(text(tmp_path / "a.csv", words.encode("latin1")), "a.csv", "UTF-8")
    refused(text(tmp_path / "b.csv", words.replace("lat", "lät").encode("latin1")), "b.csv", "UTF-8")
    refused(text(tmp_path / "c.csv", words.encode("utf-16")), "c.csv", "UTF-8")
    refused(text(tmp_path / "d.csv", words.encode("utf-16-le")), "d.csv", "UTF-8")
    late = words + "2,2,3,b\n" * 100_000 + "3,4,5,Zü\n"
    refused(text(tmp_path / "e.csv", late.encode("latin1")), "e.csv", "UTF-8")
    refused(
        text(tmp_path / "f.tsv", (HEAD.replace(",", "\t") + "1\t2\t3\n").encode() + b"2\t3\t4\xc3"), "f.tsv", "UTF-8"
    )
    names = pa.array([b"a", b"\xff"])
    good = {"doc_id": [1, 2], "lon": [1, 1], "lat": [1, 1], "country": ["FR", "DE"], "organization": ["a", "b"]}
    refused(pa.table(good | {"country": names}), "country", "UTF-8")
    for name in good:
        pq.write_table(pa.table(good | {name: names.view(pa.string())}), tmp_path / "a.parquet")  # says that it is text
        refused(tmp_path / "a.parquet", f'a.parquet: column "{name}": is not text in UTF-8')


def test_ragged_and_unquoted_rows(tmp_path):
    refused(text(tmp_path / "a.csv", HEAD + "1,2,3\n\n2,3\n"), "a.csv", "row 2", "2 cells", "3", "'2,3'")
    refused(text(tmp_path / "b.csv", HEAD + "1,2,3\n" * 5 + "2,3,4,5\n"), "b.csv", "row 6", "4 cells")
    named = HEAD.replace("\n", ",organization\n")
    refused(text(tmp_path / "c.csv", named + '1,2,3,a\n2,2,3,"a\n3,4,5,b\n'), "c.csv", "row 2", "quotation")
    refused(text(tmp_path / "d.csv", named + '1,2,3,a\n2,"2,3,a\n3,4,5,b\n'), "d.csv", "row 2", "quotation")


def test_missing_columns(tmp_path):
    frame = table().rename(columns={"lon": "longitude"})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    parts = ('"lon"', "missing", "doc_id, longitude, lat", 'columns={"patents": {"lon": NAME}}')
    refused(tmp_path / "a.csv", tmp_path / "a.csv", "--column patents.lon=NAME, in Python ", *parts)
    refused(tmp_path / "a.parquet", tmp_path / "a.parquet", *parts)
    refused(frame, "patents (data frame)", *parts)
    refused([table(), tmp_path / "a.csv"], tmp_path / "a.csv", *parts)
    refused(table(), '"x"', "missing", "lon", columns={"lon": "x"})
    refused(table(), '"applicant"', "(given for organization)", columns={"organization": "applicant"})
    refused(table(), '"jahr"', columns={"year": "jahr"})
    refused(table(), '"year"', 'columns={"patents": {"year": NAME}}', years=(2020, None))
    refused(frame, 'columns={"deals": {"lon": NAME}}', reader=read_deals)
    refused(text(tmp_path / "s.csv", "doc_id;lon;lat\n1;2;3\n"), "s.csv", "commas")
    refused(text(tmp_path / "n.csv", "\n\n"), "n.csv", "missing", "none")
    geo = gpd.GeoDataFrame({"id": [1]}, geometry=[shapely.Point(1, 2)], crs=4326)
    refused(geo, '"doc_id"', "id, geometry")
    refused(geo, '"lon"', columns={"doc_id": "id", "lon": "lon", "lat": "lat"})


def test_columns_that_are_there_twice(tmp_path):
    refused(text(tmp_path / "a.csv", "doc_id,lon,lat,lon\n1,2,3,4\n"), "a.csv", '"lon"', "2 times; keep one of them")
    twice = pa.Table.from_arrays([pa.array([1])] * 4, names=["doc_id", "lon", "lat", "lat"])
    refused(twice, '"lat"', "2 times; keep one of them")
    pq.write_table(twice, tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet", "a.parquet", '"lat"', "2 times")


@pytest.mark.parametrize("column", ["doc_id", "country", "year", "land"])
def test_columns_that_only_folders_have(column, tmp_path):
    (tmp_path / f"{column}=7").mkdir()
    table().drop(columns=column, errors="ignore").to_parquet(tmp_path / f"{column}=7" / "a.parquet")
    asked = {"years": (2020, None), "columns": {"organization": "land"}}
    refused(tmp_path, "a.parquet", f'"{column}"', "name of a folder only", **asked)


def test_files_given_twice(tmp_path):
    table().to_parquet(tmp_path / "a.parquet")
    refused([tmp_path, tmp_path / "a.parquet"], "a.parquet", "is given twice")


@pytest.mark.parametrize("ending", SUPPORTED)
def test_a_table_beside_its_packed_self(ending, tmp_path):
    first = ".parquet" if ending == ".csv" else ".csv"
    text(tmp_path / f"a.2020{ending.upper()}", "x")
    text(tmp_path / f"a.2020{first}", "x")
    said = refused(tmp_path, "seems to hold the same rows as", "move one of them away")
    assert f"a.2020{first}" in said and f"a.2020{ending.upper()}" in said
    assert len(readers(sorted(tmp_path.iterdir()), "patents")) == 2  # who names both means both
    (tmp_path / f"a.2020{first}").rename(tmp_path / f"a.2021{first}")
    assert len(readers(tmp_path, "patents")) == 2
    (tmp_path / "older").mkdir()
    text(tmp_path / "older/a.2020.csv", "x")
    assert len(readers(tmp_path, "patents")) == 3


@pytest.mark.parametrize(
    "cell", ["x", "1,5", "1 5", "0x10", "1_0", "--1", "null", "None", "N/A", "na", "nan(1)", "١", "-"]
)
@pytest.mark.parametrize("name", ["lon", "lat", "fraction"])
def test_other_text_in_a_number_column(cell, name, tmp_path):
    frame = table(fraction=1.0).astype({name: object})
    frame.loc[2, name] = cell
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    refused(path, path, f'column "{name}"', "row 3", repr(cell), "not a number")
    refused(frame, "patents (data frame)", f'column "{name}"', "row 3", repr(cell))
    frame[name] = frame[name].astype(str).astype("category")
    frame.to_parquet(tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet", "a.parquet", f'column "{name}"', "row 3", repr(cell))


def test_bad_text_far_down_is_found_at_its_row(tmp_path, monkeypatch):
    monkeypatch.setattr("gpu_clusters.io.delimited._BLOCK", 500)
    lines = [f"{i},1.5, 2 \n" for i in range(1000)]
    lines[776] = '777,1.5,"two\nlines"\n'
    path = text(tmp_path / "a.csv", HEAD + "".join(lines))
    refused(path, 'column "lat", row 777', "two")
    lines[776] = "777,1.5,2,9\n"
    refused(text(path, HEAD + "".join(lines)), "row 777", "4 cells")
    renamed = text(tmp_path / "b.csv", "doc_id,x,lat,year\n1,5,6,2020\n2,5,6,1990\n3,oh,6,2020\n")
    refused(renamed, 'column "x" (lon), row 3', "'oh'", columns={"lon": "x"}, years=(2000, 2030))
    refused(
        text(path, HEAD.replace("\n", ",year\n") + "1,2,3,2020\n1,2,3,old\n"), '"year", row 2', "'old'", years=(1, 9)
    )


@pytest.mark.parametrize(
    "values",
    [
        pa.array([True, False, None, True]),
        pa.array([datetime.date(2020, 1, 1)] * 4),
        pa.array([datetime.datetime(2020, 1, 1)] * 4),
        pa.array([[1.0]] * 4),
        pa.array([{"a": 1.0}] * 4),
    ],
    ids=str,
)
def test_types_that_hold_no_numbers(values, tmp_path):
    wrong = pa.table({"doc_id": [1, 2, 3, 4], "lon": values, "lat": [1.0] * 4})
    refused(wrong, 'column "lon"', "not a number")
    pq.write_table(wrong, tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet", "a.parquet", 'column "lon"', "not a number")
    refused(wrong.rename_columns(["lon", "doc_id", "lat"]).slice(3), 'column "doc_id"', "text or whole numbers")
    named = pa.table({"doc_id": [1, 2, 3, 4], "country": values, "lon": [1.0] * 4, "lat": [1.0] * 4})
    refused(named, 'column "country"', "text")


def test_periods_are_no_numbers():
    refused(table(year=pd.period_range("2020", periods=4, freq="Y")), 'column "year"', years=(2020, 2021))
    refused(table().assign(lon=pd.period_range("2020", periods=4, freq="Y")), 'column "lon"')


@pytest.mark.parametrize("column", ["doc_id", "lon", "country", "organization", "year"])
def test_texts_of_frames_that_are_no_utf8(column):
    """As pandas reads them with ``encoding_errors="surrogateescape"``."""
    frame = table(year=2020).assign(**{column: pd.Series(["1", "2", "3", "Orl\udce9ans"], dtype=object)})
    refused(frame, f'patents (data frame): column "{column}"', "not text in UTF-8", years=(2020, None))


@pytest.mark.parametrize("lon", [3.0, np.nan], ids=["geocoded", "not geocoded"])
@pytest.mark.parametrize(
    "ids",
    [
        ["a", "b", None, "d"],
        ["a", "b", "", "d"],
        ["a", "b", "  ", "d"],
        [1.0, 2.0, np.nan, 3.0],
        pd.array([1, 2, None, 3], dtype="Int64"),
        pd.array([1.0, 2.0, None, 3.0], dtype="Float64"),
        pd.Categorical(["a", "b", None, "d"]),
        pd.Categorical(["a", "b", "", "d", "d"])[:4],
        np.array([1, 2, None, "d"], dtype=object),
    ],
    ids=str,
)
def test_null_and_empty_document_ids(ids, lon, tmp_path):
    frame = table(4, doc_id=ids)
    frame.loc[2, "lon"] = lon
    refused(frame, 'column "doc_id"', "row 3", "is ")
    frame.to_csv(tmp_path / "a.csv", index=False)
    refused(tmp_path / "a.csv", tmp_path / "a.csv", 'column "doc_id"', "row 3", "is empty")
    if not (isinstance(ids, np.ndarray) and ids.dtype == object):
        frame.to_parquet(tmp_path / "a.parquet")
        refused(tmp_path / "a.parquet", tmp_path / "a.parquet", 'column "doc_id"', "row 3")


def test_document_ids_that_are_not_whole():
    refused(table(2, doc_id=[1.0, 1.5]), 'column "doc_id"', "row 2", "1.5", "whole")
    refused(table(2, doc_id=[1.0, 2.0**60]), 'column "doc_id"', "row 2", "2^53")
    refused(table(2, doc_id=[1.0, np.inf]), 'column "doc_id"', "row 2", "inf")
    frame = pa.table({"doc_id": pa.array(["1.50", "2.00"]).cast(pa.decimal128(5, 2)), "lon": [1, 2], "lat": [1, 2]})
    refused(frame, 'column "doc_id"', "row 1", "1.50")


@pytest.mark.parametrize("lon", [3.0, np.nan, 999.0], ids=["geocoded", "ungeocoded", "invalid"])
@pytest.mark.parametrize(("value", "shown"), [(None, "null"), (-0.5, "-0.5"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_fractions(value, shown, lon, tmp_path):
    frame = table(fraction=[1.0, 0.0, value, 2.0])
    frame.loc[2, "lon"] = lon
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (frame, tmp_path / "a.csv", tmp_path / "a.parquet"):
        refused(source, 'column "fraction"', "row 3", shown)


def test_fractions_in_some_files_only(tmp_path):
    table(fraction=1.0).to_csv(tmp_path / "a.csv", index=False)
    table().to_parquet(tmp_path / "b.parquet")
    refused(tmp_path, "a.csv", "b.parquet", '"fraction"', "all")
    refused([table(), table(fraction=1.0)], "patents (data frame 1)", '"fraction"')


@pytest.mark.parametrize(("value", "shown"), [(-1.0, "-1.0"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize("lon", [3.0, np.nan])
def test_counts_of_deals(value, shown, lon, tmp_path):
    frame = table(deals=[1.0, 0.0, value, 2.0])
    frame.loc[2, "lon"] = lon
    frame.to_csv(tmp_path / "a.csv", index=False)
    for source in (frame, tmp_path / "a.csv"):
        refused(source, 'column "deals"', "row 3", shown, reader=read_deals)
    frame["deals"] = ["1", "2", "many", "3"]
    refused(frame, 'column "deals"', "row 3", "'many'", reader=read_deals)


def test_sums_that_cannot_be_computed_with():
    says = "adds up to 1.2e+300, more than can be computed with; check its unit"
    refused(table(deals=3e299), 'deals: column "deals"', says, reader=read_deals)
    refused(table(fraction=3e299), 'patents: column "fraction"', says)


def test_tables_without_a_geocoded_row(tmp_path):
    frame = table().assign(lon=[np.nan, 999.0, np.inf, np.nan])
    refused(frame, "patents (data frame): no geocoded row", "4 rows", "2 without", "2 with an impossible")
    refused([frame, frame], "8 rows", "4 without")
    refused([frame, frame], "patents (data frame 1), patents (data frame 2): no geocoded row")
    refused(frame, "deals (data frame): no geocoded row", reader=read_deals)
    refused(table(0), "patents", "holds no row")
    for kind in ("csv", "parquet"):
        path = tmp_path / f"a.{kind}"
        table(0).to_csv(path, index=False) if kind == "csv" else table(0).to_parquet(path)
        refused(path, path, "holds no row")
    text(tmp_path / "a.geojson", json.dumps({"type": "FeatureCollection", "features": []}))
    refused(tmp_path / "a.geojson", "a.geojson", "no row")
    refused(table(year=2020), "no row in the years 2021:", "4 rows", years=(2021, None))
    refused(frame.assign(year=2020), "no geocoded row in the years :2021", years=(None, 2021))


def test_geometries_that_are_no_points(tmp_path):
    shapes = [shapely.Point(1, 2), None, shapely.LineString([(0, 0), (1, 1)])]
    frame = gpd.GeoDataFrame({"doc_id": [1, 2, 3], "year": [1, 1, 2]}, geometry=shapes, crs=4326)
    frame.to_parquet(tmp_path / "a.parquet")
    text(tmp_path / "a.geojson", frame.to_json())
    for source in (frame, tmp_path / "a.parquet", tmp_path / "a.geojson"):
        refused(source, "row 3", "LineString", "only points")
        assert read_addresses(source, "patents", years=(1, 1)).data.rows == 1
    lines = frame.iloc[2:]
    lines.to_parquet(tmp_path / "b.parquet", geometry_encoding="geoarrow")
    refused(tmp_path / "b.parquet", "b.parquet", "row 1", "linestring", "only points")
    many = gpd.GeoDataFrame({"doc_id": [1]}, geometry=[shapely.MultiPoint([(1, 1)])], crs=4326)
    refused(many, "row 1", "MultiPoint")


def test_geometry_that_cannot_be_read():
    meta = {"version": "1.0.0", "primary_column": "g", "columns": {"g": {"encoding": "WKB", "geometry_types": []}}}
    raw = pa.table({"doc_id": [1, 2], "g": pa.array([shapely.Point(1, 2).wkb, b"junk"])})
    refused(raw.replace_schema_metadata({"geo": json.dumps(meta)}), 'column "g"', "row 2", "well-known binary")
    meta["columns"]["g"]["crs"] = "EPSG:999999"
    refused(raw.slice(0, 1).replace_schema_metadata({"geo": json.dumps(meta)}), "reference system")


def test_json_that_is_no_geojson(tmp_path):
    for content in ('{"a": 1}', "[1, 2]", "hello"):
        refused(text(tmp_path / "a.json", content), "a.json", "GeoJSON")


def test_messages_are_sentences_a_user_can_act_on(tmp_path):
    path = text(tmp_path / "a.csv", HEAD + "1,2,3\n2,abc,4\n")
    assert refused(path) == f"{path}: column \"lon\", row 2: 'abc' is not a number"
    refused(text(path, HEAD + '1,"2,5",3\n'), "'2,5' is not a number; decimals have a point")
    assert refused(text(tmp_path / "a.tsv", HEAD + "1,2,3\n")).endswith("separated by commas (.csv) or tabs (.tsv)?")
    refused(
        text(path, "doc_id;lon;lat\n1;2,5;3\n"),
        'pandas.read_csv("NAME.csv", sep=";", decimal=",").to_parquet("NAME.parquet")',
    )
    refused(
        text(tmp_path / "a.dta", "x"), "a.dta: files of this kind are not supported; save the table as Parquet or CSV;"
    )
    refused(text(path, HEAD + "1,256789,6250000\n2,,\n"), "check lon and lat: degrees of WGS 84, no metres of a map")
    refused(text(path, HEAD + "1,,\n"), "geocode them, or check lon and lat")
    refused(text(tmp_path / "a.xlsx", "x"), "a.xlsx: files of this kind are not supported; save the sheet as CSV")
    for first in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1"):  # a workbook under another name
        refused(text(path, first + b"\x00"), f"{path}: is a workbook", "save the sheet as CSV in UTF-8")
    given = text(path, "doc_id,Company City,capacity\n1,Paris,2\n")
    refused(
        given, "--column patents.lon=NAME", "gpu-clusters geocode (in Python gpu_clusters.geocode)", 'by "Company City"'
    )
    assert "geocode" not in refused(text(path, "doc_id,capacity\n1,2\n"))
    long = text(path, HEAD + f"1,{'x' * 5000},3\n")
    assert len(refused(long)) < 300
