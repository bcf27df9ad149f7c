"""Answers of the ArcGIS geocoder are kept: apart by service, paid once, on any file system."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from arcgis import candidate, serving
from arcgis_cases import client

from gpu_clusters.errors import InputError
from gpu_clusters.geocoding.cache import Cache, default_path

pytestmark = pytest.mark.usefixtures("direct")


def test_the_cache_is_in_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_path() == tmp_path / ".cache" / "gpu-clusters" / "arcgis.sqlite"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # the standard says to ignore it
    assert default_path() == tmp_path / ".cache" / "gpu-clusters" / "arcgis.sqlite"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert default_path() == tmp_path / "other" / "gpu-clusters" / "arcgis.sqlite"


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

        monkeypatch.setattr("gpu_clusters.handles.fcntl.flock", flock)
        with client(service, tmp_path) as arcgis:
            assert arcgis.candidates("B") == [] and service.queries == ["A", "B"]


def test_files_that_are_no_cache(tmp_path):
    (tmp_path / "text").write_bytes(b"no database" * 100)
    with sqlite3.connect(tmp_path / "other") as base:
        base.execute("CREATE TABLE mine (x)")
    base.close()
    (tmp_path / "folder").mkdir()
    for name in ("text", "other", "folder", "text/below"):
        with pytest.raises(InputError, match="give another file as cache"):
            Cache(tmp_path / name)
    assert (tmp_path / "text").read_bytes() == b"no database" * 100
