"""Ends a process before each line of the code that puts a folder in place, one line a child.

``python every_line.py SCENE SIGNAL`` prints a JSON list: for each line the exit status and what was found afterwards.
Needs nothing but the standard library and the module under test, so that a child costs a millisecond.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from gpu_clusters_cli import errors

from gpu_clusters import staging

FILES = ("a.csv", "b.parquet", "manifest.json")


def fill(folder: Path, mark: str) -> None:
    """A result in small: files that all say the same."""
    for name in FILES:
        outputs = [{"name": name} for name in FILES[:2]] + [{"name": "old.csv"}] * (mark == "old")
        (folder / name).write_text(json.dumps({"program": "gpu-clusters", "mark": mark, "outputs": outputs}))
    if mark == "old":
        (folder / "old.csv").write_text(json.dumps({"mark": mark}))


def run(out: str) -> None:
    """What the program does at its end."""
    with staging.new_folder(out, force=True) as folder:
        fill(folder, "new")


def lay_out(scene: str, here: Path) -> str:
    """Prepare a scene; the argument for --out."""
    if scene == "new":
        return "out"
    if scene == "nested":
        return "deep/er/out"
    (here / "out").mkdir()
    if scene == "empty":
        return "out"
    fill(here / "out", "old")
    if scene != "old":
        (here / "out" / "mine.txt").write_text("mine")
        (here / "out" / "mine.lnk").symlink_to("nowhere")
    if scene == "fill":  # a folder of somebody else's has to stay where it is
        (here / "out" / "mine").mkdir()
        (here / "out" / "mine" / "mine.txt").write_text("mine")
    return "out"


def found(here: Path, out: str) -> dict:
    """What there is: the marks of the result's files, whatever belongs to somebody else, and leftovers."""
    folder = here / out
    files = [path for path in folder.iterdir() if path.name in (*FILES, "old.csv")] if folder.is_dir() else []
    partial = [path.name for path in (*here.iterdir(), *(folder.iterdir() if folder.is_dir() else ()))]
    return {
        "names": sorted(path.name for path in files),
        "marks": sorted({json.loads(path.read_text())["mark"] for path in files}),
        "mine": sorted(str(path.relative_to(folder)) for path in folder.rglob("mine*")) if folder.is_dir() else [],
        "top": sorted(path.name for path in here.iterdir()),
        "partial": sum(name.endswith(".partial") for name in partial),
    }


def child(out: str, at: int, number: int) -> None:
    """Run and be ended before line ``at``."""
    count = 0

    def trace(frame, event, _):
        nonlocal count
        if frame.f_code.co_filename != staging.__file__:
            return None
        if event == "line":
            count += 1
            if count == at:
                sys.settrace(None)
                os.kill(os.getpid(), number)
        return trace

    os.dup2(os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    os.chdir("here")
    staging._placed = False
    signal.signal(signal.SIGTERM, errors._end)
    sys.settrace(trace)
    run(out)
    os._exit(0)


def main(scene: str, number: int) -> list[dict]:
    """End one child after the other, until one gets through; a handler is called before every third line only."""
    step = 1 if number == signal.SIGKILL else 3
    os.fsync = lambda _: None
    base = Path(tempfile.mkdtemp())
    os.chdir(base)
    here, told = base / "here", []
    while True:
        here.mkdir()
        out = lay_out(scene, here)
        pid = os.fork()
        if not pid:
            child(out, 1 + step * len(told), number)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        told.append({"status": status, "said": Path("said").read_text(), **found(here, out)})
        os.chdir(here)
        run(out)
        os.chdir(base)
        told[-1]["again"] = found(here, out)
        shutil.rmtree(here)
        if status == 0:
            shutil.rmtree(base)
            return told


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], getattr(signal, sys.argv[2]))))
