"""``--force`` replaces results: never what a result is made from, nor what another program has written."""

from __future__ import annotations

import json

import pytest
from program import FILES, address_table, complete, tree

import gpu_clusters
from gpu_clusters import UsageError


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
