"""The kernels for GPUs without one: in numba's CUDA simulator, and compiled to PTX, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SIMULATED = {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}


def run(program, *mode, **environment):
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name(program)), *mode]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=600, check=False
    )


def test_the_engine_in_the_simulator_equals_all_pairs():
    done = run("cuda_shell.py", "simulate", "6", **SIMULATED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "random worlds equal all pairs",
        "a crowd equals all pairs",
        "points in polygons equal shapely",
        "unions at once lose nothing",
    ]


def test_rankings_in_the_simulator_equal_the_cpus():
    done = run("cuda_rank.py", "40", **SIMULATED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "rankings equal the CPU's",
        *(
            f"{table} read by {reader}"
            for table in ("patents", "publications")
            for reader in ("cuDF", "the CPU, because it is a data frame")
        ),
    ]


@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")
def test_the_kernels_compile_to_ptx_that_rounds_like_a_cpu():
    done = run("cuda_shell.py", "compile")
    assert done.returncode == 0, done.stderr
    compiled = dict(part.split("\n", 1) for part in done.stdout.split("==== ")[1:])
    assert {
        "bound",
        "scale",
        "tabulate",
        "weigh",
        "begin_runs",
        "link",
        "find_roots",
        "prefer",
        "find_first",
        "find_polygons",
    } < set(compiled)
    for name, code in compiled.items():
        assert ".target sm_90" in code, name
    for name in ("only_weigh", "only_within", "only_degrees", "begin_runs"):  # distance tests and nothing else
        arithmetic = set(re.findall(r"\b(?:fma|mul|add)\S*\.f64", compiled[name]))
        assert arithmetic == {"mul.rn.f64", "add.rn.f64"}, name
    assert "atom.global.cas.b64" in compiled["link"]


def test_one_file_imports_numba_cuda():
    sources = [*(ROOT / "gpu_clusters").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]
    pattern = re.compile(r"^\s*(from numba import .*\bcuda\b|(from|import) numba\.cuda)", re.MULTILINE)
    assert [path.name for path in sources if pattern.search(path.read_text())] == ["cuda.py"]
