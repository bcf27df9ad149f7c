"""Where the compiled kernels are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.mark.parametrize("variable", ["NUMBA_CACHE_DIR", "CUPY_CACHE_DIR"])
def test_a_folder_for_the_compiled_kernels(variable, tmp_path, monkeypatch):
    from gpu_clusters import compiled

    monkeypatch.setattr(compiled, "_writable", lambda _: False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("NUMBA_CACHE_DIR", "CUPY_CACHE_DIR"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    compiled.keep_kernels()
    folder = Path(os.environ[variable])
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)  # anybody could put a program there
    monkeypatch.delenv(variable)
    compiled.keep_kernels()
    assert os.environ[variable] != str(folder)
    monkeypatch.setenv(variable, "mine")
    compiled.keep_kernels()
    assert os.environ[variable] == "mine"
    monkeypatch.delenv(variable)
    monkeypatch.delattr(os, "getuid", raising=False)  # Windows, whose temporary folders are the user's own
    compiled.keep_kernels()
    assert Path(os.environ[variable]) == tmp_path / "gpu-clusters"


def test_a_home_that_is_none_gives_cupy_a_folder_and_leaves_numba_its_own(tmp_path, monkeypatch):
    from gpu_clusters import compiled

    (tmp_path / "file").touch()
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("NUMBA_CACHE_DIR", "CUPY_CACHE_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    compiled.keep_kernels()
    assert "NUMBA_CACHE_DIR" not in os.environ and Path(os.environ["CUPY_CACHE_DIR"]).parent == tmp_path
