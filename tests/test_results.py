"""Results: what is in their files, and what they leave of the folder that they are written to."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from program import FILES, address_table, complete, names, tree

import gpu_clusters
from gpu_clusters import GpuClustersError, UsageError
from gpu_clusters.io.results import plain, write_result
from gpu_clusters.schema import COVERAGE, DEALS, LOCATIONS, RANKING

METHOD = """cluster_id, rank, name, economies, patents, publications, deals, patent_share, publication_share, deal_share,
total_share, rank_without_deals, previous_rank, rank_change, population, patents_per_million, publications_per_million,
deals_per_million, intensity, intensity_rank, previous_intensity_rank, intensity_rank_change, top_applicant,
top_organization, locations, core_locations, lon, lat"""
WHOLE = "cluster_id rank rank_without_deals previous_rank rank_change intensity_rank previous_intensity_rank "
WHOLE += "intensity_rank_change locations core_locations"
TEXT = "name economies top_applicant top_organization"
EMPTY = "previous_rank rank_change population patents_per_million publications_per_million deals_per_million intensity "
EMPTY += "intensity_rank previous_intensity_rank intensity_rank_change"
ODD = ["NA", "Åå, Inc.", 'Quo"te', "line\nbreak", "return\rhere", "[red]x[/red]", "", " ", "#", "0012", "null"]


@pytest.fixture(scope="module")
def result():
    odd = np.array(ODD, dtype=object)[np.arange(60) % len(ODD)]
    deals = address_table().drop(columns="doc_id").head(20)
    return gpu_clusters.rank(address_table(organization=odd), address_table(), deals, density=1, merge_km=None)


@pytest.fixture(scope="module")
def nothing():
    return gpu_clusters.rank(address_table(), density=1e300)


def test_columns_and_types(result, nothing, tmp_path):
    for number, one in enumerate((result, nothing)):
        folder = tmp_path / str(number)
        one.write(folder)
        manifest = complete(folder)
        ranking = pq.read_schema(folder / "ranking.parquet")
        assert ranking.names == re.split(r",\s+", METHOD) == list(RANKING)
        for field in ranking:
            kind = (
                pa.int64()
                if field.name in WHOLE.split()
                else pa.string()
                if field.name in TEXT.split()
                else pa.float64()
            )
            assert field.type == kind, field
        whole = ("inventors", "authors", "weight", "density_at", "cluster_id", "initial_cluster_id")
        locations = pq.read_schema(folder / "locations.parquet")
        assert locations.names == ["lon", "lat", *whole[:4], "core", *whole[4:]] == list(LOCATIONS)
        assert [locations.field(name).type for name in whole] == [pa.int64()] * 6
        assert locations.field("core").type == pa.bool_() and locations.field("lon").type == pa.float64()
        deals = pq.read_schema(folder / "deals.parquet")
        assert deals.names == ["lon", "lat", "deals", "cluster_id"] == list(DEALS)
        assert deals.types == [pa.float64()] * 3 + [pa.int64()]
        for name in ("ranking", "locations", "deals"):
            assert pq.read_schema(folder / f"{name}.parquet").metadata is None
        assert (folder / "coverage.csv").read_text().splitlines()[0] == ",".join(COVERAGE)
        assert (folder / "ranking.csv").read_text().splitlines()[0] == ",".join(RANKING)
        assert {"settings", "inputs", "versions", "device", "engine", "timings", "outputs"} <= set(manifest)
        assert manifest["timings"]["write"] > 0
    for name, rows in (("ranking", 0), ("deals", 0), ("locations", 22)):
        assert pq.read_metadata(tmp_path / "1" / f"{name}.parquet").num_rows == rows
    assert (tmp_path / "1" / "ranking.csv").read_text() == ",".join(RANKING) + "\n"


def test_csv_and_parquet_say_the_same(result, tmp_path):
    result.write(tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "ranking.parquet").to_pylist()
    with (tmp_path / "out" / "ranking.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(table) > 10
    for text, typed in zip(rows, table, strict=True):
        for name, value in typed.items():
            if value is None:
                assert text[name] == ""
            else:
                assert type(value)(text[name]) == value, name
        assert all(typed[name] is None for name in EMPTY.split())
    assert {row["top_applicant"] for row in rows} >= {'Quo"te', "line\nbreak", "return\rhere", "0012"}
    assert any("NA" in row["economies"].split(" / ") for row in rows)
    exact = {"total_share": str}  # what pandas 2 reads as a number may be off by one bit
    read = pd.read_csv(tmp_path / "out" / "ranking.csv", keep_default_na=False, na_values=[""], dtype=exact)
    np.testing.assert_array_equal(read["total_share"].astype(float), result.ranking["total_share"])
    coverage = pd.read_csv(tmp_path / "out" / "coverage.csv", keep_default_na=False)
    assert coverage["country"].tolist() == ["FR", "NA", "US", "World"] * 3
    assert coverage.groupby("table")["rows"].sum().to_dict() == {"patents": 120, "publications": 120, "deals": 40}


def test_json_of_odd_values():
    value = {
        "a": np.float64("nan"),
        "b": [np.int64(3), np.bool_(True), pd.NA, pd.NaT, None],
        1: (float("inf"), pa.int64()),
    }
    said = json.loads(json.dumps(plain(value), allow_nan=False))
    assert said == {"a": None, "b": [3, True, None, None, None], "1": [None, "int64"]}


def test_what_belongs_to_others_stays(result, tmp_path):
    out = tmp_path / "out"
    result.write(out)
    (out / "notes.txt").write_text("mine")
    (out / "link").symlink_to("notes.txt")
    before = tree(out)
    with pytest.raises(UsageError, match="force"):
        result.write(out)
    assert tree(out) == before
    result.write(out, force=True)
    complete(out, {"notes.txt", "link"})
    (out / "folder").mkdir()
    (out / "folder" / "deep.txt").write_text("mine")
    inode = (out / "folder").stat().st_ino
    result.write(out, force=True)
    complete(out, {"notes.txt", "link", "folder"})
    assert (out / "folder").stat().st_ino == inode and (out / "notes.txt").read_text() == "mine"
    assert (out / "link").readlink() == Path("notes.txt")


@pytest.mark.parametrize("what", ["write_parquet", "write_csv", "write_json", "fingerprint"])
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()], ids=repr
)
def test_errors_while_writing(result, tmp_path, monkeypatch, what, error):
    from gpu_clusters.io import results

    out = tmp_path / "deep" / "out"

    def fail(*_, **__):
        raise error

    expected = GpuClustersError if isinstance(error, OSError) else type(error)
    with monkeypatch.context() as patch, pytest.raises(expected):
        patch.setattr(results, what, fail)
        write_result(result, out)
    assert names(tmp_path) == []
    result.write(out)
    before = tree(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(expected):
        patch.setattr(results, what, fail)
        write_result(result, out, force=True)
    assert tree(tmp_path) == before


def test_files_of_a_result_that_is_no_more_go(result, tmp_path):
    out = tmp_path / "out"
    result.write(out)
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "stability.csv").write_text("{}")
    (tmp_path / "other.txt").write_text("mine")
    for name in ("stability.csv", "../other.txt", "..", "missing.csv", 3):
        manifest["outputs"].append({"name": name})
    (out / "manifest.json").write_text(json.dumps(manifest))
    result.write(out, force=True)
    complete(out)
    assert names(tmp_path) == ["other.txt", "out"]
    (out / "manifest.json").write_text('{"outputs": 3}')
    (out / "mine.txt").write_text("mine")
    result.write(out, force=True)
    complete(out, {"mine.txt"})
    assert set(names(out)) > FILES
