"""Everything that is said of the GPU's path, checked and timed in one go on a machine that has one.

    python bench/gpu.py --json gpu.json
    python bench/gpu.py --only native cuml --scale 0.1 --seconds 300
    python tests/gpu_on_cpu.py bench/gpu.py --scale 0.005 --repeat 1      without a GPU: tries this script

native     clustering of the benchmark's globe: each kernel's time, device memory, bits equal to the CPU's, twice, rows shuffled
cuml       the same with cuML through islands, and cuML alone on samples: time, cores, partition
areas      deals in areas, and merging: close clusters and the documents that they share, beside the CPU's
polygons   all locations in 240 outlines, by the native kernel and by cuSpatial where it is installed, beside shapely on the CPU
population members around spots on a 30 arc-second raster: reading and summing apart, totals equal; people in discs as polygons
read       the patents as Parquet and as CSV on either device: seconds, by cuDF or not, all equal
rank       from Parquet to a ranking on either device, cold and warm, tables equal
sweep      20 radii and 50 densities with shares, ranks and deals: stages, kernels, a part of the grid equal to the CPU's, and how
           long cuML would take for as many single settings
sanitizer  compute-sanitizer's memcheck and racecheck over a small run, where that tool is installed

Each check has a process of its own: one that fails, hangs or breaks the GPU for its process takes nothing from the others, and
what is known so far is in the file at any time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from gpu_clustering import check_cuml, check_native, check_sanitizer, problem_of, small
from gpu_machine import Machine
from gpu_runs import check_rank, check_read, check_sweep
from gpu_steps import check_areas, check_polygons, check_population
from machine import describe, headline
from world import make_world

from gpu_clusters.engines import native
from gpu_clusters.engines.protocol import Problem

PACKAGES = (
    *("gpu-clusters", "numba", "numba-cuda", "cupy-cuda12x", "cupy-cuda13x", "cudf-cu12", "cudf-cu13", "cuml-cu12"),
    *("cuml-cu13", "rmm-cu12", "rmm-cu13", "numpy", "pandas"),
)
SAMPLES = (100_000, 300_000, 1_000_000)
CHECKS = ("native", "cuml", "areas", "polygons", "population", "read", "rank", "sweep", "sanitizer")
LEAST_S = 10  # for a check to begin


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size (default: %(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the inputs here, or reuse those that are here")
    parser.add_argument("--only", nargs="+", choices=CHECKS, default=CHECKS, help="these checks, in this order")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--samples", type=int, nargs="*", default=SAMPLES, help="sizes for cuML (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop what is not done after so long")
    parser.add_argument("--small", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--check", choices=CHECKS, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.small:
        return small(Machine())
    if options.check:
        return check(options)
    deadline = time.monotonic() + options.seconds
    document: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        data = options.data or Path(temporary)
        if not (data / "world.json").is_file():
            make_world(data, options.scale, workers=8)
        for name in options.only:
            document |= apart(name, data, options, deadline - time.monotonic(), Path(temporary, f"{name}.json"))
            if options.json:
                options.json.write_text(json.dumps(document, indent=2) + "\n")
    sys.exit(any("failed" in found for found in document.values()))


def apart(name: str, data: Path, options: argparse.Namespace, seconds: float, path: Path) -> dict[str, Any]:
    """A check in a process of its own; what it is of, and what it found or why it did not."""
    if seconds < LEAST_S:
        return {name: {"failed": "not begun, no time was left"}}
    begun = sys.orig_argv[1 : 1 + len(sys.orig_argv) - len(sys.argv)]  # as this process was
    command = [sys.executable, *begun, "--check", name, "--data", str(data), "--json", str(path)]
    command += ["--scale", str(options.scale), "--repeat", str(options.repeat)]
    command += ["--samples", *map(str, options.samples)]
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, stderr=subprocess.PIPE, text=True, timeout=seconds if seconds < float("inf") else None
        )
        said, code = done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        said, code = (error.stderr or b"").decode(errors="replace"), None
    print(said, end="", flush=True)
    took = round(time.monotonic() - started, 1)
    if code == 0 and path.is_file():
        return json.loads(path.read_text()) | {f"{name}, s": {"all": took}}
    why = f"stopped after {took} s" if code is None else f"exit code {code} after {took} s"
    print(f"\n{name}: {why}", flush=True)
    return {name: {"failed": why, "end": said.splitlines()[-12:]}}


def check(options: argparse.Namespace) -> None:
    """The check that this process is for."""
    name, repeat, data = options.check, options.repeat, options.data
    machine = Machine(with_cuml=name in ("cuml", "sweep"))
    about = describe(PACKAGES) | {"gpu": machine.name}
    print(f"\n{name} on {machine.name}", headline(about), sep="\n", flush=True)

    @cache
    def problem() -> Problem:
        found = problem_of(data)
        print(f"{len(found.lon):,} locations, threshold {found.threshold:,}", flush=True)
        return found

    found = {
        "native": lambda: check_native(machine, problem(), native.cluster(problem()), repeat),
        "cuml": lambda: check_cuml(machine, problem(), tuple(options.samples)) if machine.dbscan else machine.no_cuml,
        "areas": lambda: check_areas(machine, data, native.cluster(problem()), repeat),
        "polygons": lambda: check_polygons(machine, problem(), repeat),
        "population": lambda: check_population(machine, data, options.scale, repeat),
        "read": lambda: check_read(machine, data, repeat),
        "rank": lambda: check_rank(machine, data, repeat),
        "sweep": lambda: check_sweep(machine, data, problem(), repeat),
        "sanitizer": check_sanitizer,
    }[name]()
    text = json.dumps({"machine": about, name: found}, indent=1, default=str)
    print(text, flush=True)
    options.json.write_text(text)


if __name__ == "__main__":
    main()
