"""Cells, headers and values of tables to convert that are not as they should be."""

from __future__ import annotations

import csv
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import authorship, manifest, rows, snapshot, work
from test_sources_odd import COLUMNS, TABLE, mapping

from gpu_clusters.errors import InputError
from gpu_clusters.sources import blocks, cells, run, tables
from gpu_clusters.sources.cells import Layout
from gpu_clusters.sources.quotes import records_of
from gpu_clusters.sources.skips import Skips
from gpu_clusters.sources.values import one_of, text, years


def read(path: Path, data: bytes, *columns: str) -> tuple[list[tuple], list[tuple[int, str]]]:
    """Number and cells of the good rows of a file; number and reason of the others."""
    path.write_bytes(data)
    skips, layout = Skips("skip"), Layout({name: (name,) for name in columns})
    found = [
        (int(number), *row.values())
        for numbers, table in cells.cells(path, layout, skips)
        for number, row in zip(numbers, table.to_pylist(), strict=True)
    ]
    return found, [(skip.row, skip.reason) for skip in skips.listed]


@pytest.mark.parametrize("rest", [b"", b"4,\xff\n"])  # a row that is no text has the others looked at one by one
@pytest.mark.parametrize(
    ("lines", "found", "bad"),
    [
        (b'1,5" disk\n2,y\n3,3" disk\n', [(1, "1", '5" disk'), (2, "2", "y"), (3, "3", '3" disk')], []),
        (b'1,5" disk\n2,"y\nz"\n3,w\n', [(1, "1", '5" disk'), (2, "2", "y\nz"), (3, "3", "w")], []),
        (b"1,x\n2,y\rz\n3,w\n", [(1, "1", "x"), (3, "3", "w")], ["carriage return"]),
        (b'1,x\n2,"y\rz"\n3,w\n', [(1, "1", "x"), (2, "2", "y\rz"), (3, "3", "w")], []),
        (b'1,"x\r\ny"\r\n2,y\r\n3,w\r\n', [(1, "1", "x\r\ny"), (2, "2", "y"), (3, "3", "w")], []),
        (b'1,"x\ny"\n2,z\r3,w\n4,v\n', [(1, "1", "x\ny"), (3, "4", "v")], ["carriage return"]),
        (b'1,x\n5" disk,"y\n3,w\n', [(1, "1", "x"), (3, "3", "w")], ["never closed"]),
    ],
)
def test_stray_marks_and_carriage_returns(tmp_path, lines, found, bad, rest):
    good, listed = read(tmp_path / "t.csv", b"a,b\n" + lines + rest, "a", "b")
    assert good == found
    wanted = [*(2 for _ in bad), *([4] if rest else [])]
    assert [row for row, _ in listed] == wanted
    assert all(says in reason for says, (_, reason) in zip(bad, listed, strict=False))


@pytest.mark.parametrize(
    ("lines", "found", "bad"),
    [
        ("\ufeff1,x\n\ufeff2,y\n", [(1, "\ufeff1", "x"), (2, "\ufeff2", "y")], []),
        ("\ufeff", [], [1]),
        ("\ufeff\n2,y\n", [(2, "2", "y")], [1]),
        ('\ufeff\n2,"y\n3,z\n', [(3, "3", "z")], [1, 2]),
    ],
)
def test_marks_of_utf_8_behind_the_header_are_part_of_a_cell(tmp_path, lines, found, bad):
    """As where files have been put together, one with the header first; wherever a block begins."""
    good, listed = read(tmp_path / "t.csv", f"\ufeffa,b\n{lines}".encode(), "a", "b")
    assert (good, [row for row, _ in listed]) == (found, bad)


@pytest.mark.parametrize("line", [" ", "\t ", "\x0c"])
def test_a_line_of_white_space_is_a_row_with_too_few_cells(tmp_path, line):
    """Also where nothing else is left to parse."""
    for before, rest in (("", ""), ("1,x\n", ""), ("", "\n2,y")):
        _, listed = read(tmp_path / "t.csv", f"a,b\n{before}{line}{rest}\n".encode(), "a", "b")
        assert listed == [(1 + len(before) // 4, "has 1 cells where the header has 2")]


def test_long_cells_beside_a_row_that_is_no_text(tmp_path):
    """The limit of Python's module is the whole process's: it is as it was, afterwards."""
    before = csv.field_size_limit(100)
    long = "y" * 1_000
    good, listed = read(tmp_path / "t.csv", f'a,b\n1,"{long}"\n'.encode() + b"2,\xff\n", "a", "b")
    assert good == [(1, "1", long)] and [row for row, _ in listed] == [2]
    assert csv.field_size_limit(before) == 100


class Waiting(list):
    """Lines of which none comes before another thread is so far, or has had the time for it."""

    def __init__(self, lines, begun, other):
        super().__init__(lines)
        self.begun, self.other = begun, other

    def __iter__(self):
        self.begun.set()
        self.other.wait(0.2)
        return super().__iter__()


def test_long_cells_in_several_threads():
    """One that is done earlier takes the limit away from none that still reads, and leaves none of another's."""
    before, lines = csv.field_size_limit(), ['"' + "x" * 200_000, 'y"']
    begun, done = (Event(), Event()), Event()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(records_of, Waiting(lines, begun[0], begun[1]), ",")
        begun[0].wait()
        second = pool.submit(records_of, Waiting(lines, begun[1], done), ",")
        first.add_done_callback(lambda _: done.set())
    assert first.result() == second.result() == 1 and csv.field_size_limit() == before


def test_headers_over_several_lines(tmp_path):
    data = b'\xef\xbb\xbf\r\na,"the\r\nb",c\r\n1,2,3\r\n'
    assert read(tmp_path / "t.csv", data, "a", "c") == ([(1, "1", "3")], [])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a,b\r1,2\r3,4\r", "carriage returns alone"),
        (b'[{"a":1,"b":2},' * 20_000, "is missing"),
        (b"a" * 200_000, "is missing|no delimited text"),
        (b"a,b,b\n1,2,3\n", '2 columns are called "b"'),
        (b"a,B,b \n1,2,3\n", '2 columns are called "b"'),
    ],
)
def test_headers_that_are_refused(tmp_path, monkeypatch, data, says):
    monkeypatch.setattr(blocks, "BLOCK", 1 << 20)
    with pytest.raises(InputError, match=says) as raised:
        read(tmp_path / "t.csv", data, "a", "b")
    assert len(str(raised.value)) < 3_000


def test_a_column_of_the_very_name_counts(tmp_path):
    assert read(tmp_path / "t.csv", b"A,a,B\n1,2,3\n", "a", "b") == ([(1, "2", "3")], [])


def test_further_columns_of_any_name_stay_texts(program):
    (program.here / "t.csv").write_text("id,sequence\na,1b\n")
    made = mapping(program, 'deal_id = "id"\nsequence = "sequence"\n')
    assert program("convert", "table", "t.csv", *made, "--out", "out").code == 0
    assert rows("out")["sequence"].tolist() == ["1b"]


def test_kept_countries_and_years(program):
    (program.here / "t.csv").write_text(TABLE)
    for keep in ('country = ["Germany"]', 'country = ["DEU"]', 'year = ["2020"]', 'lon = ["1"]'):
        made = mapping(program, after=f"[keep]\n{keep}\n")
        assert program("convert", "table", "t.csv", *made, "--out", "out", "--force").code == 0
        assert rows("out")["deal_id"].tolist() == ["a"]
    made = mapping(program, after="[keep]\nyear = []\n")
    program.refused(
        3, "convert", "table", "t.csv", *made, "--out", "new", says="no row is left (rows with year 2020: 1"
    )


def test_a_text_that_is_counted_is_counted_on_beside_any_number_of_others(monkeypatch):
    monkeypatch.setattr(tables, "KINDS", 2)
    tally = Counter()
    for given in (["a", "b"], ["c", "a", "x"]):
        kept = tables.wanted(pa.table({"city": given}), (None, None), {"city": ["x"]}, tally)
        assert kept.tolist() == [city == "x" for city in given]
    assert tally == {"rows with city a": 2, "rows with city b": 1, "rows with other city": 1}


def test_texts_of_any_number_that_are_not_kept(program):
    lines = [f"{i},{city}\n" for i, city in enumerate(["here", *(f"c{i % 2_000}" for i in range(3_999))])]
    (program.here / "t.csv").write_text("id,city\n" + "".join(lines))
    columns = 'deal_id = "id"\ncity = "city"\n[keep]\ncity = ["{}"]\n'
    ran = program("convert", "table", "t.csv", *mapping(program, columns.format("here")), "--out", "out")
    assert ran.code == 0 and ran.err.count("\n") == 22, ran.err
    assert "left out: rows with other city: 1,999\n" in ran.err and "left out: rows with city c0: 2\n" in ran.err
    assert "left out: for 981 other reasons: 1,962\n" in ran.err
    left = manifest("out")["left_out"]
    assert len(left) == 1_001 and sum(left.values()) == 3_999 and left["rows with city c999"] == 2
    made = mapping(program, columns.format("nowhere"))
    said = program.refused(3, "convert", "table", "t.csv", *made, "--out", "none", says="no row is left")
    assert len(said) < 1_000


def test_few_reasons_are_told_one_by_one():
    left_out = {f"reason {n}": n for n in range(1, run.SHOWN + 1)}
    assert list(run.largest(left_out).items()) == list(left_out.items())
    told = run.largest({"a reason of one": 1, **left_out})
    assert told == {f"reason {n}": n for n in range(2, run.SHOWN + 1)} | {"a reason of one": 1, "for 1 other reason": 1}
    assert list(told)[:2] == [f"reason {run.SHOWN}", f"reason {run.SHOWN - 1}"]


@pytest.mark.parametrize(
    ("before", "after"), [("delimiter = '\"'", ""), ('delimiter = "§"', ""), ("", '_record = "id"')]
)
def test_mappings_that_cannot_work(program, before, after):
    (program.here / "t.csv").write_text(TABLE)
    made = mapping(program, COLUMNS + after, before)
    program.refused(2, "convert", "table", "t.csv", *made, "--out", "out")


@pytest.mark.parametrize("buckets", [1, 3])
def test_a_country_called_world_is_not_the_world(program, monkeypatch, buckets):
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: buckets)
    (program.here / "t.csv").write_text(TABLE + "c,1,2,2020,World\nd,1,,2020,\ne,1,2,2020,Zambia\n")
    ran = program("convert", "table", "t.csv", *mapping(program), "--out", "out")
    assert ran.code == 0 and ran.out.count("World") == 1
    found = pd.read_csv("out/coverage.csv", keep_default_na=False)
    assert list(zip(found["country"], found["rows"], strict=True)) == [
        *(("", 1), ("DE", 1), ("FR", 1), ("World", 1), ("ZM", 1), ("World", 5))
    ]


def test_numbers_as_texts_and_years():
    numbers = pa.array([123456789012.0, 5.0, 0.5, None, float("nan"), 2.0**60])
    assert text(numbers).to_pylist() == ["123456789012", "5", "0.5", None, None, "1.152921504606847e+18"]
    for given in (
        [20150501.0, 2015.0, float("nan"), float("inf")],
        [20150501, 2015, None, 3],
        ["20150501", "2015", "", "x"],
    ):
        assert years(pa.array(given)).to_pylist() == [2015, 2015, None, None]
    assert years(pa.array([2**63 + 2015], pa.uint64())).to_pylist() == [None]
    assert years(pa.array([pd.Timestamp("2015-05-01")]).cast(pa.date32())).to_pylist() == [2015]


def test_times_in_a_zone_that_nobody_knows(program):
    times = pa.array([1_580_000_000], pa.timestamp("s", "Mars/Phobos"))
    pq.write_table(pa.table({"doc_id": ["a"], "lon": [1.0], "lat": [2.0], "year": times}), program.here / "t.parquet")
    made = mapping(program, 'deal_id = "doc_id"\nyear = "year"\n')
    program.refused(3, "convert", "table", "t.parquet", *made, "--out", "out", says='t.parquet: column "year" holds')
    given = ("rank", "--patents", "t.parquet", "--years", "patents=2020:2020", "--out", "out")
    program.refused(3, *given, says='t.parquet: column "year": holds timestamp[ms, tz=Mars/Phobos] that cannot be read')


def test_years_of_any_size(program):
    snapshot(program.here / "snap", works=[work(1, authorship(1), year=2**60 + 1), work(2, authorship(1))])
    assert program("convert", "openalex", "snap", "--years", "2000:", "--out", "out").code == 0
    assert rows("out")["year"].tolist() == [2**60 + 1, 2020]


@pytest.mark.parametrize("kind", [pa.large_binary(), pa.binary(1), pa.uuid()])
def test_columns_of_bytes(program, kind):
    bytes_ = pa.array([b"x" * 16], kind) if kind == pa.uuid() else pa.array([b"x"], kind)
    pq.write_table(pa.table({"id": bytes_}), program.here / "T.PARQUET")
    made = mapping(program, 'deal_id = "id"\n')
    program.refused(3, "convert", "table", "T.PARQUET", *made, "--out", "out", says='column "id" holds')


@pytest.mark.parametrize("name", ["id", "x", "country"])
@pytest.mark.parametrize("coded", [True, False])
def test_texts_of_parquet_that_are_not_in_utf8(program, name, coded):
    columns = {"id": ["a", "b", "c"], "x": ["1"] * 3, "y": ["2"] * 3, "on": ["2020"] * 3, "country": ["FR"] * 3}
    wrong = pa.array([b"4", b"\xff", None]).view(pa.string())
    table = pa.table({one: pa.array(texts) for one, texts in columns.items()} | {name: wrong})
    at = table.column_names.index(name)
    pq.write_table(
        table.set_column(at, name, wrong.dictionary_encode()) if coded else table, program.here / "t.parquet"
    )
    given = ("convert", "table", "t.parquet", *mapping(program), "--out", "out")
    program.refused(3, *given, says="t.parquet: row 2: holds a text that is not in UTF-8")
    assert program(*given, "--on-error", "skip").code == 0
    assert len(rows("out")) == 2 and pd.read_csv("out/skipped.csv")["row"].tolist() == [2]


def test_names_in_a_snapshot_that_are_not_in_utf8(program):
    snapshot(program.here / "snap", "parquet")
    path = program.here / "snap/data/parquet/institutions/updated_date=2026-06-02/part_0000.parquet"
    table = pq.read_table(path, partitioning=None)
    names = pa.array([b"U", b"\xff"]).view(pa.string())
    pq.write_table(table.set_column(table.column_names.index("display_name"), "display_name", names), path)
    given = ("convert", "openalex", "snap", "--out", "out")
    program.refused(3, *given, says="row 2: holds a text that is not in UTF-8")
    assert program(*given, "--on-error", "skip").code == 0
    assert pd.read_csv("out/skipped.csv")["row"].tolist() == [2]


@pytest.mark.parametrize(
    ("table", "amount", "cell", "shown"),
    [
        ("deals", "deals", "-1", "-1.0"),
        ("deals", "deals", "inf", "inf"),
        ("patents", "fraction", "-0.5", "-0.5"),
        ("publications", "fraction", "inf", "inf"),
        ("publications", "fraction", "", "nan"),
    ],
)
def test_amounts_that_cannot_be(program, table, amount, cell, shown):
    (program.here / "t.csv").write_text(f"id,x,y,n\na,1,2,0\nb,1,2,{cell}\nc,1,2,0.5\n")
    name = "deal_id" if table == "deals" else "doc_id"
    made = f'table = "{table}"\n[columns]\n{name} = "id"\nlon = "x"\nlat = "y"\n{amount} = "n"\n'
    (program.here / "m.toml").write_text(made)
    given = ("convert", "table", "t.csv", "--mapping", "m.toml", "--out", "out")
    program.refused(3, *given, says=f't.csv: row 2: column "n": {shown} must be a finite number, 0 or more')
    assert program(*given, "--on-error", "skip").code == 0
    assert rows("out")[name].tolist() == ["a", "c"]
    assert pd.read_parquet("out/locations.parquet").to_dict("records") == [
        {"lon": 1.0, "lat": 2.0, "rows": 2, amount: 0.5}
    ]


def test_a_number_of_deals_that_is_not_given_is_one(program):
    (program.here / "t.csv").write_text("x,y,n\n1,2,\n1,2,NA\n1,2,2.5\n")
    made = mapping(program, 'lon = "x"\nlat = "y"\ndeals = "n"\n')
    assert program("convert", "table", "t.csv", *made, "--out", "out").code == 0
    assert pd.read_parquet("out/locations.parquet")["deals"].tolist() == [4.5]
    assert manifest("out")["coverage"][-1]["documents"] == 4.5


def test_kinds_are_compared_without_case_spaces_and_hyphens():
    given = pa.array(["Debt Financing", " debt-financing ", "DEBT_FINANCING", "debtfinancing", None])
    for kind in ("debt financing", "Debt_Financing", "debt-financing"):
        assert one_of(given, [kind]).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("value", [2.0**53, 1.5, float("inf")])
def test_ids_that_are_no_whole_numbers(program, value):
    ids = pa.array([1.0, value, None, float("nan"), 2.0**53 - 1])
    pq.write_table(pa.table({"id": ids, "x": [1.0] * 5, "y": [2.0] * 5}), program.here / "t.parquet")
    made = mapping(program, 'deal_id = "id"\nlon = "x"\nlat = "y"\n')
    given = ("convert", "table", "t.parquet", *made, "--out", "out")
    program.refused(3, *given, says=f'row 2: column "id": {value} is not a whole number below 2^53')
    assert program(*given, "--on-error", "skip").code == 0
    assert rows("out")["deal_id"].dropna().tolist() == ["1", "9007199254740991"] and len(rows("out")) == 4


def test_a_column_of_parquet_that_is_there_twice(program):
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], names=["id", "id"]), program.here / "t.parquet")
    made = mapping(program, 'deal_id = "id"\n')
    program.refused(3, "convert", "table", "t.parquet", *made, "--out", "out", says='2 columns are called "id"')
