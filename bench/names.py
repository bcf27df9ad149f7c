"""How long naming takes: `python bench/names.py --locations 4000000`."""

from __future__ import annotations

import argparse
import time

import numpy as np

from gpu_clusters.io.gazetteer import towns
from gpu_clusters.steps.describe import Points
from gpu_clusters.steps.name import name_clusters
from gpu_clusters.steps.places import places_from


def timed(locations: int) -> None:
    """Naming of 240 clusters with this many locations around the largest places, best of three."""
    table = towns()
    rng = np.random.default_rng(0)
    largest = table.nlargest(240, "population")
    cluster = rng.integers(0, len(largest), locations)
    off = rng.normal(0, 0.15, (2, locations))
    lat = largest["lat"].to_numpy()[cluster] + off[0]
    lon = largest["lon"].to_numpy()[cluster] + off[1] / np.cos(np.radians(lat))
    order = np.lexsort((lon, lat))  # as a run has them
    points = Points(lon[order], lat[order], cluster[order], rng.integers(1, 1000, locations))
    seconds = []
    for _ in range(3):
        started, processor = time.perf_counter(), time.process_time()
        places = places_from(table)
        ready = time.perf_counter()
        name_clusters(points, len(largest), range(len(largest)), None, towns=lambda: places, smaller=lambda: places)  # noqa: B023
        seconds.append((time.process_time() - processor, ready - started, time.perf_counter() - ready))
    used, prepared, took = min(seconds)
    print(
        f"{locations:,} locations: gazetteer ready in {prepared:.2f} s, named in {took:.2f} s, {used:.2f} s of the processor, "
        "best of three"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locations", type=int, default=4_000_000)
    timed(parser.parse_args().locations)
