"""Checks of whole runs on a GPU: reading, from Parquet to a ranking, and a sweep."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from end_to_end import density_of
from gpu_machine import Machine

from gpu_clusters import rank, sweep
from gpu_clusters.engines import cuml as by_cuml
from gpu_clusters.engines import levels
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.io import read_addresses
from gpu_clusters.io.device import read_addresses as read_on_gpu
from gpu_clusters.schema import TABLES
from gpu_clusters.steps.hierarchy import Neighbourhood

RADII = tuple(range(6, 26))
STEPS = tuple(float(step) for step in np.geomspace(0.3, 3, 50).round(3))
"""Densities of the sweep, in the method's."""


def check_read(machine: Machine, data: Path, repeat: int) -> dict[str, Any]:
    """The patents as Parquet and as CSV, read on either device: seconds, the first cold, by whom, and whether all is equal."""
    csv = data / "patents.csv"
    if not csv.exists():
        pa_csv.write_csv(pq.read_table(data / "patents.parquet"), csv)
    cudf, xp = machine.frames()
    found: dict[str, Any] = {}
    for path in (data / "patents.parquet", csv):
        expected, read, said = read_addresses(path, "patents").data, list[Any](), list[str]()

        def work(path: Path = path, read: list[Any] = read, said: list[str] = said) -> None:
            read[:] = [read_on_gpu(cudf, xp, path, "patents", remark=said.append).data]

        arrays = ("lon", "lat", "doc_start", "country", "organization", "fraction")
        found[path.suffix[1:]] = {
            "seconds": machine.timed(work, repeat),
            "by": sorted(set(said)),
            "cpu, s": min(machine.timed(partial(read_addresses, path, "patents"), repeat)),
            "equal": all(_same(getattr(read[0], name), getattr(expected, name)) for name in arrays),
        }
    return found


def _same(mine: Any, theirs: np.ndarray | None) -> bool:
    return mine is None if theirs is None else mine.get().tobytes() == theirs.tobytes()


def check_rank(machine: Machine, data: Path, repeat: int) -> dict[str, Any]:
    """Stage times of ``rank`` without names, on either device, and whether the tables are equal."""
    patents, publications, deals = (data / f"{name}.parquet" for name in TABLES)
    results, stages = {}, {}
    for device in ("cpu", "gpu"):
        runs = []
        for _ in range(repeat):
            started = time.perf_counter()
            results[device] = rank(patents, publications, deals, device=device, names=False, density=density_of(data))
            whole = time.perf_counter() - started
            found = results[device].manifest["timings"]
            without = whole - found["draw boundaries"]
            runs.append(found | {"all": round(whole, 3), "all but boundaries": round(without, 3)})
        stages[device] = {"cold": runs[0], "warm": min(runs, key=lambda run: run["all but boundaries"])}
    work = partial(rank, patents, publications, deals, device="gpu", names=False, density=density_of(data))
    _, peak_gib = machine.peak_gib(work)
    same = {}
    for name in ("ranking", "locations", "deals", "boundaries", "organizations", "partners"):
        tables = [pd.DataFrame(getattr(result, name)) for result in results.values()]
        same[name] = all(table.equals(tables[0]) for table in tables)
    note = results[list(results)[-1]].manifest["note"]
    return {"stages": stages, "tables equal": same, "peak_gib": peak_gib, "note": note}


def check_sweep(machine: Machine, data: Path, problem: Problem, repeat: int) -> dict[str, Any]:
    """Stage times of a sweep, the kernels of one radius, and whether a part of the grid is the CPU's."""
    patents, publications, deals = (data / f"{name}.parquet" for name in TABLES)
    density = [density_of(data) * step for step in STEPS]
    grid: dict[str, Any] = {"density": density, "baseline": (15, density[len(density) // 2])}
    runs = []
    for _ in range(max(2, repeat)):
        result = sweep(patents, publications, deals, device="gpu", radius_km=RADII, **grid)
        stages = result.manifest["timings"]
        runs.append(stages | {"all but reading": sum(s for name, s in stages.items() if not name.startswith("read"))})
    warm = min(runs[1:], key=lambda run: run["all but reading"])
    some = RADII[:: len(RADII) - 1]
    part = sweep(patents, publications, deals, device="cpu", radius_km=some, **grid)
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
