"""Configuration files of the command line program: how they are read, and what is refused in them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest
from gpu_clusters_cli.config import merged
from program import address_table, complete, inputs, ran_well

pytestmark = pytest.mark.usefixtures("mixed_files")


def test_config(program):
    Path("sub").mkdir()
    Path("p.parquet").rename("sub/p.parquet")
    Path("q.csv").rename("sub/q.csv")
    address_table(applicant="Acme", when=2020).to_csv("sub/r.csv", index=False)
    text = """
        patents = "p.parquet"
        publications = ["q.csv", "r.csv"]
        out = "result"
        density = 5
        radius_km = 12.5
        merge_km = false
        weighting = "raw"
        top = 7
        [columns.patents]
        year = "year"
        [years]
        patents = [2020, 2020]
    """
    Path("sub/c.toml").write_text("\ufeff" + text, encoding="utf-8")
    ran_well(program, "rank", "--config", "sub/c.toml")
    settings = complete(Path("sub/result"))["settings"]
    assert settings["merge_km"] is None and settings["radius_km"] == 12.5 and settings["weighting"] == "raw"
    assert settings["top"] == 7 and settings["years"] == {"patents": [2020, 2020]}
    assert settings["columns"] == {"patents": {"year": "year"}}
    assert inputs("sub/result") == {"patents": ["sub/p.parquet"], "publications": ["sub/q.csv", "sub/r.csv"]}
    ran_well(
        program,
        *("rank", "--config", "sub/c.toml", "--radius-km", "3", "--merge-km", "4", "--out", "here"),
        *("--publications", "sub/r.csv", "--column", "publications.organization=applicant"),
        *("--column", "patents.country=country", "--years", "patents=:2021", "--weighting", "total-preserving"),
    )
    settings = complete(Path("here"))["settings"]
    assert settings["merge_km"] == 4 and settings["radius_km"] == 3 and settings["density"] == 5
    assert settings["weighting"] == "total-preserving" and settings["years"] == {"patents": [None, 2021]}
    assert settings["columns"]["patents"] == {"year": "year", "country": "country"}
    assert settings["columns"]["publications"] == {"organization": "applicant"}
    assert inputs("here")["publications"] == ["sub/r.csv"]
    assert pd.read_parquet("here/ranking.parquet")["top_organization"].tolist() == ["Acme", "Acme"]
    Path("sub/c.toml").write_text("merge_km = 3", encoding="utf-8")
    ran_well(
        program,
        "rank",
        "--config",
        "sub/c.toml",
        "--no-merge",
        "--patents",
        "sub/p.parquet",
        "--density",
        5,
        "--out",
        "no",
    )
    assert complete(Path("no"))["settings"]["merge_km"] is None


@pytest.mark.parametrize("key", ["columns", "years"])
def test_tables_keep_their_order(key):
    """That of a set would change from run to run, and with it the manifest and the report."""
    tables = {f"table {number}": {"year": "when"} for number in range(20)}
    first, rest = dict(list(tables.items())[:8]), dict(list(tables.items())[5:])
    assert list(merged({key: first}, {key: rest})[key]) == list(tables)
    assert list(merged({}, {key: tables})[key]) == list(merged({key: tables}, {key: {}})[key]) == list(tables)


def test_absolute_paths_in_the_config(program):
    Path("sub").mkdir()
    config = {"patents": str(Path("p.parquet").resolve()), "out": str(Path("abs").resolve())}
    Path("sub/c.toml").write_text("density = 5\n" + "".join(f"{key} = '{value}'\n" for key, value in config.items()))
    assert tomllib.loads(Path("sub/c.toml").read_text())["patents"] == config["patents"]
    ran_well(program, "rank", "--config", "sub/c.toml")
    complete(Path("abs"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("radius = 15", "radius"),
        ("radius-km = 15", "radius-km"),
        ("force = true", "force"),
        ("[settings]\nradius_km = 15", "settings"),
        ("radius_km = ", "TOML"),
        ("\0", "TOML"),
        ("radius_km = 'x'", "radius_km"),
        ("radius_km = nan", "radius_km"),
        ("radius_km = [15]", "radius_km"),
        (f"radius_km = 1{'0' * 400}", "radius_km"),
        (f"top = 1{'0' * 5_000}", "--config c.toml: a number has more digits than can be read; write a smaller one"),
        (f"radius_km = 0x{'f' * 5_000}", "--config c.toml: radius_km is too large a number"),
        ("density = true", "density"),
        ("density = -inf", "density"),
        ("density = 2020-01-01", "density"),
        ("merge_km = true", "merge_km"),
        ("merge_km = 'no'", "merge_km"),
        ("area_degrees = 0", "area_degrees"),
        ("weighting = 3", "weighting"),
        ("border = ['densest']", "border"),
        ("top = 2.0", "top"),
        ("top = false", "top"),
        ("device = 'tpu'", "device"),
        ("engine = {}", "engine"),
        ("crs = 3035", "crs"),
        ("crs = ['EPSG:3035']", "crs"),
        ("out = 3", "out"),
        ("out = ''", "out"),
        ("out = ['a']", "out"),
        ('out = "a\\u0000b"', "out"),
        ("patents = 3", "patents"),
        ("patents = [3]", "patents"),
        ("patents = ''", "patents"),
        ("deals = {a = 1}", "deals"),
        ("columns = 3", "columns"),
        ("columns = ['a']", "columns"),
        ("[columns]\npatents = 'applicant'", "columns"),
        ("[columns.patents]\norganization = 3", "columns"),
        ("[columns.patents]\napplicant = 'organization'", "applicant"),
        ("[columns.papers]\norganization = 'x'", "papers"),
        ("years = '2019:2023'", "years"),
        ("[years]\npatents = 2019", "years"),
        ("[years]\npatents = [2019]", "years"),
        ("[years]\npatents = ['2019', '2023']", "years"),
        ("[years]\npatents = [2019.0, 2023.0]", "years"),
        ("[years]\npatents = [true, false]", "years"),
        ("[years]\npatents = [2023, 2019]", "years"),
        ("[years]\npatents = '2019'", "--config c.toml: years.patents must be [FROM, TO] or 'FROM:TO', not '2019'"),
        ("[years]\npapers = '2019:2023'", "papers"),
        ("[years]\npapers = [2019, 2023]", "papers"),
    ],
    ids=lambda value: value[:40],
)
def test_bad_config(program, text, says):
    Path("c.toml").write_text(text, encoding="utf-8")
    given = [] if text.startswith("patents") else ["--patents", "p.parquet"]
    given += [] if text.startswith("out") else ["--out", "out"]
    program.refused(2, "rank", "--config", "c.toml", *given, says=says)


def test_config_that_is_not_utf8(program):
    Path("c.toml").write_bytes(b'out = "\xff"')
    program.refused(2, "rank", "--config", "c.toml", "--patents", "p.parquet", says="TOML")
