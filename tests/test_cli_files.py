"""Files on the command line: several for one option, and names and texts of any kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gpu_clusters_cli.many import repeated
from program import address_table, complete, inputs, ran_well

pytestmark = pytest.mark.usefixtures("mixed_files")


@pytest.mark.parametrize(
    "options",
    [
        ["--patents", "p.parquet", "a.csv", "b.csv"],
        ["--patents", "p.parquet", "--patents", "a.csv", "b.csv"],
        ["--patents=p.parquet", "a.csv", "--patents=b.csv"],
        ["--force", "--patents", "p.parquet", "a.csv", "--no-merge", "--patents", "b.csv"],
        ["--merge-km", "-0", "--patents", "p.parquet", "a.csv", "b.csv", "--top", "3"],
    ],
    ids=" ".join,
)
def test_several_files_for_one_option(program, options):
    for name in ("a.csv", "b.csv"):
        address_table().to_csv(name, index=False)
    before = ["--density", "5", "--out", "out"]
    for args in ([*before, *options], [*options, *before], [*options, "--publications", "q.csv", "d.csv", *before]):
        address_table().to_csv("d.csv", index=False)
        ran_well(program, "rank", *args, *([] if "--force" in args else ["--force"]))
        assert inputs()["patents"] == ["p.parquet", "a.csv", "b.csv"]
    assert inputs()["publications"] == ["q.csv", "d.csv"]


def test_repeated_options():
    assert repeated(["--patents", "a", "-b", "-", "--out", "c", "d"]) == [
        *("--patents=a", "--patents=-b", "--patents=-", "--out", "c", "d"),
    ]
    assert repeated(["--patents", "a=b", "--deals=--x", "y", "--", "z"]) == [
        *("--patents=a=b", "--deals=--x", "--deals=y", "--", "z"),
    ]
    assert repeated([]) == [] and repeated(["--help"]) == ["--help"]


ODD = [
    "[red]a[bold]",
    "[]",
    "a b",
    "-a",
    "--a",
    "=",
    "ä",
    "a'b\"c",
    "*",
    "$HOME",
    "%s {0}",
    "#",
    "\udcff",
    "new\nline",
    "\x1b[31m",
]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_odd_names_of_files(program, name):
    for ending in (".parquet", ".csv"):
        table = address_table(organization=name if name.isprintable() else f"org {name!a}")
        if ending == ".csv":
            table.to_csv("plain.csv", index=False)
        else:
            table.to_parquet("plain.parquet")
        Path(f"plain{ending}").rename(f"{name}{ending}")
    out = f"{name} out"
    said = ran_well(
        program, "rank", f"--patents={name}.parquet", f"--publications={name}.csv", "--density", 5, f"--out={out}"
    )
    if name.isprintable():
        assert name in said
    complete(Path(out))
    assert inputs(out) == {"patents": [f"{name}.parquet"], "publications": [f"{name}.csv"]}
    said = json.loads(
        ran_well(program, "rank", f"--patents={name}.csv", "--density", 5, f"--out={out}", "--force", "--json")
    )
    assert said["out"] == out
    program.refused(3, "rank", f"--patents={name}.tsv", "--out", "new", says="does not exist")
    program.refused(2, "rank", f"--patents={name}.csv", f"--out={out}", says="--force")


def test_odd_texts_in_the_table(program):
    address_table(country="[/red]", organization="[/x]\x1b[31m\nOrg").to_parquet("odd.parquet")
    out = ran_well(program, "rank", "--patents", "odd.parquet", "--density", 5, "--out", "out")
    assert len(out.splitlines()) == 3
    assert "[/red]" in out and r"[/x]\x1b[31m\nOrg" in out
