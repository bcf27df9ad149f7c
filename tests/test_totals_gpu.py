"""Kernels that count people on GPUs, without one: in numba's CUDA simulator and compiled to PTX, in processes of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "cuda_totals.py"


def run(*mode, **environment):
    command = [sys.executable, "-W", "ignore", str(PROGRAM), *mode]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=600, check=False
    )


def test_people_in_the_simulator_are_the_cpus():
    done = run("simulate", "6", NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "people in areas equal all pairs",
        "sums of values equal the CPU's",
        "full limbs are carried",
        "people from rasters equal the CPU's",
        "nothing is copied twice",
    ]


@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")
def test_the_kernels_compile_to_ptx_that_adds_whole_numbers():
    done = run("compile")
    assert done.returncode == 0, done.stderr
    compiled = dict(part.split("\n", 1) for part in done.stdout.split("==== ")[1:])
    assert set(compiled) == {"gather", "add", "carry", "only_any_within"}
    for name, code in compiled.items():
        assert ".target sm_90" in code, name
        atomic = set(re.findall(r"\b(?:atom|red)\.\S+", code))
        assert atomic == ({"atom.global.add.u64"} if name in ("gather", "add") else set()), name
    assert not re.findall(r"\b(?:fma|mul|add)\S*\.f64", compiled["add"] + compiled["carry"])
    arithmetic = set(re.findall(r"\b(?:fma|mul|add)\S*\.f64", compiled["only_any_within"]))  # the distance test
    assert arithmetic == {"mul.rn.f64", "add.rn.f64"}
