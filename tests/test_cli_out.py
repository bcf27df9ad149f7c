"""``--out``: every way to write it, and places that cannot be written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from program import complete, ran_well, tree

pytestmark = pytest.mark.usefixtures("mixed_files")


def test_out_may_be_written_in_many_ways(program):
    Path("empty").mkdir()
    Path("link").symlink_to("real")
    for number, out in enumerate(
        ("new", "slash/", "a/b/c", "empty", "./dot", "link", program.here / "absolute", "a/b/../d")
    ):
        ran_well(program, "rank", "--patents", "p.parquet", "--density", 5, "--out", out)
        complete(Path(os.path.realpath(out)))
        program.refused(2, "rank", "--patents", "p.parquet", "--density", 5, "--out", out, says="--force")
        Path(out, "mine.txt").write_text("mine")
        ran_well(program, "rank", "--patents", "p.parquet", "--density", 5 + number, "--out", out, "--force")
        assert complete(Path(os.path.realpath(out)), {"mine.txt"})["settings"]["density"] == 5 + number
    assert not [name for name in tree(program.here) if "partial" in name]


def test_out_is_the_current_folder(program, monkeypatch):
    Path("cwd").mkdir()
    monkeypatch.chdir("cwd")
    ran_well(program, "rank", "--patents", "../p.parquet", "--density", 5, "--out", ".")
    complete(Path())
    complete(program.here / "cwd")


def test_out_that_cannot_be(program):
    Path("file").write_text("x")
    Path("full").mkdir()
    Path("full/mine.txt").write_text("x")
    Path("link").symlink_to("full")
    Path("loop").symlink_to("loop")
    given = ["rank", "--patents", "p.parquet", "--out"]
    program.refused(2, *given, "file", says="file")
    program.refused(2, *given, "file", "--force", says="file")
    program.refused(2, *given, "file/below/it", says="file")
    program.refused(2, *given, "full", says="--force")
    program.refused(2, *given, "full/", says="--force")
    program.refused(2, *given, "link", says="--force")
    program.refused(2, *given, ".", says="--force")
    program.refused(2, *given, "full/../full", says="--force")
    program.refused(2, *given, "loop", "--force")
    program.refused(2, *given, "x" * 300)
    program.refused(2, "demo", "--out", "full", says="--force")


def test_out_is_looked_at_before_the_data(program):
    Path("full").mkdir()
    Path("full/mine.txt").write_text("x")
    program.refused(2, "rank", "--patents", "no.parquet", "--out", "full", says="--force")


def test_no_permission_to_write(program, monkeypatch):
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK and access(path, mode))
    program.refused(1, "rank", "--patents", "p.parquet", "--out", "out", says="permission")
    Path("out").mkdir()
    program.refused(1, "rank", "--patents", "p.parquet", "--out", "out", says="permission")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError("IOError: disk on fire")])
def test_disk_full(program, monkeypatch, error, force):
    from gpu_clusters.io import results

    if force:
        assert program("rank", "--patents", "p.parquet", "--density", 5, "--out", "deep/out").code == 0
        Path("deep/out/mine.txt").write_text("x")
    before = tree(Path())

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(results, "write_json", fail)
    args = ["--force"] if force else []
    program.refused(
        1, "rank", "--patents", "p.parquet", "--density", 6, "--out", "deep/out", *args, says="cannot write"
    )
    assert tree(Path()) == before
