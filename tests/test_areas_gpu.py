"""Areas and gaps as GPUs find them, without one: in numba's CUDA simulator, and compiled to PTX, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "cuda_areas.py"


def run(*mode, **environment):
    command = [sys.executable, "-W", "ignore", str(PROGRAM), *mode]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=600, check=False
    )


def test_areas_and_gaps_in_the_simulator_equal_all_pairs():
    done = run("simulate", "8", NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "nearest members equal all pairs",
        "close pairs equal all pairs, block by block",
        "merging and overlay equal the CPU's",
    ]


@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")
def test_they_compile_to_ptx_that_rounds_like_a_cpu():
    done = run("compile")
    assert done.returncode == 0, done.stderr
    compiled = dict(part.split("\n", 1) for part in done.stdout.split("==== ")[1:])
    assert set(compiled) == {"find_nearest", "find_pairs", "only_test_areas", "only_test_gaps"}
    for name, code in compiled.items():
        assert ".target sm_90" in code, name
    for name in ("only_test_areas", "only_test_gaps"):
        arithmetic = set(re.findall(r"\b(?:fma|mul|add)\S*\.f64", compiled[name]))
        assert arithmetic == {"mul.rn.f64", "add.rn.f64"}, name
