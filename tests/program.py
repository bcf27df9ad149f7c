"""The command line program for tests: within this process, or as a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

COMMAND = [sys.executable, "-c", "from gpu_clusters_cli.main import run; run()"]
FILES = {"ranking.csv", "ranking.parquet", "locations.parquet", "deals.parquet", "coverage.csv", "manifest.json"}
FILES |= {"boundaries.parquet", "boundaries.geojson", "organizations.parquet", "partners.parquet"}
OF_A_USER = {  # settings of Matplotlib
    "axes.grid": True,
    "axes.unicode_minus": False,
    "font.size": 17.0,
    "image.cmap": "gray",
    "lines.linewidth": 7.0,
    "patch.force_edgecolor": True,
    "savefig.bbox": "tight",
    "savefig.facecolor": "black",
    "xtick.direction": "in",
    "ytick.minor.visible": True,
}


class Ran(NamedTuple):
    """What a run has left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


class Program:
    """Runs the program within this process, in the folder ``here``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], here: Path) -> None:
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.chdir(here)
        self.here, self._monkeypatch, self._capsys = here, monkeypatch, capsys

    def __call__(self, *args: object) -> Ran:
        """Run with these arguments; signals are handled as before afterwards."""
        from gpu_clusters_cli.main import run

        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        self._monkeypatch.setattr(sys, "argv", ["gpu-clusters", *map(str, args)])
        try:
            with pytest.raises(SystemExit) as left:
                run()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return Ran(int(left.value.code or 0), *self._capsys.readouterr())

    def refused(self, code: int, *args: object, says: str = "") -> str:
        """Run in vain: the exit code, one line on stderr that holds ``says``, and nothing new in the folder; the line."""
        before = tree(self.here)
        ran = self(*args)
        assert ran.code == code, ran
        assert ran.out == "", ran
        assert ran.err.startswith("error: ") and ran.err.count("\n") == 1 and ran.err.endswith("\n"), ran.err
        assert "Traceback" not in ran.err and "fault of the program" not in ran.err, ran.err
        assert says in ran.err, ran.err
        assert tree(self.here) == before, tree(self.here)
        return ran.err


def ran_well(program: Program, *args: object) -> str:
    """Run, assert success and progress nowhere; what is on stdout."""
    ran = program(*args)
    assert ran.code == 0, ran
    assert "\x1b" not in ran.out + ran.err and "\r" not in ran.err
    return ran.out


def inputs(out: Path | str = "out") -> dict[str, list[str]]:
    """Names of the files that went in, by table."""
    found: dict[str, list[str]] = {}
    for entry in json.loads(Path(out, "manifest.json").read_text())["inputs"]:
        found.setdefault(entry["table"], []).append(entry["name"])
    return found


def process(*args: object, cwd: Path, **options) -> Ran:
    """Run as a process of its own."""
    env = {**os.environ, "COLUMNS": "100"} | options.pop("env", {})
    done = subprocess.run(
        [*COMMAND, *map(str, args)], cwd=cwd, env=env, capture_output=True, timeout=120, check=False, **options
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def tree(folder: Path) -> dict[str, str]:
    """All there is below a folder: the digest of each file by path, and the folders."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def names(folder: Path) -> list[str]:
    """What is in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def complete(folder: Path, besides: set[str] = frozenset()) -> dict:
    """Assert that a folder holds a whole result, each file as its manifest says, and nothing else; the manifest."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert {path.name for path in folder.iterdir()} == FILES | besides
    assert {output["name"] for output in manifest["outputs"]} == FILES - {"manifest.json"}
    for output in manifest["outputs"]:
        data = (folder / output["name"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (output["size"], output["sha256"]), output["name"]
    return manifest


def address_table(rows: int = 60, **more) -> pd.DataFrame:
    """Addresses in Windhoek, Paris and nowhere in particular."""
    at = np.arange(rows)
    lon = np.where(at % 3 == 0, 17.08, np.where(at % 3 == 1, 2.35, -170 + at))
    lat = np.where(at % 3 == 0, -22.56, np.where(at % 3 == 1, 48.86, at - 30))
    country = np.where(at % 3 == 0, "NA", np.where(at % 3 == 1, "FR", "US"))
    return pd.DataFrame({"doc_id": at // 2, "lon": lon, "lat": lat.astype(float), "country": country} | more)


def good(table: str) -> pd.DataFrame:
    """Rows of patents, publications or deals that nothing is wrong with."""
    return address_table().drop(columns=["doc_id"] if table == "deals" else [])
