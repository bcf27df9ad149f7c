"""One fit of one tool in a process of its own: time, processor time, growth of peak memory, and the answer.

`clustering.py` starts it; by hand: `python bench/fit_one.py TOOL LOCATIONS.npz RADIUS_KM THRESHOLD ANSWER.npz`.
The last line on stdout is a JSON object.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from spots import spots

EARTH_KM = 6371.0088
OUT_OF_MEMORY, NOT_INSTALLED = 3, 4

Fit = Callable[[np.ndarray, float, int], tuple[np.ndarray, np.ndarray]]


class Tool(NamedTuple):
    """How to feed a tool and how to run it. `fit` returns labels (-1 is noise) and the mask of core locations."""

    prepare: Callable[[np.ndarray, np.ndarray], np.ndarray]
    fit: Fit
    input: str


def degrees(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Longitude and latitude, degrees."""
    return np.column_stack([lon, lat])


def radians(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Latitude and longitude, radians, as scikit-learn's haversine wants them."""
    return np.radians(np.column_stack([lat, lon]))


def sphere(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Points on the sphere, km from its centre."""
    lam, phi = np.radians(lon), np.radians(lat)
    return EARTH_KM * np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def plane(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Lambert's conformal cone of the sphere for the benchmark's box, km; lengths are true to 0.1 % within the box."""
    from pyproj import Transformer

    cone = f"+proj=lcc +lat_1=48 +lat_2=52 +lat_0=50 +lon_0=8 +R={EARTH_KM * 1000} +units=km"
    return np.column_stack(Transformer.from_crs("EPSG:4326", cone, always_xy=True).transform(lon, lat))


def fit_gpu_clusters() -> Fit:
    """Import the package; the fit takes degrees and does everything else itself."""
    from gpu_clusters import WeightedDBSCAN

    def fit(points: np.ndarray, radius_km: float, threshold: int) -> tuple[np.ndarray, np.ndarray]:
        model = WeightedDBSCAN(radius_km=radius_km, threshold=threshold).fit(points)
        return model.labels_, mask(model.core_sample_indices_, len(points))

    return fit


def fit_dbscan() -> Fit:
    """Import `dbscan`; it runs on all cores it may use."""
    from dbscan import DBSCAN

    def fit(points: np.ndarray, radius_km: float, threshold: int) -> tuple[np.ndarray, np.ndarray]:
        return DBSCAN(points, radius_km, min_samples=threshold)

    return fit


def fit_dbscan_torch() -> Fit:
    """Import `dbscan-torch`, which takes points in a plane as float32; it does not say which of them are core."""
    import torch
    from dbscan_torch import dbscan2d

    torch.set_num_threads(len(os.sched_getaffinity(0)))

    def fit(points: np.ndarray, radius_km: float, threshold: int) -> tuple[np.ndarray, np.ndarray]:
        labels = dbscan2d(torch.from_numpy(points.astype(np.float32)), eps=radius_km, min_samples=threshold).numpy()
        return labels, labels >= 0

    return fit


def fit_sklearn(algorithm: str, metric: str, eps: Callable[[float], float]) -> Fit:
    """Import scikit-learn's DBSCAN with a tree, a metric and the radius in that metric's unit."""
    from sklearn.cluster import DBSCAN

    jobs = len(os.sched_getaffinity(0))

    def fit(points: np.ndarray, radius_km: float, threshold: int) -> tuple[np.ndarray, np.ndarray]:
        model = DBSCAN(eps=eps(radius_km), min_samples=threshold, metric=metric, algorithm=algorithm, n_jobs=jobs)
        model.fit(points)
        return model.labels_, mask(model.core_sample_indices_, len(points))

    return fit


def chord_km(radius_km: float) -> float:
    """Straight-line distance, km, between two points that are `radius_km` apart on the sphere."""
    return 2 * EARTH_KM * np.sin(radius_km / (2 * EARTH_KM))


def mask(indices: np.ndarray, n: int) -> np.ndarray:
    """Boolean mask of length `n` with the given indices set."""
    core = np.zeros(n, dtype=bool)
    core[indices] = True
    return core


TOOLS: dict[str, Callable[[], Tool]] = {
    "gpu-clusters": lambda: Tool(degrees, fit_gpu_clusters(), "degrees"),
    "dbscan": lambda: Tool(plane, fit_dbscan(), "plane, km"),
    "dbscan-torch": lambda: Tool(plane, fit_dbscan_torch(), "plane, km, float32"),
    "scikit-learn": lambda: Tool(
        radians, fit_sklearn("ball_tree", "haversine", lambda km: km / EARTH_KM), "radians, haversine, ball tree"
    ),
    "scikit-learn-kd": lambda: Tool(sphere, fit_sklearn("kd_tree", "euclidean", chord_km), "sphere, km, kd-tree"),
}


def memory(field: str) -> int:
    """Bytes from /proc/self/status: VmRSS (resident now) or VmHWM (resident at most since `forget_peak`)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no {field}")


def forget_peak() -> None:
    """Start the peak anew, so that loading and warming cannot hide growth; ru_maxrss offers no such thing."""
    Path("/proc/self/clear_refs").write_text("5")


def busy_seconds() -> float:
    """Processor time, seconds, that all processes of the machine have used so far."""
    user, nice, system, _idle, _wait, *interrupts = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def main(name: str, locations: str, radius_km: float, threshold: int, answer: str) -> None:
    """Load, warm on 2,000 locations, fit once, and report."""
    tool = TOOLS[name]()
    tool.fit(tool.prepare(*spots(2_000, seed=0)), 15.0, 3)  # a radius at which there are cores, borders and noise
    with np.load(locations) as data:
        points = np.ascontiguousarray(tool.prepare(data["lon"], data["lat"]))
    gc.collect()
    forget_peak()
    before = memory("VmRSS")
    busy, cpu, clock = busy_seconds(), time.process_time(), time.perf_counter()
    labels, core = tool.fit(points, radius_km, threshold)
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    elsewhere = max(0.0, busy_seconds() - busy - cpu_seconds)
    growth = memory("VmHWM") - before
    np.savez(answer, labels=labels, core=core)
    report = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "others_cores": elsewhere / seconds,
        "growth_bytes": growth,
        "maxrss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "input": tool.input,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
    except MemoryError as error:
        print(f"out of memory: {error}", file=sys.stderr)
        sys.exit(OUT_OF_MEMORY)
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_INSTALLED)
