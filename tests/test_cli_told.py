"""What convert, geocode and doctor tell, word for word but for the seconds."""

from __future__ import annotations

import json
import os
import re

import numba
import pytest
from gpu_clusters_cli.report import _beside, _region

from gpu_clusters import UsageError, backend, manifest

ROWS = """id,lon,lat,c,city,yr
1,2.35,48.86,FR,Paris,2019
1,2.35,48.86,FR,Paris,2019
2,,,DE,Berlin,2020
3,13.4,52.5,DE,Nowhere at all,2021
4,x,52.5,DE,Berlin,2021
5,13.4,52.5,DE,Berlin,2030
6,13.4,52.5,DE,Berlin,2031
7,13.4,52.5,DE,Berlin,
"""
PLACED = 'lon = "lon"\nlat = "lat"\nyear = "yr"\n'
UNPLACED = 'city = "city"\n'


@pytest.fixture
def here(program):
    (program.here / "t.csv").write_text(ROWS)
    for name, columns in (("placed", PLACED), ("unplaced", UNPLACED)):
        text = f'table = "patents"\n[columns]\ndoc_id = "id"\ncountry = "c"\n{columns}'
        (program.here / f"{name}.toml").write_text(text)
    return program.here


def said(ran) -> list[str]:
    """The lines on stderr, without seconds."""
    assert ran.code == 0, ran
    assert all(float(seconds) < 600 for seconds in re.findall(r"(\d+\.\d) s ->", ran.err)), ran.err
    return [re.sub(r"\d+\.\d s ->", "N s ->", line) for line in ran.err.splitlines()]


@pytest.mark.usefixtures("here")
def test_convert(program):
    """The World row; what was left out and why."""
    given = ["convert", "table", "t.csv", "--mapping", "placed.toml", "--on-error", "skip", "--years", ":2021"]
    shown = program(*given, "--out", "out")
    lines = [
        "left out: rows of other years: 2",
        "left out: rows without a year: 1",
        "warning: left out: 1 row that could not be read; see skipped.csv",
        "4 rows of patents at 2 places, N s -> out",
    ]
    told = program(*given, "--out", "out", "--force", "--json")
    assert said(shown) == said(told) == lines
    title, above, titles, world = (line.split() for line in shown.out.splitlines())
    assert title == ["coverage", "of", "patents"] and "table" not in titles
    assert (above, titles[:4]) == (["rows", "documents", "documents"], ["country", "rows", "geocoded", "invalid"])
    assert world == ["World", "4", "3", "0", "75", "3", "2", "66.67"]
    record = json.loads((program.here / "out" / "manifest.json").read_text())
    keys = ["source", "table", "rows", "left_out", "skipped_rows", "locations", "coverage"]
    assert json.loads(told.out) == {"out": "out"} | {key: record[key] for key in keys} and record["skipped_rows"] == 1


@pytest.mark.usefixtures("here")
def test_addresses_without_coordinates_and_then_with(program):
    ran = program("convert", "table", "t.csv", "--mapping", "unplaced.toml", "--out", "cities")
    hint = "it has no coordinates yet: gpu-clusters geocode finds them"
    assert said(ran) == [f"8 rows of patents at 0 places, N s -> cities; {hint}"]
    given = ["geocode", "cities", "--city", "city", "--country", "country", "--doc-id", "doc_id"]
    shown = program(*given, "--out", "found")
    (line,) = said(shown)
    assert line == "placed 7 of 8 rows (87.50 %), 3 addresses; without a place: not found 1; N s -> found"
    assert [line.split() for line in shown.out.splitlines()[1:]] == [
        ["DE", "6", "83.3", "6", "83.3"],
        ["FR", "2", "100.0", "1", "100.0"],
        ["World", "8", "87.5", "7", "85.7"],
    ]
    told = json.loads(program(*given, "--out", "again", "--json").out)
    assert list(told) == ["out", "rows", "distinct", "placed", "accuracy", "geocode", "arcgis", "coverage"]
    assert (told["out"], told["rows"], told["distinct"], told["placed"], told["arcgis"]) == ("again", 8, 3, 7, None)
    assert told["accuracy"] == {"city": 7, "not found": 1} and told["geocode"] == {"name": 7}
    record = json.loads((program.here / "found" / "_manifest.json").read_text())
    settings = {"city": "city", "admin": None, "country": "country", "doc_id": "doc_id", "gazetteer": None}
    assert record["settings"] == settings | {"fallback": "none"}
    assert (record["program"], record["command"], record["versions"]) == (
        "gpu-clusters",
        "geocode",
        manifest.versions(),
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", record["created"])
    (program.here / "one.csv").write_text("city,country\nParis,FR\n")
    ran = program("geocode", "one.csv", "--city", "city", "--country", "country", "--out", "placed.csv")
    assert said(ran) == ["placed 1 of 1 row (100.00 %), 1 address; N s -> placed.csv"]


@pytest.mark.parametrize("option", [["--cache", "x"], ["--rate", "2"], ["--arcgis-url", "https://example.org"]])
def test_options_of_a_service_that_is_not_asked(program, option):
    given = ["geocode", "no.csv", "--city", "c", "--country", "c", "--out", "o.csv"]
    program.refused(2, *given, *option, says="--cache, --rate and --arcgis-url are of use with --fallback arcgis only")


def test_doctor_without_a_gpu(program, monkeypatch):
    monkeypatch.setattr(backend, "find_spec", lambda _: None)
    found = json.loads(program("doctor", "--json").out)
    assert list(found) == ["versions", "devices", "engines", "steps with --device auto"]
    assert found["versions"] == manifest.versions()
    threads = numba.get_num_threads()
    assert found["devices"]["cpu"] == f"{os.cpu_count()} cores, {threads} threads for the kernels"
    assert found["devices"]["gpu"].startswith("not used: ")
    assert (found["engines"]["native"], found["engines"]["sklearn"]) == ("available (cpu)", "available (cpu)")
    assert found["engines"]["cuml"].startswith("not available: ")
    assert found["steps with --device auto"]["cluster"] == "native (cpu)"
    lines = program("doctor").out.splitlines()
    assert [line for line in lines if not line.startswith("  ")] == list(found)
    assert [line.split()[:2] for line in lines if "native " in line] == [["native", "available"], ["cluster", "native"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nile=25,20,40,33", ("Nile", (25.0, 20.0, 40.0, 33.0))),
        (" a = b = -1.5, 0 ,1,2", ("a = b", (-1.5, 0.0, 1.0, 2.0))),
    ],
)
def test_regions_of_a_report(text, expected):
    assert _region(text) == expected


@pytest.mark.parametrize(
    "text", ["25,20,40,33", "=25,20,40,33", " =1,2,3,4", "x=1,2,3", "x=1,2,3,4,5", "x=a,2,3,4", "x"]
)
def test_regions_that_are_none(text):
    with pytest.raises(UsageError, match="--region must be NAME=WEST,SOUTH,EAST,NORTH in degrees, not "):
        _region(text)


def test_the_folder_beside_a_result(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    for given, expected in (("x/y", "x/y-report"), ("x/y/", "x/y-report"), ("../c", "../c-report")):
        assert _beside(given) == expected
    for given, folder in ((".", "a/b"), ("..", "a"), ("../..", "")):
        assert _beside(given) == f"{tmp_path / folder}-report"
