"""What cuDF, here its double, cannot read as the CPU does is read by the CPU, or refused in its words."""

from __future__ import annotations

import cudf_double as cudf
import cupy_double as xp
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from readings import BY_CUDF, Lying, both, compared, fails, on_device, random_table, same, write
from sample import table

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io import device, read_addresses


def replaced(name: str, values) -> pa.Table:
    frame = pa.Table.from_pandas(table())
    return frame.set_column(frame.schema.get_field_index(name), name, values)


OTHERS = {
    "decimals": ("lon", pa.array([1, 2, 3, 4, 5, 6]).cast(pa.decimal128(25, 3)), "as decimal128"),
    "half": ("lat", pa.array(np.arange(6, dtype=np.float16)), "as halffloat"),
    "numbers as text": ("lon", pa.array(["1", " 2", "NA", "", "5", "1e1"]), "as string"),
    "dates": ("year", pa.array(pd.to_datetime(["2021-05-01"] * 6)), "as timestamp"),
    "years as text": ("year", pa.array(["2021"] * 6), "as string"),
    "ids of floats": ("doc_id", pa.array([1.0, 2.0, 1.0, 3.0, 4.0, 4.0]), "as double"),
    "large ids": ("doc_id", pa.array([2**64 - 1, 1, 2, 3, 1, 1], pa.uint64()), "as uint64"),
    "ids not in ASCII": ("doc_id", pa.array(["é", "a", "a", "b", "b", "b"]), "ASCII"),
    "ids with a tab": ("doc_id", pa.array(["\ta", "a", "a", "b", "b", "b"]), "ASCII"),
    "binary": ("country", pa.array([b"US"] * 6), "as binary"),
    "countries as numbers": ("country", pa.array([1, 2, 3, 4, 5, 6]), "as int64"),
    "nothing but nulls": ("lat", pa.nulls(6), "as null"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_types_that_the_cpu_reads(kind, tmp_path):
    name, values, why = OTHERS[kind]
    path = write(replaced(name, values), tmp_path / "a.parquet")
    both(path, why, years=(2000, 2030))


def test_files_that_the_cpu_reads(tmp_path):
    frame = table()
    both(frame, "data frame")
    both([write(frame, tmp_path / "a.parquet"), pa.Table.from_pandas(frame)], "data frame")
    points = gpd.GeoDataFrame({"doc_id": [1, 2]}, geometry=gpd.points_from_xy([1, 2], [3, 4]), crs=4326)
    points.to_file(tmp_path / "p.geojson", driver="GeoJSON")
    both(tmp_path / "p.geojson", "geometry")
    points.assign(lon=[1, 2], lat=3).to_file(tmp_path / "q.geojson", driver="GeoJSON")
    both(tmp_path / "q.geojson", "q.geojson is neither Parquet nor CSV")
    points.to_parquet(tmp_path / "p.geoparquet")
    both(tmp_path / "p.geoparquet", "geometry")
    both(write(frame, tmp_path / "b.parquet", compression="lz4"), "LZ4")
    delta = {"use_dictionary": False, "column_encoding": {"country": "DELTA_BYTE_ARRAY"}}
    both(write(frame, tmp_path / "c.parquet", **delta), "DELTA_BYTE_ARRAY")
    for name in ("[d].parquet", "d*.parquet", "~:d.parquet"):
        both(write(frame, tmp_path / name), "characters")
    frame.set_index("doc_id").to_parquet(tmp_path / "e.parquet")
    both(tmp_path / "e.parquet", "other rows or columns")
    frame[::2].to_parquet(tmp_path / "h.parquet")
    both(tmp_path / "h.parquet", "cuDF cannot read")
    frame[frame["lat"] > 2].to_parquet(tmp_path / "i.parquet")
    assert compared(tmp_path / "i.parquet") == BY_CUDF[0]
    nested = pa.Table.from_pandas(frame).append_column("a", pa.array([{"lon": 1.0}] * 6))
    both(write(nested, tmp_path / "f.parquet"), "within", columns={"lon": "a"})
    renamed = frame.rename(columns={"lat": "y.y"})
    both(write(renamed, tmp_path / "g.parquet"), "y.y", columns={"lat": "y.y"})


@pytest.mark.parametrize("lon", [3.0, np.nan, 999.0])
@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("doc_id", None, "id is null"),
        ("doc_id", "", "blank"),
        ("doc_id", "  ", "blank"),
        ("fraction", np.nan, "fraction"),
        ("fraction", -0.5, "fraction"),
        ("fraction", np.inf, "fraction"),
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(name, value, why, lon, tmp_path):
    frame = table().astype({"doc_id": object})
    frame.loc[4, [name, "lon", "year"]] = value, lon, 2021
    write(frame.astype({"doc_id": "string"}), tmp_path / "a.parquet", row_group_size=2)
    both(tmp_path, why)
    both(tmp_path, why, years=(2021, 2021))
    assert (
        compared(tmp_path, years=(2020, 2020)) == BY_CUDF[0]
    )  # rows outside of the window are as if they were not there


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_tables_longer_than_a_column_of_cudf(name, monkeypatch, tmp_path):
    path = tmp_path / name
    (pd.DataFrame.to_csv if path.suffix == ".csv" else pd.DataFrame.to_parquet)(table(), path, index=False)
    monkeypatch.setattr(device, "_MOST_ROWS", 6)
    assert compared(path) == BY_CUDF[0]
    monkeypatch.setattr(device, "_MOST_ROWS", 5)
    both(path, "more rows than a column of cuDF")


@pytest.mark.parametrize("name", ["country", "organization"])
def test_texts_that_are_not_utf8(name, tmp_path):
    words = pa.array([b"a", b"\xff", b"a", b"b", b"a", b"b"]).view(pa.string())  # say that they are text
    both(write(replaced(name, words), tmp_path / "a.parquet"), "a text is not UTF-8")


@pytest.mark.parametrize("name", ["country", "organization"])
def test_texts_to_which_cudf_adds_nul_bytes(name, tmp_path):
    """As to the last text of what fastparquet writes."""

    def padded(frame):
        texts = frame[name].to_arrow().to_pylist()
        texts[4] += "\0\0"  # the last with a place
        frame._columns[name] = pa.array(texts)
        return frame

    path, remarks = write(table(), tmp_path / "a.parquet"), list[str]()
    read = device.read_addresses(Lying(padded), xp, path, "patents", remark=remarks.append)
    same(read, read_addresses(path, "patents"))
    assert remarks == ["patents read by the CPU, because a text has NUL bytes"]


def test_errors_that_need_no_look_at_the_cells(tmp_path):
    frame = table()
    cases = {
        "nothing geocoded": frame.assign(lon=np.nan),
        "no rows": frame.iloc[:0],
        "no column": frame.drop(columns="lat"),
        "booleans": frame.assign(lon=True),
        "large sums": frame.assign(fraction=1e300),
        "ids of nulls": frame.assign(doc_id=pd.array([1, None, 2, 3, 4, 5], dtype="Int64")),
    }
    for case in cases.values():
        path = write(case, tmp_path / "a.parquet")
        with pytest.raises(InputError) as expected:
            read_addresses(path, "patents", years=(2000, 2030))
        with pytest.raises(InputError) as found:
            device.read_addresses(cudf, xp, path, "patents", years=(2000, 2030))
        assert str(found.value) == str(expected.value)
    for arguments in (("deals",), ("nothing",), (5, "patents")):
        call = (frame, *arguments) if len(arguments) == 1 else arguments
        with pytest.raises(UsageError) as expected:
            read_addresses(*call)
        with pytest.raises(UsageError) as found:
            device.read_addresses(cudf, xp, *call)
        assert str(found.value) == str(expected.value)


def test_damaged_files(tmp_path):
    path = write(random_table(np.random.default_rng(1), 5000).drop(columns="junk"), tmp_path / "a.parquet")
    content = bytearray(path.read_bytes())
    content[2000:12000] = bytes(10000)
    path.write_bytes(bytes(content))
    both(path, "cuDF cannot read")
    path.write_bytes(bytes(content)[:-1])
    with pytest.raises(InputError, match="complete"):
        on_device(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (fails, "cuDF cannot read"),
        (lambda frame: cudf.DataFrame({k: v.slice(1) for k, v in frame._columns.items()}), "other rows"),
        (
            lambda frame: cudf.DataFrame({k: v for k, v in frame._columns.items() if k != "lon"}),
            "other rows or columns",
        ),
        (
            lambda frame: cudf.DataFrame(frame._columns | {"lon": frame._columns["lon"].cast(pa.float32())}),
            "as float32",
        ),
        (lambda frame: cudf.DataFrame(frame._columns | {"country": pa.array([1] * len(frame))}), "as int64"),
    ],
)
def test_what_cudf_reads_otherwise_is_read_by_the_cpu(change, why, tmp_path):
    path = write(table().assign(lon=0.1), tmp_path / "a.parquet")
    remarks: list[str] = []
    read = device.read_addresses(Lying(change), xp, path, "patents", remark=remarks.append)
    same(read, read_addresses(path, "patents"))
    assert len(remarks) == 1 and why in remarks[0] and "\n" not in remarks[0]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_full_gpu_is_an_error(name, tmp_path):
    def full(_):
        raise MemoryError("std::bad_alloc: out_of_memory")

    path = tmp_path / name
    (pd.DataFrame.to_csv if path.suffix == ".csv" else pd.DataFrame.to_parquet)(table(), path, index=False)
    with pytest.raises(MemoryError, match="out_of_memory"):
        device.read_addresses(Lying(full), xp, path, "patents")
