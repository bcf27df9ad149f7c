"""Checks of clustering on a GPU: the native kernels, cuML beside them, and a small run for compute-sanitizer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from end_to_end import density_of
from gpu_machine import Machine

from gpu_clusters import Settings
from gpu_clusters.arrays import to_host
from gpu_clusters.engines import cuml as by_cuml
from gpu_clusters.engines import levels, native
from gpu_clusters.engines.islands import islands
from gpu_clusters.engines.protocol import Clustering, Problem
from gpu_clusters.io import read_addresses
from gpu_clusters.steps.cluster import space
from gpu_clusters.steps.hierarchy import Neighbourhood
from gpu_clusters.steps.locate import locate


def problem_of(data: Path) -> Problem:
    """The clustering of the benchmark's globe, with the method's own settings."""
    settings = Settings(density=density_of(data))
    patents, publications = (
        read_addresses(data / f"{name}.parquet", name).data for name in ("patents", "publications")
    )
    found = locate(patents, publications, settings).locations
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


def same_groups(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two labellings differ in the numbers alone, noise being -1 in both."""
    pairs = np.unique(np.stack((one, other)), axis=1)
    return bool(all(len(np.unique(side)) == pairs.shape[1] for side in pairs) and ((pairs < 0).sum(axis=0) != 1).all())


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


def check_cuml(machine: Machine, problem: Problem, samples: tuple[int, ...]) -> list[dict[str, Any]]:
    """cuML through islands beside the native engine, on samples and on all; and cuML alone on the samples."""
    rng, rows, remarks = np.random.default_rng(2), [], list[str]()
    for count in (*(n for n in samples if n < len(problem.lon)), len(problem.lon)):
        some = np.sort(rng.choice(len(problem.lon), count, replace=False))
        given = part_of(problem, some, max(1, problem.threshold * count // len(problem.lon)))
        exact = native.cluster(given, machine.kernels)
        native_s = min(machine.timed(partial(native.cluster, given, machine.kernels), 3))
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


def check_sanitizer() -> dict[str, Any]:
    """What compute-sanitizer says of a run of 20,000 locations."""
    if shutil.which("compute-sanitizer") is None:
        return {"not run": "compute-sanitizer is not installed"}
    program = [sys.executable, str(Path(__file__).with_name("gpu.py")), "--small"]
    said = {}
    for tool in ("memcheck", "racecheck"):
        command = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9", *program]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=150)
            said[tool] = {"exit": done.returncode, "end": (done.stdout + done.stderr).splitlines()[-3:]}
        except subprocess.TimeoutExpired:
            said[tool] = {"not done": "after 150 s"}
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
        if not np.array_equal(*(tree.numbering(level)[to_host(tree.arrival)] for tree in trees)):
            raise SystemExit("a small sweep differs from the CPU's")
