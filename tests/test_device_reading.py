"""Tables of addresses read by cuDF, here its double, are those of the CPU's reader, bit for bit, and so are the errors."""

from __future__ import annotations

from pathlib import Path

import cudf_double as cudf
import cupy_double as xp
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample import table

from gpu_clusters.degrees import classified, classify
from gpu_clusters.errors import InputError
from gpu_clusters.io import device, read_addresses
from gpu_clusters.io.footers import NeedsCpuError
from gpu_clusters.io.model import TableRead

BY_CUDF = ["patents read by cuDF"]
COORDINATES = [0.0, -0.0, 90.0, -90.0, 180.0, -180.0, 360.0, -360.0, 400.0, np.nan, np.inf, -np.inf, 179.99999999999997]


def on_device(source, **how) -> tuple[TableRead, list[str]]:
    """What is read by the double, and what is remarked."""
    remarks: list[str] = []
    return device.read_addresses(cudf, xp, source, "patents", remark=remarks.append, **how), remarks


def same(read: TableRead, expected: TableRead, kind: type = xp.ndarray) -> None:
    """Assert that all is identical, but that the arrays are of a GPU's kind."""
    for name, value in vars(expected.data).items():
        theirs = getattr(read.data, name)
        if isinstance(value, np.ndarray):
            assert isinstance(theirs, kind) and theirs.dtype == value.dtype, name
            np.testing.assert_array_equal(theirs.get(), value, err_msg=name)
            assert theirs.get().tobytes() == value.tobytes(), name
        else:
            assert theirs == value, name
    pd.testing.assert_frame_equal(read.coverage, expected.coverage, check_exact=True)
    assert read.inputs == expected.inputs and read.invalid == expected.invalid


def compared(source, piece=device.PIECE, **how) -> str:
    """Read on both, and compare; who has read it and why."""
    read, remarks = on_device(source, piece=piece, **how)
    same(read, read_addresses(source, "patents", **how))
    (remark,) = remarks
    return remark


def random_table(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Rows with ties, impossible and missing coordinates, both zeros, the date line, and texts of all kinds."""
    words = ["US", " US", "US ", "\u00a0DE", "", " ", "ñ", "Ö", "Z", "z", "\U0001f600", "NA", None]
    names = ["b", "a", "B", "é", "", " a", "𐐷", "\uffee", 'O\'Neill, "x"\n', None, *(f"Org {i}" for i in range(30))]
    frame = pd.DataFrame(
        {
            "junk": rng.normal(size=n),
            "doc_id": rng.integers(0, max(n // 3, 1), n),
            "lon": np.where(rng.random(n) < 0.4, rng.choice(COORDINATES, n), rng.uniform(-370, 370, n)),
            "lat": np.where(rng.random(n) < 0.2, rng.choice(COORDINATES, n), rng.uniform(-91, 91, n)),
            "country": rng.choice(np.array(words, object), n),
            "organization": rng.choice(np.array(names, object), n),
            "year": rng.integers(2000, 2006, n),
            "fraction": rng.choice([0.0, -0.0, 0.1, 1 / 3, 1.0, 7e-310], n),
        }
    )
    frame.loc[0, ["lon", "lat"]] = 5.0, 6.0
    return frame


IDS = {
    "small": lambda ids: ids,
    "apart": lambda ids: ids * 10**16 - 2**62,
    "narrow": lambda ids: (ids % 50).astype(np.int8),
    "unsigned": lambda ids: (ids + 2**31).astype(np.uint32),
    "texts": lambda ids: ids.map("EP {:07d} A1".format),
    "categories": lambda ids: ids.map("W{}".format).astype("category"),
}


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


def write(frame: pa.Table | pd.DataFrame, path: Path, **how) -> Path:
    pq.write_table(pa.Table.from_pandas(frame) if isinstance(frame, pd.DataFrame) else frame, path, **how)
    return path


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


def both(source, why: str, **how) -> None:
    """Both give the same table or the same error, and the CPU's reader has read it, because of `why`."""
    try:
        expected, error = read_addresses(source, "patents", **how), None
    except InputError as refusal:
        expected, error = None, refusal
    remarks: list[str] = []
    try:
        read = device.read_addresses(cudf, xp, source, "patents", remark=remarks.append, **how)
    except InputError as refusal:
        assert (type(refusal), str(refusal)) == (type(error), str(error))
        assert not isinstance(refusal.__context__, NeedsCpuError)  # which holds what was read
    else:
        assert error is None
        same(read, expected)
    (remark,) = remarks
    assert remark.startswith("patents read by the CPU, because ") and why in remark, remark


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
    write(frame.astype({"doc_id": "str"}), tmp_path / "a.parquet", row_group_size=2)
    both(tmp_path, why)
    both(tmp_path, why, years=(2021, 2021))
    assert (
        compared(tmp_path, years=(2020, 2020)) == BY_CUDF[0]
    )  # rows outside of the window are as if they were not there


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
        with pytest.raises(Exception) as expected:
            read_addresses(*call)
        with pytest.raises(type(expected.value)) as found:
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


class Lying:
    """cuDF whose readers give something else."""

    Series, concat = cudf.Series, staticmethod(cudf.concat)

    def __init__(self, change) -> None:
        self._change = change

    def read_parquet(self, path, **how):
        return self._change(cudf.read_parquet(path, **how))

    def read_csv(self, source, **how):
        return self._change(cudf.read_csv(source, **how))


def fails(_):
    raise RuntimeError("CUDF failure at: reader_impl.cu: unsupported\nmore")


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
