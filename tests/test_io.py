"""The input layer: every kind of source gives the same arrays, and they are what plain pandas computes."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_clusters.errors import UsageError
from gpu_clusters.io import Addresses, Deals, TableRead, read_addresses, read_deals
from gpu_clusters.io.grouping import codes_of, group
from gpu_clusters.schema import COVERAGE


def table(**more) -> pd.DataFrame:
    """Six rows that have a bit of everything."""
    return pd.DataFrame(
        {
            "doc_id": ["W3", "W1", "W3", "W2", "W1", "W4"],
            "lon": [139.7, 180.0, -0.0, np.nan, -74.006, 400.0],
            "lat": [35.7, 12.5, -0.0, 1.0, 40.7128, 5.0],
            "country": ["JP", "NA", None, "Ö", "US", "US"],
            "organization": ["é", None, "Ab", "zz", "Ab", "c"],
            "year": [2020, 2021, 2022, 2020, 2021, 2022],
            "fraction": [0.5, 0.25, 0.1, 1.5, 1 / 3, 1.0],
            **more,
        }
    )


def same(one: TableRead, other: TableRead) -> None:
    """Assert that two readings are identical, names of files aside."""
    for name, value in vars(one.data).items():
        theirs = getattr(other.data, name)
        if isinstance(value, np.ndarray):
            assert value.dtype == theirs.dtype
            np.testing.assert_array_equal(value, theirs, err_msg=name)
            assert value.tobytes() == theirs.tobytes(), name
        else:
            assert value == theirs, name
    pd.testing.assert_frame_equal(one.coverage, other.coverage)
    assert [entry[1:] for entry in one.invalid] == [entry[1:] for entry in other.invalid]


def as_geometry(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """The coordinates as points; a missing one as an empty or a null geometry."""
    points = shapely.points(frame["lon"].to_numpy(), frame["lat"].to_numpy())
    points[np.isnan(frame["lon"].to_numpy())] = None
    return gpd.GeoDataFrame(frame.drop(columns=["lon", "lat"]), geometry=list(points), crs=4326)


def write(frame: pd.DataFrame, kind: str, folder: Path):
    """Write the frame as the kind of source that is asked for."""
    path = folder / f"a.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "geoparquet":
        as_geometry(frame).to_parquet(path)
    elif kind == "point.geoparquet":
        as_geometry(frame).to_parquet(path, geometry_encoding="geoarrow")
    elif kind == "both.geoparquet":
        as_geometry(frame).set_geometry(gpd.points_from_xy([7.0] * len(frame), [8.0] * len(frame))).assign(
            lon=frame["lon"], lat=frame["lat"]
        ).to_parquet(path)
    elif kind in ("geojson", "json"):
        path.write_text(as_geometry(frame).to_json(), encoding="utf-8")
    elif kind == "bom.csv":
        frame.to_csv(path, index=False, encoding="utf-8-sig")
    elif kind == "crlf.csv":
        path.write_text("\n" + frame.to_csv(index=False).replace("\n", "\r\n"), encoding="utf-8", newline="")
    elif kind == "na.csv":
        path.write_text(frame.to_csv(index=False).replace(",,1.0", ",NA,1.0"), encoding="utf-8")
    elif kind.startswith(("csv", "tsv")):
        text = frame.to_csv(index=False, sep="\t" if kind.startswith("tsv") else ",").encode()
        if kind.endswith(".gz"):
            text = gzip.compress(text[:20]) + gzip.compress(text[20:])  # two members
        elif kind.endswith(".zst"):
            text = pa.Codec("zstd").compress(text, asbytes=True)
        path.write_bytes(text)
    elif kind == "polars":
        return pytest.importorskip("polars").from_pandas(frame)
    elif kind == "polars categories":
        polars = pytest.importorskip("polars")
        return polars.from_pandas(frame).with_columns(polars.col("country", "organization").cast(polars.Categorical))
    elif kind == "text views":
        whole = pa.Table.from_pandas(frame)
        views = [pa.array(whole[name].to_pylist(), pa.string_view()) for name in ("doc_id", "country")]
        return whole.set_column(0, "doc_id", views[0]).set_column(3, "country", views[1])
    elif kind == "pyarrow":
        return pa.Table.from_pandas(frame)
    elif kind == "pyarrow batches":
        return pa.Table.from_pandas(frame).to_reader(max_chunksize=2)
    elif kind == "geopandas":
        return as_geometry(frame)
    elif kind == "geoarrow":
        return pa.table(as_geometry(frame).to_arrow(geometry_encoding="geoarrow"))
    elif kind == "categories":
        return frame.astype(
            {name: "category" for name in ("doc_id", "country", "organization", "lon") if name in frame}
        )
    elif kind == "objects":
        return frame.astype(object)
    elif kind == "nullable":
        return frame.convert_dtypes(dtype_backend="numpy_nullable")
    elif kind == "arrow dtypes":
        return frame.convert_dtypes(dtype_backend="pyarrow")
    elif kind == "texts":
        return frame.astype({"lon": "str", "fraction": "str", "year": "str"})
    elif kind == "two files":
        frame.iloc[:2].to_parquet(folder / "1.parquet")
        frame.iloc[2:].to_csv(folder / "2.csv", index=False)
        return [folder / "1.parquet", str(folder / "2.csv")]
    elif kind == "folder":
        (folder / "year=x" / "p").mkdir(parents=True)
        (folder / "_delta").mkdir()
        frame.iloc[:2].to_parquet(folder / "0.PARQUET")
        frame.iloc[2:].to_parquet(folder / "year=x" / "p" / "1.parquet")
        for name in ("_SUCCESS.csv", ".hidden.csv", "notes.txt", "_delta/a.csv"):
            (folder / name).write_text("no table")
        return folder
    return path


KINDS = [
    *("parquet", "geoparquet", "point.geoparquet", "both.geoparquet", "geojson", "json", "polars", "pyarrow"),
    *("polars categories", "text views"),
    *("csv", "csv.gz", "csv.zst", "tsv", "tsv.gz", "tsv.zst", "bom.csv", "crlf.csv", "na.csv", "geopandas", "geoarrow"),
    *("pyarrow batches", "categories", "objects", "nullable", "arrow dtypes", "texts", "two files", "folder"),
]


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


def test_files_are_recorded(tmp_path):
    path = write(table(), "csv", tmp_path)
    (file,) = read_addresses(str(path), "patents", years=(2022, 2022)).inputs
    assert (file.table, file.name, file.path, file.rows) == ("patents", str(path), path, 6)
    assert (file.size, file.sha256) == (path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
    one, two = read_addresses([table(), table()], "patents").inputs
    assert (one.name, two.name) == ("patents (data frame 1)", "patents (data frame 2)")
    assert one.path is one.size is one.sha256 is None and one.rows == 6


@pytest.mark.parametrize(
    ("lon", "lat", "status", "normalised"),
    [
        (180.0, 0.0, "geocoded", -180.0),
        (-180.0, 90.0, "geocoded", -180.0),
        (360.0, -90.0, "geocoded", 0.0),
        (-360.0, 0.0, "geocoded", 0.0),
        (np.nextafter(180.0, 0), 0.0, "geocoded", np.nextafter(180.0, 0)),
        (np.nextafter(-180.0, -200), 0.0, "geocoded", np.nextafter(-180.0, -200) + 360.0),
        (190.25, 0.0, "geocoded", -169.75),
        (-190.25, 0.0, "geocoded", 169.75),
        (np.nextafter(360.0, 400), 0.0, "invalid", None),
        (0.0, np.nextafter(90.0, 100), "invalid", None),
        (0.0, -91.0, "invalid", None),
        (np.inf, 0.0, "invalid", None),
        (0.0, -np.inf, "invalid", None),
        (1000.0, np.nan, "ungeocoded", None),
        (np.nan, np.inf, "ungeocoded", None),
        (np.nan, np.nan, "ungeocoded", None),
    ],
)
@pytest.mark.parametrize("kind", ["frame", "parquet", "csv"])
def test_geocoded_invalid_and_ungeocoded(lon, lat, status, normalised, kind, tmp_path):
    frame = pd.DataFrame({"doc_id": [1, 2], "lon": [5.0, lon], "lat": [6.0, lat]})
    read = read_addresses(frame if kind == "frame" else write(frame, kind, tmp_path), "publications")
    world = read.coverage.iloc[-1]
    assert (world["geocoded"], world["invalid"]) == (1 + (status == "geocoded"), int(status == "invalid"))
    assert bool(read.invalid) == (status == "invalid")
    if normalised is not None:
        assert read.data.lon[1] == normalised
        assert -180 <= read.data.lon[1] < 180


def test_number_cells_of_a_csv(tmp_path):
    path = tmp_path / "a.csv"
    cells = [
        "1.5",
        " 1.5 ",
        "+1.5",
        "15e-1",
        "1.50",
        ".15E1",
        "\t1.5",
        "",
        " ",
        "NA",
        "NaN",
        "nan",
        "NAN",
        "nAn",
        " NA ",
    ]
    cells += ["inf", "-Infinity", "1e999"]
    path.write_text("doc_id,lon,lat,country\n" + "".join(f"7,{cell},2,NA\n" for cell in cells), encoding="utf-8")
    read = read_addresses(path, "patents")
    np.testing.assert_array_equal(read.data.lon, [1.5] * 7)
    assert read.invalid == [(str(path), [16, 17, 18], 3)]
    assert read.data.countries == ("NA",)
    assert read.coverage.iloc[-1]["rows"] == len(cells)


def test_types_of_coordinates():
    exact = {"doc_id": ["a"], "lon": [12.5], "lat": [-33.25]}
    expected = read_addresses(pd.DataFrame(exact), "patents")
    for kind in (pa.float32(), pa.float16(), pa.decimal128(9, 4), pa.string(), pa.dictionary(pa.int8(), pa.float64())):
        values = [pa.array([np.float16(v) if kind == pa.float16() else v for v in exact[c]]) for c in ("lon", "lat")]
        values = [v.dictionary_encode() if pa.types.is_dictionary(kind) else v.cast(kind) for v in values]
        frame = pa.table({"doc_id": exact["doc_id"], "lon": values[0], "lat": values[1]})
        same(read_addresses(frame, "patents"), expected)
    one = read_addresses(pa.table({"doc_id": [1], "lon": pa.array([0.1], pa.float32()), "lat": [3]}), "patents").data
    assert one.lon[0] == float(np.float32(0.1)) and one.lat[0] == 3.0


def documents(ids, **how) -> list[int]:
    """Sizes of the documents that these ids make."""
    n = len(ids)
    frame = ids if isinstance(ids, pa.Table) else pd.DataFrame({"doc_id": ids, "lon": np.ones(n), "lat": np.ones(n)})
    return np.diff(read_addresses(frame, "patents", **how).data.doc_start).tolist()


def test_kinds_of_document_ids(tmp_path):
    assert documents([5, 7, 5, -9]) == [2, 1, 1]
    assert documents(np.array([5.0, 7.0, 5.0])) == [2, 1]
    assert documents(pd.array([5, 7, 5], dtype="Int64")) == [2, 1]
    assert documents(pd.array([5, 7, 5], dtype="UInt8")) == [2, 1]
    assert documents(np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], np.uint64)) == [2, 1]
    assert documents(np.array([2**62, -(2**62), 2**62, 2**62 + 1])) == [2, 1, 1]
    assert documents(pd.Categorical(["b", "a", "b"], categories=["", "a", "b", "c"])) == [2, 1]
    assert documents(pd.Categorical([7, 5, 7])) == [2, 1]
    assert documents(pd.Series(["007", "7", "NA", "nan", "7"])) == [1, 2, 1, 1]
    assert documents(pd.Series([7, "7", 7.0, "007"], dtype=object)) == [3, 1]
    decimals = pa.array(["7", "9" * 25, "7"])
    ones = pa.array([1.0] * 3)
    assert documents(pa.table({"doc_id": decimals.cast(pa.decimal128(30, 0)), "lon": ones, "lat": ones})) == [2, 1]
    assert documents(pa.table({"doc_id": pa.array([b"x", b"y", b"x"]), "lon": ones, "lat": ones})) == [2, 1]
    path = tmp_path / "a.csv"
    path.write_text("doc_id,lon,lat\n7,1,1\n007,1,1\n7.0,1,1\n", encoding="utf-8")
    assert documents(pa.table({"doc_id": ["7"], "lon": [1], "lat": [1]})) == [1]
    more = pd.DataFrame({"doc_id": [7, 8], "lon": [1, 1], "lat": [1, 1]})
    assert np.diff(read_addresses([more, path], "patents").data.doc_start).tolist() == [2, 1, 1, 1]
    assert np.diff(read_addresses([path, more], "patents").data.doc_start).tolist() == [2, 1, 1, 1]


def test_codes_of_all_paths_agree():
    rng = np.random.default_rng(1)
    few = rng.integers(0, 500, 3000)
    for ids in (few, np.sort(few), few * 10**15, np.array([], np.int64), few * 10**15 - 2**62):
        codes, count = codes_of(ids)
        np.testing.assert_array_equal(codes, pd.factorize(ids)[0])
        assert count == len(np.unique(ids))
    many = rng.permutation(200_000) * np.int64(10**12)  # the hash table grows
    np.testing.assert_array_equal(codes_of(many)[0], np.arange(len(many)))
    start, order = group(np.array([2, 0, 2, 1], np.int32), 4)
    np.testing.assert_array_equal(start, [0, 1, 2, 4, 4])
    np.testing.assert_array_equal(order, [1, 3, 0, 2])


def test_columns_are_mapped(tmp_path):
    frame = table().rename(columns={"doc_id": "id", "lon": "x", "lat": "y.y", "organization": "applicant"})
    names = {"doc_id": "id", "lon": "x", "lat": "y.y", "organization": "applicant"}
    frame["lon"] = 1.0
    expected = read_addresses(table(), "patents")
    for kind in ("parquet", "csv", "objects"):
        same(read_addresses(write(frame, kind, tmp_path), "patents", columns=names), expected)
    both = read_addresses(frame, "patents", columns={"doc_id": "id", "lat": "lon"}).data
    np.testing.assert_array_equal(both.lon, both.lat)


def test_years():
    def rows(years, values):
        return read_addresses(table(year=values), "patents", years=years).data.rows

    numbers = [2020, 2021, 2022, 2020, 2021, 2022]
    assert rows(None, numbers) == rows((None, None), numbers) == rows((1900, 2100), numbers) == 4
    assert rows((2021, 2021), numbers) == 2
    assert rows((None, 2020), numbers) == 1
    assert rows((2021, None), numbers) == 3
    assert rows((2020, None), pd.array([2020, None, 2019, 2020, 2021, 2022], dtype="Int64")) == 2
    assert rows((None, 2022), [2020.0, np.nan, np.inf, 2020.0, 2021.0, 2022.0]) == 2
    assert rows((2021, 2022), ["2020-12-31", "2021", " 2022.0", "", "2021-01-01T12:00:00", None]) == 3
    assert rows((2021, 2022), pd.to_datetime([f"{year}-12-31" for year in numbers])) == 3
    assert rows((2021, 2022), pd.to_datetime([f"{year}-12-31" for year in numbers]).tz_localize("UTC")) == 3


def test_rows_outside_of_the_window_are_as_if_not_there(tmp_path):
    frame = table()
    bad = table(doc_id=[None] * 6, fraction=[-1.0] * 6, lon=["?"] * 6, year=[1990, None, 1990, 2030, 1990, 1990])
    mixed = pd.concat([bad, frame], ignore_index=True)
    read = read_addresses(mixed, "patents", years=(2000, 2025))
    assert read.invalid[0].rows == [12]
    read.invalid[0] = read.invalid[0]._replace(rows=[6])
    same(read, read_addresses(frame, "patents"))
    assert read.inputs[0].rows == 12
    same(
        read_addresses(write(mixed, "csv", tmp_path), "patents", years=(2010, 2020)),
        read_addresses(frame[frame["year"] == 2020], "patents"),
    )


def test_optional_columns_may_be_missing_in_some_files():
    frame = table().drop(columns="fraction")
    lean = frame[["doc_id", "lon", "lat"]]
    data = read_addresses([lean, frame], "patents").data
    assert data.countries == ("JP", "NA", "US") and data.rows == 8
    assert np.count_nonzero(data.country < 0) == 5 and data.fraction is None
    assert read_addresses(lean, "patents").coverage["country"].tolist() == ["", "World"]


def test_empty_texts_are_missing():
    data = read_addresses(table(country=["", " ", "DE ", "x", " DE", "de"], organization=[""] * 6), "patents").data
    assert data.countries == ("DE",) and data.organizations == ()
    np.testing.assert_array_equal(data.country, [-1, 0, -1, 0])
    nothing = read_addresses(table(country=[None] * 6, organization=np.nan), "patents").data
    assert nothing.countries == nothing.organizations == ()
    assert read_addresses(table(country=[1, 2, 3, 4, 5, 6]), "patents").data.countries == ("1", "2", "3", "5")


def test_invalid_rows_are_listed_up_to_a_thousand(tmp_path):
    frame = pd.DataFrame({"doc_id": range(1501), "lon": [1.0] + [999.0] * 1500, "lat": 1.0})
    path = write(frame, "csv", tmp_path)
    ((name, rows, total),) = read_addresses(path, "patents").invalid
    assert (name, rows, total) == (str(path), list(range(2, 1002)), 1500)


def test_long_files_keep_their_row_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("gpu_clusters.io.formats.BATCH", 100)
    monkeypatch.setattr("gpu_clusters.io.frames.BATCH", 100)
    monkeypatch.setattr("gpu_clusters.io.delimited._BLOCK", 1000)
    rng = np.random.default_rng(5)
    n = 1000
    frame = pd.DataFrame({"doc_id": rng.integers(0, 300, n).astype(str), "lon": rng.uniform(-180, 180, n), "lat": 1.0})
    frame["organization"] = [f'a "quoted",\nname {i % 7}' for i in range(n)]
    frame.loc[[99, 500, 998], "lat"] = 95.0
    expected = read_addresses(frame, "patents")
    assert expected.invalid[0].rows == [100, 501, 999]
    for kind in ("csv", "csv.gz", "tsv", "parquet", "pyarrow", "categories", "geojson"):
        same(read_addresses(write(frame, kind, tmp_path), "patents"), expected)


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


def test_progress_rises_to_one(tmp_path):
    seen = []
    paths = write(table(), "two files", tmp_path)
    read_addresses([*paths, table()], "patents", progress=lambda name, part: seen.append((name, part)))
    parts = [part for _, part in seen]
    assert parts == sorted(parts) and parts[0] >= 0 and parts[-1] == 1.0
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
    for call in (
        lambda: read_addresses(table(), "patent"),
        lambda: read_addresses(table(), "deals"),
        lambda: read_addresses(table(), "patents", columns={"longitude": "lon"}),
        lambda: read_addresses(table(), "patents", years=(2021, 2020)),
        lambda: read_addresses(5, "patents"),
        lambda: read_deals([None]),
        lambda: read_deals(table(), columns={"doc_id": "doc_id"}),
    ):
        with pytest.raises(UsageError):
            call()


COORDINATE = st.one_of(
    st.sampled_from([np.nan, np.inf, -np.inf, -0.0, 90.0, -90.0, 180.0, -180.0, 360.0, -360.0, 400.0]),
    st.floats(-370, 370, width=32),
)
ROW = st.tuples(
    st.integers(0, 6),
    COORDINATE,
    COORDINATE,
    st.sampled_from(["NA", "US", "éa", "z", "", None]),
    st.sampled_from(["b", "a", "B", "é", "", None]),
    st.floats(0, 3),
)


def plain(frame: pd.DataFrame) -> tuple[list, pd.DataFrame]:
    """The same by pandas, slow and plain: documents as sorted lists of rows, and the coverage."""
    given_both = frame["lon"].notna() & frame["lat"].notna()
    good = given_both & (frame["lat"].abs() <= 90) & (frame["lon"].abs() <= 360)
    country = frame["country"].fillna("")
    lon = frame["lon"].where(frame["lon"] < 180, frame["lon"] - 360)
    lon = lon.where(frame["lon"] >= -180, frame["lon"] + 360)
    clean = frame.assign(lon=lon + 0.0, lat=frame["lat"] + 0.0, country=country)[good]
    clean["organization"] = clean["organization"].fillna("")
    groups = [sorted(map(tuple, part.drop(columns="doc_id").to_numpy())) for _, part in clean.groupby("doc_id")]
    rows = []
    for name in [*sorted(set(country)), "World"]:
        here = pd.Series(True, frame.index) if name == "World" else country == name
        ids = frame["doc_id"]
        docs, covered = ids[here].nunique(), ids[here & good].nunique()
        n, k, bad = here.sum(), (here & good).sum(), (here & given_both & ~good).sum()
        rows.append(("patents", name, n, k, bad, 100 * k / n, docs, covered, 100 * covered / docs))
    return sorted(groups), pd.DataFrame(rows, columns=list(COVERAGE))


def listed(data: Addresses) -> list:
    """Documents as sorted lists of rows, as `plain` gives them."""
    country = [*data.countries, ""]
    organization = [*data.organizations, ""]
    rows = [
        (x, y, country[c], organization[o], f)
        for x, y, c, o, f in zip(data.lon, data.lat, data.country, data.organization, data.fraction, strict=True)
    ]
    spans = zip(data.doc_start[:-1], data.doc_start[1:], strict=True)
    return sorted(sorted(rows[a:b]) for a, b in spans)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, max_size=25),
    ids=st.sampled_from([lambda i: i, lambda i: i * 10**17, lambda i: f"W{i}", float]),
    kind=st.sampled_from(["frame", "parquet", "csv", "categories", "objects"]),
    seed=st.integers(0, 99),
)
def test_random_tables(rows, ids, kind, seed, tmp_path):
    rows = [(1, 2.0, 3.0, "US", "a", 1.0), *rows]
    frame = pd.DataFrame(rows, columns=["doc_id", "lon", "lat", "country", "organization", "fraction"])
    frame["doc_id"] = [ids(i) for i in frame["doc_id"]]
    groups, coverage = plain(frame)
    read = read_addresses(frame if kind == "frame" else write(frame, kind, tmp_path), "patents")
    assert listed(read.data) == groups
    assert list(read.data.countries) == sorted(set(read.data.countries)) and "" not in read.data.countries
    pd.testing.assert_frame_equal(read.coverage, coverage, check_dtype=False)
    shuffled = read_addresses(frame.sample(frac=1, random_state=seed), "patents")
    assert listed(shuffled.data) == groups
    pd.testing.assert_frame_equal(shuffled.coverage, read.coverage)


def test_large_dictionaries_are_taken_batch_by_batch(tmp_path, monkeypatch):
    monkeypatch.setattr("gpu_clusters.io.formats.BATCH", 64)
    n = 400
    names = [f"Org {i:03d}" for i in range(300)]
    frame = pd.DataFrame(
        {"doc_id": np.arange(n) // 3, "lon": 1.0, "lat": 2.0, "organization": [names[i % 300] for i in range(n)]}
    )
    frame["organization"] = pd.Categorical(frame["organization"])
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet", row_group_size=100)
    data = read_addresses(tmp_path / "a.parquet", "patents").data
    assert data.organizations == tuple(names)
    assert [data.organizations[code] for code in data.organization] == frame["organization"].tolist()
