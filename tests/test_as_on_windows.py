"""Where much is missing and more is refused, as on Windows, the same files are written (`as_on_windows`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from program import names, ran_well, tree

DOUBLE = Path(__file__).with_name("as_on_windows.py")
pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not list what is open")
LEFT = ".result.0123456789abcdef.partial"  # by a run that was killed
SMALL = "--radius-km 30 --density 2"
GRID = "--radius-km 20:40:10 --density 2,3"
GEOCODE = "geocode cities.csv --city city --country country --doc-id id --out placed.csv.gz"
RUNS = (
    f"rank --patents p.parquet --publications q.csv --deals d.parquet {SMALL} --out new/result",
    f"rank --patents p.parquet --deals d.parquet {SMALL} --out result --force",
    f"rank --patents q.csv {SMALL} --boundary hull --out other",
    "compare other result --out moved",
    f"sweep --patents p.parquet {GRID} --out swept",
    f"sweep --patents p.parquet {GRID} --out swept --force --resume",
    GEOCODE,
    f"{GEOCODE} --force",
    "convert table q.csv --mapping mapping.toml --out converted",
)
BEGIN = "import as_on_windows as double; double.take_the_place_of_windows()\n"
ALL = """
import sys
from gpu_clusters_cli.main import run
for args in sys.argv[1:]:
    sys.argv[1:] = args.split()
    try:
        run()
    except SystemExit as left:
        assert not left.code, args
"""
IN_USE = """
import sys
from contextlib import ExitStack
from gpu_clusters import GpuClustersError, staging
from gpu_clusters_cli.main import run
sys.stderr = sys.stdout
sys.argv[1:] = sys.argv[1].split()
with open("result/ranking.csv"):
    try:
        run()
    except SystemExit as left:
        print(left.code)
def before(name):
    opened.enter_context(open(f"result/{name}"))
    staging.check_out("result", force=True)
def meanwhile(name):
    with staging.new_folder("result", force=True) as folder:
        (folder / "ranking.csv").write_text("new")
        opened.enter_context(open(f"result/{name}"))
def meanwhile_a_file(name):
    with staging.new_files(["a", "b"], force=True) as files:
        for file in files:
            file.write_text("new")
        opened.enter_context(open(name))
for call, name in (
    (before, "manifest.json"),
    (meanwhile, "ranking.csv"),
    (meanwhile, "locations.parquet"),
    (meanwhile, "manifest.json"),
    (meanwhile_a_file, "a"),
):
    with ExitStack() as opened:
        try:
            call(name)
        except GpuClustersError as error:
            print(error)
"""


def elsewhere(code: str, *args: str, cwd: Path) -> str:
    """Run code with the double; its output."""
    command = [sys.executable, "-c", BEGIN + code, *args]
    env = {**os.environ, "PYTHONPATH": str(DOUBLE.parent)}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("mixed_files")
def test_results_are_the_same(tmp_path, program, monkeypatch):
    cities = pd.DataFrame({"id": [1, 1, 2], "city": ["Paris", "Windhoek", "Nowhere"], "country": ["FR", "NA", "FR"]})
    cities.to_csv(tmp_path / "cities.csv", index=False)
    columns = "".join(f'{name} = "{name}"\n' for name in ("doc_id", "lon", "lat", "country"))
    (tmp_path / "mapping.toml").write_text(f'table = "patents"\n[columns]\n{columns}')
    for file in ("result/mine.txt", f"{LEFT}/theirs.txt"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text("x")
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        shutil.copytree(tmp_path, folder, ignore=shutil.ignore_patterns("here", "there"))
    monkeypatch.chdir(here)
    for run in RUNS:
        ran_well(program, *run.split())
    elsewhere(ALL, *RUNS, cwd=there)
    assert names(there) == sorted([*names(here), LEFT])
    files = {name for name in tree(here) if not name.endswith("manifest.json")}
    assert len(files) > 40
    assert {name: tree(there)[name] for name in files} == {name: tree(here)[name] for name in files}
    assert (there / "result" / "mine.txt").read_text() == "x"


@pytest.mark.usefixtures("mixed_files")
def test_a_result_that_is_open_in_another_program_stays_whole(tmp_path, program):
    run = f"rank --patents p.parquet {SMALL} --out result"
    ran_well(program, *run.split())
    for file in ("a", "b"):
        (tmp_path / file).write_text("x")
    before = tree(tmp_path)
    told = elsewhere(IN_USE, f"{run} --force", cwd=tmp_path).splitlines()
    table, places, record, file = (
        f"{tmp_path / name} is open in another program: close it there"
        for name in ("result/ranking.csv", "result/locations.parquet", "result/manifest.json", "a")
    )
    assert told == [f"error: {table}", "1", record, table, places, record, file]
    assert tree(tmp_path) == before


REFUSED = """
for unlucky in (
    "import fcntl",
    "import signal; signal.SIGHUP",
    "import ctypes; ctypes.CDLL(None)",
    "import os; os.open('folder', os.O_RDONLY)",
    "import os; os.fsync(os.open('file', os.O_RDONLY))",
    "import pathlib; held = open('file'); pathlib.Path('file').unlink()",
    "import shutil; held = open('folder/inside'); shutil.rmtree('folder')",
    "import os; held = open('folder/inside'); os.replace('folder', 'moved')",
    "import os; held = open('file'); os.replace('other', 'file')",
    "import os; os.replace('folder', 'empty')",
    "import os; os.rename('file', 'other')",
    "import pathlib; pathlib.Path('folder').is_mount()",
):
    try:
        exec(unlucky, {"__name__": "gpu_clusters.test"})
    except (AttributeError, ImportError, NotImplementedError, OSError, TypeError) as error:
        print(type(error).__name__)
    exec(unlucky.partition(";")[0], {})
"""


def test_what_is_refused(tmp_path):
    for folder in ("folder", "empty"):
        (tmp_path / folder).mkdir()
    for file in ("file", "other", "folder/inside"):
        (tmp_path / file).write_text("x")
    told = elsewhere(REFUSED, cwd=tmp_path).split()
    others = ["PermissionError", "OSError", *["PermissionError"] * 5, "FileExistsError", "NotImplementedError"]
    assert told == ["ModuleNotFoundError", "AttributeError", "TypeError", *others]
    assert names(tmp_path) == ["empty", "file", "folder", "other"]
