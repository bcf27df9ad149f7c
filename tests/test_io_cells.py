"""Cells of tables: coordinates, years, texts and ids of documents, as they are written and as they count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sample import same, table, write

from gpu_clusters.io import read_addresses
from gpu_clusters.io.grouping import codes_of, group


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
    dates = [year * 10_000 + 1231 for year in numbers]  # as patent offices and databases write them
    for given in (dates, np.array(dates, np.float64), [str(date) for date in dates]):
        assert rows((2021, None), given) == 3 and rows((None, 2020), given) == 1 and rows((2021, 2021), given) == 2


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


def test_empty_texts_are_missing():
    data = read_addresses(table(country=["", " ", "DE ", "x", " DE", "de"], organization=[""] * 6), "patents").data
    assert data.countries == ("DE",) and data.organizations == ()
    np.testing.assert_array_equal(data.country, [-1, 0, -1, 0])
    blank = read_addresses(table(organization=[" ", "", "A ", " B", "\t", "A "]), "patents").data
    assert blank.organizations == ("A ",)
    np.testing.assert_array_equal(blank.organization, [-1, 0, -1, -1])
    nothing = read_addresses(table(country=[None] * 6, organization=np.nan), "patents").data
    assert nothing.countries == nothing.organizations == ()
    assert read_addresses(table(country=[1, 2, 3, 4, 5, 6]), "patents").data.countries == ("1", "2", "3", "5")


def test_a_dictionary_may_have_a_text_twice():
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 1, 0, 1]), pa.array(["a", "a", "b"]))
    frame = pa.table({"doc_id": twice, "country": twice, "lon": [1.0] * 6, "lat": [1.0] * 6})
    read = read_addresses(frame, "patents")
    assert read.data.doc_start.tolist() == [0, 5, 6]
    assert read.coverage["documents"].tolist() == [1, 1, 2]
