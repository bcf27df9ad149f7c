"""``geocode --fallback arcgis`` as a user runs it: what it tells, what it refuses, and that it goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import pandas as pd
import pytest
from arcgis import SLOW, error, serving
from arcgis_cases import ANSWERS, EXPORT, ROWS, TOKEN
from exports import geonames
from program import COMMAND, Program

from gpu_clusters.geocoding.cache import Cache

pytestmark = pytest.mark.usefixtures("direct")
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


@pytest.fixture
def export(tmp_path):
    return geonames(tmp_path / "cities500.txt", EXPORT)


@pytest.fixture
def program(monkeypatch, capsys, export):
    ROWS.to_csv(export.parent / "in.csv", index=False)
    return Program(monkeypatch, capsys, export.parent)


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
            assert b"secret" not in path.read_bytes(), path
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
