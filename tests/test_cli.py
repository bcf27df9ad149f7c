"""The command line program at work: what it prints, what it writes, how its options are read."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from program import FILES, address_table, complete, ran_well

import gpu_clusters

pytestmark = pytest.mark.usefixtures("mixed_files")


def test_rank_writes_what_the_library_gives(program):
    ran = program(
        "rank",
        "--patents",
        "p.parquet",
        "--publications",
        "q.csv",
        "--deals",
        "d.parquet",
        "--density",
        5,
        "--out",
        "out",
    )
    assert ran.code == 0
    manifest = complete(Path("out"))
    expected = gpu_clusters.rank("p.parquet", "q.csv", "d.parquet", density=5)
    ranking = pd.read_parquet("out/ranking.parquet")
    assert len(ranking) == 2
    for name in ("total_share", "locations", "lon", "lat", "economies"):
        assert ranking[name].tolist() == expected.ranking[name].tolist()
    lines = ran.out.splitlines()
    assert lines[0].split()[:2] == ["rank", "cluster"] and len(lines) == 3
    assert "NA" in ran.out and "FR" in ran.out
    *covered, told = ran.err.splitlines()
    assert covered == [
        "patents: 60 rows, 100.0 % geocoded; 30 documents, 100.0 % covered",
        "publications: 60 rows, 100.0 % geocoded; 30 documents, 100.0 % covered",
        "deals: 60 rows, 100.0 % geocoded; 60 deals, 100.0 % covered",
    ]
    assert told.startswith("2 clusters (2 before merging) of 120 addresses") and told.endswith("-> out")
    world = [row for row in manifest["coverage"] if row["country"] == "World"]
    assert [(row["table"], row["rows"], row["documents_pct"]) for row in world] == [
        ("patents", 60, 100.0),
        ("publications", 60, 100.0),
        ("deals", 60, 100.0),
    ]
    assert len(manifest["coverage"]) == len(pd.read_csv("out/coverage.csv"))
    assert [entry["rows"] for entry in manifest["inputs"]] == [60, 60, 60]
    assert manifest["inputs"][0]["size"] == Path("p.parquet").stat().st_size


def test_order_of_rows_does_not_matter(program):
    ran_well(program, "rank", "--patents", "p.parquet", "--publications", "q.csv", "--density", 5, "--out", "a")
    address_table(year=2020).sample(frac=1, random_state=1).to_parquet("p.parquet")
    address_table().sample(frac=1, random_state=2).to_csv("q.csv", index=False)
    ran_well(program, "rank", "--patents", "p.parquet", "--publications", "q.csv", "--density", 5, "--out", "b")
    for name in FILES - {"manifest.json"}:
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes(), name


def test_first_twenty_are_shown(program):
    out = ran_well(program, "rank", "--patents", "p.parquet", "--density", 1, "--radius-km", 1, "--out", "out")
    assert len(out.splitlines()) == 21
    assert pq.read_metadata("out/ranking.parquet").num_rows == 22


def test_one_is_no_plural(program):
    Path("one.csv").write_text("doc_id,lon,lat,country\n1,2.35,48.86,Frankreich\n2,2.35,148.86,Frankreich\n")
    Path("deal.csv").write_text("lon,lat,deals\n2.35,48.86,1\n")
    given = ["--patents", "one.csv", "--deals", "deal.csv"]
    said = program("rank", *given, "--density", 1, "--out", "a").err
    assert "one.csv: 1 row with impossible coordinates is left out (row 2)" in said
    assert "patents: 2 rows, 50.0 % geocoded; 2 documents, 50.0 % covered" in said
    assert "deals: 1 row, 100.0 % geocoded; 1 deal, 100.0 % covered" in said
    assert "1 cluster (1 before merging) of 1 address at 1 place, " in said
    said = program("sweep", *given, "--radius-km", 15, "--density", 1, "--no-pictures", "--out", "b").err
    assert "1 setting at 1 place, " in said
    assert program("compare", "a", "a").err == (
        "1 cluster is in both editions (0 rose, 0 fell), 0 came, 0 went; 0 split, 0 merged\n"
    )
    Path("city.csv").write_text("city,country\nParis,FR\n")
    said = program("geocode", "city.csv", "--city", "city", "--country", "country", "--out", "c.csv").err
    assert said.startswith("placed 1 of 1 row (100.00 %), 1 address; ")
    Path("map.toml").write_text('table = "deals"\n[columns]\nlon = "lon"\nlat = "lat"\n')
    said = program("convert", "table", "deal.csv", "--mapping", "map.toml", "--out", "d").err
    assert said.startswith("1 row of deals at 1 place, ")


def test_json(program):
    out = ran_well(program, "rank", "--patents", "p.parquet", "--density", 5, "--out", "out", "--json")

    def constant(name):
        raise AssertionError(name)

    said = json.loads(out, parse_constant=constant)
    assert (said["out"], said["clusters"], said["engine"], said["warnings"]) == ("out", 2, "native", [])
    assert said["totals"]["patents"] == 30 and len(said["ranking"]) == 2
    first = said["ranking"][0]
    assert list(first) == list(gpu_clusters.schema.RANKING)
    assert (
        first["name"] == "Windhoek"
        and first["rank"] == 1
        and first["previous_rank"] is None
        and first["population"] is None
    )
    assert type(first["locations"]) is int and type(first["total_share"]) is float
    assert "NA" in {part for row in said["ranking"] for part in row["economies"].split(" / ")}
    doctor = json.loads(ran_well(program, "doctor", "--json"), parse_constant=constant)
    assert doctor["versions"]["gpu-clusters"] and "native" in doctor["steps with --device auto"]["cluster"]


def test_no_cluster_is_a_result(program):
    for options, out in (([], "table"), (["--json"], "json")):
        ran = program(
            "rank", "--patents", "p.parquet", "--deals", "d.parquet", "--density", "1e300", "--out", out, *options
        )
        assert ran.code == 0 and ran.err.startswith("warning: no cluster: ")
        most = re.search(r"try a lower one, (.+) or less", ran.err)[1]
        assert complete(Path(out))["clusters"] == 0
        if options:
            assert json.loads(ran.out)["ranking"] == []
        else:
            assert ran.out == ""
    args = ("rank", "--patents", "p.parquet", "--deals", "d.parquet", "--out", "dense", "--force", "--density")
    assert program(*args, most).code == 0 and complete(Path("dense"))["clusters"] > 0
    assert program(*args, str(1.02 * float(most))).code == 0 and complete(Path("dense"))["clusters"] == 0


def test_extreme_settings(program):
    for number, options in enumerate(
        (
            ["--radius-km", "1e308", "--density", "1"],
            ["--radius-km", "1e-300", "--density", "1e-9"],
            ["--density", "1", "--area-degrees", "1e-300"],
            ["--density", "1", "--area-degrees", "1e300"],
            ["--density", "1", "--merge-km", "1e300"],
            ["--density", "1", "--merge-km", "0"],
            ["--density", "1", "--top", "1000000000"],
        )
    ):
        out = f"out{number}"
        ran = program("rank", "--patents", "p.parquet", "--deals", "d.parquet", "--out", out, *options)
        assert ran.code == 0 and "warning" not in ran.err, ran.err
        assert complete(Path(out))["clusters"] >= 1


def test_options_of_the_method_reach_the_run(program):
    given = {"radius_km": 12.5, "density": 4.0, "weighting": "raw", "merge_km": 3.0, "area_degrees": 0.25, "top": 7}
    given |= {"border": "lowest", "boundary": "hull", "crs": "EPSG:8857", "device": "cpu", "engine": "sklearn"}
    options = [text for name, value in given.items() for text in (f"--{name.replace('_', '-')}", value)]
    ran_well(program, "rank", "--patents", "p.parquet", *options, "--out", "out")
    settings = complete(Path("out"))["settings"]
    assert {name: settings[name] for name in given} == given


def test_years_and_columns(program):
    address_table(applicant=["A", "B"] * 30, when=[2018, 2019, 2020] * 20).to_parquet("t.parquet")
    columns = ["--column", "patents.organization=applicant", "--column", "patents.year=when"]
    for window, rows in {"2019:": 40, ":2018": 20, "2018:2020": 60, "2019:2019": 20, ":": 60}.items():
        ran_well(
            program,
            *("rank", "--patents", "t.parquet", "--density", 1, "--out", "out", "--force", *columns),
            *("--years", f"patents={window}"),
        )
        assert complete(Path("out"))["totals"]["inventor_addresses"] == rows
    assert set(pd.read_parquet("out/ranking.parquet")["top_applicant"].dropna()) <= {"A", "B"}


def test_doctor(program):
    out = ran_well(program, "doctor")
    for word in ("versions", "devices", "engines", "python", "numpy", "cuml", "native", "cpu", "gpu"):
        assert word in out
    assert program("doctor").err == ""


def test_version(program):
    assert ran_well(program, "--version") == f"gpu-clusters {gpu_clusters.__version__}\n"


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("command", [[], ["rank"], ["demo"], ["doctor"]], ids=str)
def test_help(program, monkeypatch, command, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = ran_well(program, *command, "--help")
    assert max(map(len, out.splitlines())) <= columns
    text = " ".join(out.replace("│", " ").split())
    assert "<" not in text, "a type where a name or nothing belongs"
    assert "completion" not in text
    if columns > 40:
        for word in {
            (): ["rank", "demo", "doctor", "--version", "innovation clusters"],
            ("rank",): [
                *(
                    "--patents",
                    "--publications",
                    "--deals",
                    "--column",
                    "--years",
                    "--config",
                    "--radius-km",
                    "--density",
                ),
                *(
                    "--weighting",
                    "--merge-km",
                    "--no-merge",
                    "--area-degrees",
                    "--border",
                    "--crs",
                    "--device",
                    "--engine",
                ),
                *("--out", "--top", "--force", "--json", "(default 15)", "(default 4500)", "Exit codes", "Example:"),
            ],
            ("demo",): ["--scale", "--seed", "--out"],
            ("doctor",): ["--json"],
        }[tuple(command)]:
            assert word in text, word


@pytest.mark.parametrize("command", ["rank", "sweep", "convert", "geocode"])
def test_help_runs_on_in_paragraphs(program, monkeypatch, command):
    """Lines of the source are joined by a blank: on a screen that is wide enough a paragraph is one line."""
    monkeypatch.setenv("COLUMNS", "1000")
    lines = [line.strip() for line in ran_well(program, command, "--help").splitlines()]
    module = importlib.import_module(f"gpu_clusters_cli.{command}")
    paragraphs = [" ".join(text.split()) for text in inspect.getdoc(getattr(module, command)).split("\n\n")]
    assert len(paragraphs) > 1
    for paragraph in paragraphs:
        assert re.sub(r"\[/?bold\]", "", paragraph) in lines


@pytest.mark.parametrize(
    ("command", "usage"),
    {"convert": "SOURCE IN...", "report": "DIR", "compare": "A B", "geocode": "IN", "sweep": ""}.items(),
)
def test_help_names_arguments_by_what_they_are(program, command, usage):
    out = ran_well(program, command, "--help")
    assert f" Usage: gpu-clusters {command} [OPTIONS] {usage}".rstrip() in [line.rstrip() for line in out.splitlines()]
    assert "<" not in out


def test_tables_on_screens_of_any_width(program, monkeypatch):
    import gpu_clusters_cli.output
    from rich.console import Console

    address_table(organization="A very long name of an organization indeed").to_parquet("p.parquet")
    for width, has in {40: "share %", 80: "economies", 120: "publications", 160: "top applicant"}.items():
        monkeypatch.setattr(
            gpu_clusters_cli.output, "_console", lambda width=width: Console(width=width, highlight=False)
        )
        out = ran_well(program, "rank", "--patents", "p.parquet", "--density", 5, "--out", f"out{width}")
        assert max(map(len, out.splitlines())) <= width and len(out.splitlines()) == 3 and has in out


def test_deals_that_add_up_to_none_have_no_percentage(program):
    Path("deal.csv").write_text("lon,lat,deals\n2.35,48.86,0\n")
    said = program("rank", "--patents", "p.parquet", "--deals", "deal.csv", "--density", 5, "--out", "out").err
    assert "deals: 1 row, 100.0 % geocoded; 0 deals\n" in said
