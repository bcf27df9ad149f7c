"""Two editions of many locations and 1,200 clusters each: seconds of ``compare``, and peak memory of the process.

python bench/editions.py --repeat 3
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame

import gpu_clusters
from gpu_clusters.schema import BOUNDARIES, COVERAGE, DEALS, LOCATIONS, ORGANIZATIONS, PARTNERS, RANKING

CLUSTERS, KEPT = 1200, 0.8


def edition(seed: int, drawn: int) -> gpu_clusters.Result:
    """A result whose clusters are boxes on the globe, numbered at random; most locations are in every edition."""
    common, rng = np.random.default_rng(0), np.random.default_rng(seed)
    lon, lat = common.uniform(-180, 180, drawn).round(4), common.uniform(-60, 70, drawn).round(4)
    box = ((lon + 180) // 6).astype(int) * 20 + np.minimum((lat + 60) // 6.5, 19).astype(int)
    number = rng.permutation(box.max() + 1) + 1
    cluster = np.where((rng.random(drawn) < 0.3) | (number[box] > CLUSTERS), -1, number[box])
    table = pd.DataFrame({"lon": lon, "lat": lat, "cluster_id": cluster, "weight": rng.integers(1, 10**9, drawn)})
    table = table[rng.random(drawn) < KEPT].drop_duplicates(["lon", "lat"]).sort_values(["lat", "lon"])
    table = table.assign(inventors=1, authors=1, density_at=1, core=True, initial_cluster_id=0)[list(LOCATIONS)]
    ids = np.arange(1, CLUSTERS + 1)
    empty = pd.DataFrame({name: pd.Series([None] * CLUSTERS, dtype=object) for name in RANKING})
    shares = {
        f"{name}_share": np.sort(rng.random(CLUSTERS))[::-1] for name in ("patent", "publication", "deal", "total")
    }
    ranking = empty.assign(cluster_id=ids, rank=ids, lon=0.0, lat=0.0, **shares)
    deals, coverage, organizations, partners = (
        pd.DataFrame(columns=list(names)) for names in (DEALS, COVERAGE, ORGANIZATIONS, PARTNERS)
    )
    boundaries = GeoDataFrame(columns=list(BOUNDARIES), geometry="geometry", crs="EPSG:4326")
    manifest: dict[str, Any] = {"inputs": [], "timings": {}}
    return gpu_clusters.Result(ranking, table, deals, boundaries, coverage, organizations, partners, manifest)


def main() -> None:
    """Make both editions, compare them as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--locations", type=int, default=4_000_000, help="of each edition, about (default: %(default)s)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = [Path(folder, name) for name in "ab"]
        for seed, path in enumerate(made, 1):
            result = edition(seed, round(options.locations / KEPT))
            print(f"{len(result.locations):,} locations")
            result.write(path)
        del result
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of making them
        for _ in range(options.repeat):
            started, cpu = time.perf_counter(), time.process_time()
            found = gpu_clusters.compare(*made)
            wall, cpu = time.perf_counter() - started, time.process_time() - cpu
            print(f"{wall:.2f} s, {cpu:.2f} s of CPU, {found.manifest['matched']:,} matched")
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print("peak memory", peak.split(":")[1].strip())


if __name__ == "__main__":
    main()
