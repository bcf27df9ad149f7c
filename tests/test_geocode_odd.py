"""Odd, but plausible inputs, outputs and answers of ``geocode``."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import sqlite3
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arcgis import candidate, serving
from arcgis_cases import client
from exports import geonames

import gpu_clusters
from gpu_clusters.errors import InputError
from gpu_clusters.geocoding.cache import Cache
from gpu_clusters.io.delimited import DelimitedReader
from gpu_clusters.io.sources import readers

ARGS = ("--city", "city", "--country", "country")


@pytest.fixture
def addresses(program):
    """A gazetteer of one place, and a table of one address with a further column of any type."""
    geonames(program.here / "places.txt", [("Paris", "FR", "11", 48.9, 2.3, 100)])

    def make(values):
        pq.write_table(pa.table({"city": ["Paris"], "country": ["FR"], "x": values}), "in.parquet")

    return make


def geocode(program, out):
    return program("geocode", "in.parquet", *ARGS, "--gazetteer", "places.txt", "--out", out)


def test_the_last_ending_says_what_a_file_is(program, addresses):
    addresses(pa.array([1]))
    assert geocode(program, "old.tsv.csv").code == 0
    assert pd.read_csv("old.tsv.csv")["lon"].tolist() == [2.3]
    assert geocode(program, "new.csv.tsv").code == 0
    assert pd.read_csv("new.csv.tsv", sep="\t")["lon"].tolist() == [2.3]


def test_texts_that_are_no_country(program):
    """Of a gazetteer's own codes nothing is said."""
    geonames(program.here / "places.txt", [("Paris", "FR", "11", 48.9, 2.3, 100), ("Oz", "ZZ", "1", 1.0, 1.0, 100)])
    cities = ["Paris", "Paris", "Rome", "Rome", "Paris", "Oz"]
    frame = pd.DataFrame({"city": cities, "country": ["FR", "Frnce", "Itlay", "Itlay", None, "ZZ"]})
    frame.to_parquet("in.parquet")
    said = geocode(program, "out.csv").err
    assert "warning: 3 rows without a place, as no country is called Frnce, Itlay; write codes" in said
    frame[frame["country"].isin(["FR", "ZZ"])].to_parquet("in.parquet")
    assert "warning" not in geocode(program, "new.csv").err


@pytest.mark.parametrize(("link", "file"), [("out.parquet", "ab12"), ("out.csv", "ab.parquet")])
def test_the_ending_of_a_link_says_what_its_file_is(program, addresses, link, file):
    addresses(pa.array([1]))
    Path(link).symlink_to(file)
    assert geocode(program, link).code == 0
    read = pd.read_csv if link.endswith(".csv") else pd.read_parquet
    with Path(file).open("rb") as made:
        assert read(made)["lon"].tolist() == [2.3]


@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".parquet"])
def test_names_that_are_not_in_utf8(program, addresses, ending):
    addresses(pa.array([1]))
    out = os.fsdecode(b"\xff") + ending
    assert geocode(program, out).code == 0
    with Path(out).open("rb") as file:
        data = file.read()
    if ending == ".parquet":
        assert pq.read_table(pa.BufferReader(data))["lon"].to_pylist() == [2.3]
    else:
        text = gzip.decompress(data) if ending.endswith(".gz") else data
        assert text.decode().splitlines()[1].replace("\t", ",") == '"Paris","FR",1,2.3,48.9,"name","city"'


@pytest.mark.parametrize("kind", [pa.large_binary(), pa.binary(1), pa.binary(), pa.uuid()])
def test_columns_that_no_text_file_can_hold(program, addresses, kind):
    addresses(pa.array([b"\xff" * (16 if kind == pa.uuid() else 1)], kind))
    ran = geocode(program, "out.csv")
    assert ran.code == 2 and "which a text file cannot" in ran.err and not (program.here / "out.csv").exists()
    assert geocode(program, "out.parquet").code == 0
    assert pq.read_schema("out.parquet").field("x").type == kind


@pytest.mark.parametrize(
    "values", [pa.array(["a"]).dictionary_encode(), pa.array([dt.timedelta(1)]), pa.array(["a"], pa.string_view())]
)
def test_columns_that_a_text_file_can_hold(program, addresses, values):
    if values.type == pa.string_view():
        pytest.importorskip("pyarrow", "21")  # older ones cannot write it
    addresses(values)
    assert geocode(program, "out.csv").code == 0 and len(pd.read_csv("out.csv")) == 1


def test_parts_without_rows_keep_their_types(program, addresses):
    addresses(pa.array([dt.date(2020, 1, 1)]))
    (program.here / "in").mkdir()
    table = pq.read_table("in.parquet").append_column("kind", pa.array(["a"]).dictionary_encode())
    for name, rows in (("a", 1), ("b", 0)):
        pq.write_table(table.slice(0, rows), f"in/{name}.parquet")
    made = ("--gazetteer", "places.txt", "--out", "out")
    assert program("geocode", "in", *ARGS, *made).code == 0
    assert pq.read_schema("out/a.parquet") == pq.read_schema("out/b.parquet")
    assert pq.read_schema("out/b.parquet").field("x").type == pa.date32()


@pytest.mark.parametrize("name", ["city", "country", "id"])
def test_texts_of_parquet_that_are_not_in_utf8(program, name):
    wrong = {name: pa.array([b"a", b"\xff"]).view(pa.string())}
    pq.write_table(pa.table({"city": ["a", "b"], "country": ["FR", "FR"], "id": ["1", "2"]} | wrong), "in.parquet")
    said = program.refused(
        3, "geocode", "in.parquet", *ARGS, "--doc-id", "id", "--out", "out.csv", says="text in UTF-8"
    )
    assert "in.parquet: column " in said and name in said


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (pa.array(["x"]).dictionary_encode(), pa.array(["y"]), pa.string()),
        (pa.array(["x"]).dictionary_encode(), pa.array(["y"], pa.large_string()), pa.large_string()),
        (pa.array([1]).dictionary_encode(), pa.array([2.5]), pa.float64()),
        (pa.array([1]), pa.array(["y"]), None),
        (pa.array([1]), pa.array(["y"]).dictionary_encode(), None),
        (pa.array([2**60 + 1]), pa.array([2.5]), None),
    ],
)
def test_parts_of_other_types(program, addresses, one, other, kind):
    (program.here / "in").mkdir()
    for name, values in (("a", one), ("b", other)):
        addresses(values)
        Path("in.parquet").rename(f"in/{name}.parquet")
    given = (*ARGS, "--gazetteer", "places.txt", "--out", "out.parquet")
    if kind is None:
        program.refused(3, "geocode", "in", *given, says="types that do not go together")
        with pytest.raises(InputError, match="types that do not go together"):
            gpu_clusters.geocode("in", gazetteer="places.txt")
    else:
        assert program("geocode", "in", *given).code == 0
        found = pq.read_table("out.parquet")["x"]
        assert found.type == kind and found.to_pylist() == one.to_pylist() + other.to_pylist()
        assert gpu_clusters.geocode("in", gazetteer="places.txt")["x"].tolist() == found.to_pylist()


@pytest.mark.parametrize("header", ["city,country", "city,country\n", '"city","country"\r\n'])
def test_tables_without_rows(program, addresses, header):
    addresses(pa.array([1]))
    (program.here / "in.csv").write_text(header)
    options = (*ARGS, "--gazetteer", "places.txt", "--out", "out.csv")
    ran = program("geocode", "in.csv", *options)
    assert ran.code == 0 and "placed 0 of 0 rows" in ran.err
    assert (program.here / "out.csv").read_text() == '"city","country","lon","lat","geocode","accuracy"\n'


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_within_cells_wherever_a_block_ends(tmp_path, ending):
    cells = [f"{'x' * (i % 7)}\r\n{'y' * (i % 5)}\r" for i in range(60)]
    lines = ["a,b", *(f'{i},"{cell}"' for i, cell in enumerate(cells))]
    (tmp_path / "t.csv").write_bytes(ending.join(lines).encode())
    for block in range(64, 128):
        reader = DelimitedReader(tmp_path / "t.csv", "t.csv", ",", None, block)
        assert [text for batch, _ in reader.batches(["b"], ()) for text in batch.column("b").to_pylist()] == cells


def test_records_beside_a_table_are_no_part_of_it(program, addresses):
    addresses(pa.array(["a"]))
    (program.here / "tables").mkdir()
    for name in ("one.parquet", "two.csv"):
        assert geocode(program, f"tables/{name}").code == 0
    assert [Path(one.name).name for one in readers("tables", "deals")] == ["one.parquet", "two.csv"]
    (program.here / "tables/two.manifest.json").write_text("{}")
    assert len(readers("tables", "deals")) == 4  # what no such record says is not known to be one


def test_columns_without_a_name(program):
    (program.here / "in.csv").write_text("city,country,,\nParis,FR,,\n")
    program.refused(3, "geocode", "in.csv", *ARGS, "--out", "out.csv", says="in.csv: 2 columns are called ''")


def test_folders_behind_links_are_read(program, addresses):
    addresses(pa.array([1]))
    for folder in ("in", "elsewhere"):
        (program.here / folder).mkdir()
        (program.here / folder / "a.parquet").write_bytes(Path("in.parquet").read_bytes())
    Path("in/link").symlink_to(program.here / "elsewhere")
    Path("in/link/loop").symlink_to(program.here / "in")
    Path("in/link again").symlink_to(program.here / "elsewhere")
    Path("in/year=2020").mkdir()
    Path("in/year=2020/a.parquet").write_bytes(Path("in.parquet").read_bytes())
    Path("in/latest").symlink_to("year=2020")
    assert program("geocode", "in", *ARGS, "--gazetteer", "places.txt", "--out", "out").code == 0
    assert {str(path.relative_to("out")) for path in Path("out").rglob("*.parquet")} == {
        *("a.parquet", "link/a.parquet", "year=2020/a.parquet")
    }


def test_geojson_has_places(program):
    at = {"type": "Point", "coordinates": [1, 2]}
    one = {"type": "Feature", "properties": {"city": "Paris", "country": "FR"}, "geometry": at}
    (program.here / "in.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [one]}))
    program.refused(3, "geocode", "in.geojson", *ARGS, "--out", "out.csv", says="is GeoJSON")
    with pytest.raises(InputError, match="is GeoJSON"):
        gpu_clusters.geocode("in.geojson")


def test_columns_of_several_types_are_texts():
    frame = pd.DataFrame({"city": ["Paris", "Lyon"], "country": "FR", "id": pd.Series([1, "x"], dtype=object)})
    assert gpu_clusters.geocode([frame, frame])["id"].tolist() == ["1", "x", "1", "x"]


def test_a_cache_that_cannot_be_written_is_found_out_before_anything_is_paid(tmp_path, monkeypatch):
    Cache(tmp_path / "kept").close()
    connect = sqlite3.connect

    def read_only(path, **options):
        return connect(f"file:{path}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(InputError, match=r"readonly database.*give another file"):
        Cache(tmp_path / "kept")


def test_an_answer_in_letters_that_nobody_knows_is_asked_for_again(tmp_path):
    odd = (200, {"Content-Type": "application/json; charset=klingon"}, {"candidates": []})
    with serving({"A": [odd, [candidate(1, 2)]]}) as service, client(service, tmp_path) as arcgis:
        assert [one["lon"] for one in arcgis.candidates("A")] == [1] and len(service.queries) == 2
