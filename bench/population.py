"""People in areas: a million members on a global 30 arc-second raster, and a smaller case next to exactextract.

    python bench/population.py --data bench/data --repeat 3 --json population.json

The raster is made once: a sparse cloud-optimised GeoTIFF of 43,200 x 21,600 cells with people around 400 spots. Every
measurement has a process of its own, bound to two cores; peak memory is that of the whole process, imports included.
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
from machine import GIB, describe, headline, keep_to

WIDTH, HEIGHT, BLOCK = 43_200, 21_600, 512
PITCH = 1 / 120
SPOTS, AREA = 400, 0.05
PACKAGES = ("gpu-clusters", "numba", "numpy", "rasterio", "rioxarray", "xarray", "exactextract", "shapely")


def spots(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Middle (lon, lat) and spread in degrees of the spots."""
    rng = np.random.default_rng(seed)
    middle = np.column_stack([rng.uniform(-176, 176, SPOTS), np.degrees(np.arcsin(rng.uniform(-0.6, 0.9, SPOTS)))])
    return middle, rng.uniform(0.05, 0.25, SPOTS)


def members(count: int, clusters: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Places (lon, lat) around the first spots, and the number of each place's spot."""
    rng = np.random.default_rng(seed)
    middle, spread = spots()
    spot = np.sort(rng.integers(0, clusters, count))
    places = middle[spot] + rng.normal(size=(count, 2)) * spread[spot, None]
    places[:, 0] = (places[:, 0] + 180) % 360 - 180
    return places, spot


def make_raster(path: Path, clusters: int = SPOTS) -> None:
    """Write the raster: people in the blocks around the first spots, nothing in the others."""
    import rasterio
    from rasterio.shutil import copy
    from rasterio.windows import Window

    rng = np.random.default_rng(2)
    middle, spread = spots()
    about = {"width": WIDTH, "height": HEIGHT, "count": 1, "dtype": "float32", "crs": "EPSG:4326", "nodata": None}
    transform = rasterio.Affine(PITCH, 0, -180, 0, -PITCH, 90)
    blocks = set()
    for (lon, lat), reach in zip(middle[:clusters], 5 * spread[:clusters] + 0.2, strict=True):
        columns = np.arange((lon - reach + 180) / PITCH // BLOCK, (lon + reach + 180) / PITCH // BLOCK + 1)
        rows = np.arange((90 - lat - reach) / PITCH // BLOCK, (90 - lat + reach) / PITCH // BLOCK + 1)
        blocks |= {(int(r), int(c) % (WIDTH // BLOCK + 1)) for r in rows for c in columns}
    layout = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate", "sparse_ok": True}
    plain = path.with_suffix(".plain.tif")
    with rasterio.open(plain, "w", "GTiff", transform=transform, **about, **layout) as file:
        for row, column in sorted(blocks):
            height, width = min(BLOCK, HEIGHT - row * BLOCK), min(BLOCK, WIDTH - column * BLOCK)
            people = rng.pareto(1.5, (height, width)).astype("float32") * 100
            file.write(people, 1, window=Window(column * BLOCK, row * BLOCK, width, height))
    with rasterio.Env(GDAL_CACHEMAX=512_000_000):
        copy(plain, path, driver="COG", compress="deflate", blocksize=BLOCK, overviews="none", sparse_ok=True)
    plain.unlink()


def ours(path: Path, count: int, clusters: int) -> dict:
    """People in the areas by this package; compiled beforehand, on a few members."""
    from gpu_clusters import people_within

    places, spot = members(count, clusters)
    people_within(places[:2], path, area_degrees=AREA, labels=spot[:2])
    started = time.perf_counter()
    found = people_within(places, path, area_degrees=AREA, labels=spot)
    return {"seconds": time.perf_counter() - started, "people": found["population"].tolist()}


def theirs(path: Path, count: int, clusters: int) -> dict:
    """People in the union of buffers around the members by exactextract, buffering apart."""
    import geopandas as gpd
    import shapely
    from exactextract import exact_extract

    places, spot = members(count, clusters)
    started = time.perf_counter()
    discs = shapely.buffer(shapely.points(places), AREA, quad_segs=16)
    shapes = [shapely.union_all(discs[spot == number]) for number in range(clusters)]
    buffered = time.perf_counter() - started
    frame = gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326")
    started = time.perf_counter()
    found = exact_extract(str(path), frame, ["sum"], output="pandas")
    return {"seconds": time.perf_counter() - started, "buffers_s": buffered, "people": found["sum"].tolist()}


def measured(which: str, path: Path, count: int, clusters: int, environment: dict[str, str]) -> dict:
    """One measurement in a process of its own, with its peak resident memory."""
    line = [sys.executable, __file__, "--worker", which, "--raster", str(path)]
    line += ["--members", str(count), "--clusters", str(clusters)]
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen(line, env=environment, stdout=answer)
        _, status, usage = os.wait4(process.pid, 0)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"{which} failed")
        answer.seek(0)
        return json.load(answer) | {"peak_gib": usage.ru_maxrss * 1024 / GIB}


def report(name: str, runs: list[dict]) -> None:
    times = [run["seconds"] for run in runs]
    print(f"{name:<42} {min(times):8.2f} {median(times):8.2f} {max(run['peak_gib'] for run in runs):8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("bench/data"), help="folder that keeps the raster")
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=20_000, help="members of the case next to exactextract")
    parser.add_argument("--clusters", type=int, default=SPOTS)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    parser.add_argument("--raster", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work = ours if options.worker == "ours" else theirs
        print(json.dumps(work(options.raster, options.members, options.clusters)))
        return
    environment = keep_to(options.cores)
    machine = describe(PACKAGES)
    path = options.data / "population_30ss.tif"
    if not path.exists():
        options.data.mkdir(parents=True, exist_ok=True)
        make_raster(path)
    large = [measured("ours", path, options.members, SPOTS, environment) for _ in range(options.repeat)]
    small: dict[str, list[dict]] = {"ours": [], "theirs": []}
    for _ in range(options.repeat):
        for which, runs in small.items():
            runs.append(measured(which, path, options.small, options.clusters, environment))
    print(headline(machine))
    print(f"{WIDTH:,} x {HEIGHT:,} cells, {path.stat().st_size / 1e6:.0f} MB")
    print(f"{'':<42} {'min s':>8} {'median s':>8} {'peak GiB':>8}")
    report(f"gpu-clusters, {options.members:,} members", large)
    report(f"gpu-clusters, {options.small:,} members", small["ours"])
    report(f"exactextract, {options.small:,} members", small["theirs"])
    one, two = (np.array(small[which][0]["people"]) for which in ("ours", "theirs"))
    fastest = {which: min(run["seconds"] for run in runs) for which, runs in small.items()}
    buffers = min(run["buffers_s"] for run in small["theirs"])
    off = np.abs(one / two - 1)
    print(f"exactextract / gpu-clusters: {fastest['theirs'] / fastest['ours']:.2f}")
    print(f"... with the {buffers:.2f} s for its polygons: {(fastest['theirs'] + buffers) / fastest['ours']:.2f}")
    print(
        f"people: {one.sum():,.0f} by centres, {two.sum():,.0f} by parts of cells, {100 * (one.sum() / two.sum() - 1):+.3f} %; "
        f"by cluster {100 * median(off):.3f} % (median), {100 * off.max():.2f} % (largest)"
    )
    if options.json:
        answers = {"large": large, **small}
        for runs in answers.values():
            for run in runs:
                run["people"] = sum(run["people"])
        options.json.write_text(json.dumps({"machine": machine, "runs": answers}, indent=2) + "\n")


if __name__ == "__main__":
    main()
