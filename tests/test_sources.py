"""Exports of real sources become the tables that the method has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exports import (
    EXPORT_OF_2015,
    FUNDING,
    FUNDING_HEADER,
    GEOC_INV,
    OLD_CRUNCHBASE,
    WORKS,
    authorship,
    manifest,
    patentsview,
    rows,
    snapshot,
    work,
)

import gpu_clusters
from gpu_clusters import UsageError
from gpu_clusters.io import read_addresses
from gpu_clusters.sources import openalex, spill
from gpu_clusters.sources.counting import added_up, coverage_of


def plain(frame: pd.DataFrame, *names: str) -> list[tuple]:
    """Rows as tuples, None where missing."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in names]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_openalex(program, form):
    snapshot(program.here / "snap", form)
    ran = program("convert", "openalex", "snap", "--years", "2015:", "--out", "out")
    assert ran.code == 0, ran
    assert plain(rows("out"), "doc_id", "lon", "lat", "country", "organization", "year", "fraction") == [
        ("W1", 36.8, -1.3, "KE", "University 1", 2020, 0.5),
        ("W1", 36.8, -1.3, "KE", "University 1", 2020, 0.25),
        ("W1", 35.3, 0.5, "KE", "University 2", 2020, 0.25),
        ("W2", 36.8, -1.3, "KE", "University 1", 2020, 0.25),
        ("W2", None, None, "FR", "University 3", 2020, 0.25),
        ("W2", None, None, "FR", "University 3", 2020, 0.5),
        ("W3", None, None, "NA", None, 2020, 1.0),
        ("W8", None, None, "KE", "University 9", 2020, 1.0),
    ]
    record = manifest("out")
    assert record["left_out"] == {
        "authors without an affiliation": 1,
        "retracted works": 1,
        "places of rows whose institution is not in the file of institutions": 1,
        "works of other years": 1,
        "works with type editorial": 1,
        "works without an author's address": 1,
    }
    assert record["coverage"][-1] == {
        "table": "publications", "country": "World", "rows": 8, "geocoded": 4, "invalid": 0, "rows_pct": 50.0,
        "documents": 4, "documents_covered": 2, "documents_pct": 50.0,
    }  # fmt: skip
    assert "World" in ran.out and "retracted works" in ran.err
    places = pd.read_parquet("out/locations.parquet")
    assert places.to_dict("list") == {"lon": [36.8, 35.3], "lat": [-1.3, 0.5], "rows": [3, 1], "fraction": [1.0, 0.25]}
    assert {path.name for path in Path("out").iterdir()} == {
        "part-00000.parquet", "coverage.csv", "locations.parquet", "skipped.csv", "manifest.json",
    }  # fmt: skip


def test_types_that_are_there_are_told_where_none_is_left(program):
    snapshot(program.here / "snap", works=[work(1, authorship(1), kind="journal-article"), work(2, kind=None)])
    said = "no row is left (works with type (none): 1, works with type journal-article: 1)"
    program.refused(3, "convert", "openalex", "snap", "--out", "out", says=said)


def test_what_has_no_year_is_told_apart_from_what_is_of_other_years(program):
    snapshot(
        program.here / "snap", works=[work(n, authorship(1), year=year) for n, year in enumerate([2020, None, 2010])]
    )
    assert program("convert", "openalex", "snap", "--years", "2015:", "--out", "out").code == 0
    assert manifest("out")["left_out"] == {"works of other years": 1, "works without a year": 1}
    (program.here / "geoc_inv.txt").write_text(GEOC_INV)
    assert program("convert", "geoc-inv", "geoc_inv.txt", "--years", "2001:", "--out", "inventors").code == 0
    assert manifest("inventors")["left_out"] == {"rows of other years": 2, "rows without a year": 1}


def test_countries_that_are_empty_are_missing_as_for_rank():
    """A work with a country "" and none was two documents without a country."""
    columns = {
        "doc_id": ["a", "a", "b"],
        "lon": [1.0, 1.0, None],
        "lat": [1.0, 1.0, None],
        "country": ["", None, " JP"],
    }
    rows = pa.table(columns)
    expected = read_addresses(rows, "publications").coverage
    pd.testing.assert_frame_equal(added_up([coverage_of("publications", rows)]), expected, check_dtype=False)


def test_rank_reads_the_folder_and_agrees_on_coverage_and_places(program):
    snapshot(program.here / "snap")
    assert program("convert", "openalex", "snap", "--out", "out").code == 0
    result = gpu_clusters.rank(publications="out", density=1, radius_km=1)
    ours = pd.read_csv("out/coverage.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(ours, result.coverage, check_dtype=False)
    places = pd.read_parquet("out/locations.parquet")
    assert places["rows"].tolist() == result.locations["authors"].tolist()
    assert places["lon"].tolist() == result.locations["lon"].tolist()
    assert places["fraction"].sum() == result.manifest["totals"]["publications"]


def test_kinds_of_works_and_retracted_ones(program):
    snapshot(program.here / "snap")
    assert program("convert", "openalex", "snap", "--types", "all", "--retracted", "--out", "all").code == 0
    assert set(rows("all")["doc_id"]) == {"W1", "W2", "W3", "W4", "W5", "W6", "W8"}
    assert program("convert", "openalex", "snap", "--types", "Editorial", "--out", "one").code == 0
    assert rows("one")["doc_id"].tolist() == ["W5"]


def test_of_a_work_given_twice_the_last_record_counts(program):
    snapshot(
        program.here / "snap", works=[work(1, authorship(1)), work(2, authorship(1, 1)), work(1, authorship(2, 2))]
    )
    assert program("convert", "openalex", "snap", "--out", "out").code == 0
    assert plain(rows("out"), "doc_id", "organization", "fraction") == [
        ("W1", "University 2", 1.0),
        ("W2", "University 1", 1.0),
    ]
    left = manifest("out")["left_out"]
    assert left == {"institutions that an author lists twice": 2, "older records of works": 1}


def test_a_work_may_be_longer_than_a_megabyte(program):
    long = work(1, authorship(1)) | {"title": "ü" * (1 << 20)}
    snapshot(program.here / "snap", works=[long, work(2, authorship(2))])
    assert program("convert", "openalex", "snap", "--out", "out").code == 0
    assert rows("out")["doc_id"].tolist() == ["W1", "W2"]


def many_works(count: int) -> list[dict]:
    """Works by any number of authors at any number of institutions."""
    rng = np.random.default_rng(0)

    def some():
        return authorship(*rng.choice([1, 2, 3, 9], rng.integers(0, 4), replace=False).tolist())

    return [work(int(number), *(some() for _ in range(rng.integers(0, 5)))) for number in rng.permutation(count)]


def test_any_number_of_buckets_and_dask_workers_gives_the_same_table(program, monkeypatch):
    works = many_works(600)
    snapshot(program.here / "snap", works=works)
    assert program("convert", "openalex", "snap", "--out", "one").code == 0
    monkeypatch.setitem(spill.PER_BUCKET, True, 800)
    monkeypatch.setattr(spill, "FLUSH", 100)
    monkeypatch.setattr(openalex, "_PIECE", 50)  # each of which fills a file of a stream once more
    assert program("convert", "openalex", "snap", "--out", "many").code == 0
    assert program("convert", "openalex", "snap", "--dask", "local:2", "--out", "dask").code == 0
    names = {path.name for path in Path("many").iterdir()}
    assert names == {path.name for path in Path("dask").iterdir()} and len(names) > 8
    for name in names - {"manifest.json"}:
        assert Path("many", name).read_bytes() == Path("dask", name).read_bytes(), name
    assert manifest("many")["coverage"] == manifest("dask")["coverage"]
    pd.testing.assert_frame_equal(rows("one"), rows("many"))
    assert Path("many/coverage.csv").read_bytes() == Path("one/coverage.csv").read_bytes()
    places = (pd.read_parquet(f"{name}/locations.parquet") for name in ("many", "one"))
    pd.testing.assert_frame_equal(*places, check_exact=False, rtol=1e-12)
    parts = [set(pd.read_parquet(path)["doc_id"]) for path in Path("many").glob("part-*")]
    assert sum(map(len, parts)) == len(set.union(*parts))
    sums = rows("one").groupby("doc_id")["fraction"].sum()
    assert np.allclose(sums, 1) and len(sums) == sum(bool(one["authorships"]) for one in works)


def test_shares_equal_those_of_a_plain_loop(program):
    works = many_works(200)
    snapshot(program.here / "snap", works=works)
    assert program("convert", "openalex", "snap", "--out", "out").code == 0
    expected = []
    for one in works:
        for author in one["authorships"]:
            for place in author["institutions"] or [{"display_name": None}]:
                share = 1 / len(one["authorships"]) / max(len(author["institutions"]), 1)
                expected.append((one["id"][21:], place["display_name"] or "", share))
    found = [(doc, name or "", share) for doc, name, share in plain(rows("out"), "doc_id", "organization", "fraction")]
    assert [row[:2] for row in sorted(found)] == [row[:2] for row in sorted(expected)]
    assert np.allclose([row[2] for row in sorted(found)], [row[2] for row in sorted(expected)])


@pytest.mark.parametrize("buckets", [1, 7])
def test_patentsview(program, monkeypatch, buckets):
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: buckets)
    patentsview(program.here / "pv")
    ran = program("convert", "patentsview", "pv", "--out", "out")
    assert ran.code == 0, ran
    assert plain(rows("out"), "doc_id", "lon", "lat", "country", "organization", "year") == [
        ("10000000", -97.7431, 30.2672, "US", "Second", 2018),
        ("10000000", 17.0836, -22.57, "NA", "Second", 2018),
        ("10000001", None, None, None, None, 2018),
    ]
    assert manifest("out")["left_out"] == {
        "rows of withdrawn patents": 1,
        "places of rows whose location is not in g_location_disambiguated": 1,
        "rows whose patent is not in g_patent": 1,
        "rows with patent_type design": 1,
    }
    assert pd.read_parquet("out/locations.parquet")["fraction"].tolist() == [0.5, 0.5]
    assert program("convert", "patentsview", "pv", "--years", ":2000", "--types", "all", "--out", "old").code == 0
    assert plain(rows("old"), "doc_id", "lon") == [("D345393", None)]


def test_a_withdrawn_patent_in_a_table_that_another_program_has_written(program):
    patentsview(program.here / "pv")
    patents = pd.read_csv("pv/g_patent.tsv.zip", sep="\t", dtype={"patent_id": str})
    Path("pv/g_patent.tsv.zip").unlink()
    patents.assign(withdrawn=patents["withdrawn"] == 1).to_csv("pv/g_patent.tsv", sep="\t", index=False)
    assert program("convert", "patentsview", "pv", "--out", "out").code == 0
    assert manifest("out")["left_out"]["rows of withdrawn patents"] == 1


def test_patentsview_of_a_release_that_says_nothing_of_withdrawn_patents(program):
    patentsview(program.here / "pv", lambda text: text.replace("withdrawn", "other"))
    assert program("convert", "patentsview", "pv", "--out", "out").code == 0
    assert rows("out")["doc_id"].tolist() == ["10000000", "10000000", "10000001", "10000002"]
    assert "rows of withdrawn patents" not in manifest("out")["left_out"]


def test_geoc_inv(program):
    (program.here / "geoc_inv.txt").write_text(GEOC_INV)
    assert program("convert", "geoc-inv", "geoc_inv.txt", "--out", "out").code == 0
    assert plain(rows("out"), "doc_id", "lon", "lat", "country", "year") == [
        ("1", 2.4, 48.9, "FR", 2000),
        ("1", None, None, "DE", 2000),
        ("2", 35.3, 0.5, "KE", 2001),
        ("3", 35.3, 0.5, "KE", None),
    ]
    result = gpu_clusters.rank("out", density=1, radius_km=1)
    assert result.manifest["totals"]["patents"] == 3


def test_crunchbase(program):
    (program.here / "cb").mkdir()
    (program.here / "cb/funding_rounds.csv").write_text("\n".join([FUNDING_HEADER, *FUNDING]) + "\n", encoding="utf-8")
    ran = program("convert", "crunchbase", "cb", "--years", "2016:", "--out", "out")
    assert ran.code == 0 and "geocode" in ran.err, ran
    assert plain(rows("out"), "deal_id", "organization", "year", "round_type", "country", "state", "city") == [
        ("a", "Acme", 2020, "seed", "FR", None, "Paris"),
        ("b", 'The "Best",\nInc.', 2021, "series_a", "US", "NY", "New York"),
        ("e", "Acme", 2021, "series_b", "JP", None, "Kanagawa"),
    ]
    assert manifest("out")["left_out"] == {
        "rows of other years": 1,
        "rows with a deal_id that came before": 1,
        "rows with round_type debt_financing": 1,
        "rows with round_type grant": 1,
    }
    assert Path("out/coverage.csv").read_text().splitlines()[-1] == "deals,World,3,0,0,0.0,3,0,0.0"
    assert program("convert", "crunchbase", "cb", "--types", "grant,debt financing", "--out", "debt").code == 0
    assert rows("debt")["deal_id"].tolist() == ["c", "f"]


def test_older_exports_of_crunchbase(program):
    (program.here / "cb").mkdir()
    for name, text in OLD_CRUNCHBASE.items():
        (program.here / "cb" / name).write_text(text, encoding="utf-8")
    assert program("convert", "crunchbase", "cb", "--out", "out").code == 0
    assert plain(rows("out"), "deal_id", "organization", "year", "country", "city") == [
        ("/funding-round/1", "Acme", 2015, "US", "New York"),
        ("/funding-round/3", None, 2014, None, None),
    ]
    left = manifest("out")["left_out"]
    assert left == {"places of rows whose company is not in companies.csv": 1, "rows with round_type debt_financing": 1}
    (program.here / "cb/funding_rounds.csv").write_text(EXPORT_OF_2015)
    assert program("convert", "crunchbase", "cb", "--out", "of2015").code == 0
    assert plain(rows("of2015"), "deal_id", "organization", "year") == [("r1", "Acme", 2015)]


PITCHBOOK = """
table = "deals"
delimiter = ";"
encoding = "latin-1"

[columns]
deal_id = "Deal ID"
country = "Company Country"
city = "Company City"
year = "Deal Date"
deal_type = "Deal Type"

[keep]
deal_type = ["Early Stage VC", "Seed Round"]
"""
DEALS = (
    "Deal ID;Deal Date;Deal Type;Company City;Company Country\n"
    "1;31/12/2015;Early Stage VC;Zürich;Switzerland\n2;1/2/2016;Debt;Bern;Switzerland\n"
)


def test_any_layout_through_a_mapping(program):
    (program.here / "m.toml").write_text(PITCHBOOK)
    (program.here / "pb.csv").write_bytes(DEALS.encode("latin-1"))
    assert program("convert", "table", "pb.csv", "--mapping", "m.toml", "--out", "out").code == 0
    assert rows("out").drop(columns="deal_type").to_dict("records") == [
        {"deal_id": "1", "country": "CH", "city": "Zürich", "year": 2015}
    ]
    (program.here / "m.toml").write_text(PITCHBOOK.replace("latin-1", "utf-8"))
    program.refused(3, "convert", "table", "pb.csv", "--mapping", "m.toml", "--out", "out2", says="row 1: is not text")


ADDRESSES = """
table = "publications"
[columns]
doc_id = "paper"
lon = "x"
lat = "y"
"""


def test_aggregating_a_partitioned_table_keeps_documents_whole(program, monkeypatch):
    """Documents whose rows lie in several files; two Dask workers, one process, and the pipeline agree."""
    rng = np.random.default_rng(1)
    place = rng.integers(0, 40, 3_000)
    lon, lat = np.linspace(-180, 180, 40)[place], np.linspace(-90, 90, 40)[place]
    table = pd.DataFrame({"paper": rng.integers(0, 900, 3_000), "x": lon, "y": np.where(place == 7, np.nan, lat)})
    (program.here / "parts").mkdir()
    for number in range(5):
        pq.write_table(pa.Table.from_pandas(table[number::5]), program.here / f"parts/{number}.parquet")
    (program.here / "m.toml").write_text(ADDRESSES)
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: 6)
    command = ("convert", "table", "parts", "--mapping", "m.toml")
    assert program(*command, "--out", "one").code == 0
    assert program(*command, "--dask", "local:2", "--out", "two").code == 0
    assert Path("one/locations.parquet").read_bytes() == Path("two/locations.parquet").read_bytes()
    result = gpu_clusters.rank(
        publications=table.rename(columns={"paper": "doc_id", "x": "lon", "y": "lat"}), density=1
    )
    places = pd.read_parquet("one/locations.parquet")
    for ours, theirs in (("lon", "lon"), ("lat", "lat"), ("rows", "authors")):
        assert places[ours].tolist() == result.locations[theirs].tolist()
    geocoded = table.dropna()
    assert places["fraction"].sum() == pytest.approx(geocoded["paper"].nunique())
    share = 1 / geocoded.groupby("paper")["x"].transform("size")
    here = (geocoded["x"] == places["lon"][3]) & (geocoded["y"] == places["lat"][3])
    assert places["fraction"][3] == pytest.approx(share[here].sum())


def test_a_conversion_replaces_another(program):
    snapshot(program.here / "snap")
    assert program("convert", "openalex", "snap", "--out", "out").code == 0
    program.refused(2, "convert", "openalex", "snap", "--out", "out", says="--force")
    ran = program("convert", "openalex", "snap", "--years", "2010:2010", "--force", "--out", "out", "--json")
    assert ran.code == 0 and rows("out")["doc_id"].tolist() == ["W4"]
    assert json.loads(ran.out)["rows"] == 1 and json.loads(ran.out)["coverage"][-1]["country"] == "World"
    program.refused(3, "convert", "openalex", "snap", "--years", "1900:1901", "--out", "none", says="no row is left")


def test_what_is_done_is_told(program, monkeypatch):
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: 4)
    snapshot(program.here / "snap")
    told = []
    done = gpu_clusters.convert("openalex", "snap", "out", progress=lambda *at: told.append(at))
    assert told == [*(("reading", n / 2) for n in (1, 2)), *(("writing", n / 4) for n in (1, 2, 3, 4))]
    assert done.coverage.index.tolist() == [0, 1, 2, 3]
    assert Path("out/skipped.csv").read_text() == "file,row,reason\n"
    with pytest.raises(UsageError, match="force"):
        gpu_clusters.convert("openalex", "snap", "out")


def test_works_alone_are_no_snapshot(program):
    snapshot(program.here / "snap", works=WORKS)
    program.refused(3, "convert", "openalex", "snap/data/jsonl/works", "--out", "out", says="no folder 'institutions'")
    ran = program("convert", "openalex", "snap/data/jsonl/works", "snap/data/jsonl/institutions", "--out", "out")
    assert ran.code == 0 and len(rows("out")) == 9
