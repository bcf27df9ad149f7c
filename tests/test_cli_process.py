"""The command line program as a process of its own: streams, terminals, signals and exit codes."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from program import COMMAND, address_table, complete, process


def test_start_up_is_light(tmp_path):
    code = "import sys\nfrom gpu_clusters_cli.main import run\nsys.argv = ['gpu-clusters', *sys.argv[1:]]\n"
    code += (
        "try:\n    run()\nfinally:\n    print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    for args in (
        ["--help"],
        ["rank", "--help"],
        ["--version"],
        ["rank", "--out", "x"],
        ["rank", "--patents", "x", "--out", "x", "--top", "0"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *args], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        loaded = set(done.stderr.splitlines()[-1].split())
        heavy = {"numba", "pandas", "numpy", "pyarrow", "sklearn", "scipy", "geopandas", "shapely", "pyproj"} & loaded
        assert "gpu_clusters_cli" in loaded and not heavy, (args, heavy)


def test_streams_of_a_process(tmp_path, some_files):
    args = ["rank", *some_files, "--out", "out"]
    ran = process(*args, "--json", cwd=tmp_path)
    assert ran.code == 0 and json.loads(ran.out)["out"] == "out" and ran.err == ""
    colours = {"FORCE_COLOR": "1", "TERM": "xterm", "TTY_COMPATIBLE": "1"}
    ran = process(*args, "--force", cwd=tmp_path, env=colours)
    assert ran.code == 0 and len(ran.err.splitlines()) == 4 and "read patents" not in ran.err
    latin = {"PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}
    ran = process(*args, "--force", "--json", cwd=tmp_path, env=latin)
    assert ran.code == 0 and ran.out.isascii() and json.loads(ran.out)["clusters"] > 1
    ran = process(*args, "--force", cwd=tmp_path, env=latin)
    assert ran.code == 0 and ran.out.isascii() and "\x1b" not in ran.out


def on_a_terminal(args: list[str], cwd: Path, **env: str) -> tuple[int, bytes, bytes]:
    """Run with stderr on a terminal: exit code, stdout, and what the terminal got; ends it when it says ``stop``."""
    import pty

    ours, theirs = pty.openpty()
    stop = env.pop("stop", "").encode()
    env = (
        {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
        | {"TERM": "xterm"}
        | env
    )
    with subprocess.Popen([*COMMAND, *args], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=theirs) as running:
        os.close(theirs)
        screen, ended = b"", False
        while True:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    got = os.read(ours, 1 << 16)
                except OSError:
                    break
                if not got:
                    break
                screen += got
                if stop and stop in screen and not ended:
                    running.send_signal(signal.SIGINT)
                    ended = True
        out = running.stdout.read()
    os.close(ours)
    return running.returncode, out, screen


@pytest.fixture
def interruptible():
    """Processes get SIGINT also where the tests run in the background, for which shells ignore it: children inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_progress_on_a_terminal(tmp_path, some_files):
    args = ["rank", *some_files, "--force", "--out", "out"]
    code, out, screen = on_a_terminal(args, tmp_path)
    assert code == 0 and out.startswith(b"rank") and b"\x1b" not in out
    for stage in (b"read patents", b"cluster", b"write"):
        assert stage in screen
    bars, said = screen.split(b"\x1b[?25h")  # the cursor is back
    assert b"\x1b[?25l" in bars and said.startswith(b"\r\x1b[1A\x1b[2K"), "the last bar is wiped out"
    assert said.count(b"\n") == 4 and b"clusters (" in said
    code, out, screen = on_a_terminal(args, tmp_path, TERM="dumb")
    assert code == 0 and b"\x1b" not in screen and screen.count(b"\n") == 4
    code, out, screen = on_a_terminal(args, tmp_path, stop="read patents")
    assert code == 130 and out == b""
    assert screen.endswith(b"\r\x1b[2K\x1b[?25herror: interrupted; nothing was written\r\n")
    complete(tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_progress_of_a_sweep_on_a_terminal(tmp_path, some_files):
    grid = ["--radius-km", "4,8", "--density", "30", "--no-pictures", "--out", "out"]
    code, _, screen = on_a_terminal(["sweep", *some_files[2:], *grid], tmp_path)
    assert code == 0
    for stage in (b"read patents", b"baseline", b"sweep", b"write"):
        assert stage in screen


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_ended_at_any_moment(tmp_path, some_files, number):
    args = ["rank", *some_files, "--force", "--out", "out"]
    rng = random.Random(number)
    began = time.perf_counter()
    assert process(*args, cwd=tmp_path).code == 0
    took = time.perf_counter() - began
    (tmp_path / "out" / "mine.txt").write_text("mine")
    complete(tmp_path / "out", {"mine.txt"})
    turns = 3
    for turn in range(turns):
        with subprocess.Popen(
            [*COMMAND, *args], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            time.sleep(took * (turn + 0.3 + 0.7 * rng.random()) / turns)
            running.send_signal(number)
            said = running.communicate()[1].decode()
        complete(tmp_path / "out", {"mine.txt"})
        if number != signal.SIGKILL:
            assert running.returncode in (130, 0), said
            assert running.returncode == 0 or said.splitlines()[-1].startswith("error: interrupted"), said
            assert "Traceback" not in said
            assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    if number == signal.SIGKILL:  # the next run clears away what is left
        assert process(*args, cwd=tmp_path).code == 0
        assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_exit_codes_of_processes(tmp_path):
    address_table().to_parquet(tmp_path / "p.parquet")
    for code, args in {
        2: ["rank", "--patents", "p.parquet", "--out", "out", "--radius-km", "nan"],
        3: ["rank", "--patents", "q.parquet", "--out", "out"],
        4: ["rank", "--patents", "p.parquet", "--out", "out", "--engine", "cuml"],
    }.items():
        ran = process(*args, cwd=tmp_path)
        assert ran.code == code and ran.out == "" and ran.err.startswith("error: ") and ran.err.count("\n") == 1, ran
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_full_stdout(tmp_path, some_files):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("w") as full:
        for args in (["rank", *some_files, "--out", "out"], ["--version"]):
            done = subprocess.run([*COMMAND, *args], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False)
            lines = done.stderr.decode().splitlines()
            assert done.returncode == 1 and "No space left" in lines[-1] and lines[-1].startswith("error: ")
            assert "Exception" not in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    complete(tmp_path / "out")


def test_reader_that_leaves_early(tmp_path, some_files):
    for args in (["rank", *some_files, "--out", "out", "--json"], ["doctor"], ["rank", "--help"]):
        with subprocess.Popen(
            [*COMMAND, *args], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as reading:
            reading.stdout.close()
            said = reading.stderr.read()
        assert reading.returncode in (0, 1)
        assert b"Traceback" not in said and b"Exception" not in said and b"Broken" not in said, said
    complete(tmp_path / "out")
