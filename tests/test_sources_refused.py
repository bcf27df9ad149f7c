"""Files, folders, mappings and options that no table can be made of: an error that says what to do."""

from __future__ import annotations

import gzip

import pytest
from exports import (
    GEOC_INV,
    OLD_CRUNCHBASE,
    damage,
    institution,
    patentsview,
    snapshot,
)


def test_a_folder_without_a_snapshot(program):
    (program.here / "empty").mkdir()
    program.refused(3, "convert", "openalex", "empty", "--out", "out", says="there is no folder 'works'")
    snapshot(program.here / "snap")
    damage(program.here / "snap", lambda text: text.replace(b"{", b"["))
    program.refused(3, "convert", "openalex", "snap", "--on-error", "skip", "--out", "out", says="not one row")


@pytest.mark.parametrize("there", [[], ["rounds.csv"], ["companies.csv"]])
def test_a_folder_without_rounds(program, there):
    (program.here / "cb").mkdir()
    for name in there:
        (program.here / "cb" / name).write_text(OLD_CRUNCHBASE[name], encoding="utf-8")
    program.refused(3, "convert", "crunchbase", "cb", "--out", "out", says="cb: there is neither funding_rounds.csv")


@pytest.mark.parametrize("text", ["", "a,b\n", "a,b"])
def test_files_with_nothing_in_them(program, text):
    (program.here / "geoc_inv.csv").write_text(text.replace("a,b", GEOC_INV.split("\n")[0]))
    program.refused(3, "convert", "geoc-inv", "geoc_inv.csv", "--out", "out", says="" if text else "is empty")


MAPPING = 'table = "deals"\ndelimiter = ";"\nencoding = "latin-1"\n[columns]\ndeal_id = "a"\nkind = "b"\n[keep]\nkind = ["x"]\n'


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"deals"', '"trades"', "table must be"),
        ('"deals"', '"patents"', "lacks doc_id"),
        ("[columns]", "[column]", "unknown key"),
        ('";"', '";;"', "one character"),
        ("latin-1", "latin-x", "unknown encoding"),
        ("latin-1", "utf-16", "save them as UTF-8"),
        ("latin-1", "iso2022_jp", "save them as UTF-8"),  # its Japanese letters hold the bytes of quotation marks
        ("latin-1", "hz", "save them as UTF-8"),
        ("kind = [", "sort = [", "keep.sort"),
        ("[columns]", "unique = 1\n[columns]", "unique must be"),
        ('[columns]\ndeal_id = "a"', "unique = true\n[columns]", "needs deal_id among [columns]"),
        ("=", ":", "is not TOML"),
    ],
)
def test_mappings_that_make_no_sense(program, before, after, says):
    (program.here / "m.toml").write_text(MAPPING.replace(before, after))
    (program.here / "x.csv").write_text("a;b\n")
    program.refused(2, "convert", "table", "x.csv", "--mapping", "m.toml", "--out", "out", says=says)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("scopus", "."), "--out"),
        (("scopus", ".", "--out", "o"), "no source"),
        (("openalex", ".", "--out", "o", "--on-error", "ignore"), "on_error must be fail or skip, not 'ignore'"),
        (("openalex", ".", "--out", "o", "--years", "2020"), "--years"),
        (("openalex", ".", "--out", "o", "--years", "2020:2019"), "before it begins"),
        (("openalex", ".", "--out", "o", "--types", ","), "names no kind"),
        (("table", ".", "--out", "o"), "--mapping"),
        (("geoc-inv", ".", "--out", "o", "--types", "all"), "types does not go with geoc-inv"),
        (("openalex", ".", "--out", "o", "--mapping", "x"), "mapping does not go"),
    ],
)
def test_options_that_make_no_sense(program, args, says):
    program.refused(2, "convert", *args, says=says)


def test_files_and_schedulers_that_are_not_there(program):
    program.refused(3, "convert", "openalex", "nowhere", "--out", "out", says="does not exist")
    snapshot(program.here / "snap")
    program.refused(2, "convert", "openalex", "snap", "--out", "out", "--dask", "local:0", says="local:N")


def test_a_snapshot_in_both_formats(program):
    snapshot(snapshot(program.here / "snap"), "parquet")
    program.refused(3, "convert", "openalex", "snap", "--out", "out", says="as JSON lines and as Parquet")
    assert program("convert", "openalex", "snap/data/parquet", "--out", "out").code == 0


def test_the_same_table_twice(program):
    patentsview(program.here / "pv")
    (program.here / "pv/g_patent.tsv").write_text("x\n")
    program.refused(3, "convert", "patentsview", "pv", "--out", "out", says="same rows as g_patent.tsv beside it")


def test_files_of_different_releases_in_which_nothing_meets(program):
    snapshot(program.here / "snap", institutions=[institution(98, 36.8, -1.3), institution(99, 35.3, 0.5)])
    said = "no author has an institution that is in the files of institutions, such as snap"
    program.refused(3, "convert", "openalex", "snap", "--out", "out", says=said)
    patentsview(program.here / "pv")
    for path in (program.here / "pv").glob("g_location*"):
        path.unlink()
    header = "location_id\tdisambig_country\tlatitude\tlongitude\n"
    (program.here / "pv/g_location_disambiguated.tsv").write_text(header)
    said = "no row has a location that is in g_location_disambiguated; are both files complete, and of one release?"
    program.refused(3, "convert", "patentsview", "pv", "--out", "out", says=said)
    (program.here / "cb").mkdir()
    for name, text in OLD_CRUNCHBASE.items():
        kept = text if name != "companies.csv" else text.splitlines()[0] + "\n"
        (program.here / "cb" / name).write_text(kept, encoding="utf-8")
    said = "rounds.csv: no row has a company that is in companies.csv"
    program.refused(3, "convert", "crunchbase", "cb", "--out", "out", says=said)


def test_files_with_a_header_alone_are_named(program):
    (program.here / "geoc_inv.txt").write_text(GEOC_INV.splitlines()[0] + "\n")
    said = "no row is left; nothing that makes one was read from geoc_inv.txt; are these files complete?"
    program.refused(3, "convert", "geoc-inv", "geoc_inv.txt", "--out", "out", says=said)


def test_a_folder_without_geocoded_patents_says_what_is_looked_for(program):
    (program.here / "gi").mkdir()
    (program.here / "gi/geoc_app.txt").write_text(GEOC_INV)
    program.refused(3, "convert", "geoc-inv", "gi", "--out", "out", says="looked for geoc_inv.csv, ")


def test_tables_made_of_a_snapshot_are_no_json_lines(program):
    snapshot(program.here / "snap")
    (program.here / "snap/works.csv.gz").write_bytes(gzip.compress(b"id,type\nhttps://openalex.org/W1,article\n"))
    said = program.refused(3, "convert", "openalex", "snap", "--on-error", "skip", "--out", "out", says="is a table")
    assert "works.csv.gz: " in said


def test_a_column_that_a_mapping_names_and_a_table_lacks(program):
    (program.here / "t.csv").write_text("id;city\n1;Paris\n")
    (program.here / "m.toml").write_text('table = "deals"\n[columns]\ndeal_id = "id"\n')
    given = ["convert", "table", "t.csv", "--mapping", "m.toml", "--out", "out"]
    said = program.refused(3, *given, says="columns there: id;city; correct [columns] or delimiter in m.toml")
    assert "layout" not in said


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_workbook_is_no_table(program, name, encoding):
    (program.here / name).write_bytes(b"PK\x03\x04\x14\x00\x06\x00Company City\n")
    (program.here / "m.toml").write_text(f'table = "deals"\nencoding = "{encoding}"\n[columns]\ndeal_id = "id"\n')
    given = ["convert", "table", name, "--mapping", "m.toml", "--out", "out"]
    said = program.refused(3, *given, says=f"{name}: is a workbook, as Excel writes them")
    assert "save the sheet as CSV in UTF-8" in said and not (program.here / "out").exists()
