"""A folder is put in place with all its files or not at all, whatever happens and wherever it is."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from every_line import FILES as SMALL
from program import names, tree

from gpu_clusters import GpuClustersError, UsageError, handles, staging

SCENES = {"new": 0, "nested": 0, "empty": 0, "old": 0, "foreign": 2, "fill": 4}


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("scene", SCENES)
def test_ended_before_every_line(scene, number):
    script = Path(__file__).with_name("every_line.py")
    done = subprocess.run(
        [sys.executable, str(script), scene, number], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told) > 25 and told[-1]["status"] == 0
    old, new = (sorted([*SMALL, "old.csv"]), ["old"]), (sorted(SMALL), ["new"])
    before = ([], []) if scene in ("new", "nested", "empty") else old
    top = {"new": [], "nested": []}.get(scene, ["out"])
    seen = []
    for state in told:
        assert state["status"] in ({"SIGKILL": -9, "SIGTERM": 130}[number], 0), state
        now = (state["names"], state["marks"])
        assert len(state["mine"]) >= SCENES[scene], state
        if scene == "fill" and number == "SIGKILL":  # no single step can do it there: the manifest is the last to come
            assert "manifest.json" not in now[0] or now == old or now[1] == ["new"], state
        else:
            assert now in (before, new), state
        seen.append(now)
        if number == "SIGTERM":
            assert state["partial"] == 0 and all(not name.startswith(".") for name in state["top"]), state
            nothing = "error: interrupted; nothing was written\n"
            assert state["said"] == (
                "" if state["status"] == 0 else nothing if now == before else "error: interrupted\n"
            )
            if now == before:
                assert state["top"] == top
        again = state["again"]
        assert again["marks"] == ["new"] or scene == "fill", again
        assert set(SMALL) <= set(again["names"]) and again["partial"] == 0, again
        assert len(again["mine"]) == SCENES[scene]
        assert again["top"] == (["deep"] if scene == "nested" else ["out"])
    assert before in seen and new in seen


def small(out: Path | str, mark: str = "new", *, force: bool = True) -> None:
    with staging.new_folder(out, force=force) as folder:
        for name in SMALL:
            (folder / name).write_text(mark)


def marks(folder: Path) -> set[str]:
    return {(folder / name).read_text() for name in SMALL}


def test_missing_parents_and_odd_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    long = "x" * 255
    for out in (
        "a/b/c",
        "d/",
        "./e/../f",
        "[red] {g} %s*?",
        "-h",
        "--out",
        "ünï",
        "\udcff",
        " ",
        ".hidden",
        long,
        "new\nline",
    ):
        small(out, force=False)
        assert marks(Path(os.path.realpath(out))) == {"new"}
        with pytest.raises(UsageError, match="--force"):
            small(out, force=False)
    assert not any(".partial" in name for name in tree(tmp_path))
    assert not Path("e").exists()


def test_links(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    small(tmp_path / "link", force=False)
    assert (tmp_path / "link").is_symlink() and marks(tmp_path / "real") == {"new"}
    small(tmp_path / "link", "newer")
    assert (tmp_path / "link").is_symlink() and marks(tmp_path / "real") == {"newer"}
    (tmp_path / "dangling").symlink_to("far/away")
    small(tmp_path / "dangling", force=False)
    assert marks(tmp_path / "far" / "away") == {"new"}


def test_the_current_folder_stays_the_folder_that_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inode = tmp_path.stat().st_ino
    small(".", force=False)
    small(tmp_path, "newer")
    assert tmp_path.stat().st_ino == inode and marks(tmp_path) == {"newer"}
    assert names(Path()) == sorted(SMALL)


def test_permissions_of_the_folder_stay(tmp_path):
    out = tmp_path / "out"
    small(out)
    assert out.stat().st_mode & 0o777 == 0o777 & ~_umask()
    out.chmod(0o2750)
    small(out)
    assert out.stat().st_mode & 0o7777 == 0o2750


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_folder_in_the_way_of_a_file(tmp_path):
    out = tmp_path / "out"
    small(out, "old")
    (out / "a.csv").unlink()
    (out / "a.csv" / "mine").mkdir(parents=True)
    before = tree(tmp_path)
    with pytest.raises(GpuClustersError, match=r"a\.csv is a folder"):
        small(out)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("code", [errno.EBUSY, errno.EXDEV, errno.EINVAL])
@pytest.mark.parametrize("there", ["empty", "old", "foreign"])
def test_folders_that_cannot_be_replaced(tmp_path, monkeypatch, code, there):
    """Mount points, and file systems that cannot swap."""
    out = tmp_path / "out"
    out.mkdir()
    if there != "empty":
        small(out, "old")
    if there == "foreign":
        (out / "mine.txt").write_text("mine")
    replace = Path.replace

    def refuse(self, target):
        if Path(target) == out or (code == errno.EXDEV and out in Path(target).parents and out not in self.parents):
            raise OSError(code, os.strerror(code))
        return replace(self, target)

    def no_swap(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(staging, "_exchange", no_swap)
    inode = out.stat().st_ino
    small(out, force=there != "empty")
    assert marks(out) == {"new"} and out.stat().st_ino == inode
    assert names(out) == sorted([*SMALL, *(["mine.txt"] if there == "foreign" else [])])
    assert names(tmp_path) == ["out"]


def test_mount_points(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: path == out)
    inode = out.stat().st_ino
    small(out, force=False)
    small(out, "newer")
    assert marks(out) == {"newer"} and out.stat().st_ino == inode and names(out) == sorted(SMALL)


def test_another_run_is_faster(tmp_path):
    out = tmp_path / "deep" / "out"
    with (
        pytest.raises(UsageError, match="not empty any more"),
        staging.new_folder(out, force=False) as folder,
    ):
        (folder / "a.csv").write_text("slow")
        small(out, "fast", force=False)
    assert marks(out) == {"fast"} and names(tmp_path) == ["deep"] and names(tmp_path / "deep") == ["out"]
    with staging.new_folder(tmp_path / "wide" / "one", force=False) as folder:
        (folder / "a.csv").write_text("slow")
        small(tmp_path / "wide" / "two", "fast", force=False)
    assert names(tmp_path / "wide") == ["one", "two"] and names(tmp_path / "wide" / "one") == ["a.csv"]
    assert names(tmp_path) == ["deep", "wide"]


def test_files_that_come_while_the_result_is_made(tmp_path):
    out = tmp_path / "out"
    small(out, "old")
    with staging.new_folder(out, force=True) as folder:
        (folder / "a.csv").write_text("new")
        (out / "late.txt").write_text("mine")
    assert (out / "late.txt").read_text() == "mine" and (out / "a.csv").read_text() == "new"


def test_leftovers_of_the_living_stay(tmp_path):
    out = tmp_path / "out"
    dead = tmp_path / ".out.0123456789abcdef.partial"
    other = tmp_path / ".other.0123456789abcdef.partial"
    dead.mkdir()
    other.mkdir()
    (dead / "a.csv").write_text("half")
    with staging.new_folder(out, force=False) as folder:
        assert not dead.exists() and folder.is_dir()
        small(tmp_path / "out", "fast", force=False)
        assert folder.is_dir(), "a living run's folder was taken for abandoned"
        (out / "manifest.json").unlink()
        (out / "a.csv").unlink()
        (out / "b.parquet").unlink()
        (folder / "a.csv").write_text("slow")
    assert names(out) == ["a.csv"] and names(tmp_path) == [other.name, "out"]


def test_an_abandoned_start_within_the_folder_is_no_content(tmp_path):
    out = tmp_path / "out"
    (out / ".out.0123456789abcdef.partial").mkdir(parents=True)
    small(out, force=False)
    assert names(out) == sorted(SMALL)


def test_errors_while_putting_in_place(tmp_path, monkeypatch):
    out = tmp_path / "out"

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch, pytest.raises(GpuClustersError, match="Input/output error"):
        patch.setattr(os, "fsync", fail)
        small(out)
    with monkeypatch.context() as patch, pytest.raises(GpuClustersError, match="Input/output error"):
        patch.setattr(Path, "replace", fail)
        small(out)
    with monkeypatch.context() as patch, pytest.raises(GpuClustersError, match="Input/output error"):
        patch.setattr(Path, "mkdir", fail)
        small(out)
    assert names(tmp_path) == [] and not staging._alive


def test_without_locks(tmp_path, monkeypatch):
    """On a file system without them nothing is taken for abandoned."""

    def fail(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(handles.fcntl, "flock", fail)
    leftover = tmp_path / ".out.0123456789abcdef.partial"
    leftover.mkdir()
    small(tmp_path / "out")
    assert leftover.exists() and marks(tmp_path / "out") == {"new"}


def test_names_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("x")
    for name, says in (
        ("", "empty name"),
        (tmp_path / "file", "file is a file: a folder is needed"),
        (tmp_path / "file" / "below", "below cannot be a folder: .*file is a file"),
        (tmp_path / ("x" * 256), "x cannot be a folder: File name too long"),
        (f"{tmp_path}/a\0b", "cannot be a folder: .*null"),
    ):
        with pytest.raises(UsageError, match=says):
            small(name)
    assert names(tmp_path) == ["file"]
