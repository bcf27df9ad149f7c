"""The fallback behind GeoNames: against a server on this machine, with a clock that jumps."""

from __future__ import annotations

import errno
import json
import signal
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from arcgis import MALFORMED, SLOW, Time, candidate, error, serving
from program import COMMAND, Program

import gpu_clusters
from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.geocoding.admin1 import Divisions
from gpu_clusters.geocoding.arcgis import ArcGIS, ServiceError
from gpu_clusters.geocoding.cache import Cache
from gpu_clusters.geocoding.choose import chosen, fitting, query

TOKEN = "AAPK/secret+token="
PLACES = pd.DataFrame({"country": ["US", "US", "FR"], "admin1": ["IL", "MO", "84"]})
EXPORT = [
    ("Springfield", "US", "IL", 39.8, -89.6, 9),
    ("Joplin", "US", "MO", 37.1, -94.5, 9),
    ("Twin", "DE", "02", 50, 10, 9),
    ("Twin", "DE", "06", 52, 10, 9),
]
ROWS = pd.DataFrame(
    [
        ("Springfield", "IL", "US"),  # GeoNames
        ("Atlantis", "", "FR"),
        ("Gondor", "", "NA"),
        ("Mordor", "08", "CA"),
        ("atlantis ", None, "France"),
        ("Springfield", "Missouri", "US"),
        ("Twin", "", "DE"),  # ambiguous in GeoNames
        ("Illinois", "", "US"),  # an area
        ("", "", "US"),
        ("Shire", "", "GB"),
        ("Bree", "", "GB"),
        ("Atlantis", "", "FR"),
    ],
    columns=["city", "state", "country"],
)
BUSY = [
    (429, {"Retry-After": "7"}, b""),
    (503, {"Retry-After": "9"}, b""),
    (500, {}, b"oops"),
    MALFORMED,
    SLOW,
    error(500),
    {"candidates": "?"},
    b"[]",
]
ANSWERS = {
    "Atlantis, France": [*BUSY, [candidate(20, 50, Country="FRA")]],
    "Gondor, Namibia": [[candidate(1, 1), candidate(9, 9)]],
    "Mordor, Canada": [[]],
    "Springfield, Missouri, United States": [[candidate(-93.3, 37.2, Country="USA", Region="Missouri")]],
    "Shire, United Kingdom": [[candidate(0, 52, kind="County")]],
    "Bree, United Kingdom": [(400, {}, b"Unable to complete operation")],
}
ANSWERS["atlantis, France"] = ANSWERS["Atlantis, France"]
WANTED = ["Atlantis, France", "Bree, United Kingdom", "Gondor, Namibia", "Mordor, Canada", "Shire, United Kingdom"]
WANTED.append("Springfield, Missouri, United States")


@pytest.fixture(autouse=True)
def _direct(monkeypatch):
    """No proxy on the way to this machine, and no token from outside."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("ARCGIS_TOKEN", raising=False)


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "cities500.txt"
    lines = [
        [str(i), name, name, "", str(lat), str(lon), "P", "PPL", country, "", admin1, "", "", "", str(people)]
        + [""] * 4
        for i, (name, country, admin1, lat, lon, people) in enumerate(EXPORT)
    ]
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    return path


def client(service, folder, moment=None, **options):
    options = {"rate": 1e6, "tries": len(BUSY) + 1} | options
    clock = (moment or Time()).clock
    return service.attach(ArcGIS(TOKEN, cache=folder / "cache.sqlite", url=service.url, clock=clock, **options))


def test_each_address_is_asked_once_and_patiently(tmp_path, export):
    moment = Time()
    with serving(ANSWERS) as service:
        with client(service, tmp_path, moment) as arcgis:
            found = gpu_clusters.geocode(ROWS, admin="state", gazetteer=export, fallback=arcgis)
        asked = list(service.queries)
        assert list(dict.fromkeys(asked)) == WANTED and asked.count("Atlantis, France") == len(BUSY) + 1
        assert len(asked) == len(WANTED) + len(BUSY) == arcgis.asked and arcgis.answered == 5
        assert all(given["token"] == TOKEN and given["forStorage"] == "true" for given in service.given)
        assert [wait for wait in moment.waits if wait >= 1] == [7, 9, 4, 8, 16, 32, 60, 60]
        assert found["accuracy"].tolist() == [
            *("city", "city", "ambiguous", "not found", "city", "city"),
            *("ambiguous", "area", "no city", "area", "refused", "city"),
        ]
        at = {0: -89.6, 1: 20, 4: 20, 5: -93.3, 11: 20}
        assert {i: lon for i, lon in found["lon"].items() if lon == lon} == at
        assert found["geocode"].dropna().to_dict() == dict.fromkeys(at, "arcgis") | {0: "name+admin1"}

        with client(service, tmp_path) as arcgis:
            shuffled = ROWS.sample(frac=1, random_state=1)
            again = gpu_clusters.geocode(shuffled, admin="state", gazetteer=export, fallback=arcgis)
        pd.testing.assert_frame_equal(again.sort_index(), found)
        assert service.queries[len(asked) :] == ["Bree, United Kingdom"] and arcgis.kept == 5  # no answer, nothing paid
    for path in tmp_path.iterdir():
        assert b"secret" not in path.read_bytes()


def test_rows_without_an_answer_of_the_service_stay_as_they_are(export):
    plain = gpu_clusters.geocode(ROWS, admin="state", gazetteer=export)
    assert plain["accuracy"].tolist() == [
        *("city", "not found", "not found", "not found", "not found", "elsewhere"),
        *("ambiguous", "area", "no city", "not found", "not found", "not found"),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        SLOW,
        MALFORMED,
        b"",
        (500, {}, b""),
        (503, {}, b""),
        (429, {"Retry-After": "x"}, b""),
        error(504),
        {},
        {"candidates": [{}]},
    ],
)
def test_answers_stay_when_the_service_fails_and_the_next_run_goes_on(tmp_path, export, trouble):
    answers = ANSWERS | {"Atlantis, France": [[candidate(20, 50)]], "Gondor, Namibia": [trouble]}
    arguments = {"admin": "state", "gazetteer": export}
    moment = Time()
    with serving(answers) as service:
        with client(service, tmp_path, moment, tries=3) as arcgis, pytest.raises(ServiceError) as raised:
            gpu_clusters.geocode(ROWS, **arguments, fallback=arcgis)
        assert "gives no answer to 'Gondor, Namibia'" in str(raised.value) and "1 new answers are kept" in str(
            raised.value
        )
        assert service.queries[2:] == ["Gondor, Namibia"] * 3 and [w for w in moment.waits if w >= 1] == [1, 2]
        answers["Gondor, Namibia"] = [[]]
        before = len(service.queries)
        with client(service, tmp_path) as arcgis:
            found = gpu_clusters.geocode(ROWS, **arguments, fallback=arcgis)
        assert service.queries[before:] == WANTED[1:] and found["lon"].notna().sum() == 5


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        ((401, {}, b"who?"), "token is not accepted"),
        ((403, {}, b""), "token is not accepted"),
        (error(498, f"Invalid token {TOKEN}"), "token is not accepted (498: Invalid token ***)"),
        (error(499, "Token Required"), "token is not accepted"),
        ((402, {}, b""), "no credit left"),
        (error(403, "You have used all your credits."), "no credit left"),
        (error(400, "Quota exceeded"), "no credit left"),
        ((404, {}, b""), "no geocoder"),
        ((429, {"Retry-After": "86400"}, b""), "come back in 86,400 s"),
    ],
)
def test_what_cannot_help_is_not_tried_again(tmp_path, refusal, says):
    moment = Time()
    with serving({"B": [refusal], "A": [[candidate(1, 2)]]}) as service, client(service, tmp_path, moment) as arcgis:
        assert arcgis.candidates("A")
        with pytest.raises(ServiceError) as raised:
            arcgis.candidates("B")
        assert service.queries == ["A", "B"] and not [wait for wait in moment.waits if wait >= 1]
        text = str(raised.value)
        assert says in text and "1 new answers are kept in" in text and "secret" not in text
        assert arcgis.candidates("A") and arcgis.kept == 1


def test_a_service_that_rejects_everything(tmp_path):
    with serving({f"q{i}": [error(400, "Invalid parameters")] for i in range(20)}) as service:
        with client(service, tmp_path) as arcgis, pytest.raises(ServiceError, match="one address after the other"):
            assert all(arcgis.candidates(f"q{i}") is None for i in range(9))
            arcgis.candidates("q9")
        assert len(service.queries) == 10


def test_nobody_listens(tmp_path):
    with serving({}) as service:
        pass
    with client(service, tmp_path, tries=2) as arcgis, pytest.raises(ServiceError, match="gives no answer"):
        arcgis.candidates("A")


def test_questions_keep_their_distance(tmp_path):
    moment = Time()
    with serving({}) as service, client(service, tmp_path, moment, rate=4) as arcgis:
        for i in range(5):
            arcgis.candidates(f"q{i}")
            moment.at += 0.1  # the time that an answer takes
        assert np.allclose(moment.waits, [0.15] * 4) and len(service.queries) == 5


def fit(state="", country="US"):
    return fitting(Divisions(PLACES), state, country)


def slim(*arguments, **more):
    one = candidate(*arguments, **more)
    return {"lon": one["location"]["x"], "lat": one["location"]["y"]} | {k: one[k] for k in ("score", "attributes")}


@pytest.mark.parametrize(
    ("candidates", "state", "place"),
    [
        ([], "", "not found"),
        ([slim(1, 2)], "", 1),
        ([slim(1, 2, score=84.9)], "", "not found"),
        ([slim(1, 2), slim(1.01, 2)], "", 1),
        ([slim(1, 2), slim(9, 9)], "", "ambiguous"),
        ([slim(1, 2), slim(9, 9, score=99)], "", 1),
        ([slim(9, 9, score=99), slim(1, 2)], "", 1),
        *[
            ([slim(1, 2, kind=kind)], "", "area")
            for kind in ("State or Province", "County", "Country", "MetroArea", "")
        ],
        *[([slim(1, 2, kind=kind)], "", 1) for kind in ("District", "Neighborhood", "Block")],
        *[([slim(1, 2, kind="", level=level)], "", 1) for level in ("PointAddress", "Postal", "StreetAddress")],
        ([slim(1, 2, kind="", City="Paris")], "", 1),  # a locator that gives no type
        ([slim(1, 2, kind="County", City="Paris")], "", "area"),
        ([slim(1, 2, kind="Hotel", level="POI")], "", "not a city"),
        ([slim(1, 2, kind="", level="StreetName")], "", "not a city"),
        ([slim(1, 2, kind="Hotel", level="POI"), slim(3, 3, score=90)], "", 3),
        ([slim(1, 2, kind="County"), slim(3, 3, score=90)], "", "area"),
        ([slim(1, 2, kind="County"), slim(3, 3)], "", 3),
        ([slim(1, 2, Country="CAN")], "", "elsewhere"),
        ([slim(1, 2, Country="PRI")], "", 1),  # counted to the US
        ([slim(1, 2, Country="CAN"), slim(3, 3, score=90, Country="USA")], "", 3),
        ([slim(1, 2, Country="USA", Region="Missouri")], "IL", "elsewhere"),
        ([slim(1, 2, Country="USA", RegionAbbr="MO")], "Missouri", 1),
        (
            [slim(1, 2, Country="USA", Region="Missouri"), slim(3, 3, score=90, Country="USA", Region="Illinois")],
            "IL",
            3,
        ),
        ([slim(1, 2, Country="USA", Region="Missouri")], "Atlantis", 1),  # no state of the country
    ],
)
def test_what_counts_as_the_city(candidates, state, place):
    found = chosen(candidates, fit(state))
    if isinstance(place, str):
        assert np.isnan(found.lon) and found.geocode is None and found.accuracy == place
    else:
        assert (found.lon, found.geocode, found.accuracy) == (place, "arcgis", "city")


def test_questions_in_words():
    assert query("Ontario", "", "CA") == "Ontario, Canada" and query(" A  B ", "IL", "usa") == "A B, IL, United States"
    assert (
        query("A", "08", "Canada") == query("A", "8.0", "CA") == "A, Canada" and query("A", "", "Utopia") == "A, Utopia"
    )
    assert fit(country="Utopia")({"Country": "USA"})  # nothing is known of such a country


def test_places_that_are_not_numbers_are_passed_over(tmp_path):
    answers = {"A": [[candidate("NaN", "NaN"), candidate(1, 2)]]}
    with serving(answers) as service, client(service, tmp_path) as arcgis:
        assert [one["lon"] for one in arcgis.candidates("A")] == [1]


def test_caches_are_apart_by_service(tmp_path):
    with serving({"A": [[candidate(1, 1)]]}) as one, serving({"A": [[candidate(2, 2)]]}) as other:
        for service, lon in ((one, 1), (other, 2), (one, 1)):
            with client(service, tmp_path) as arcgis:
                assert arcgis.candidates("A")[0]["lon"] == lon
        assert len(one.queries) == len(other.queries) == 1


def test_runs_that_share_a_cache_pay_once(tmp_path, monkeypatch):
    put, together = Cache.put, threading.Barrier(3)

    def slow(*arguments):
        time.sleep(0.02)
        put(*arguments)

    def run(_):
        with client(service, tmp_path) as arcgis:
            together.wait(60)
            found = [arcgis.candidates(f"q{i}")[0]["lon"] for i in range(9)]
            return found, arcgis.asked, arcgis.kept

    monkeypatch.setattr(Cache, "put", slow)
    with serving({f"q{i}": [[candidate(i, 0)]] for i in range(9)}) as service:
        with ThreadPoolExecutor(3) as pool:
            runs = list(pool.map(run, range(3)))
        assert sorted(service.queries) == [f"q{i}" for i in range(9)]
    assert all(found == list(range(9)) and asked + kept == 9 for found, asked, kept in runs)


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    (tmp_path / "cache.sqlite.lock").mkdir()
    with serving({"A": [[candidate(1, 2)]]}) as service:
        with client(service, tmp_path) as arcgis:
            assert arcgis.candidates("A")
        (tmp_path / "cache.sqlite.lock").rmdir()

        def flock(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr("gpu_clusters.geocoding.cache.fcntl.flock", flock)
        with client(service, tmp_path) as arcgis:
            assert arcgis.candidates("B") == [] and service.queries == ["A", "B"]


def test_files_that_are_no_cache(tmp_path):
    (tmp_path / "text").write_bytes(b"no database" * 100)
    with sqlite3.connect(tmp_path / "other") as base:
        base.execute("CREATE TABLE mine (x)")
    base.close()
    (tmp_path / "folder").mkdir()
    for name in ("text", "other", "folder", "text/below"):
        with pytest.raises(InputError, match="give another file with --cache"):
            Cache(tmp_path / name)
    assert (tmp_path / "text").read_bytes() == b"no database" * 100


def test_arguments_that_make_no_sense(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for options in (
        {},
        {"token": " "},
        {"url": "ftp://x"},
        {"url": "https://"},
        {"url": "http://example.org"},
        {"rate": 0},
    ):
        with pytest.raises(UsageError):
            ArcGIS(**({"token": "t"} if {"url", "rate"} & set(options) else {}) | options)
    with pytest.raises(UsageError, match="must be none or arcgis"):
        gpu_clusters.geocode(ROWS, fallback="google")
    with pytest.raises(UsageError, match="ARCGIS_TOKEN"):
        gpu_clusters.geocode(ROWS, fallback="arcgis")
    assert not list(tmp_path.iterdir())
    with ArcGIS("t") as arcgis:
        assert arcgis.url == "https://geocode.arcgis.com"
    assert (tmp_path / "gpu-clusters" / "arcgis.sqlite").is_file()


@pytest.fixture
def program(monkeypatch, capsys, export):
    ROWS.to_csv(export.parent / "in.csv", index=False)
    return Program(monkeypatch, capsys, export.parent)


ARGS = (
    "geocode",
    "in.csv",
    "--city",
    "city",
    "--country",
    "country",
    "--admin",
    "state",
    "--gazetteer",
    "cities500.txt",
)
ARGS += ("--fallback", "arcgis", "--cache", "cache.sqlite", "--rate", "1000", "--out", "out.csv")


def test_command(program, monkeypatch):
    answers = {name: steps[-1:] for name, steps in ANSWERS.items()}
    program.refused(2, *ARGS, says="ARCGIS_TOKEN")
    monkeypatch.setenv("ARCGIS_TOKEN", TOKEN)
    with serving(answers) as service:
        args = (*ARGS, "--arcgis-url", service.url)
        ran = program(*args, "--json")
        assert ran.code == 0 and len(service.queries) == 6, ran
        told, record = json.loads(ran.out), json.loads((program.here / "out.manifest.json").read_text())
        assert told["arcgis"] == record["arcgis"] == {"url": service.url, "requests": 6, "answered": 5, "from_cache": 0}
        assert told["geocode"] == record["geocode"] == {"arcgis": 4, "name+admin1": 1}
        assert pd.read_csv(program.here / "out.csv")["geocode"].tolist().count("arcgis") == 4
        again = program(*args, "--force")
        assert again.code == 0 and "0 answers bought, 5 from the cache, 4 rows placed by it" in again.err
        for path in program.here.iterdir():
            assert b"secret" not in path.read_bytes() or path.name == "cache.sqlite-journal"
        assert "secret" not in ran.out + ran.err + again.out + again.err


def test_command_refuses(program, monkeypatch):
    monkeypatch.setenv("ARCGIS_TOKEN", TOKEN)
    program.refused(2, *ARGS[:10], "--out", "out.csv", "--rate", "3", says="--fallback arcgis only")
    program.refused(2, *ARGS[:10], "--out", "out.csv", "--fallback", "google", says="none or arcgis")
    program.refused(2, *ARGS, "--arcgis-url", "http://example.org", says="unencrypted")
    program.refused(3, *ARGS[:12], "--cache", "in.csv", "--out", "out.csv", says="no cache")
    with serving({"Atlantis, France": [error(498, "Invalid token.")]}) as service:
        Cache(program.here / "cache.sqlite").close()
        (program.here / "cache.sqlite.lock").touch()
        program.refused(1, *ARGS, "--arcgis-url", service.url, says="the token is not accepted (498: Invalid token.)")


@pytest.mark.usefixtures("export")
def test_an_interrupted_run_goes_on(tmp_path):
    ROWS.to_csv(tmp_path / "in.csv", index=False)
    answers = {name: steps[-1:] for name, steps in ANSWERS.items()} | {"Mordor, Canada": [SLOW]}
    with serving(answers) as service:
        args = [*COMMAND, *ARGS, "--arcgis-url", service.url]
        env = {"ARCGIS_TOKEN": TOKEN, "no_proxy": "*", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(args, cwd=tmp_path, env=env, **streams) as running:
            while "Mordor, Canada" not in service.queries and running.poll() is None:
                time.sleep(0.01)
            running.send_signal(signal.SIGTERM)
            out, err = running.communicate(timeout=60)
        assert running.returncode == 130 and out == "" and "nothing was written" in err, err
        assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == [
            *("cache.sqlite", "cache.sqlite.lock", "cities500.txt", "in.csv")
        ]
        before = len(service.queries)
        answers["Mordor, Canada"] = [[]]
        done = subprocess.run(args, cwd=tmp_path, env=env, check=False, timeout=120, **streams)
        assert done.returncode == 0, done.stderr
        left = [
            "Bree, United Kingdom",
            "Mordor, Canada",
            "Shire, United Kingdom",
            "Springfield, Missouri, United States",
        ]
        assert service.queries[before:] == left
        assert "4 rows placed by it" in done.stderr and TOKEN not in done.stderr
