"""Folders and files put in place: no handle is left open, the group stays, and runs leave each other alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpu_clusters import UsageError, staging
from gpu_clusters.scratch import scratch_folder


def fill(out: Path) -> None:
    with staging.new_folder(out, force=True) as folder:
        (folder / "a.csv").write_text("new")


def open_handles() -> list[Path]:
    return sorted(Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open handles")
def test_no_handle_stays_open(tmp_path):
    (tmp_path / ".out.0123456789abcdef.partial").mkdir()  # of a run that was killed
    before = open_handles()
    fill(tmp_path / "out")
    assert not (tmp_path / ".out.0123456789abcdef.partial").exists()
    fill(tmp_path / "out")
    with staging.new_files([tmp_path / "b.csv", tmp_path / "b.json"], force=False) as files:
        for file in files:
            file.write_text("new")
    with scratch_folder("scratch") as folder:
        (folder / "c").write_text("new")
    with pytest.raises(UsageError), staging.new_folder(tmp_path / "out", force=False):
        pass
    assert open_handles() == before


def test_a_folder_that_is_replaced_keeps_its_group(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((Path(path).parent, user, group)))
    fill(tmp_path / "out")
    assert not given
    fill(tmp_path / "out")
    assert given == [(tmp_path, -1, (tmp_path / "out").stat().st_gid)]


def test_a_run_leaves_alone_what_another_is_writing(tmp_path):
    with staging.new_files([tmp_path / "a.csv"], force=False) as (file,):
        file.write_text("slow")
        with staging.new_files([tmp_path / "a.csv"], force=False) as (other,):
            other.write_text("fast")
            assert file.exists()
        with pytest.raises(UsageError) as refused:
            staging.check_file(tmp_path / "a.csv", force=False)
        assert (
            str(refused.value)
            == f"{tmp_path / 'a.csv'} exists: give --force (in Python force=True) to replace it, or another file"
        )
        (tmp_path / "a.csv").unlink()
    assert (tmp_path / "a.csv").read_text() == "slow"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="is a device or a pipe"):
        staging.check_file(tmp_path / "a.csv", force=True)
    assert (tmp_path / "a.csv").is_fifo()
