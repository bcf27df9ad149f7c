"""``rank --previous`` and ``compare`` on the command line: what they print and write, and every way to be wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from program import FILES, Program, address_table, complete, tree

RANK = ("rank", "--patents", "p.parquet", "--density", 5)


@pytest.fixture
def program(monkeypatch, capsys, tmp_path):
    """The program, in a folder with two editions' tables and the result "a" of the first."""
    table = address_table(90)
    table.to_parquet(tmp_path / "p.parquet")
    more = table[table["country"] == "FR"].assign(doc_id=lambda t: t["doc_id"] + 1000)
    new = more.assign(lon=13.4, lat=52.5, country="DE")
    pd.concat([table, more, new]).to_parquet(tmp_path / "q.parquet")
    program = Program(monkeypatch, capsys, tmp_path)
    assert program(*RANK, "--out", "a").code == 0
    return program


def later(program, out: str = "b") -> None:
    assert program("rank", "--patents", "q.parquet", "--density", 5, "--out", out).code == 0


def test_previous(program):
    ran = program("rank", "--patents", "q.parquet", "--density", 5, "--previous", "a", "--out", "b")
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0][:2] == ["rank", "change"]
    ranking = pd.read_parquet("b/ranking.parquet").set_index("economies")
    before = pd.read_parquet("a/ranking.parquet").set_index("economies")
    assert sorted(ranking.index) == ["DE", "FR", "NA"] and sorted(before.index) == ["FR", "NA"]
    for economy in before.index:
        assert ranking.loc[economy, "previous_rank"] == before.loc[economy, "rank"]
        assert ranking.loc[economy, "rank_change"] == before.loc[economy, "rank"] - ranking.loc[economy, "rank"]
    assert pd.isna(ranking.loc["DE", "previous_rank"])
    shown = {line[2]: line[1] for line in lines[1:]}
    for name, change in ranking.set_index("name")["rank_change"].items():
        assert shown[name] == ("new" if pd.isna(change) else f"{int(change):+d}" if change else "=")
    record = complete(Path("b"))["previous"]
    created = json.loads(Path("a/manifest.json").read_text())["created"]
    assert record["name"] == "a" and record["created"] == created
    assert (record["clusters"], record["matched"], len(record["manifest_sha256"])) == (2, 2, 64)


def test_the_folder_that_is_replaced(program):
    shutil.copytree("a", "copy")
    args = ("rank", "--patents", "q.parquet", "--density", 5)
    assert program(*args, "--previous", "copy", "--out", "b").code == 0
    program.refused(2, *args, "--previous", "a", "--out", "a", says="--force")
    assert program(*args, "--previous", "a", "--out", "a", "--force").code == 0
    assert complete(Path("a"))["previous"]["matched"] == 2
    assert Path("a/ranking.csv").read_bytes() == Path("b/ranking.csv").read_bytes()


def test_previous_in_the_config(program):
    Path("sub").mkdir()
    Path("a").rename("sub/old")
    Path("sub/c.toml").write_text('previous = "old"\ndensity = 5\nout = "new"\n')
    assert program("rank", "--config", "sub/c.toml", "--patents", "p.parquet").code == 0
    assert complete(Path("sub/new"))["previous"]["name"] == "sub/old"
    program.refused(
        3, "rank", "--config", "sub/c.toml", "--patents", "p.parquet", "--out", "x", "--previous", "no", says="no: does"
    )
    for text in ("previous = 3", "previous = ['a']", "previous = ''"):
        Path("sub/c.toml").write_text(text)
        program.refused(2, "rank", "--config", "sub/c.toml", *RANK[1:], "--out", "x", says="previous must be a path")


def test_other_settings_are_told(program):
    ran = program(*RANK[:-1], 4, "--no-merge", "--previous", "a", "--out", "b")
    assert ran.code == 0 and ran.err.startswith(
        "warning: the editions were made with different settings (density 5 -> 4"
    )
    assert any("merge_km 5 -> none" in warning for warning in complete(Path("b"))["warnings"])


def spoil(folder: str, file: str, /, **changes) -> None:
    path = Path(folder, file)
    pd.read_parquet(path).assign(**changes).to_parquet(path)


BAD = {
    "no ranking": (lambda: Path("a/ranking.parquet").unlink(), "a/ranking.parquet: does not exist"),
    "no locations": (lambda: Path("a/locations.parquet").unlink(), "a/locations.parquet: does not exist"),
    "empty": (lambda: Path("a/ranking.parquet").write_bytes(b""), "a/ranking.parquet: cannot be read"),
    "cut": (
        lambda: Path("a/locations.parquet").write_bytes(Path("a/locations.parquet").read_bytes()[:-99]),
        "a/locations",
    ),
    "no JSON": (lambda: Path("a/manifest.json").write_text("{"), "a/manifest.json: cannot be read as JSON"),
    "a list": (lambda: Path("a/manifest.json").write_text("[]"), "a/manifest.json: is not the manifest of a result"),
    "odd outputs": (lambda: Path("a/manifest.json").write_text('{"outputs": [3]}'), "a/manifest.json: is not"),
    "odd names of outputs": (
        lambda: Path("a/manifest.json").write_text('{"outputs": [{"name": ["x"], "sha256": "0"}]}'),
        "a/manifest.json: is not the manifest",
    ),
    "odd totals": (
        lambda: Path("a/manifest.json").write_text('{"totals": {"patents": "4"}}'),
        "a/manifest.json: is not the manifest",
    ),
    "odd years": (
        lambda: Path("a/manifest.json").write_text('{"settings": {"years": {"patents": ["x", 2]}}}'),
        "a/manifest.json: is not the manifest",
    ),
    "years of one": (
        lambda: Path("a/manifest.json").write_text('{"settings": {"years": {"patents": [2001]}}}'),
        "a/manifest.json: is not the manifest",
    ),
    "a list of years": (
        lambda: Path("a/manifest.json").write_text('{"settings": {"years": [2001, 2005]}}'),
        "a/manifest.json: is not the manifest",
    ),
    "text": (lambda: spoil("a", "ranking.parquet", rank=lambda t: ["x"] * len(t)), "a/ranking.parquet"),
    "no column": (
        lambda: pd.DataFrame({"x": [1]}).to_parquet("a/locations.parquet"),
        "locations.parquet: has no column lon",
    ),
    "null rank": (
        lambda: spoil("a", "ranking.parquet", rank=pd.array([1, None], "Int64")),
        "a/ranking.parquet: column rank is empty in row 2",
    ),
    "twice": (lambda: spoil("a", "ranking.parquet", cluster_id=[1, 1]), "cluster_id is there twice in row 2"),
    "zero": (lambda: spoil("a", "ranking.parquet", cluster_id=[0, 1]), "cluster_id is not above 0 in row 1"),
    "strange": (lambda: spoil("a", "locations.parquet", cluster_id=7), "cluster_id is not in the ranking"),
    "weight": (lambda: spoil("a", "locations.parquet", weight=-1), "column weight is not above 0 in row 1"),
    "heavy": (lambda: spoil("a", "locations.parquet", weight=2**62), "weight adds up to more"),
    "infinite": (
        lambda: spoil("a", "locations.parquet", lat=float("inf")),
        "column lat is not finite in row 1",
    ),
    "null place": (lambda: spoil("a", "locations.parquet", lon=None), "column lon is empty in row 1"),
    "double": (
        lambda: spoil("a", "locations.parquet", lon=1.0, lat=2.0, cluster_id=1),
        "a/locations.parquet: the location at lon 1.0, lat 2.0 is there twice",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_folders_that_are_no_results(program, name):
    later(program)
    damage, says = BAD[name]
    damage()
    program.refused(3, *RANK, "--previous", "a", "--out", "c", says=says)
    program.refused(3, "compare", "a", "b", "--out", "c", says=says)
    program.refused(3, "compare", "b", "a", says=says)


def test_not_finite_shares(program):
    spoil("a", "ranking.parquet", total_share=[1.0, float("inf")])
    program.refused(3, "compare", "a", "a", says="column total_share is not finite in row 2")


def test_paths_that_are_no_folders(program):
    Path("empty").mkdir()
    for wrong, says in (
        ("no", "no: does not exist"),
        ("p.parquet", "is not a folder"),
        ("empty", "empty/ranking.parquet"),
    ):
        program.refused(3, *RANK, "--previous", wrong, "--out", "c", says=says)
        program.refused(3, "compare", wrong, "a", says=says)
        program.refused(3, "compare", "a", wrong, says=says)
    assert program("compare", "a", "b", "--out", "c").code == 3
    assert program("compare", "a", "a", "--out", "c").code == 0
    program.refused(3, "compare", "a", "c", says="c/ranking.parquet: does not exist")


def test_without_a_manifest_and_changed_files(program):
    Path("a/manifest.json").rename("kept")
    ran = program(*RANK, "--previous", "a", "--out", "b")
    assert ran.code == 0 and "a has no manifest.json: its settings are not known" in ran.err
    Path("kept").rename("a/manifest.json")
    spoil("a", "ranking.parquet", name="a name")
    ran = program("compare", "a", "b")
    assert ran.code == 0 and "a/ranking.parquet is not what its manifest.json says" in ran.err


def test_compare(program):
    later(program)
    before = tree(program.here)
    ran = program("compare", "a", "b", "--top", 2)
    assert ran.code == 0 and tree(program.here) == before
    lines = ran.out.splitlines()
    assert lines[0].split() == ["rank", "change", "cluster", "share", "%", "points", "moved", "by"]
    assert "Paris" in ran.out and "entered the first 2:" in lines and "(new)" in ran.out
    assert "2 clusters are in both editions" in ran.err and "the totals differ (patents 45 ->" in ran.err
    ran = program("compare", "a", "b", "--out", "c")
    assert ran.code == 0 and ran.err.endswith("-> c\n")
    assert {path.name for path in Path("c").iterdir()} == {
        *("comparison.csv", "comparison.parquet", "splits.csv", "mergers.csv", "manifest.json"),
    }
    program.refused(2, "compare", "a", "b", "--out", "c", says="--force")
    assert program("compare", "a", "b", "--out", "c", "--force").code == 0


def test_compare_json(program):
    later(program)
    ran = program("compare", "a", "b", "--json", "--top", 1, "--out", "c")
    said = json.loads(ran.out)
    assert said["out"] == "c" and said["summary"]["entrants"] == 1 and len(said["clusters"]) == 1
    assert {"entered_top", "left_top", "splits", "mergers"} <= set(said)
    assert said["clusters"][0]["rank"] == 1 and said["clusters"][0]["status"] in ("matched", "entrant")


def test_splits_and_mergers_are_told(program):
    table = address_table(90)
    apart = table.assign(lon=table["lon"].where(table["country"] != "FR", 2.35 + 0.2 * (table.index % 2)))
    apart.to_parquet("p.parquet")
    for radius, out in ((40, "together"), (5, "apart")):
        args = ("--density", 5, "--radius-km", radius, "--no-merge", "--out", out)
        assert program("rank", "--patents", "p.parquet", *args).code == 0
    ran = program("compare", "together", "apart")
    split = ran.out
    assert "split, with parts of its weight then:" in split and "merged" not in split
    assert (
        "(Paris–Noisy-le-Grand): cluster 2 of B (Paris) 50 %, cluster 3 of B (Noisy-le-Grand) 50 %" in split
        and "was part of cluster" in program("compare", "together", "apart", "--top", 3).out
    )
    merged = program("compare", "apart", "together").out
    assert "merged, with parts of its weight now:" in merged and "split" not in merged
    assert "now part of cluster 2 of B" in merged and "cluster 2 of A (Paris) 50 %, cluster 3 of A" in merged


def test_no_clusters_on_either_side(program):
    assert program("rank", "--patents", "p.parquet", "--density", "1e9", "--out", "none").code == 0
    ran = program("compare", "none", "none")
    assert ran.code == 0 and ran.out == "" and "0 clusters are in both" in ran.err
    for pair in (("none", "a"), ("a", "none")):
        assert program("compare", *pair).code == 0
        assert program("compare", *pair, "--json").code == 0


def test_results_are_not_replaced_by_their_comparison(program):
    later(program)
    for out in ("a", "b", "./a/../b"):
        program.refused(2, "compare", "a", "b", "--out", out, "--force", says="one of the results to compare")
    assert {path.name for path in Path("a").iterdir()} == FILES


def test_bad_options(program):
    program.refused(2, "compare", says="Missing argument")
    program.refused(2, "compare", "a", says="Missing argument")
    program.refused(2, "compare", "a", "a", "a", says="a")
    program.refused(2, "compare", "a", "a", "--top", "0", says="--top")
    program.refused(2, "compare", "a", "a", "--out", "p.parquet", says="is a file")
    program.refused(2, *RANK, "--out", "c", "--previous", says="--previous")


@pytest.mark.parametrize("width", [80, 160])
def test_width_of_the_tables(program, monkeypatch, width):
    import gpu_clusters_cli.output
    from rich.console import Console

    later(program)
    for folder in "ab":
        spoil(
            folder, "ranking.parquet", name=lambda t: [f"A rather long name of a cluster–number {k}" for k in t["rank"]]
        )
    monkeypatch.setattr(gpu_clusters_cli.output, "_console", lambda: Console(width=width, highlight=False))
    for args in (("compare", "a", "b"), (*RANK, "--previous", "a", "--out", "c")):
        ran = program(*args)
        assert ran.code == 0
        table = [line for line in ran.out.splitlines() if not line.startswith("  ") or "entered" in line]
        assert max(map(len, table)) <= width and "change" in table[0] and "share %" in table[0]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help(program, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = program("compare", "--help")
    assert ran.code == 0 and max(map(len, ran.out.splitlines())) <= columns
    text = " ".join(ran.out.replace("│", " ").split())
    assert (
        columns < 200
        or "Shown are B's ranks, how far each cluster moved, how its share of the world changed" in ran.out
    )
    assert "earlier" in text and "--top" in text and "--force" in text
    monkeypatch.setenv("COLUMNS", "200")
    assert "--previous" in program("rank", "--help").out
