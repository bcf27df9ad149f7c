"""Exports that are odd, but plausible: stray characters, other types, several copies, older records."""

from __future__ import annotations

import gc
import gzip
import json
import os
import struct
import time
import warnings
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import GEOC_INV, WORKS, authorship, damage, institution, manifest, patentsview, rows, snapshot, work
from program import process

from gpu_clusters.errors import InputError
from gpu_clusters.sources import blocks, run, spill
from gpu_clusters.sources.blocks import files_of
from gpu_clusters.sources.records import shaped
from gpu_clusters.sources.spill import count_buckets
from gpu_clusters.sources.tables import Table

COLUMNS = 'deal_id = "id"\nlon = "x"\nlat = "y"\nyear = "on"\ncountry = "country"\n'
TABLE = "id,x,y,on,country\na,1,2,2020,Germany\nb,3,4,2021,France\n"


def mapping(program, columns=COLUMNS, before="", after="") -> tuple[str, str]:
    """Options that name a mapping."""
    (program.here / "m.toml").write_text(f'table = "deals"\n{before}\n[columns]\n{columns}{after}\n')
    return "--mapping", "m.toml"


def add_works(snap: Path, day: str, *works: dict) -> None:
    """A later part of the works of a snapshot."""
    folder = snap / "data/jsonl/works" / f"updated_date={day}"
    folder.mkdir()
    lines = "".join(json.dumps(record) + "\n" for record in works)
    (folder / "part_0000.gz").write_bytes(gzip.compress(lines.encode()))


@pytest.mark.parametrize("buckets", [1, 3])
@pytest.mark.parametrize(
    "later",
    [
        work(1, authorship(1), retracted=True),
        work(1, authorship(1), kind="editorial"),
        work(1, authorship(1), year=2010),
        work(1),
    ],
)
def test_a_later_record_that_does_not_count_brings_no_older_one_back(program, monkeypatch, later, buckets):
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: buckets)
    add_works(snapshot(program.here / "snap"), "2026-07-01", later)
    assert program("convert", "openalex", "snap", "--years", "2015:", "--out", "out").code == 0
    assert set(rows("out")["doc_id"]) == {"W2", "W3", "W8"}
    add_works(program.here / "snap", "2026-07-02", WORKS[0])  # counts again
    assert program("convert", "openalex", "snap", "--years", "2015:", "--out", "out", "--force").code == 0
    assert set(rows("out")["doc_id"]) == {"W1", "W2", "W3", "W8"}


def test_of_rows_with_one_id_the_last_counts_before_filters_do(program):
    (program.here / "t.csv").write_text("id,kind\na,x\nb,x\na,y\nb,x\nc,y\nc,x\n")
    made = mapping(program, 'deal_id = "id"\nkind = "kind"\n[keep]\nkind = ["x"]\n', "unique = true")
    assert program("convert", "table", "t.csv", *made, "--out", "out").code == 0
    assert rows("out")["deal_id"].tolist() == ["b", "c"]


def test_a_snapshot_of_the_older_layout_among_other_things(program):
    """Lists of merged ids and other entities lie beside what is read, also below a folder that is called as an entity is."""
    snapshot(program.here / "works")
    for name, content in (("merged_ids/institutions/2022-06-09.csv.gz", b"id,into\nI1,I2\n"), ("authors", b"")):
        path = program.here / "works/data" / name
        if not content:
            path, content = path / "updated_date=2026-06-01/part_0000.gz", b'{"id": "A1"}\n'
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(content))
    assert program("convert", "openalex", "works", "--out", "out").code == 0
    assert len(rows("out")) == 9


def test_the_later_part_counts_in_whatever_folder_it_is(program):
    """The bucket holds parts of the older layout below ``legacy-data``, which comes after ``data``."""
    snap = snapshot(program.here / "snap")
    for entity, old in (("works", work(1, authorship(2), year=1999)), ("institutions", institution(1, 0, 0, "FR"))):
        folder = snap / "legacy-data" / entity / "updated_date=2025-01-01"
        folder.mkdir(parents=True)
        (folder / "part_000.gz").write_bytes(gzip.compress(json.dumps(old).encode()))
    for given in (["snap"], ["snap/legacy-data", "snap/data"]):
        assert program("convert", "openalex", *given, "--out", "out", "--force").code == 0
        found = rows("out")
        assert set(found["year"]) == {2010, 2020} and set(found["lon"].dropna()) == {36.8, 35.3}


def test_institutions_without_a_record(program):
    snapshot(program.here / "snap", institutions=[])
    program.refused(3, "convert", "openalex", "snap", "--out", "out", says="is empty")


@pytest.mark.parametrize("entity", ["works", "institutions"])
def test_a_record_without_an_id_before_all_that_have_one(program, entity):
    snapshot(program.here / "snap")

    def change(text):
        first, *others = text.split(b"\n")
        return b"\n".join([first.replace(b'"id"', b'"di"', 1), b'{"', first, *others])  # the first is parsed alone

    damage(program.here / "snap", change, entity)
    program.refused(3, "convert", "openalex", "snap", "--out", "out", says="row 2: is not JSON")
    assert program("convert", "openalex", "snap", "--on-error", "skip", "--out", "out").code == 0
    assert pd.read_csv("out/skipped.csv")["row"].tolist() == [2, 1] and len(rows("out")) == 9


def test_records_without_an_id_after_all_that_have_one(program):
    snapshot(program.here / "snap")
    damage(program.here / "snap", lambda text: text + b'{"\n{"title": "nobody"}\n{"title": "nobody else"}\n')
    assert program("convert", "openalex", "snap", "--on-error", "skip", "--out", "out").code == 0
    listed = pd.read_csv("out/skipped.csv")
    assert listed["row"].tolist() == [5, 6, 7] and listed["reason"][1:].tolist() == ["has no 'id'"] * 2


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("authorships", ["[]"], "string where lists should be"),
        ("authorships", [{"institutions": []}], "where lists should be"),
        ("authorships", [["somebody"]], "string where fields should be"),
        ("publication_year", ["soon"], "'soon'"),
        ("id", [["W1"]], "list"),
    ],
)
@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_columns_of_parquet_of_other_types(program, name, values, says, on_error):
    snapshot(program.here / "snap", "parquet")
    path = program.here / "snap/data/parquet/works/updated_date=2026-06-01/part_0000.parquet"
    table = pq.read_table(path, partitioning=None).slice(0, 1)
    pq.write_table(table.set_column(table.column_names.index(name), name, [values]), path)
    given = ("convert", "openalex", "snap", "--on-error", on_error, "--out", "out")
    said = program.refused(3, *given, says=f"column '{name}' is not as expected")
    assert says in said
    pq.write_table(table.append_column(name, table[name]), path)
    program.refused(3, *given, says=f"2 columns are called '{name}'")


def test_lists_of_other_kinds_are_lists():
    given = pa.array([[{"id": "a", "more": 1}], None, [None, {"id": "b", "more": 2}]])
    kind, inner = pa.list_(pa.struct([("id", pa.string()), ("name", pa.string())])), given.type.value_type
    for other in (given, given.cast(pa.large_list(inner)), pa.concat_arrays([given, given]).slice(3)):
        assert shaped(other, kind).to_pylist() == [
            [{"id": "a", "name": None}],
            None,
            [None, {"id": "b", "name": None}],
        ]
    assert shaped(given.filter([True, False, False]).cast(pa.list_(inner, 1)), kind).to_pylist() == [
        [{"id": "a", "name": None}]
    ]
    assert shaped(pa.nulls(2), kind).equals(pa.nulls(2, kind))  # a column, or a field, that is empty in a whole file


def test_two_releases_of_patentsview(program):
    patentsview(program.here / "both")
    patentsview(program.here / "both/2025")
    program.refused(3, "convert", "patentsview", "both", "--out", "out", says="files of one release")
    assert program("convert", "patentsview", "both/2025", "--out", "out").code == 0


def test_files_that_are_reached_twice_count_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a/1.csv", "b/2.csv", "a/.hidden/3.csv", "a/_4.csv"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    Path("a/link").symlink_to(tmp_path / "b")
    Path("a/link/loop").symlink_to(tmp_path / "a")
    Path("1.csv").symlink_to(tmp_path / "a/1.csv")
    assert files_of([Path("a")]) == [Path("a/1.csv"), Path("a/link/2.csv")]
    assert files_of([Path("b/2.csv"), Path("a/1.csv")]) == [Path("a/1.csv"), Path("b/2.csv")]  # whatever their order
    given = [Path("a"), tmp_path / "a/1.csv", Path("b/2.csv"), Path("1.csv")]
    assert sorted(path.resolve() for path in files_of(given)) == [tmp_path / "a/1.csv", tmp_path / "b/2.csv"]


def test_folders_and_names_that_cannot_be_read(tmp_path, monkeypatch):
    def walk(folder, onerror, **_):
        onerror(PermissionError(13, "Permission denied", f"{folder}/secret"))
        return iter(())

    with pytest.raises(InputError, match="cannot be read"):
        files_of([tmp_path / ("x" * 300)])
    (tmp_path / "lost.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"lost\.csv: cannot be read"):
        count_buckets(files_of([tmp_path]))
    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(InputError, match="secret: cannot be read"):
        files_of([tmp_path])


def test_the_last_ending_says_what_a_file_is(program, monkeypatch):
    tabs = TABLE.replace(",", "\t")
    made = mapping(program)
    for name, text_ in (("old.tsv.csv", TABLE), ("new.csv.tsv", tabs), ("new.csv.TSV.gz", tabs)):
        data = text_.encode()
        (program.here / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        assert program("convert", "table", name, *made, "--out", "out", "--force").code == 0
        assert len(rows("out")) == 2
    monkeypatch.setattr(spill, "PER_BUCKET", {True: 1, False: 1 << 20})
    Path("new.csv.TSV.gz").rename("new.csv.TSV.GZ")
    assert count_buckets([Path("new.csv.TSV.GZ")]) > 1


def test_a_system_that_does_not_say_which_cores_may_be_used(program, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # macOS
    (program.here / "t.csv").write_text(TABLE)
    assert program("convert", "table", "t.csv", *mapping(program), "--out", "out").code == 0


def test_years_in_names_are_no_endings(program):
    (program.here / "in").mkdir()
    for name in ("deals.2020.csv", "deals.2021.csv"):
        (program.here / "in" / name).write_text(TABLE)
    assert program("convert", "table", "in", *mapping(program), "--out", "out").code == 0
    assert len(rows("out")) == 4
    (program.here / "in/deals.2021.csv.gz").write_bytes(gzip.compress(TABLE.encode()))
    said = program.refused(3, "convert", "table", "in", *mapping(program), "--out", "new", says="count double")
    assert "deals.2021.csv.gz: seems to hold the same rows as deals.2021.csv beside it" in said
    named = sorted((program.here / "in").iterdir())  # who names both means both
    assert program("convert", "table", *named, *mapping(program), "--out", "new").code == 0
    assert len(rows("new")) == 6


def test_the_input_is_not_replaced(program):
    (program.here / "in").mkdir()
    (program.here / "in/part-00000.csv").write_text(TABLE)
    made = mapping(program)
    program.refused(2, "convert", "table", "in", *made, "--out", "in", "--force", says="holds files of the input")


def test_extracts_beside_the_inventors_do_not_count_again(program):
    (program.here / "in/part").mkdir(parents=True)
    header, *lines = GEOC_INV.splitlines()
    (program.here / "in/geoc_inv_FR.csv").write_text("\n".join([header, lines[0], ""]))
    (program.here / "in/part/GEOC_INV_KE.csv").write_text("\n".join([header, lines[1], ""]))
    assert program("convert", "geoc-inv", "in", "--out", "parts").code == 0
    assert rows("parts")["doc_id"].tolist() == ["1", "2"]
    (program.here / "in/geoc_inv.txt").write_text(GEOC_INV)
    assert program("convert", "geoc-inv", "in", "--out", "whole").code == 0
    assert rows("whole")["doc_id"].tolist() == ["1", "1", "2", "3"]
    given = ("in/geoc_inv_FR.csv", "in/part/GEOC_INV_KE.csv")
    assert program("convert", "geoc-inv", *given, "--out", "given").code == 0
    assert rows("given")["doc_id"].tolist() == ["1", "2"]
    (program.here / "in/part/geoc_inv.txt").write_text(GEOC_INV)
    program.refused(3, "convert", "geoc-inv", "in", "--out", "two", says="files of one release")


def test_archives_that_python_cannot_unpack(program):
    path = program.here / "t.csv.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", TABLE)
    whole = path.read_bytes()
    there = whole.index(b"PK\x01\x02")
    for offset, value in ((8, 9), (6, 1)):  # Windows' Deflate64; a password
        data = bytearray(whole)
        for at in (offset, there + offset + 2):
            data[at : at + 2] = struct.pack("<H", value)
        path.write_bytes(data)
        program.refused(3, "convert", "table", path.name, *mapping(program), "--out", "out", says="unpack it")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("t.csv", TABLE * 100)
    path.write_bytes(path.read_bytes()[:60] + bytes(20) + path.read_bytes()[80:])
    program.refused(3, "convert", "table", path.name, *mapping(program), "--out", "out", says="is damaged")


def test_names_that_are_not_in_utf8(program):
    table = pa.table({"id": ["a"], "x": [1.0], "y": [2.0], "on": [2020], "country": ["FR"]})
    made = mapping(program)
    for ending, data in (
        (".csv", TABLE.encode()),
        (".csv.gz", gzip.compress(TABLE.encode())),
        (".csv.zst", pa.compress(TABLE.encode(), codec="zstd", asbytes=True)),
        (".parquet", None),
    ):
        path, out = (os.fsdecode(b"\xff" + name) for name in (ending.encode(), b"out" + ending.encode()))
        if data is None:
            with Path(path).open("wb") as file:
                pq.write_table(table, file)
        else:
            Path(path).write_bytes(data)
        assert program("convert", "table", path, *made, "--out", out).code == 0
        assert manifest(out)["inputs"][-1]["name"] == path
    Path(path := os.fsdecode(b"\xff.csv")).write_text(TABLE + "c\n")
    assert program("convert", "table", path, *made, "--on-error", "skip", "--out", "skips").code == 0
    assert pd.read_csv("skips/skipped.csv")["file"].tolist() == ["\\udcff.csv"]


def test_lines_that_never_end(program, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 100)
    monkeypatch.setattr(blocks, "_PIECE", 100)
    monkeypatch.setattr(blocks, "LONGEST", 1_000)
    (program.here / "t.csv").write_text(TABLE + "x" * 3_000)
    program.refused(3, "convert", "table", "t.csv", *mapping(program), "--out", "out", says="no record ends within")


def test_workers_are_silent_about_bad_input(program):
    (program.here / "t.csv").write_text(TABLE + "c,north,4,2021,France\n")
    made = (*mapping(program), "--dask", "local:1", "--out", "out")
    ran = process("convert", "table", "t.csv", *made, cwd=program.here)
    assert ran.code == 3 and "row 3" in ran.err and "Traceback" not in ran.err


def _some_number(_source, number, _common):
    return number


def test_workers_forget_what_has_been_fetched():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
        run._engine(None, client, "cpu") as each,
    ):
        before = len(client.futures)
        for fetched, _ in enumerate(each(_some_number, None, 5), 1):
            until = time.monotonic() + 30
            while len(client.futures) > before + 1 + 5 - fetched:  # and what the five have in common
                assert time.monotonic() < until
                time.sleep(0.01)


def test_all_files_are_in_the_manifest(program):
    snapshot(program.here / "snap")
    patentsview(program.here / "pv")
    (program.here / "t.csv").write_text(TABLE)
    for source, *given in (("openalex", "snap"), ("patentsview", "pv"), ("table", "t.csv", *mapping(program))):
        assert program("convert", source, *given, "--out", source).code == 0
        there = {path for name in given for path in Path(name).rglob("*") if path.name != "manifest"} or {Path("t.csv")}
        there = {path for path in there if path.is_file()} | ({Path("m.toml")} if source == "table" else set())
        assert {Path(one["name"]) for one in manifest(source)["inputs"]} == there


def test_a_row_that_is_refused_leaves_no_file_open(program, monkeypatch):
    monkeypatch.setattr(spill, "FLUSH", 1)
    monkeypatch.setattr(blocks, "BLOCK", 40)
    monkeypatch.setattr(blocks, "_PIECE", 40)
    (program.here / "t.csv").write_text(TABLE + "c,1,2,2020,France\nd,north,2,2020,France\n")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        program.refused(3, "convert", "table", "t.csv", *mapping(program), "--out", "out", says="row 4")
        gc.collect()
    assert not [one for one in said if issubclass(one.category, ResourceWarning)]


def test_other_files_are_not_read_to_their_end_once_one_has_failed(program, monkeypatch):
    monkeypatch.setattr(run, "_cores", lambda: 2)
    monkeypatch.setattr(blocks, "BLOCK", 100)
    monkeypatch.setattr(blocks, "_PIECE", 100)
    (program.here / "in").mkdir()
    (program.here / "in/1.csv").write_text(TABLE + "c,north,2,2020,France\n")
    (program.here / "in/2.csv").write_text(TABLE + "c,1,2,2020,France\n" * 10_000)
    enrich, enriched = Table.enrich, []

    def slow(self, rows, tally):
        enriched.append(rows.num_rows)
        time.sleep(0.01)
        return enrich(self, rows, tally)

    monkeypatch.setattr(Table, "enrich", slow)
    program.refused(3, "convert", "table", "in", *mapping(program), "--out", "out", says="1.csv: row 3")
    assert sum(enriched) < 5_000


def test_a_damaged_file_is_not_called_empty(program):
    (program.here / "t.csv.gz").write_bytes(b"no gzip")
    options = (*mapping(program), "--on-error", "skip", "--out", "out")
    program.refused(3, "convert", "table", "t.csv.gz", *options, says="is damaged")
