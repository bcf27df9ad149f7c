"""Finished radii of sweeps beside their place: several sweeps at once, and files that are not theirs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from program import address_table

from gpu_clusters import GpuClustersError, manifest, sweep
from gpu_clusters.sweeps import parts
from gpu_clusters.sweeps.parts import folder_beside, forget
from gpu_clusters.sweeps.study import Study

GRID = {"radius_km": [5, 15], "density": [1, 20]}


def test_what_is_not_of_a_sweep_stays(tmp_path):
    kept = folder_beside(tmp_path / "out")
    sweep(address_table(), keep=kept, **GRID)
    (kept / "0123456789abcdef-raw-7.5km.partial").write_text("of a sweep that was killed")
    (kept / "mine.npz").write_text("mine")
    (kept / "folder").mkdir()
    forget(kept)
    assert sorted(path.name for path in kept.iterdir()) == ["folder", "mine.npz"]
    (kept / "mine.npz").unlink()
    (kept / "folder").rmdir()
    sweep(address_table(), keep=kept, **GRID)
    forget(kept)
    assert not list(tmp_path.iterdir())
    forget(kept)


def table(**more) -> pd.DataFrame:
    lon = [2.35, 2.36, 2.35, 17.08, 17.09, 17.08]
    return pd.DataFrame({"doc_id": [1, 1, 2, 3, 4, 4], "lon": lon, "lat": [48.86] * 3 + [-22.56] * 3} | more)


DEALS = pd.DataFrame({"lon": [2.35, 2.36, 17.08], "lat": [48.86, 48.86, -22.56], "deals": [1, 2, 3]})
PLAIN = {"patents": table(), "publications": table(doc_id=range(6)), "deals": DEALS, **GRID, "baseline": (5, 1)}
OTHERS = {
    "no publications": {"publications": None},
    "no patents": {"patents": None},
    "no deals": {"deals": None},
    "the tables the other way round": {"patents": PLAIN["publications"], "publications": PLAIN["patents"]},
    "places of patents": {"patents": table(lon=[2.35, 2.35, 2.36, 17.08, 17.09, 17.08])},
    "longitudes": {name: PLAIN[name].replace(17.09, 17.1) for name in ("patents", "publications")},
    "latitudes": {name: PLAIN[name].replace(48.86, 48.87) for name in ("patents", "publications")},
    "documents": {"patents": table(doc_id=[1, 2, 2, 3, 4, 4])},
    "fractions": {"patents": table(fraction=[0.5, 0.5, 1, 1, 0.25, 0.75])},
    "places of deals": {"deals": DEALS.assign(lon=[2.36, 2.35, 17.08])},
    "longitudes of deals": {"deals": DEALS.assign(lon=[2.35, 2.37, 17.08])},
    "latitudes of deals": {"deals": DEALS.assign(lat=[48.86, 48.87, -22.56])},
    "numbers of deals": {"deals": DEALS.assign(deals=[2, 1, 3])},
    "the baseline's radius": {"baseline": (15, 1)},
    "the baseline's density": {"baseline": (5, 20)},
    "densities": {"density": [1, 21]},
    "merging": {"merge": True},
    "the area": {"area_degrees": 0.06},
    "the version": {"versions": {"gpu-clusters": "0.0.0"}},
    "the version of NumPy": {"versions": {"numpy": "1.0.0"}},
    "the program's own sources": {"sources": "0" * 64},
}


@pytest.mark.parametrize("change", OTHERS)
def test_radii_of_another_sweep_are_not_taken(change, tmp_path, monkeypatch):
    sweep(keep=tmp_path, **PLAIN)
    first = {path.name for path in tmp_path.iterdir()}
    given = PLAIN | OTHERS[change]
    versions = manifest.versions() | given.pop("versions", {})
    monkeypatch.setattr(manifest, "versions", lambda: versions)
    if (other := given.pop("sources", None)) is not None:
        monkeypatch.setattr(parts, "sources", lambda *_: other)
    sweep(keep=tmp_path, **given)
    names = {path.name for path in tmp_path.iterdir()}
    assert len(first) == 2 and len(names) == 4, change


def test_radii_are_taken_only_when_that_is_asked_for(tmp_path, monkeypatch):
    computed, part = [], Study.part
    monkeypatch.setattr(Study, "part", lambda self, *at: computed.append(at) or part(self, *at))
    for resume, expected in ((False, 2), (False, 4), (True, 4)):
        sweep(keep=tmp_path, resume=resume, **PLAIN)
        assert len(computed) == expected


@pytest.mark.parametrize("meanwhile", ["the same", "removed"])
def test_two_sweeps_into_one_place(tmp_path, monkeypatch, meanwhile):
    """While one keeps a radius, another keeps the same one, or removes what is kept."""
    alone, plain, kept, inner = sweep(address_table(), **GRID), np.savez, tmp_path / "kept", []

    def savez(file, **part):
        plain(file, **part)
        if meanwhile == "removed":
            shutil.rmtree(kept)
        elif not inner:
            inner.append(True)
            sweep(address_table(), keep=kept, **GRID)

    monkeypatch.setattr(np, "savez", savez)
    found = sweep(address_table(), keep=kept, **GRID)
    assert_frame_equal(found.settings, alone.settings)
    names = sorted(path.name for path in kept.iterdir()) if kept.exists() else []
    assert [name.rpartition("-")[2] for name in names] == (["15.0km.npz", "5.0km.npz"] if inner else [])


def test_a_disk_that_is_full_leaves_no_part(tmp_path, monkeypatch):
    def savez(file, **_):
        file.write(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(GpuClustersError, match=r"cannot keep finished radii in .*kept: No space left on device"):
        sweep(address_table(), keep=tmp_path / "kept", **GRID)
    assert not list((tmp_path / "kept").iterdir())
    (tmp_path / "file").write_text("mine")
    with pytest.raises(GpuClustersError, match="cannot keep finished radii in"):
        sweep(address_table(), keep=tmp_path / "file" / "kept", **GRID)


def test_the_topmost_folder():
    assert folder_beside(Path("/")) in (None, Path("/..sweep"))


@pytest.mark.parametrize("refused", [0, os.W_OK, os.X_OK])
def test_beside_a_place_whose_folders_are_not_there_yet(refused, tmp_path, monkeypatch):
    """The nearest folder that is there must be one to write to and to enter."""
    monkeypatch.setattr(os, "access", lambda path, mode: path.exists() and not mode & refused)
    found = folder_beside(tmp_path / "not" / "yet" / "out")
    assert found == (None if refused else tmp_path / "not" / "yet" / ".out.sweep")
