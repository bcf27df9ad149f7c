"""Everything that is said of the GPU's path, checked and timed in one go on a machine that has one.

    python bench/gpu.py --json gpu.json
    python bench/gpu.py --only native cuml --scale 0.1
    python bench/gpu.py --rehearse --scale 0.01      without a GPU, on the CPU's kernels and a double of cuML: tries this script

native     clustering of the benchmark's globe: each kernel's time, device memory, bits equal to the CPU's, twice, rows shuffled
cuml       the same with cuML through islands, and cuML alone on samples: time, cores, partition
areas      deals in areas, and merging: close clusters and the documents that they share, beside the CPU's
polygons   all locations in 240 outlines, by the native kernel and by cuSpatial where it is installed, beside shapely on the CPU
population members around spots on a 30 arc-second raster: reading and summing apart, totals equal; people in discs as polygons
rank       from Parquet to a ranking on either device, cold and warm, tables equal
sweep      20 radii and 50 densities with shares, ranks and deals: stages, kernels, a part of the grid equal to the CPU's, and how
           long cuML would take for as many single settings
sanitizer  compute-sanitizer's memcheck and racecheck over a small run, where that tool is installed
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpu_clustering import check_cuml, check_native, check_sanitizer, problem_of, small
from gpu_machine import Machine
from gpu_runs import check_rank, check_sweep
from gpu_steps import check_areas, check_polygons, check_population
from machine import describe, headline
from world import make_world

from gpu_clusters.engines import native

PACKAGES = ("gpu-clusters", "numba", "numba-cuda", "cupy-cuda12x", "cupy-cuda13x", "cuml-cu12", "cuml-cu13", "numpy")
SAMPLES = (100_000, 300_000, 1_000_000)
CHECKS = ("native", "cuml", "areas", "polygons", "population", "rank", "sweep", "sanitizer")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size (default: %(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the inputs here, or reuse those that are here")
    parser.add_argument("--only", nargs="+", choices=CHECKS, default=CHECKS)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--samples", type=int, nargs="*", default=SAMPLES, help="sizes for cuML (default: %(default)s)")
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--small", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    machine = Machine(options.rehearse)
    if options.small:
        return small(machine)
    about = describe(PACKAGES) | {"gpu": machine.name}
    print(machine.name, headline(about), sep="\n", flush=True)
    document: dict[str, Any] = {"machine": about}
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        data = options.data or Path(temporary)
        if not (data / "world.json").is_file():
            make_world(data, options.scale, workers=8)
        problem = problem_of(data)
        print(f"{len(problem.lon):,} locations, threshold {problem.threshold:,}", flush=True)
        expected = native.cluster(problem)
        checks: dict[str, Callable[[], Any]] = {
            "native": lambda: check_native(machine, problem, expected, options.repeat),
            "cuml": lambda: (
                check_cuml(machine, problem, tuple(options.samples)) if machine.dbscan else "cuML is not installed"
            ),
            "areas": lambda: check_areas(machine, data, expected, options.repeat),
            "polygons": lambda: check_polygons(machine, problem, options.repeat),
            "population": lambda: check_population(machine, data, options.scale, options.repeat),
            "rank": lambda: check_rank(machine, data, options.repeat),
            "sweep": lambda: check_sweep(machine, data, problem, options.repeat),
            "sanitizer": check_sanitizer,
        }
        for name in options.only:
            document[name] = checks[name]()
            print(f"\n{name}\n{json.dumps(document[name], indent=1, default=str)}", flush=True)
            if options.json:
                options.json.write_text(json.dumps(document, indent=2, default=str) + "\n")


if __name__ == "__main__":
    main()
