"""CSV and TSV files read by cuDF, here its double, are the CPU's reader's tables, bit for bit, and so are the errors."""

from __future__ import annotations

import csv
import gzip
import tracemalloc

import cudf_double as cudf
import cupy_double as xp
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from readings import BY_CUDF, Lying, both, compared, fails, on_device, random_table, same
from sample import table

from gpu_clusters.errors import InputError
from gpu_clusters.io import device, read_addresses
from gpu_clusters.io.columns import to_float
from gpu_clusters.io.device_fields import find_fields, numbers
from gpu_clusters.io.device_files import TEXT_PIECE
from gpu_clusters.io.footers import NeedsCpuError
from gpu_clusters.io.place import Rows

HEADER = b"doc_id,lon,lat,organization,year\n"
ROW = b"a,1.5,2.5,x,2021\n"


def write(path, frame, **how):
    """A table as pandas writes it, packed as the ending says."""
    how = {"index": False, "sep": "\t" if ".tsv" in path.name else ",", "encoding": "utf-8"} | how
    text = frame.to_csv(**how).encode(how["encoding"])
    pack = {".gz": gzip.compress, ".zst": lambda content: pa.compress(content, "zstd", asbytes=True)}
    path.write_bytes(pack.get(path.suffix, bytes)(text))
    return path


@pytest.mark.parametrize("seed", range(12))
def test_random_tables(seed, tmp_path):
    rng = np.random.default_rng(seed)
    frame = random_table(rng, int(rng.integers(1, 300)))
    frame.loc[0, "year"] = 2003
    if seed % 2:
        frame = frame.drop(columns="fraction")
    if seed % 5:
        frame["doc_id"] = frame["doc_id"].map("EP {:03d}".format)
    path = tmp_path / ["a.csv", "a.tsv", "a.csv.gz", "a.tsv.zst"][seed % 4]
    quoting = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC][seed % 3]
    ends = ["\n", "\r\n"][seed // 2 % 2]
    write(path, frame, quoting=quoting, lineterminator=ends, encoding="utf-8-sig" if seed % 7 == 0 else "utf-8")
    for years in (None, (2002, 2004), (None, 2003)):
        for piece in (500, device.PIECE):
            assert [compared(path, piece, years=years)] == BY_CUDF


CELLS = b'1|2.5|"7"|a||" "|"a,b"|"q""q"|"l\nl"|NA|-0|-1.50|1e1| 3|91|12.345678901234567|.5|5.|+4|.|-|inf|00012|\xc3\xa9'
ATOMS = b'1|2.5|"|""|,|,|,|,|\n|\n|\n|\r\n|\r|a| |-|.|e1|NA|\xc3\xa9|\0|\xff|"x"|"3"|\xef\xbb\xbf'
HEADS = [
    b"doc_id,lon,lat\n",
    b"doc_id,lon,lat\r\n",
    b'"doc_id",lon,lat\n',
    b'doc_id,lo"n,lon,lat\n',
    b"\n",
    b"doc_id,lon,lat",
]


def random_cells(rng) -> bytes:
    """Rows as the header has them, with cells of all kinds, most of them possible."""
    names = [b"doc_id", b"lon", b"lat", b"country", b"organization", b"year", b"fraction"][: int(rng.integers(3, 8))]
    usual, others = [b"1", b"2.5", b'"7"', b"0.25", b"3"], CELLS.split(b"|")
    texts = (b"doc_id", b"country", b"organization")

    def cell(name: bytes) -> bytes:
        if rng.random() < (0.6 if name in texts else 0.1):
            return others[rng.integers(len(others))]
        return usual[rng.integers(len(usual))]

    rows = [b",".join(map(cell, names)) for _ in range(rng.integers(1, 12))]
    end = [b"\n", b"\r\n"][rng.integers(2)]
    return end.join([b",".join(names), *rows, *([b""] if rng.random() < 0.8 else [])])


def random_bytes(rng) -> bytes:
    """Pieces of text in any order."""
    atoms = ATOMS.split(b"|")
    return HEADS[min(rng.geometric(0.7) - 1, 5)] + b"".join(
        atoms[i] for i in rng.integers(0, len(atoms), rng.integers(30))
    )


@pytest.mark.parametrize("make", [random_cells, random_bytes])
def test_whatever_the_bytes_are_both_say_the_same(make, tmp_path):
    """Tables equal, or errors in the same words; and cuDF does read what is plain."""
    rng = np.random.default_rng(5)
    path, said = tmp_path / "a.csv", []
    for _ in range(300):
        path.write_bytes(make(rng))
        window = {"years": (1, 3)} if b"year" in path.read_bytes() else {}
        for how in ({}, window):
            results = []
            for read in (read_addresses, lambda *args, **how: device.read_addresses(cudf, xp, *args, **how)):
                extra = {"remark": said.append, "piece": int(rng.integers(20, 90))} if results else {}
                try:
                    results.append(read(path, "patents", **how, **extra))
                except InputError as error:
                    results.append(str(error))
            if isinstance(results[0], str) or isinstance(results[1], str):
                assert results[0] == results[1], path.read_bytes()
            else:
                same(results[1], results[0])
    if make is random_cells:
        assert said.count(BY_CUDF[0]) > 50


def test_numbers_are_the_nearest():
    """Digits of all lengths, points, signs and zeros anywhere; what is beyond exact arithmetic goes to the host."""
    rng = np.random.default_rng(3)
    texts = ["9007199254740992", "9007199254740993", "0.9007199254740993", "999999999999999999", "0.30000000000000004"]
    texts += [
        "1e22",
        "1e23",
        "-0",
        "-0.0",
        "+1",
        ".5",
        "5.",
        "",
        "NA",
        "-.5",
        "000000000000000001",
        "1" * 19,
        "1" * 400,
    ]
    for value in rng.uniform(-180, 180, 3000).tolist():
        texts += [
            repr(value),
            f"{value:.{rng.integers(0, 20)}f}",
            f"{value:+08.4f}",
            f"{value:.{rng.integers(1, 18)}g}",
        ]
    for _ in range(3000):
        digits = "".join(rng.choice(list("0123456789"), rng.integers(1, 19)))
        cut = rng.integers(0, len(digits) + 1)
        texts.append(digits[:cut] + "." * int(rng.integers(2)) + digits[cut:])
    expected = to_float(pa.array(texts), Rows("a.csv", {}, 1), "lon")
    odd = []

    def others(cells):
        odd.append(cells)
        return to_float(cells, Rows("a.csv", {}, 1), "lon")

    for mark in ("", '"'):
        block = "".join(f"{mark}{text}{mark},x\n" for text in texts).encode()
        found = numbers(xp, find_fields(xp, block, ",", 2), 0, others).get()
        np.testing.assert_array_equal(found, expected)
        assert np.array_equal(np.signbit(found), np.signbit(expected) & ~np.isnan(expected))
    assert odd[0] == odd[1] and 1000 < len(odd[0]) < len(texts) // 3
    short = [text for text in odd[0].to_pylist() if sum(map(str.isdigit, text)) < 16 and "e" not in text]
    assert short == ["NA"]


@pytest.mark.parametrize(
    ("row", "most"), [(b"1,,\n", 2 << 30), (b"EP1234567A1,102.123456,48.123456,Example GmbH\n", 1 << 29)]
)
def test_memory_that_a_block_needs(row, most):
    """As NumPy allocates it."""
    block = row * ((1 << 20) // len(row))
    tracemalloc.start()
    try:
        fields = find_fields(xp, block, ",", row.count(b",") + 1)
        for column in (1, 2):
            numbers(xp, fields, column, lambda _: np.empty(0))
        assert tracemalloc.get_traced_memory()[1] / len(block) * TEXT_PIECE < most
    finally:
        tracemalloc.stop()


def test_only_odd_cells_come_to_the_host(tmp_path):
    crossed = []
    for n in (500, 20_000):
        rng = np.random.default_rng(n)
        frame = pd.DataFrame({"doc_id": [f"W{i}" for i in range(n)], "organization": rng.choice(["a", 'b,"c"'], n)})
        frame = frame.assign(lon=rng.uniform(-180, 180, n).round(7), lat=rng.uniform(-90, 90, n).round(7), country="US")
        write(tmp_path / "a.csv", frame)
        xp.log.clear()
        assert on_device(tmp_path / "a.csv")[1] == BY_CUDF
        crossed.append(sum(size for name, size in xp.log if name != "asarray"))
        sent = [size for name, size in xp.log if name == "asarray"]
        assert max(sent) <= (tmp_path / "a.csv").stat().st_size and sum(size > n for size in sent) == 1
    assert 0 < crossed[0] < 5000 and abs(crossed[1] - crossed[0]) < 100


def test_csv_beside_parquet(tmp_path):
    """One table of files of several kinds; ids are texts as soon as one file has texts."""
    frames = [random_table(np.random.default_rng(seed), 50) for seed in range(3)]
    frames[0].to_parquet(tmp_path / "a.parquet")
    write(tmp_path / "b.csv", frames[1])
    write(tmp_path / "c.tsv.gz", frames[2])
    assert [compared(tmp_path)] == BY_CUDF
    assert [compared([tmp_path / "c.tsv.gz", tmp_path / "a.parquet"], 200)] == BY_CUDF


def test_columns_are_mapped_and_only_texts_that_are_needed_are_asked_for(tmp_path):
    frame = table().rename(columns={"doc_id": "id", "organization": "applicant"}).assign(note="1,2", lat2=3.25)
    write(tmp_path / "a.csv", frame)
    cudf.reads.clear()
    columns = {"doc_id": "id", "organization": "applicant", "lat": "lat2"}
    assert [compared(tmp_path / "a.csv", columns=columns)] == BY_CUDF
    names = list(frame.columns)
    ((_, asked, _),) = cudf.reads
    assert sorted(names[int(place)] for place in asked) == ["applicant", "country", "id"]
    assert [compared(tmp_path / "a.csv", columns={"doc_id": "id", "country": "id"})] == BY_CUDF


def test_dates_and_odd_numbers_are_read_on_the_host(tmp_path):
    rows = b"a,1e1,2.5,x,2021-05-01\nb, 3,NA,y,2021\nc,0.12345678901234567,1,z,\nd,4,nan,z,2020-01-01T00:00\n"
    (tmp_path / "a.csv").write_bytes(HEADER + rows)
    for years in (None, (2021, 2021), (2020, 2020), (None, 2021)):
        if years != (2020, 2020):  # of that year no row is geocoded
            assert [compared(tmp_path / "a.csv", years=years)] == BY_CUDF


PLAIN = {
    "a mark before UTF-8": b"\xef\xbb\xbf" + HEADER + ROW,
    "no line feed at the end": HEADER + ROW[:-1],
    "carriage returns": (HEADER + ROW + ROW).replace(b"\n", b"\r\n"),
    "some carriage returns": HEADER + ROW + ROW[:-1] + b"\r\n" + ROW,
    "header in quotation marks": b'"doc_id","lon","lat","organization","year"\n' + ROW,
    "a header of two lines": b'doc_id,lon,lat,organization,"ye\nar",year\na,1,2,x,y,2021\n',
    "everything in quotation marks": b'"doc_id","lon","lat","or""g","year"\n"a","1.5","2.5","x","2021"\n',
    "a line feed within a cell": HEADER + b'a,1.5,2.5,"x\ny",2021\n' * 3,
    "quotation marks doubled": HEADER + b'a,1.5,2.5,"""x"" ""y""",2021\na,1,2,"""",2021\na,1,2,"",2021\n',
    "umlauts": HEADER + "a,1.5,2.5,Universität Würzburg,2021\n".encode(),
}
ODD = {
    "an empty line before": (b"\n" + HEADER + ROW, "header"),
    "a quotation mark within the header": (b'doc_id,lon,lat,organization,yea"r,year\na,1,2,x"y,z,2021\n', "header"),
    "an empty line": (HEADER + ROW + b"\n" + ROW, "other numbers of cells"),
    "an empty line at the end": (HEADER + ROW + b"\n", "other numbers of cells"),
    "a cell too many": (HEADER + b"a,1,2,x,2021,\n", "other numbers of cells"),
    "a cell too few in one row and too many in the next": (
        HEADER + b"a,1,2,x\na,1,2,x,2021,b\n",
        "other numbers of cells",
    ),
    "cells lack": (HEADER + b"a,1,2,x\n" * 5, "other numbers of cells"),
    "text after a quotation mark": (HEADER + b'a,1,2,"x"y,2021\n', "quotation marks"),
    "text before a quotation mark": (HEADER + b'a,1,2,x"y",2021\n', "quotation marks"),
    "text after one quotation mark of two": (HEADER + b'a,1,2,"x",2021\na,1,2,"x"y,2021\n', "quotation marks"),
    "text before one quotation mark of two": (HEADER + b'a,1,2,"x",2021\na,1,2,x"y",2021\n', "quotation marks"),
    "a quotation mark that is left open": (HEADER + ROW + b'a,1,2,"x,2021\n' + ROW, "within quotation marks"),
    "carriage returns alone": ((HEADER + ROW).replace(b"\n", b"\r") + ROW, "header"),
    "a long cell behind carriage returns": (
        HEADER.replace(b"\n", b"\r") + b"a,1,2," + b"x" * 200_000 + b",2021\n",
        "header",
    ),
    "a carriage return within": (HEADER + b'a,1,2,"x\ry",2021\n', "carriage returns"),
    "a NUL byte": (HEADER + b"a,1,2,x\0y,2021\n", "NUL"),
    "not UTF-8": (HEADER + ROW * 9000 + b"a,1,2,\xe4,2021\n", "UTF-8"),
    "not a number": (HEADER + ROW + b"a,1 km,2,x,2021\n", 'column "lon" that is no number'),
    "an empty id": (HEADER + ROW + b",1,2,x,2021\n", "blank"),
    "an id beyond ASCII": (HEADER + "ä,1,2,x,2021\n".encode(), "ASCII"),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_files_are_read_by_cudf(kind, tmp_path):
    (tmp_path / "a.csv").write_bytes(PLAIN[kind])
    columns = {"organization": 'or"g'} if b'or""g' in PLAIN[kind] else {}
    for piece in (70, device.PIECE):
        assert [compared(tmp_path / "a.csv", piece, columns=columns, years=(2021, 2021))] == BY_CUDF


@pytest.mark.parametrize("kind", ODD)
def test_odd_files_are_read_by_the_cpu(kind, tmp_path):
    content, why = ODD[kind]
    (tmp_path / "a.csv").write_bytes(content)
    both(tmp_path / "a.csv", why, years=(None, 2030))


def test_one_column_for_all(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"x\n1\n\n2\n")
    columns = dict.fromkeys(("doc_id", "lon", "lat", "year"), "x")
    both(tmp_path / "a.csv", "one column", columns=columns, years=(None, 5))


def test_files_that_end_too_early(tmp_path):
    whole = gzip.compress(HEADER + ROW * 5000)
    (tmp_path / "a.csv.gz").write_bytes(whole[: len(whole) // 2])
    both(tmp_path / "a.csv.gz", "cannot be read to its end")
    for content in (b"", HEADER, HEADER[:-1]):
        (tmp_path / "b.csv").write_bytes(content)
        errors = []
        for read in (read_addresses, lambda *args: device.read_addresses(cudf, xp, *args)):
            with pytest.raises(InputError) as error:
                read(tmp_path / "b.csv", "patents")
            errors.append(str(error.value))
        assert errors[0] == errors[1]


def test_a_row_longer_than_a_piece(tmp_path):
    (tmp_path / "a.csv").write_bytes(HEADER + ROW + b"a,1,2," + b"x" * 500 + b",2021\n" + ROW)
    both_at = device.read_addresses(cudf, xp, tmp_path / "a.csv", "patents", piece=100, remark=(said := []).append)
    same(both_at, read_addresses(tmp_path / "a.csv", "patents"))
    assert "does not end within" in said[0]
    assert [compared(tmp_path / "a.csv", 1000)] == BY_CUDF
    assert TEXT_PIECE < device.PIECE


@pytest.mark.parametrize("long", ["row", "header"])
def test_what_is_too_long_for_the_cpus_reader_is_an_error(long, tmp_path):
    wide = b",%0100d" * 340_000 % tuple(range(340_000)) if long == "header" else b""
    cells = b"," * 340_000 if wide else b""
    text = b"x" * (34 << 20) if long == "row" else b"x"
    (tmp_path / "a.csv").write_bytes(HEADER[:-1] + wide + b"\na,1,2," + text + b",2021" + cells + b"\n")
    both(tmp_path / "a.csv", f"has a {long} of")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_addresses(tmp_path / "a.csv", "patents")


def _other(change):
    return lambda frame: cudf.DataFrame({name: change(values) for name, values in frame._columns.items()})


LIES = {
    "an error": (fails, "cuDF cannot read"),
    "rows lack": (_other(lambda values: values.slice(1)), "other rows"),
    "numbers": (_other(lambda values: pa.array(range(len(values)))), "as int64"),
    "texts trimmed": (_other(lambda values: pa.array([str(value).strip() for value in values])), "other texts"),
    "texts missing": (_other(lambda values: pa.nulls(len(values), pa.string())), "other texts"),
}


@pytest.mark.parametrize("kind", LIES)
def test_what_cudf_reads_otherwise_is_read_by_the_cpu(kind, tmp_path):
    change, why = LIES[kind]
    (tmp_path / "a.csv").write_bytes(HEADER + ROW + b"b,1,2, y ,2021\n")
    remarks: list[str] = []
    read = device.read_addresses(Lying(change), xp, tmp_path / "a.csv", "patents", remark=remarks.append)
    same(read, read_addresses(tmp_path / "a.csv", "patents"))
    assert len(remarks) == 1 and why in remarks[0]


def test_fields_need_whole_rows():
    with pytest.raises(NeedsCpuError, match="other numbers of cells"):
        find_fields(xp, b"1,2\n3\n", ",", 2)


def test_progress_rises_to_one(tmp_path):
    path = write(tmp_path / "a.csv", random_table(np.random.default_rng(1), 300))
    seen: list[float] = []
    on_device(path, piece=2000, progress=lambda _, part: seen.append(part))
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] == 1 and len(set(seen)) > 4
