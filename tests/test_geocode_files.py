"""Geocoding from files to files: against the same table in memory, and counts of documents against a slow count."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import geonames
from program import Program, tree

import gpu_clusters
from gpu_clusters.schema import COVERAGE

CITIES = ["Springfield", "springfield", "Twin", "Nowhere", "", None, "Windhoek"]
STATES = ["IL", "Missouri", "", None]
COUNTRIES = ["US", "United States", "DE", "NA", "", None]
EXPORT = [
    ("Springfield", "US", "IL", 39.8, -89.6, 9),
    ("Springfield", "US", "MO", 37.2, -93.3, 10),
    ("Twin", "DE", "02", 50, 10, 9),
    ("Twin", "DE", "06", 52, 10, 9),
    ("Windhoek", "NA", "21", -22.6, 17.1, 9),
]
ARGS = ("--city", "city", "--country", "country", "--admin", "state", "--gazetteer", "cities500.txt")


@pytest.fixture
def program(monkeypatch, capsys, tmp_path):
    """The program, in a folder with the gazetteer; files are read in small batches."""
    geonames(tmp_path / "cities500.txt", EXPORT)
    monkeypatch.setattr("gpu_clusters.geocoding.files._ROWS", 64)
    monkeypatch.setattr("gpu_clusters.geocoding.files._BLOCK", 2000)
    return Program(monkeypatch, capsys, tmp_path)


def addresses(rows: int = 500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    columns = {"city": CITIES, "state": STATES, "country": COUNTRIES}
    drawn = {name: np.array(values, object)[rng.integers(0, len(values), rows)] for name, values in columns.items()}
    frame = pd.DataFrame(drawn | {"id": rng.integers(0, rows // 2, rows), "note": [f'"{i}",\n ü' for i in range(rows)]})
    return frame.astype({"city": "str", "state": "str", "country": "str"})


def in_memory(frame: pd.DataFrame) -> pd.DataFrame:
    return gpu_clusters.geocode(frame, admin="state", gazetteer="cities500.txt")


def read(path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    options = {
        "sep": "\t" if ".tsv" in path.name else ",",
        "keep_default_na": False,
        "na_values": {"lon": [""], "lat": [""]},
    }
    return pd.read_csv(path, **options)


@pytest.mark.parametrize("given", ["a.parquet", "a.csv", "a.tsv.gz"])
@pytest.mark.parametrize("made", ["b.parquet", "b.csv", "b.csv.gz", "b.tsv"])
def test_batches_give_what_the_whole_table_gives(program, given, made):
    frame = addresses()
    if given == "a.parquet":
        frame.to_parquet(given, row_group_size=100)
    else:
        frame.to_csv(given, index=False, sep="\t" if "tsv" in given else ",")
    ran = program("geocode", given, *ARGS, "--out", made)
    assert ran.code == 0, ran
    found, expected = read(program.here / made), in_memory(frame)
    assert list(found.columns) == [*frame.columns, "lon", "lat", "geocode", "accuracy"]
    texts = ["city", "state", "country", "note", "geocode", "accuracy"]
    pd.testing.assert_frame_equal(
        found[texts].fillna("").astype("str"), expected[texts].fillna("").astype("str"), check_dtype=False
    )
    assert found["id"].astype(int).tolist() == frame["id"].tolist()
    for name in ("lon", "lat"):
        np.testing.assert_array_equal(found[name].to_numpy(float), expected[name].to_numpy())
    stem = "b"
    assert {path.name for path in program.here.iterdir()} == {
        *("cities500.txt", given, made, f"{stem}.coverage.csv", f"{stem}.manifest.json")
    }


def test_types_and_categories_stay(program):
    frame = addresses().assign(
        category=pd.Categorical(np.array(["x", "y"])[np.arange(500) % 2]),
        when=pd.Timestamp("2020-01-01"),
        small=np.arange(500, dtype=np.int16),
        tags=[["a", "b"]] * 500,
    )
    frame.to_parquet("a.parquet")
    assert program("geocode", "a.parquet", *ARGS, "--out", "b.parquet").code == 0
    before, after = (pq.read_schema(name) for name in ("a.parquet", "b.parquet"))
    assert [after.field(name).type for name in before.names] == before.types
    found = pd.read_parquet("b.parquet")
    pd.testing.assert_frame_equal(found[frame.columns], pd.read_parquet("a.parquet"))
    program.refused(2, "geocode", "a.parquet", *ARGS, "--out", "b.csv", "--force", says="'tags' holds list")


def test_empty_texts_and_missing_ones_stay_apart_in_csv(program):
    table = pa.table({"city": ["", None, "Twin"], "state": pa.nulls(3, pa.string()), "country": ["DE"] * 3})
    pq.write_table(table, "a.parquet")
    assert program("geocode", "a.parquet", *ARGS, "--out", "b.csv").code == 0
    lines = (program.here / "b.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ['"city"', '""', "", '"Twin"']


def slow_coverage(frame: pd.DataFrame, placed: pd.Series) -> dict[str, tuple]:
    country = frame["country"].fillna("").replace("United States", "US")
    found = {}
    for name in [*sorted(set(country)), "World"]:
        here = np.full(len(frame), True) if name == "World" else (country == name).to_numpy()
        documents, covered = set(frame["id"][here]), set(frame["id"][here & placed.to_numpy()])
        found[name] = (int(here.sum()), int((here & placed).sum()), len(documents), len(covered))
    return found


@pytest.mark.parametrize("ids", ["numbers", "texts", "both"])
def test_coverage_against_a_slow_count(program, ids):
    frames = [addresses(700, seed) for seed in (1, 2)]
    if ids != "numbers":
        frames[1]["id"] = frames[1]["id"].astype("str")
    if ids == "texts":
        frames[0]["id"] = frames[0]["id"].astype("str")
    (program.here / "in").mkdir()
    for i, frame in enumerate(frames):
        frame.to_parquet(f"in/{i}.parquet")
    ran = program("geocode", "in", *ARGS, "--doc-id", "id", "--out", "out", "--json")
    assert ran.code == 0, ran
    whole = pd.concat([frame.assign(id=frame["id"].astype(int)) for frame in frames], ignore_index=True)
    expected = slow_coverage(whole, in_memory(whole)["lon"].notna())
    table = pd.read_csv("out/_coverage.csv", keep_default_na=False)
    assert tuple(table.columns) == COVERAGE and (table["table"] == "addresses").all()
    counts = table[["rows", "geocoded", "documents", "documents_covered"]].astype(int)
    assert dict(zip(table["country"], counts.itertuples(index=False, name=None), strict=True)) == expected
    np.testing.assert_allclose(table["rows_pct"], 100 * table["geocoded"] / table["rows"])
    record, told = json.loads((program.here / "out/_manifest.json").read_text()), json.loads(ran.out)
    assert record["coverage"] == told["coverage"] and len(told["coverage"]) == len(table)
    assert [one["rows"] for one in record["inputs"]] == [700, 700, 0] and record["inputs"][2]["name"] == "cities500.txt"
    assert [one["name"] for one in record["outputs"]] == ["0.parquet", "1.parquet", "_coverage.csv"]
    digests = tree(program.here / "out")
    assert all(digests[one["name"]] == one["sha256"] for one in record["outputs"])


def test_the_table_on_the_screen(program):
    addresses().to_csv("a.csv", index=False)
    lines = program("geocode", "a.csv", *ARGS, "--doc-id", "id", "--out", "b.csv").out.splitlines()
    assert lines[0].split() == ["country", "addresses", "city-level", "%", "documents", "covered", "%"]
    rows = addresses()["country"].replace({"United States": "US", "": "(none)"}).fillna("(none)").value_counts()
    shown = [line.split()[:2] for line in lines[1:]]
    assert [count for _, count in shown] == [*map(str, rows), "500"] and shown[-1][0] == "World"
    assert {name: int(count) for name, count in shown[:-1]} == rows.to_dict()
    lines = program("geocode", "a.csv", *ARGS, "--out", "c.csv").out.splitlines()
    assert lines[0].split() == ["country", "addresses", "city-level", "%"]
    many = pd.DataFrame({"city": "x", "state": "", "country": [f"C{i:02}" for i in range(30) for _ in range(i + 1)]})
    many.to_csv("d.csv", index=False)
    lines = program("geocode", "d.csv", *ARGS, "--out", "e.csv").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [*(f"C{i}" for i in range(29, 14, -1)), "World"]


def test_folders_keep_their_shape_and_are_read_as_they_are(program):
    frames = {
        "year=2019/a.parquet": addresses(90, 3),
        "year=2020/a.csv": addresses(80, 4),
        "year=2020/b.tsv": addresses(70, 5),
    }
    for name, frame in frames.items():
        path = program.here / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    assert program("geocode", "in", *ARGS, "--doc-id", "id", "--out", "new/out").code == 0
    names = ["year=2019/a.parquet", "year=2020/a.parquet", "year=2020/b.parquet"]
    assert set(tree(program.here / "new/out")) == {*names, "year=2019", "year=2020", "_coverage.csv", "_manifest.json"}
    for name, frame in zip(names, frames.values(), strict=True):
        found = pd.read_parquet(program.here / "new/out" / name)
        assert found["accuracy"].tolist() == in_memory(frame)["accuracy"].tolist()
    assert (
        gpu_clusters.rank("new/out", density=1, columns={"patents": {"doc_id": "id"}}).manifest["totals"]["patents"] > 0
    )
    program.refused(2, "geocode", "in", *ARGS, "--out", "new/out", "--force", says="is not empty")
    program.refused(2, "geocode", "in", *ARGS, "--out", "in/out", says="is the input")
    program.refused(2, "geocode", "in", *ARGS, "--out", "in/out.csv", says="is the input")
    (program.here / "in/year=2020/b.tsv").rename(program.here / "in/year=2020/a.tsv")
    program.refused(3, "geocode", "in", *ARGS, "--out", "other", says="a.tsv: seems to hold the same rows as a.csv")


def test_a_folder_into_one_file(program):
    (program.here / "in").mkdir()
    addresses(90, 3).drop(columns="note").to_parquet("in/a.parquet")
    addresses(80, 4).assign(more=1.5).astype({"id": "int32"}).to_parquet("in/b.parquet")
    addresses(0).to_parquet("in/c.parquet")
    assert program("geocode", "in", *ARGS, "--out", "out.parquet").code == 0
    found = pd.read_parquet("out.parquet")
    assert list(found.columns) == [
        "city",
        "state",
        "country",
        "id",
        "note",
        "more",
        "lon",
        "lat",
        "geocode",
        "accuracy",
    ]
    assert len(found) == 170 and found["more"].isna().sum() == 90 and found["id"].dtype == np.int64
    addresses(5).assign(id=[["a"]] * 5).to_parquet("in/d.parquet")
    program.refused(3, "geocode", "in", *ARGS, "--out", "other.parquet", says="types that do not go together")


def test_a_file_that_changes_between_the_readings(program, monkeypatch):
    addresses(50).to_csv("a.csv", index=False)

    def find(*arguments):
        pd.DataFrame({"city": ["New"], "state": "", "country": "US", "id": 1, "note": ""}).to_csv("a.csv", index=False)
        return original(*arguments)

    from gpu_clusters.geocoding import files

    original = files.find_places
    monkeypatch.setattr(files, "find_places", find)
    ran = program("geocode", "a.csv", *ARGS, "--out", "b.csv")
    assert ran.code == 3 and "has changed" in ran.err and not (program.here / "b.csv").exists()


def test_files_appear_together_or_not_at_all(program, monkeypatch):
    addresses(50).to_csv("a.csv", index=False)
    assert program("geocode", "a.csv", *ARGS, "--out", "b.csv").code == 0
    before = tree(program.here)
    program.refused(2, "geocode", "a.csv", *ARGS, "--out", "b.csv", says="give --force")
    (program.here / "b.csv").unlink()
    program.refused(2, "geocode", "a.csv", *ARGS, "--out", "b.csv", says="b.coverage.csv exists")
    (program.here / "b.csv").write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("gpu_clusters.io.results.write_json", fail)
        program.refused(1, "geocode", "a.csv", *ARGS, "--out", "b.csv", "--force", says="No space left")
    assert program("geocode", "a.csv", *ARGS, "--out", "b.csv", "--force").code == 0
    after = tree(program.here)
    assert {name: digest for name, digest in after.items() if "manifest" not in name} == {
        name: digest for name, digest in before.items() if "manifest" not in name
    }


def test_what_is_refused(program):
    addresses(50).to_csv("a.csv", index=False)
    program.refused(2, "geocode", "a.csv", *ARGS, "--out", "folder", says="must end in .parquet, .csv or .tsv")
    program.refused(3, "geocode", "a.csv", *ARGS, "--doc-id", "ID", "--out", "b.csv", says="has no column 'ID'")
    addresses(50).assign(id=[None, *range(49)]).to_parquet("b.parquet")
    program.refused(
        3, "geocode", "b.parquet", *ARGS, "--doc-id", "id", "--out", "c.csv", says='column "id" (doc_id), row 1'
    )
    program.refused(3, "geocode", "none.csv", *ARGS, "--out", "c.csv", says="does not exist")


def test_tables_of_other_libraries(program):  # noqa: ARG001 - the gazetteer is in its folder
    frame = addresses(60)
    expected = in_memory(frame)
    for other in (pl.from_pandas(frame), pa.Table.from_pandas(frame, preserve_index=False)):
        found = gpu_clusters.geocode(other, admin="state", gazetteer="cities500.txt")
        assert found["accuracy"].tolist() == expected["accuracy"].tolist()
        np.testing.assert_array_equal(found["lon"].to_numpy(), expected["lon"].to_numpy())
