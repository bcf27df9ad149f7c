"""Benchmarks run, on small inputs; what they measure there means nothing.

Left out are those that need a GPU, half a minute, or a gigabyte at any size; `report.py` runs what `end_to_end.py` consists of.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
SMALL = "--scale", "0.002"

pytestmark = [
    pytest.mark.skipif(not BENCH.is_dir(), reason="the benchmarks are not here"),
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured by Linux's means"),
]


def run(here: Path, name: str, *args: object) -> str:
    """What a benchmark prints."""
    done = subprocess.run(
        [sys.executable, BENCH / name, *map(str, args)], cwd=here, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("names.py", ("--locations", 2_000), "2,000 locations: gazetteer ready"),
        ("editions.py", ("--locations", 20_000, "--repeat", 1), "matched"),
        ("clustering.py", ("--n", 2_000, "--repeat", 1, "--which", "gpu-clusters", "scikit-learn"), "| scikit-learn"),
        ("report.py", (*SMALL, "--repeat", 1), "| min s |"),
    ],
)
def test_runs(name: str, args: tuple[object, ...], said: str, tmp_path: Path) -> None:
    assert said in run(tmp_path, name, *args)


def test_boundaries_of_the_generated_world(tmp_path: Path) -> None:
    run(tmp_path, "world.py", *SMALL, "--out", "world")
    assert "clusters" in run(tmp_path, "boundaries.py", "--data", "world", "--repeat", 1)


def test_growth_of_a_sweep_is_drawn(tmp_path: Path) -> None:
    said = run(tmp_path, "sweep.py", "--n", 2_000, "--repeat", 1, "--growth", "--picture", "growth.png")
    assert [n for n, _ in json.loads(said.splitlines()[-1])["locations"]] == [200, 600, 2_000, 6_000]
    assert (tmp_path / "growth.png").stat().st_size > 0
