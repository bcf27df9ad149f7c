"""Finished radii of sweeps beside their place: several sweeps at once, and files that are not theirs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from program import address_table

from gpu_clusters import GpuClustersError, sweep
from gpu_clusters.sweeps.parts import folder_beside, forget

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
