"""``--force`` replaces results: never what a result is made from, nor what another program has written."""

from __future__ import annotations

import json

import pytest
from program import FILES, address_table, complete, tree

import gpu_clusters
from gpu_clusters import UsageError
from gpu_clusters.io.results import RESULT_FILES
from gpu_clusters.sweeps.files import LABELS_FILE, TABLE_FILES


def write_inputs(folder):
    """Tables of addresses and deals, under names that a result has too."""
    folder.mkdir()
    address_table().to_parquet(folder / "patents.parquet")
    address_table().to_parquet(folder / "deals.parquet")
    return folder / "patents.parquet", folder / "deals.parquet"


def test_inputs_are_not_replaced(program, tmp_path):
    patents, deals = write_inputs(tmp_path / "data")
    for out in ("data", "./data/../data", tmp_path / "data"):
        for given in ((patents, deals), ("data/patents.parquet", "data/deals.parquet")):
            said = program.refused(
                2, "rank", "--patents", given[0], "--deals", given[1], "--density", 1, "--out", out, "--force"
            )
            assert f"would lose {given[1]}, which the result is made from: give another folder" in said


@pytest.mark.parametrize("command", [("rank",), ("sweep", "--radius-km", 15, "--no-pictures")], ids=["rank", "sweep"])
def test_inputs_that_would_be_replaced_are_told_before_they_are_read(program, tmp_path, command):
    """Whatever is an input: a file, one of a folder, names, polygons; the tables are wrong, and nobody looks."""
    bad = tmp_path / "bad.csv"
    bad.write_text("lon\nhere\n")
    (tmp_path / "data").mkdir()
    names = sorted(RESULT_FILES if command[0] == "rank" else TABLE_FILES)
    for name in [one for one in names if one.endswith((".csv", ".parquet"))]:
        path = tmp_path / "data" / name
        path.write_text("lon\nthere\n")
        for given in (("--patents", bad, "--deals", path), ("--patents", bad, "data")):
            options = (*given, "--density", 1, "--out", "data", "--force")
            program.refused(2, *command, *options, says=f"{name}, which the result is made from")
        path.unlink()
    if command[0] == "sweep":
        (tmp_path / "data" / "labels.parquet").write_text("lon\nthere\n")
        options = ("--patents", bad, "data", "--density", 1, "--out", "data", "--force")
        program.refused(3, *command, *options, says="bad.csv")
        program.refused(2, *command, *options, "--labels", says="labels.parquet, which the result is made from")
        return
    (tmp_path / "data" / "ranking.csv").write_text("place,name\n")
    (tmp_path / "data" / "boundaries.geojson").write_text("{}")
    for option, name in (
        ("names", "ranking.csv"),
        ("regions", "boundaries.geojson"),
        ("boundary", "boundaries.geojson"),
    ):
        options = ("--patents", bad, f"--{option}", f"data/{name}", "--density", 1, "--out", "data", "--force")
        program.refused(2, *command, *options, says=f"{name}, which the result is made from")


def test_the_files_of_a_result_are_those_that_are_written(tmp_path):
    assert set(RESULT_FILES) == FILES
    gpu_clusters.sweep(address_table(), radius_km=15, density=1).write(tmp_path / "out", pictures=False, labels=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*TABLE_FILES, LABELS_FILE}


def test_inputs_under_other_names_stay(program, tmp_path):
    patents, deals = write_inputs(tmp_path / "data")
    deals = deals.rename(tmp_path / "data" / "rounds.parquet")
    before = tree(tmp_path / "data")
    assert program("rank", "--patents", patents, "--deals", deals, "--density", 1, "--out", "data", "--force").code == 0
    complete(tmp_path / "data", {"patents.parquet", "rounds.parquet"})
    assert before.items() <= tree(tmp_path / "data").items()


def test_links_to_inputs_and_from_them(tmp_path):
    patents, deals = write_inputs(tmp_path / "data")
    (tmp_path / "linked").symlink_to("data")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "deals.parquet").symlink_to(deals)
    before = tree(tmp_path)
    for source, out in (
        (deals, "linked"),
        (tmp_path / "linked" / deals.name, "data"),
        (tmp_path / "there" / deals.name,) * 2,
    ):
        result = gpu_clusters.rank(patents, deals=source, density=1)
        with pytest.raises(UsageError, match="would lose"):
            result.write(tmp_path / out if isinstance(out, str) else out.parent, force=True)
    assert tree(tmp_path) == before and (tmp_path / "there" / "deals.parquet").readlink() == deals


def test_a_converted_table_is_not_removed_by_its_ranking(program, tmp_path):
    """Its manifest lists the parts, which would go as those of an earlier result do."""
    address_table().to_csv(tmp_path / "a.csv", index=False)
    names = "".join(f'{name} = "{name}"\n' for name in ("doc_id", "lon", "lat", "country"))
    (tmp_path / "m.toml").write_text(f'table = "patents"\n[columns]\n{names}')
    assert program("convert", "table", "a.csv", "--mapping", "m.toml", "--out", "made").code == 0
    options = ("--patents", "made", "--density", "1", "--out", "made", "--force")
    program.refused(2, "rank", *options, says="which the result is made from")
    with pytest.raises(UsageError, match="which the result is made from"):
        gpu_clusters.sweep("made", radius_km=15, density=1).write("made", force=True, pictures=False)


def test_files_that_the_manifest_of_another_program_lists_stay(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    result = gpu_clusters.rank(address_table(), density=1)
    for manifest in (
        {"outputs": [{"name": "thesis.txt"}]},
        {"program": "other", "outputs": [{"name": "thesis.txt"}]},
        [],
    ):
        (out / "manifest.json").write_text(json.dumps(manifest))
        result.write(out, force=True)
        complete(out, {"thesis.txt"})
        assert (out / "thesis.txt").read_text() == "mine"


def test_files_of_an_earlier_result_still_go(tmp_path):
    out = tmp_path / "out"
    gpu_clusters.sweep(address_table(), radius_km=15, density=1).write(out, pictures=False)
    assert (out / "settings.csv").exists()
    gpu_clusters.rank(address_table(), density=1).write(out, force=True)
    assert {path.name for path in out.iterdir()} == FILES
