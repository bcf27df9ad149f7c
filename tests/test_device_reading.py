"""Tables of addresses read by cuDF, here its double, are those of the CPU's reader, bit for bit."""

from __future__ import annotations

import cudf_double as cudf
import cupy_double as xp
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from readings import BY_CUDF, COORDINATES, IDS, compared, on_device, random_table, same, write
from sample import table

from gpu_clusters.degrees import classified, classify
from gpu_clusters.io import device, read_addresses


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("seed", range(6))
def test_random_tables(ids, seed, tmp_path):
    rng = np.random.default_rng(seed)
    frame = random_table(rng, int(rng.integers(1, 400)))
    frame["doc_id"] = IDS[ids](frame["doc_id"])
    columns = list(frame.columns)
    if seed % 2:
        frame = frame.astype({"organization": "category", "country": "category", "lat": "float32", "year": "float64"})
        columns.remove("fraction")
    cuts = [0, *sorted(rng.integers(0, len(frame) + 1, 2)), len(frame)]
    (tmp_path / "year=1" / "country=DE").mkdir(parents=True)
    for i, name in enumerate(("b.parquet", "a.parquet", "year=1/country=DE/c.pq")):
        part = frame.iloc[cuts[i] : cuts[i + 1]][list(rng.permutation(columns))]
        how = {"compression": ["snappy", "gzip", "zstd"][i], "row_group_size": int(rng.integers(1, 200))}
        pq.write_table(pa.Table.from_pandas(part), tmp_path / name, **how)
    for years in (None, (2002, 2004), (None, 2003), (2001, None)):
        for piece in (1, 5000, device.PIECE):
            assert [compared(tmp_path, piece, years=years)] == BY_CUDF


@pytest.mark.parametrize("xp", [np, xp], ids=["numpy", "cupy"])
def test_classifying_as_the_cpu_does(xp):
    rng = np.random.default_rng(2)
    near = [np.nextafter(value, to) for value in COORDINATES for to in (-1000, 1000)]
    lon, lat = np.array([(x, y) for x in COORDINATES + near for y in COORDINATES + near]).T
    lon = np.concatenate([lon, rng.integers(-(2**63), 2**63, 20_000).view(np.float64), rng.uniform(-400, 400, 20_000)])
    lat = np.concatenate([lat, rng.uniform(-100, 100, 40_000)])
    expected = lon.copy(), lat.copy(), np.empty(len(lon), np.int8)
    classify(*expected)
    with np.errstate(all="ignore"):
        found = classified(xp, xp.asarray(lon), xp.asarray(lat))
    assert set(expected[2]) == {0, 1, 2}
    for mine, theirs in zip(found, expected, strict=True):
        mine = mine if isinstance(mine, np.ndarray) else mine.get()
        assert mine.dtype == theirs.dtype
        bits = [np.where(np.isnan(values), 0, values).view(f"i{values.itemsize}") for values in (mine, theirs)]
        np.testing.assert_array_equal(*bits)
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(theirs))


@pytest.mark.parametrize("seed", range(4))
def test_files_that_store_the_same_in_other_types(seed, tmp_path):
    """Numbers and texts as ids in one table, absent columns, columns of nulls, files without a row, whole coordinates."""
    rng = np.random.default_rng(seed)
    parts = [random_table(rng, 60).drop(columns="fraction") for _ in range(5)]
    parts[1]["doc_id"] = parts[1]["doc_id"].map(str)
    parts[2] = parts[2][["doc_id", "lon", "lat"]]
    parts[3] = parts[3].assign(country=None, organization=None, lon=rng.integers(-300, 300, 60), lat=np.float32(3.3))
    parts[4] = parts[4].iloc[:0]
    order = rng.permutation(5)
    for i in order:
        parts[i].to_parquet(tmp_path / f"{i}.parquet", row_group_size=25)
    files = [tmp_path / f"{i}.parquet" for i in order]
    assert compared(files) == compared(files, 1) == BY_CUDF[0]


def test_nulls_and_not_a_number_are_missing(tmp_path):
    frame = pa.table(
        {
            "doc_id": pa.array([1, 2, 3, 4, 5], pa.int16()),
            "lon": pa.array([1.0, None, np.nan, 4.0, 5.0]),
            "lat": pa.array([1, 2, 3, None, 5], pa.uint8()),
            "country": pa.array(["a", None, None, "", "b"]).dictionary_encode(),
            "year": pa.array([2020, None, 2020, 2020, 2021], pa.int16()),
            "organization": pa.array([None] * 4 + ["x"], pa.large_string()),
        }
    )
    pq.write_table(frame, tmp_path / "a.parquet", row_group_size=2)
    for years in (None, (2020, 2020), (2021, None)):
        for piece in (1, device.PIECE):
            assert compared(tmp_path, piece, years=years) == BY_CUDF[0]


def test_columns_are_mapped_and_only_those_needed_are_read(tmp_path):
    frame = table().rename(columns={"doc_id": "id", "organization": "applicant"})
    frame["deep"] = [[1]] * 6
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=4)
    cudf.reads.clear()
    assert compared(tmp_path, 1, columns={"doc_id": "id", "organization": "applicant", "lat": "lon"}) == BY_CUDF[0]
    path, columns = str(tmp_path / "a.parquet"), {"id", "applicant", "lon", "country", "fraction"}
    assert [(where, set(what), groups) for where, what, groups in cudf.reads] == [
        (path, columns, (0,)),
        (path, columns, (1,)),
    ]


def test_the_table_of_every_kind_of_row(tmp_path):
    table().to_parquet(tmp_path / "a.parquet")
    for years in (None, (2021, None)):
        assert compared(tmp_path / "a.parquet", years=years) == BY_CUDF[0]


def test_dates_that_are_numbers_have_a_year(tmp_path):
    table(year=[20191231, 20200101, 20201231, 20210101, None, 2020]).to_parquet(tmp_path / "a.parquet")
    for years, rows in (((2020, None), 4), ((None, 2019), 1), ((2020, 2020), 3)):
        assert compared(tmp_path / "a.parquet", years=years) == BY_CUDF[0]
        assert on_device(tmp_path / "a.parquet", years=years)[0].coverage.iloc[-1]["rows"] == rows


def test_older_releases_have_texts_as_objects(tmp_path, monkeypatch):
    monkeypatch.setattr(cudf, "text_dtype", np.dtype(object))
    table().to_parquet(tmp_path / "a.parquet")
    assert compared(tmp_path) == BY_CUDF[0]


def test_invalid_rows_are_listed_up_to_a_thousand(tmp_path):
    n = 3001
    frame = pd.DataFrame(
        {"doc_id": range(n), "lon": [1.0] + [999.0] * (n - 1), "lat": 1.0, "year": [1, 2] * 1500 + [1]}
    )
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=700)
    for years in (None, (1, 1)):
        assert compared(tmp_path, 1, years=years) == BY_CUDF[0]
    read, _ = on_device(tmp_path, years=(1, 1), piece=1)
    assert read.invalid == [(str(tmp_path / "a.parquet"), list(range(3, 2003, 2)), 1500)]


def test_no_rows_go_to_the_host(tmp_path):
    """What crosses to the host does not grow with the rows, whatever the ids are; nothing goes back but ranks of words."""
    crossed = []
    for n in (500, 20_000):
        frame = random_table(np.random.default_rng(1), n).assign(lat=1.0)
        frame["lon"] = frame["lon"].where(frame["lon"].abs() <= 360, 3.0)
        frame["doc_id"] = [f"W{i}" for i in range(n)]
        frame.to_parquet(tmp_path / "a.parquet")
        xp.log.clear()
        assert on_device(tmp_path, years=(2001, 2004))[1] == BY_CUDF
        crossed.append(sum(size for _, size in xp.log))
    assert 0 < crossed[0] < 5000 and abs(crossed[1] - crossed[0]) < 100


def test_sources_that_can_be_gone_through_once(tmp_path):
    expected = read_addresses(table(), "patents")
    for source in (iter([table()]), pa.Table.from_pandas(table()).to_reader(2)):
        read, _ = on_device(source)
        same(read, expected)
    path = write(table(), tmp_path / "a.parquet")
    read, remarks = on_device(iter([str(path)]))
    assert remarks == BY_CUDF
    same(read, read_addresses(str(path), "patents"))


def test_progress_rises_to_one(tmp_path):
    paths = [write(table(), tmp_path / f"{i}.parquet", row_group_size=2) for i in range(2)]
    seen: list[tuple[str, float]] = []
    on_device(paths, piece=1, progress=lambda name, part: seen.append((name, part)))
    parts = [part for _, part in seen]
    assert parts == sorted(parts) and parts[0] == 0 and parts[-1] == 1.0 and len(set(parts)) > 4
    assert [name for name, _ in seen] == sorted(name for name, _ in seen)


def test_uploading():
    data = read_addresses(table().drop(columns="fraction"), "patents").data
    there = device.upload(xp, data)
    assert there.fraction is None and there.countries == data.countries and there.rows == data.rows
    for name in ("lon", "lat", "doc_start", "country", "organization"):
        array = getattr(there, name)
        assert isinstance(array, xp.ndarray) and array.dtype == getattr(data, name).dtype
        np.testing.assert_array_equal(array.get(), getattr(data, name))
