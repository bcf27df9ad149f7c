"""Where the compiled kernels are kept."""

from __future__ import annotations

import os
from pathlib import Path


def test_a_folder_for_the_compiled_kernels(tmp_path, monkeypatch):
    from gpu_clusters import compiled

    monkeypatch.setattr(compiled, "_writable", lambda _: False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    compiled.keep_kernels()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)  # anybody could put a program there
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    compiled.keep_kernels()
    assert os.environ["NUMBA_CACHE_DIR"] != str(folder)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    compiled.keep_kernels()
    assert os.environ["NUMBA_CACHE_DIR"] == "mine"
