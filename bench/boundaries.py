"""Outlines of all clusters of a world of full size, and its locations in many regions: time and peak memory.

    python bench/world.py --scale 1 --out bench/data
    python bench/boundaries.py --data bench/data --repeat 3

The locations and their clusters (unmerged, so that more areas touch) are made once by `rank`. Every measurement has a process
of its own, bound to two cores; kernels are compiled beforehand, and peak memory is that of the whole process, imports and
locations included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from end_to_end import density_of
from machine import GIB, describe, headline, keep_to

AREA = 0.05
PACKAGES = ("gpu-clusters", "numba", "numpy", "shapely", "geopandas")
CASES = ("area", "hull", "concave", "regions")


def prepare(data: Path, path: Path) -> None:
    """Cluster the world; keep lon, lat and the cluster's number (-1 none) of each location."""
    import gpu_clusters

    tables = data / "patents.parquet", data / "publications.parquet"
    found = gpu_clusters.rank(*tables, merge_km=None, density=density_of(data)).locations
    cluster = found["cluster_id"].to_numpy()
    np.savez(path, lon=found["lon"], lat=found["lat"], cluster=np.where(cluster > 0, cluster - 1, -1))


def outlines(which: str, lon: np.ndarray, lat: np.ndarray, cluster: np.ndarray, clusters: int) -> np.ndarray:
    """Polygons of one kind."""
    from gpu_clusters.steps.hulls import hulls
    from gpu_clusters.steps.outline import area_polygons

    if which == "area":
        return area_polygons(lon, lat, cluster, clusters, AREA)
    return hulls(lon, lat, cluster, clusters, concave=which == "concave")


def in_regions(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Locations in 64,800 regions of a degree, each a polygon of 100 corners."""
    import shapely

    from gpu_clusters.steps.inside import smallest_holding

    west, south = np.meshgrid(np.arange(-180, 180), np.arange(-90, 90))
    boxes = shapely.segmentize(shapely.box(west.ravel(), south.ravel(), west.ravel() + 1, south.ravel() + 1), 0.04)
    return smallest_holding(boxes, lon, lat)


def work(which: str, path: Path) -> dict:
    """One measurement."""
    import shapely

    held = np.load(path)
    lon, lat, cluster = held["lon"], held["lat"], held["cluster"]
    if which == "regions":
        in_regions(lon[:10], lat[:10])
        started = time.perf_counter()
        found = in_regions(lon, lat)
        return {
            "seconds": time.perf_counter() - started,
            "what": f"{len(lon):,} locations, {(found < 0).sum()} in none",
        }
    member = cluster >= 0
    lon, lat, cluster = lon[member], lat[member], cluster[member]
    outlines(which, lon[:99], lat[:99], np.arange(99) % 3, 3)
    started = time.perf_counter()
    shapes = outlines(which, lon, lat, cluster, int(cluster.max()) + 1)
    seconds = time.perf_counter() - started
    corners = shapely.get_num_coordinates(shapes).sum()
    assert shapely.is_valid(shapes).all()
    return {"seconds": seconds, "what": f"{len(lon):,} members, {len(shapes)} clusters, {corners:,} corners"}


def measured(which: str, path: Path, environment: dict[str, str]) -> dict:
    """One measurement in a process of its own, with its peak resident memory."""
    line = [sys.executable, __file__, "--worker", which, "--locations", str(path)]
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen(line, env=environment, stdout=answer)
        _, status, usage = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{which} failed")
        answer.seek(0)
        return json.load(answer) | {"peak_gib": usage.ru_maxrss * 1024 / GIB}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("bench/data"), help="folder of the world's tables")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", choices=(*CASES, "prepare"), help=argparse.SUPPRESS)
    parser.add_argument("--locations", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker == "prepare":
        prepare(options.data, options.locations)
        return
    if options.worker:
        print(json.dumps(work(options.worker, options.locations)))
        return
    environment = keep_to(options.cores)
    machine = describe(PACKAGES)
    path = options.data / "clusters.npz"
    if not path.exists():  # in a process of its own: the peak of this one would be the least that it can see
        line = [sys.executable, __file__, "--worker", "prepare", "--data", options.data, "--locations", path]
        subprocess.run(line, check=True)
    print(headline(machine))
    print(f"{'':<10} {'min s':>8} {'median s':>8} {'peak GiB':>8}")
    runs = {}
    for which in options.cases:
        runs[which] = [measured(which, path, environment) for _ in range(options.repeat)]
        times, peak = [run["seconds"] for run in runs[which]], max(run["peak_gib"] for run in runs[which])
        print(f"{which:<10} {min(times):8.2f} {median(times):8.2f} {peak:8.2f}  {runs[which][0]['what']}", flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "runs": runs}, indent=2))


if __name__ == "__main__":
    main()
