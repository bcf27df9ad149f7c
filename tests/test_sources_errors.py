"""Exports that are damaged or have changed: an error that says where, or a counted and listed skip."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import (
    FUNDING,
    FUNDING_HEADER,
    GEOC_INV,
    OLD_CRUNCHBASE,
    WORKS,
    damage,
    funding,
    manifest,
    patentsview,
    rows,
    snapshot,
)

from gpu_clusters.sources import blocks, cells, quotes, skips
from gpu_clusters.sources.cells import Layout
from gpu_clusters.sources.skips import Skips


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"id": "https://openalex.org/W', "is not JSON"),
        (b'{"id": "W9", "title": "\xff\xfe"}', "UTF-8"),
        (b'{"id": "W9", "publication_year": "soon"}', "is not JSON as expected"),
        (b'{"id": "W9"} {"id": "W10"}', "several objects"),
        (b"[1, 2]", "is no JSON object"),
        (b'{"title": "nobody"}', "has no 'id'"),
    ],
)
def test_a_bad_line_is_an_error_or_a_listed_skip(program, line, says):
    snapshot(program.here / "snap")

    def change(text):
        first, *others = text.split(b"\n")
        return b"\n".join([first, b"", line, *others])  # an empty line is no record, but a line

    damage(program.here / "snap", change)
    said = program.refused(3, "convert", "openalex", "snap", "--out", "out", says=says)
    assert "part_0000.gz: row 3: " in said and "--on-error skip (in Python on_error='skip')" in said
    ran = program("convert", "openalex", "snap", "--on-error", "skip", "--out", "out")
    assert ran.code == 0 and "warning: left out: 1 row that could not be read" in ran.err
    skipped = pd.read_csv("out/skipped.csv")
    assert skipped["row"].tolist() == [3] and says in skipped["reason"][0]
    assert manifest("out")["skipped_rows"] == manifest("out")["skipped_rows_listed"] == 1
    assert len(rows("out")) == 9


@pytest.mark.parametrize("line", [b"null", b" null", b'"a text"'])
def test_a_first_line_that_is_no_object(program, line):
    snapshot(program.here / "snap")
    damage(program.here / "snap", lambda text: line + b"\n" + text)
    program.refused(3, "convert", "openalex", "snap", "--out", "out", says="part_0000.gz: row 1: is no JSON object; ")
    assert program("convert", "openalex", "snap", "--on-error", "skip", "--out", "out").code == 0
    assert pd.read_csv("out/skipped.csv")["row"].tolist() == [1] and len(rows("out")) == 9


def test_what_the_parser_says_of_a_line_names_no_row_of_its_own(program):
    snapshot(program.here / "snap")
    damage(program.here / "snap", lambda text: text + b'{"id": "W9\n')
    said = program.refused(3, "convert", "openalex", "snap", "--out", "out", says="is not JSON as expected (")
    assert said.count("row ") == 1 and "in string)" in said


def test_a_file_that_breaks_off_gives_what_is_before(program):
    rng = np.random.default_rng(3)
    works = [{**WORKS[0], "id": f"https://openalex.org/W{i}", "x": rng.bytes(40).hex()} for i in range(20_000)]
    snapshot(program.here / "snap", works=works)
    path = next(iter(sorted((program.here / "snap/data/jsonl/works").rglob("*.gz"))))
    path.write_bytes(path.read_bytes()[:-20_000])
    said = program.refused(3, "convert", "openalex", "snap", "--out", "out", says="breaks off")
    assert "part_0000.gz: row " in said
    ran = program("convert", "openalex", "snap", "--on-error", "skip", "--out", "out")
    assert ran.code == 0
    listed = pd.read_csv("out/skipped.csv")
    assert len(listed) == 1 and "breaks off" in listed["reason"][0]
    assert rows("out")["doc_id"].nunique() == listed["row"][0] - 1 + 10_000 > 18_000


@pytest.mark.parametrize(
    ("entity", "old", "new"),
    [
        ("works", b'"authorships"', b'"authors"'),
        ("works", b'"institutions"', b'"organisations"'),
        ("works", b'"publication_year"', b'"year"'),
        ("works", b'"is_retracted"', b'"retracted"'),
        ("institutions", b'"geo"', b'"place"'),
        ("institutions", b'"latitude"', b'"lat"'),
    ],
)
def test_fields_with_other_names_are_an_error_even_when_skipping(program, entity, old, new):
    snapshot(program.here / "snap")
    for path in (program.here / "snap/data/jsonl" / entity).rglob("*.gz"):
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(old, new)))
    said = program.refused(3, "convert", "openalex", "snap", "--on-error", "skip", "--out", "out", says="layout")
    assert old.decode().strip('"') in said


def test_a_column_of_parquet_that_is_not_there(program):
    snapshot(program.here / "snap", "parquet")
    for path in (program.here / "snap/data/parquet/works").rglob("*.parquet"):
        pq.write_table(pq.read_table(path, partitioning=None).drop_columns("is_retracted"), path)
    given = ("convert", "openalex", "snap", "--out", "out")
    program.refused(3, *given, says="no work has the field 'is_retracted'")
    assert program(*given, "--retracted").code == 0
    assert "W6" in set(rows("out")["doc_id"])


def test_an_institution_that_cannot_be_read_is_listed_too(program):
    snapshot(program.here / "snap")
    damage(program.here / "snap", lambda text: b"nonsense\n" + text, "institutions")
    assert program("convert", "openalex", "snap", "--on-error", "skip", "--out", "out").code == 0
    assert "institutions" in pd.read_csv("out/skipped.csv")["file"][0]


def test_rows_that_are_listed_of_each_file(program, monkeypatch):
    monkeypatch.setattr(skips, "LISTED", 2)
    snapshot(program.here / "snap")
    parts = sorted((program.here / "snap/data/jsonl/institutions").rglob("*.gz"))
    for path in parts:
        path.write_bytes(gzip.compress(b"[\n{\n]\n" + gzip.decompress(path.read_bytes())))
    given = ("convert", "openalex", "snap", "--on-error", "skip", "--out")
    assert program(*given, "out").code == 0
    assert pd.read_csv("out/skipped.csv")["row"].tolist() == [1, 2, 1, 2] and manifest("out")["skipped_rows"] == 6
    parts[1].write_bytes(gzip.compress(b'\xff\n{"id": 1}\n'))
    said = program.refused(3, *given, "none", says="not one row could be read (is not JSON as expected")
    assert str(parts[1].relative_to(program.here)) in said


def test_parquet_that_breaks_off(program):
    snapshot(program.here / "snap", "parquet")
    path = next(iter(sorted((program.here / "snap").rglob("works/*/*.parquet"))))
    path.write_bytes(path.read_bytes()[:-30])
    program.refused(3, "convert", "openalex", "snap", "--out", "out", says="breaks off or is damaged")


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_changed_headers_are_an_error(program, on_error):
    patentsview(program.here / "pv", lambda text: text.replace("location_id", "place_id"))
    command = ("convert", "patentsview", "pv", "--on-error", on_error, "--out", "out")
    said = program.refused(3, *command, says='column "location_id" is missing')
    assert "g_location" in said and "columns there: place_id" in said


def test_a_truncated_zip_and_one_of_several_files(program):
    patentsview(program.here / "pv")
    path = program.here / "pv/g_patent.tsv.zip"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    program.refused(3, "convert", "patentsview", "pv", "--out", "out", says="g_patent.tsv.zip: cannot be read as a ZIP")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.tsv", "x\n")
        archive.writestr("b.tsv", "x\n")
    program.refused(3, "convert", "patentsview", "pv", "--out", "out", says="holds 2 files")


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"a,b\n", "has 2 cells where the header has 24"),
        (
            FUNDING[0].replace("Paris", "Par\xeds").encode("latin-1") + b"\n",
            "is not text in utf-8; save the file as UTF-8, or give",
        ),
        (b'x,"open\n', "never closed"),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_bad_rows_of_delimited_files(program, bad, says, last):
    (program.here / "cb").mkdir()
    lines = [FUNDING_HEADER.encode(), *(line.encode() for line in FUNDING)]
    lines.insert(len(lines) if last else 3, bad.rstrip(b"\n"))
    (program.here / "cb/funding_rounds.csv").write_bytes(b"\r\n".join(lines) + b"\r\n")
    said = program.refused(3, "convert", "crunchbase", "cb", "--out", "out", says=says)
    row = 8 if last else 3
    assert f"funding_rounds.csv: row {row}: " in said
    ran = program("convert", "crunchbase", "cb", "--on-error", "skip", "--out", "out")
    assert ran.code == 0 and rows("out")["deal_id"].tolist() == ["a", "b", "d", "e"]
    assert pd.read_csv("out/skipped.csv")["row"].tolist() == [row]


def test_an_encoding_can_be_named(program):
    (program.here / "cb").mkdir()
    text = "\n".join([FUNDING_HEADER, FUNDING[0].replace("Paris", "Zürich")])
    (program.here / "cb/funding_rounds.csv").write_bytes(text.encode("cp1252"))
    assert program("convert", "crunchbase", "cb", "--encoding", "cp1252", "--out", "out").code == 0
    assert rows("out")["city"].tolist() == ["Zürich"]
    (program.here / "cb/funding_rounds.csv").write_bytes(text.encode("utf-16"))
    program.refused(3, "convert", "crunchbase", "cb", "--out", "utf16", says="UTF-16")


def test_an_encoding_is_that_of_the_companies_too(program):
    (program.here / "cb").mkdir()
    for name, text in OLD_CRUNCHBASE.items():
        (program.here / "cb" / name).write_bytes(text.replace("Acme,Acme", "Acme,Ängström").encode("cp1252"))
    assert program("convert", "crunchbase", "cb", "--encoding", "cp1252", "--out", "out").code == 0
    assert rows("out")["organization"].tolist()[0] == "Ängström"


@pytest.mark.parametrize(
    ("cell", "says"),
    [("48,9", "'48,9' is not a number"), ("north", "'north' is not a number")],
)
def test_text_in_a_number_column(program, cell, says):
    (program.here / "geoc_inv.txt").write_text(GEOC_INV.replace("48.9", f'"{cell}"'))
    said = program.refused(3, "convert", "geoc-inv", "geoc_inv.txt", "--out", "out", says=says)
    assert 'row 1: column "lat"' in said
    assert program("convert", "geoc-inv", "geoc_inv.txt", "--on-error", "skip", "--out", "out").code == 0
    assert rows("out")["doc_id"].tolist() == ["1", "2", "3"]


def test_a_file_of_which_no_row_is_good(program):
    (program.here / "in").mkdir()
    (program.here / "in/geoc_inv_1.txt").write_text(GEOC_INV)
    header = GEOC_INV.splitlines()[0]
    (program.here / "in/geoc_inv_2.txt").write_text(f'{header}\n1,2000-01-31,"48,9",2.4,FR,a,b\n')
    given = ("convert", "geoc-inv", "in", "--on-error", "skip", "--out", "out")
    said = program.refused(3, *given, says="geoc_inv_2.txt: not one row could be read")
    assert "'48,9' is not a number" in said
    (program.here / "in/geoc_inv_2.txt").write_text(f"{header}\n")
    assert program(*given).code == 0


def test_a_row_without_a_document(program):
    (program.here / "geoc_inv.txt").write_text(GEOC_INV + ",2000-01-01,1,1,FR,,\n")
    program.refused(3, "convert", "geoc-inv", "geoc_inv.txt", "--out", "out", says='row 5: column "appln_id" is empty')


def read_all(path: Path, columns: tuple[str, ...], on_error="fail") -> tuple[list[dict], list]:
    skips = Skips(on_error)
    layout = Layout({name: (name,) for name in columns})
    found = [
        {"row": int(number), **row}
        for numbers, table in cells.cells(path, layout, skips)
        for number, row in zip(numbers, table.to_pylist(), strict=True)
    ]
    return found, skips.listed


def test_quoted_line_ends_in_blocks_of_any_size(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    texts = ["plain", 'a "quoted" one', "two\nlines", "", "comma, inside", '"', "\n", 'x"\n"y', "ü"]
    expected = [{"a": str(i), "b": texts[at]} for i, at in enumerate(rng.integers(0, len(texts), 300))]
    path = tmp_path / "t.csv"
    pd.DataFrame(expected).to_csv(path, index=False)
    for size in (1, 7, 64, 1_000, 1 << 20):
        monkeypatch.setattr(blocks, "BLOCK", size)
        monkeypatch.setattr(blocks, "_PIECE", size)
        found, _ = read_all(path, ("a", "b"))
        assert found == [{"row": i + 1, **row} for i, row in enumerate(expected)]


def test_a_mark_that_stays_open_loses_one_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,x\n2,"open\n3,y\n\n4,"z\nz"\n5,w\n')
    found, listed = read_all(path, ("a", "b"), "skip")
    assert [row["a"] for row in found] == ["1", "3", "4", "5"] and [row["row"] for row in found] == [1, 3, 4, 5]
    assert [skip.row for skip in listed] == [2] and "never closed" in listed[0].reason


def test_a_mark_that_stays_open_for_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 64)
    monkeypatch.setattr(blocks, "_PIECE", 64)
    monkeypatch.setattr(quotes, "LONGEST", 256)
    path, mark = tmp_path / "t.csv", '"'
    path.write_text("a,b\n" + "".join(f"{i},{mark * (i == 2)}x{i}\n" for i in range(1, 200)))
    found, listed = read_all(path, ("a", "b"), "skip")
    assert [row["row"] for row in found] == [i for i in range(1, 200) if i != 2]
    assert all(row["b"] == f"x{row['a']}" for row in found) and [skip.row for skip in listed] == [2]


def test_deals_without_an_id_are_not_one_deal(program, monkeypatch):
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: 3)
    (program.here / "cb").mkdir()
    lines = [funding("", "FRA", "", city, "seed", "2020-05-01") for city in ("Paris", "Lyon", "Brest") * 4]
    (program.here / "cb/funding_rounds.csv").write_text("\n".join([FUNDING_HEADER, *lines]))
    assert program("convert", "crunchbase", "cb", "--out", "out").code == 0
    found = rows("out")
    assert sorted(found["city"]) == ["Brest"] * 4 + ["Lyon"] * 4 + ["Paris"] * 4 and found["deal_id"].isna().all()
    assert [len(pd.read_parquet(f"out/part-0000{number}.parquet")) for number in range(3)] == [4, 4, 4]


def test_a_column_of_lists(program):
    pq.write_table(pa.table({"id": [[1], [2]]}), program.here / "d.parquet")
    (program.here / "m.toml").write_text('table = "deals"\n[columns]\ndeal_id = "id"\n')
    program.refused(
        3, "convert", "table", "d.parquet", "--mapping", "m.toml", "--out", "out", says='column "id" holds list'
    )


def test_parquet_columns_keep_their_numbers(program):
    table = pa.table(
        {
            "id": [10, 11, 12],
            "x": pa.array([2.35, 0.1 + 0.2, None]),
            "y": pa.array([48, 1, 2]),
            "on": pa.array(["2015-05-01", None, "1/2/2016"]),
            "n": [2.0, 1.5, 1.0],
        }
    )
    pq.write_table(table, program.here / "d.parquet")
    columns = {"deal_id": "id", "lon": "x", "lat": "y", "year": "on", "deals": "n"}
    text = 'table = "deals"\n[columns]\n' + "\n".join(f"{name} = {json.dumps(c)}" for name, c in columns.items())
    (program.here / "m.toml").write_text(text)
    assert program("convert", "table", "d.parquet", "--mapping", "m.toml", "--out", "out").code == 0
    found = rows("out")
    assert found["lon"].tolist()[:2] == [2.35, 0.1 + 0.2] and found["deal_id"].tolist() == ["10", "11", "12"]
    assert found["year"].tolist()[0] == 2015 and found["year"].tolist()[2] == 2016
    assert manifest("out")["coverage"][-1]["documents"] == 4.5
    assert pd.read_parquet("out/locations.parquet")["deals"].tolist() == [1.5, 2.0]
