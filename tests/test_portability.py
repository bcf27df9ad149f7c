"""The per-point functions on a GPU's terms: in numba's CUDA simulator, and compiled to PTX, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "cuda_shell.py"


def run(mode, **environment):
    command = [sys.executable, "-W", "ignore", str(PROGRAM), mode]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_densities_in_the_simulator_equal_all_pairs():
    done = run("simulate", NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["sphere", "True", "plane", "True"]


@pytest.mark.skipif(find_spec("numba_cuda") is None, reason="numba-cuda is not installed")
def test_the_shell_compiles_to_ptx():
    done = run("compile")
    assert done.returncode == 0, done.stderr
    assert ".target sm_90" in done.stdout
