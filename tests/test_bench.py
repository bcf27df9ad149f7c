"""Benchmarks run, on small inputs; what they measure there means nothing.

Left out are those that need a GPU, half a minute, or a gigabyte at any size; `report.py` runs what `end_to_end.py` consists of.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import doubles
import pytest

from gpu_clusters.backend import Gpu

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


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (None, "cuML is not installed"),
        (
            "raise ImportError('libcuml.so: no such file')",
            {"failed": "cuML cannot be loaded: libcuml.so: no such file"},
        ),
        (
            "import of_a_cuml_that_lacks_it",
            {"failed": "cuML cannot be loaded: No module named 'of_a_cuml_that_lacks_it'"},
        ),
    ],
)
def test_a_cuml_that_is_there_and_cannot_be_loaded_fails_its_check(source, says, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    import gpu_machine

    cupy = doubles.cupy_with(1)
    cupy.cuda.runtime.deviceSynchronize = lambda: None
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(gpu_machine, "gpu", lambda: Gpu("Double H100", ""))
    if source is None:
        monkeypatch.setitem(sys.modules, "cuml", None)
    else:
        monkeypatch.delitem(sys.modules, "cuml", raising=False)
        (tmp_path / "cuml.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
    assert gpu_machine.Machine(with_cuml=True).no_cuml == says
