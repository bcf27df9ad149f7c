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
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import population
import shapely
from machine import describe, headline
from world import make_world

from gpu_clusters import Settings, rank, sweep
from gpu_clusters.engines import counting, levels, native
from gpu_clusters.engines import cuml as by_cuml
from gpu_clusters.engines.counting import Counting
from gpu_clusters.engines.inside import by_cuspatial, by_kernel
from gpu_clusters.engines.islands import islands
from gpu_clusters.engines.protocol import Clustering, Problem
from gpu_clusters.io import read_addresses, read_deals
from gpu_clusters.io.cells import Cells, cells_near
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import open_rasters
from gpu_clusters.kernels import discs
from gpu_clusters.kernels.areas import nearest_members
from gpu_clusters.kernels.gaps import close_pairs
from gpu_clusters.kernels.totals import Totals
from gpu_clusters.steps.cluster import space
from gpu_clusters.steps.hierarchy import Neighbourhood
from gpu_clusters.steps.inside import points_inside
from gpu_clusters.steps.locate import Located, locate
from gpu_clusters.steps.merge import merge, neighbours
from gpu_clusters.steps.overlay import overlay

PACKAGES = ("gpu-clusters", "numba", "numba-cuda", "cupy-cuda12x", "cupy-cuda13x", "cuml-cu12", "cuml-cu13", "numpy")
SAMPLES = (100_000, 300_000, 1_000_000)
CHECKS = ("native", "cuml", "areas", "polygons", "population", "rank", "sweep", "sanitizer")
RADII = tuple(range(6, 26))
STEPS = tuple(float(step) for step in np.geomspace(0.3, 3, 50).round(3))
"""Densities of the sweep, in the method's."""


class Machine:
    """The kernels to measure, how to wait for them, and how much device memory they took."""

    def __init__(self, rehearse: bool) -> None:
        self.rehearse = rehearse
        if rehearse:
            sys.path.append(str(Path(__file__).parents[1] / "tests"))
            import doubles

            self.name, self.kernels, self.dbscan, self.wait = "rehearsal, no GPU", native.ON_CPU, doubles.DBSCAN, int
            self.levels, self.counting = levels.ON_CPU, counting.ON_CPU
            return
        import cupy

        from gpu_clusters.backend import gpu
        from gpu_clusters.engines import device, hierarchy, totals

        if gpu().missing:
            raise SystemExit(gpu().missing)
        self.name, self.cupy = gpu().name, cupy
        self.kernels, self.levels = device.kernels(cupy), hierarchy.kernels(cupy)
        self.counting = totals.counting(cupy)
        self.wait = cupy.cuda.runtime.deviceSynchronize
        try:
            import cuml

            self.dbscan = cuml.DBSCAN
        except ImportError:
            self.dbscan = None

    def areas(self) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
        """What finds nearest members and close pairs of clusters, and what moves an array to the device."""
        if self.rehearse:
            import cupy_double

            return nearest_members, close_pairs, cupy_double.asarray
        from gpu_clusters.engines import areas

        return partial(areas.nearest_members, self.cupy), partial(areas.close_pairs, self.cupy), self.cupy.asarray

    def insides(self) -> dict[str, Callable[..., Any]]:
        """What finds points in polygons."""
        if self.rehearse:
            import doubles

            return {"cuspatial": partial(by_cuspatial, doubles.cuspatial(), pd.Series)}
        found = {"native": partial(by_kernel, self.cupy)}
        with contextlib.suppress(ImportError):
            import cudf
            import cuspatial

            found["cuspatial"] = partial(by_cuspatial, cuspatial, cudf.Series)
        return found

    def peak_gib(self, work: Callable[[], Any]) -> tuple[Any, float]:
        """What ``work`` returns, and the largest growth of the used device memory while it ran, looked at every 2 ms."""
        if self.rehearse:
            return work(), 0.0
        self.cupy.get_default_memory_pool().free_all_blocks()
        free = self.cupy.cuda.runtime.memGetInfo
        before, least, done = free()[0], [free()[0]], threading.Event()

        def watch() -> None:
            while not done.wait(0.002):
                least[0] = min(least[0], free()[0])

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return work(), (before - min(least[0], free()[0])) / 2**30
        finally:
            done.set()
            watcher.join()

    def timed(self, work: Callable[[], Any], repeat: int) -> list[float]:
        """Seconds of each run; the first is cold."""
        seconds = []
        for _ in range(repeat):
            self.wait()
            started = time.perf_counter()
            work()
            self.wait()
            seconds.append(round(time.perf_counter() - started, 6))
        return seconds


def density_of(data: Path) -> float:
    """The method's density, in proportion to the size of the inputs."""
    return 4500 * json.loads((data / "world.json").read_text())["scale"]


def problem_of(data: Path) -> Problem:
    """The clustering of the benchmark's globe, with the method's own settings."""
    settings = Settings(density=density_of(data))
    tables = [read_addresses(data / f"{name}.parquet", name).data for name in ("patents", "publications")]
    found = locate(*tables, settings).locations
    points, reach = space(found.lon, found.lat, settings)
    return Problem(points, found.lon, found.lat, found.weight, reach, found.threshold, settings.border)


def part_of(problem: Problem, rows: np.ndarray, threshold: int) -> Problem:
    """Some of the locations, in the order of ``rows``."""
    points = problem.points._replace(**{f: getattr(problem.points, f)[rows] for f in problem.points._fields[1:]})
    return Problem(
        points, problem.lon[rows], problem.lat[rows], problem.weight[rows], problem.reach, threshold, problem.border
    )


def equal(one: Clustering, other: Clustering) -> bool:
    """Whether two clusterings have the same bits."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def check_native(machine: Machine, problem: Problem, expected: Clustering, repeat: int) -> dict[str, Any]:
    """Times of the kernels one by one, and whether the engine's answers are the CPU's."""
    k, reach, found = machine.kernels, problem.reach, dict[str, Any]()
    xp = k.xp
    bands = k.build(problem.points, reach)
    weight = xp.asarray(problem.weight)[bands.order]
    density = k.densities(bands, weight, reach)
    is_core = density >= problem.threshold
    core, places = k.select(bands, problem.points.kind, is_core)
    others, _ = k.select(bands, problem.points.kind, ~is_core)
    lon, lat = xp.asarray(problem.lon)[core.order], xp.asarray(problem.lat)[core.order]
    work = {
        "copying coordinates, and bands": lambda: k.build(problem.points, reach),
        "densities": lambda: k.densities(bands, weight, reach),
        "selecting core and other locations": lambda: [
            k.select(bands, problem.points.kind, m) for m in (is_core, ~is_core)
        ],
        "linking": lambda: k.components(core, reach),
        "borders": lambda: k.preferred_core(others, core, reach, density[places], lon, lat),
        "all": lambda: native.cluster(problem, k),
    }
    found["seconds"] = {name: machine.timed(call, repeat) for name, call in work.items()}
    first, found["peak_gib"] = machine.peak_gib(lambda: native.cluster(problem, k))
    order = np.random.default_rng(1).permutation(len(problem.lon))
    shuffled = native.cluster(part_of(problem, order, problem.threshold), k)
    found["equal to the cpu"] = equal(first, expected)
    found["equal again"] = equal(native.cluster(problem, k), first)
    found["equal with rows shuffled"] = bool(
        np.array_equal(shuffled.density_at, first.density_at[order])
        and np.array_equal(shuffled.core, first.core[order])
        and same_groups(shuffled.labels, first.labels[order])
    )
    return found


def same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two labellings differ in the numbers alone, noise being -1 in both."""
    pairs = np.unique(np.stack((one, other)), axis=1)
    return bool(all(len(np.unique(side)) == pairs.shape[1] for side in pairs) and ((pairs < 0).sum(axis=0) != 1).all())


def check_cuml(machine: Machine, problem: Problem, samples: tuple[int, ...]) -> list[dict[str, Any]]:
    """cuML through islands beside the native engine, on samples and on all; and cuML alone on the samples."""
    rng, rows, remarks = np.random.default_rng(2), [], list[str]()
    for count in (*(n for n in samples if n < len(problem.lon)), len(problem.lon)):
        some = np.sort(rng.choice(len(problem.lon), count, replace=False))
        given = part_of(problem, some, max(1, problem.threshold * count // len(problem.lon)))
        exact = native.cluster(given, machine.kernels)
        native_s = min(machine.timed(lambda given=given: native.cluster(given, machine.kernels), 3))
        answers = list[Clustering]()

        def through_islands(given: Problem = given, answers: list = answers) -> None:
            answers.append(
                by_cuml.cluster(given, machine.kernels, machine.dbscan, remarks.append, most_rows=float("inf"))
            )

        seconds = machine.timed(through_islands, 2)
        sizes = [len(island) for island in islands(given)]
        row = {
            "locations": count,
            "islands": len(sizes),
            "largest island": max(sizes, default=0),
            "native_s": native_s,
            "islands_s": seconds,
            "ratio": round(min(seconds) / native_s, 2),
            "equal": equal(answers[-1], exact),
            "remarks": list(dict.fromkeys(remarks)),
        }
        if count < len(problem.lon):
            row |= alone(machine, given, exact)
        rows.append(row)
        remarks.clear()
        print(json.dumps(row), flush=True)
    return rows


def alone(machine: Machine, given: Problem, exact: Clustering) -> dict[str, Any]:
    """cuML on all locations at once, as a user would call it, but for the scaled weights."""
    scale = 1 / np.sqrt(given.reach.limit)
    xyz = np.stack((given.points.x, given.points.y, given.points.z), axis=1) * scale
    options = {
        "metric": "euclidean",
        "algorithm": "brute",
        "output_type": "numpy",
        "max_mbytes_per_batch": by_cuml.BATCH_MB,
    }
    model = machine.dbscan(eps=1.0, min_samples=1, **options)
    started = time.perf_counter()
    model.fit(X=xyz, sample_weight=given.weight / (given.threshold - 0.5), out_dtype="int64")
    seconds = round(time.perf_counter() - started, 3)
    core = np.zeros(len(xyz), bool)
    core[model.core_sample_indices_] = True
    label = np.asarray(model.labels_)
    return {
        "alone_s": seconds,
        "alone, cores that differ": int((core != exact.core).sum()),
        "alone, partition of the cores equal": same_groups(label[core & exact.core], exact.labels[core & exact.core]),
    }


def check_areas(machine: Machine, data: Path, clustering: Clustering, repeat: int) -> dict[str, Any]:
    """Times of overlay and merging with the tables on either device, and whether the answers are the CPU's."""
    settings = Settings(density=density_of(data))
    tables = [read_addresses(data / f"{name}.parquet", name).data for name in ("patents", "publications")]
    deals = read_deals(data / "deals.parquet").data
    located = locate(*tables, settings)
    nearest, close, moved = machine.areas()
    there = [replace(table, doc_start=moved(table.doc_start)) for table in tables]
    located_there = Located(located.locations, moved(located.patents), moved(located.publications))
    labels = merge(located, clustering, *tables, settings).labels
    work = {
        "close clusters": (
            lambda: (neighbours(located.locations, clustering, settings),),
            lambda: (neighbours(located.locations, clustering, settings, close),),
        ),
        "merging": (
            lambda: merge(located, clustering, *tables, settings),
            lambda: merge(located_there, clustering, *there, settings, close),
        ),
        "overlay": (
            lambda: overlay(deals, located.locations, labels, settings),
            lambda: overlay(deals, located.locations, labels, settings, nearest),
        ),
    }
    found: dict[str, Any] = {}
    for name, (on_cpu, on_gpu) in work.items():
        answer, peak_gib = machine.peak_gib(on_gpu)
        same = all(np.array_equal(a, b) for a, b in zip(answer, on_cpu(), strict=True))
        found[name] = {
            "cpu_s": min(machine.timed(on_cpu, 2)),
            "seconds": machine.timed(on_gpu, repeat),
            "peak_gib": peak_gib,
            "equal": same,
        }
    return found


def check_polygons(machine: Machine, problem: Problem, repeat: int) -> dict[str, Any]:
    """Time of points in polygons, and whether the pairs are those of the CPU."""
    rng = np.random.default_rng(3)
    rows = rng.choice(len(problem.lon), 240, replace=False)
    outlines = shapely.buffer(shapely.points(problem.lon[rows], problem.lat[rows]), 0.3)
    outlines = shapely.intersection(outlines, shapely.box(-180, -90, 180, 90))
    found: dict[str, Any] = {}
    expected = points_inside(outlines, problem.lon, problem.lat)
    found["cpu_s"] = machine.timed(lambda: points_inside(outlines, problem.lon, problem.lat), 2)
    for name, inside in machine.insides().items():
        pairs = inside(outlines, problem.lon, problem.lat)
        found[name] = {
            "seconds": machine.timed(lambda inside=inside: inside(outlines, problem.lon, problem.lat), repeat),
            "equal": all(np.array_equal(a, b) for a, b in zip(pairs, expected, strict=True)),
        }
    return found


def check_population(machine: Machine, data: Path, scale: float, repeat: int) -> dict[str, Any]:
    """Times of reading a raster and of summing it in areas and in polygons, on the CPU and here, and whether totals are equal."""
    clusters = max(4, round(scale * population.SPOTS))
    places, spot = population.members(max(1000, round(1_000_000 * scale)), clusters)
    spot = np.unique(spot, return_inverse=True)[1]
    given = *places.T.copy(), spot, int(spot[-1]) + 1, population.AREA
    path = data / f"population_{clusters}.tif"
    if not path.is_file():
        population.make_raster(path, clusters)

    def windows() -> list[Cells]:
        with open_rasters(path) as (rasters, _):
            return list(cells_near(Mosaic(rasters), given[0], given[1], population.AREA))

    cells = windows()
    middle = np.array([places[spot == number].mean(axis=0) for number in range(given[3])])
    polygons = shapely.intersection(shapely.buffer(shapely.points(middle), 0.3), shapely.box(-180, -90, 180, 90))
    pairs = [points_inside(polygons, window.lon, window.lat) for window in cells]

    def in_areas(on: Counting) -> Totals:
        totals, areas = on.nothing(given[3]), on.areas(*given)
        for window in cells:
            on.gather(areas, totals, window.lon, window.lat, window.value)
        return on.finish(totals)

    def in_polygons(on: Counting) -> Totals:
        totals = on.nothing(given[3])
        for window, (point, polygon) in zip(cells, pairs, strict=True):
            on.add(totals, polygon, window.value[point])
        return on.finish(totals)

    found: dict[str, Any] = {
        "members": len(places),
        "windows": len(cells),
        "cells": sum(len(window.lon) for window in cells),
        "reading_s": machine.timed(windows, 2),
        "bands of the members, on the host, s": machine.timed(lambda: discs.areas(*given), 2),
    }
    for name, work in (("areas", in_areas), ("polygons", in_polygons)):
        expected = work(counting.ON_CPU)
        totals, peak_gib = machine.peak_gib(lambda work=work: work(machine.counting))
        found[name] = {
            "held": int(expected.held.sum()),
            "cpu_s": machine.timed(lambda work=work: work(counting.ON_CPU), repeat),
            "seconds": machine.timed(lambda work=work: work(machine.counting), repeat),
            "peak_gib": peak_gib,
            "equal": all(np.array_equal(a, b) for a, b in zip(totals, expected, strict=True)),
        }
    return found


def check_rank(machine: Machine, data: Path, repeat: int) -> dict[str, Any]:
    """Stage times of ``rank`` without names, on either device, and whether the tables are equal."""
    inputs = [data / f"{name}.parquet" for name in ("patents", "publications", "deals")]
    results, stages = {}, {}
    for device in ("cpu",) if machine.rehearse else ("cpu", "gpu"):
        runs = []
        for _ in range(repeat):
            started = time.perf_counter()
            results[device] = rank(*inputs, device=device, names=False, density=density_of(data))
            runs.append(results[device].manifest["timings"] | {"all": round(time.perf_counter() - started, 3)})
        stages[device] = {"cold": runs[0], "warm": min(runs, key=lambda run: run["all"])}
    same = {}
    for name in ("ranking", "locations", "deals", "boundaries", "organizations", "partners"):
        tables = [pd.DataFrame(getattr(result, name)) for result in results.values()]
        same[name] = all(table.equals(tables[0]) for table in tables)
    return {"stages": stages, "tables equal": same}


def check_sweep(machine: Machine, data: Path, problem: Problem, repeat: int) -> dict[str, Any]:
    """Stage times of a sweep, the kernels of one radius, and whether a part of the grid is the CPU's."""
    inputs = [data / f"{name}.parquet" for name in ("patents", "publications", "deals")]
    radii = RADII[::9] if machine.rehearse else RADII
    density = [density_of(data) * step for step in STEPS]
    grid = {"density": density, "baseline": (15, density[len(density) // 2])}
    runs = []
    for _ in range(max(2, repeat)):
        result = sweep(*inputs, device="cpu" if machine.rehearse else "gpu", radius_km=radii, **grid)
        stages = result.manifest["timings"]
        runs.append(stages | {"all but reading": sum(s for name, s in stages.items() if not name.startswith("read"))})
    warm = min(runs[1:], key=lambda run: run["all but reading"])
    some = radii[:: len(radii) - 1]
    part = sweep(*inputs, device="cpu", radius_km=some, **grid)
    same = {}
    for name in ("settings", "clusters"):
        mine, other = getattr(result, name), getattr(part, name)
        same[name] = mine[mine["radius_km"].isin(some)].reset_index(drop=True).equals(other)
    found = {
        "settings": len(result.settings),
        "cold": runs[0],
        "warm": warm,
        "equal to the cpu": {"radii": some} | same,
    }
    found["kernels of 15 km"] = kernels_of_a_radius(machine, problem, repeat)
    if machine.dbscan:
        one = machine.timed(
            lambda: by_cuml.cluster(problem, machine.kernels, machine.dbscan, lambda _: None, most_rows=float("inf")), 2
        )
        found["one setting by cuml, s"] = min(one)
        found["cuml for all settings, in sweeps"] = round(min(one) * len(result.settings) / warm["sweep"], 1)
    return found


def kernels_of_a_radius(machine: Machine, problem: Problem, repeat: int) -> dict[str, list[float]]:
    """Seconds of each kernel of a hierarchy; the first is cold."""
    seconds: dict[str, list[float]] = {}

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            results: list[Any] = []
            seconds.setdefault(name, []).extend(machine.timed(lambda: results.append(function(*args)), 1))
            return results[0]

        return run

    xp, *functions = machine.levels
    watching = [watched(*pair) for pair in zip(machine.levels._fields[1:], functions, strict=True)]
    thresholds = np.unique([max(1, round(problem.threshold * step)) for step in STEPS])
    for _ in range(repeat):
        around = Neighbourhood(lambda: problem.points, problem.weight, levels.Kernels(xp, *watching))
        around.hierarchy(problem.reach, thresholds)
    return seconds


def check_sanitizer() -> dict[str, Any]:
    """What compute-sanitizer says of a run of 20,000 locations."""
    if shutil.which("compute-sanitizer") is None:
        return {"not run": "compute-sanitizer is not installed"}
    program = [sys.executable, __file__, "--small"]
    said = {}
    for tool in ("memcheck", "racecheck"):
        done = subprocess.run(
            ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9", *program],
            capture_output=True,
            text=True,
            timeout=600,
        )
        said[tool] = {"exit": done.returncode, "end": (done.stdout + done.stderr).splitlines()[-3:]}
    return said


def small(machine: Machine) -> None:
    """A run of the kernels that takes a moment."""
    from spots import spots

    from gpu_clusters.kernels.spaces import on_sphere, sphere_reach

    lon, lat = spots(20_000, seed=0)
    problem = Problem(on_sphere(lon, lat), lon, lat, np.ones(20_000, np.int64), sphere_reach(5.0), 20, "densest")
    if not equal(native.cluster(problem, machine.kernels), native.cluster(problem)):
        raise SystemExit("a small run differs from the CPU's")
    thresholds = np.array([5, 20, 80])
    trees = [
        Neighbourhood(lambda: problem.points, problem.weight, k).hierarchy(problem.reach, thresholds)
        for k in (machine.levels, levels.ON_CPU)
    ]
    for level in (1, 2, 3):
        if not np.array_equal(*(tree.numbers(level) for tree in trees)):
            raise SystemExit("a small sweep differs from the CPU's")


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
