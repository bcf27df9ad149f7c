"""The kernels for GPUs without one: in numba's CUDA simulator, and as PTX on a CPU, each in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from cuda_process import (
    ROUNDED_EACH,
    arithmetic,
    as_ptx,
    in_each_way,
    launched,
    needs_compiler,
    needs_cupy,
    needs_launch,
    ptx_of,
)

ROOT = Path(__file__).parents[1]


@in_each_way
def test_the_engine_equals_all_pairs(way, more):
    assert way("cuda_shell.py", str(6 * more)) == [
        "random worlds equal all pairs",
        "a crowd equals all pairs",
        "points in polygons equal shapely",
        "unions at once lose nothing",
        "unions that see what has been lose nothing",
    ]


@needs_launch
@needs_cupy
def test_numba_cuda_hands_the_arrays_of_cupy_to_the_driver_as_they_are():
    assert launched("cuda_shell.py", "2")[0] == "random worlds equal all pairs"
    assert launched("cuda_hierarchy.py", "1") == ["clusters of all thresholds, and what they hold, equal the CPU's"]


@in_each_way
def test_rankings_equal_the_cpus(way, more):
    assert way("cuda_rank.py", str(40 * more)) == [
        "rankings equal the CPU's",
        *(
            f"{table} read by {reader}"
            for table in ("patents", "publications")
            for reader in ("cuDF", "the CPU, because it is a data frame")
        ),
    ]


@as_ptx
def test_sweeps_equal_the_cpus(way, more):
    assert way("cuda_rank.py", "sweeps", str(8 * more)) == ["sweeps equal the CPU's"]


@needs_compiler
def test_the_kernels_compile_to_ptx_that_rounds_like_a_cpu():
    compiled = ptx_of("cuda_shell.py")
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
    for name in ("only_weigh", "only_within", "only_degrees", "begin_runs"):  # distance tests and nothing else
        assert arithmetic(compiled[name]) == ROUNDED_EACH, name
    assert "atom.global.cas.b64" in compiled["link"]


def test_one_file_imports_numba_cuda():
    sources = [*(ROOT / "gpu_clusters").rglob("[!.]*.py"), *(ROOT / "cli").rglob("[!.]*.py")]
    pattern = re.compile(r"^\s*(from numba import .*\bcuda\b|(from|import) numba\.cuda)", re.MULTILINE)
    assert [path.name for path in sources if pattern.search(path.read_text())] == ["cuda.py"]


def test_tests_for_gpus_are_read_without_packages_that_a_machine_with_one_may_lack():
    lacking = dict.fromkeys(("geopandas", "pyogrio", "exactextract", "datashader", "bokeh", "geopy", "openpyxl"))
    given = ["-m", "gpu", "--collect-only", "-q", "-p", "no:cacheprovider", str(ROOT / "tests")]
    program = f"import sys, pytest; sys.modules |= {lacking}; sys.exit(pytest.main({given}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
