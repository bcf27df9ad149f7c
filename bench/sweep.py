"""A sweep of 20 radii and 50 densities over a million distinct locations, and how it grows.

    python bench/sweep.py --json sweep.json                 # side by side with `dbscan`; --sklearn and --torch add others
    python bench/sweep.py --command                          # the whole command, from a Parquet file to the last picture
    python bench/sweep.py --growth --picture growth.png      # time against locations, radii and densities

The others have no sweep: a few of their settings are timed, and the mean is multiplied by the number of settings.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

import numpy as np
import pandas as pd
from fit_one import TOOLS, forget_peak, memory
from machine import describe, headline, keep_to
from spots import spots

RADII = [round(0.6 + 0.1 * i, 1) for i in range(20)]
DENSITIES = sorted({int(value) for value in np.geomspace(20, 2_000, 50).round()})
TIMED = [(radius, density) for radius in (0.6, 1.5, 2.5) for density in (20, 200, 2_000)]
"""Settings of the other tools that are timed."""

PACKAGES = ("gpu-clusters", "dbscan", "scikit-learn", "numba", "numpy", "xarray")


def table(n: int, seed: int) -> pd.DataFrame:
    """One address a location."""
    lon, lat = spots(n, seed)
    return pd.DataFrame({"doc_id": np.arange(n), "lon": lon, "lat": lat})


def sweep_once(addresses: pd.DataFrame, radii: list[float], densities: list[int]) -> dict:
    """Seconds and growth of the peak memory of one call."""
    from gpu_clusters import sweep

    gc.collect()
    forget_peak()
    before, clock = memory("VmRSS"), time.perf_counter()
    result = sweep(addresses, radius_km=radii, density=densities)
    seconds = time.perf_counter() - clock
    return {
        "seconds": seconds,
        "bytes_per_location": (memory("VmHWM") - before) / len(addresses),
        "rows": len(result.clusters),
        "stages": result.manifest["timings"],
    }


def best(addresses: pd.DataFrame, radii: list[float], densities: list[int], repeat: int) -> dict:
    """The fastest of several calls, with the largest memory."""
    runs = [sweep_once(addresses, radii, densities) for _ in range(repeat)]
    fastest = min(runs, key=lambda run: run["seconds"])
    return fastest | {"bytes_per_location": max(run["bytes_per_location"] for run in runs)}


def others(tool: str, n: int, seed: int, repeat: int, settings: list[tuple[float, int]]) -> dict:
    """Mean of the fastest times of a few settings of another tool, and what all settings would take."""
    made = TOOLS[tool]()
    made.fit(made.prepare(*spots(2_000, seed=0)), 15.0, 3)
    points = np.ascontiguousarray(made.prepare(*spots(n, seed)))
    timed = {}
    for radius, density in settings:
        times = []
        for _ in range(repeat):
            clock = time.perf_counter()
            made.fit(points, radius, density)
            times.append(time.perf_counter() - clock)
        timed[f"{radius:g} km, {density}"] = min(times)
        print(f"{tool}: {radius:g} km, {density}: {min(times):.3f} s", file=sys.stderr)
    each = mean(timed.values())
    return {"timed": timed, "mean_s": each, "extrapolated_s": each * len(RADII) * len(DENSITIES)}


def command(n: int, seed: int, repeat: int) -> float:
    """Fastest wall time of the command."""
    import subprocess

    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        source, out = Path(temporary, "patents.parquet"), Path(temporary, "out")
        table(n, seed).to_parquet(source)
        line = [
            str(Path(sys.executable).with_name("gpu-clusters")),
            "sweep",
            "--patents",
            str(source),
            "--out",
            str(out),
        ]
        line += ["--radius-km", ",".join(map(str, RADII)), "--density", ",".join(map(str, DENSITIES)), "--force"]
        times = []
        for _ in range(repeat):
            clock = time.perf_counter()
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times.append(time.perf_counter() - clock)
    return min(times)


def growth(seed: int, most: int, repeat: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds against locations, radii and densities, each of the others at half of the full grid."""
    found: dict[str, list[tuple[float, float]]] = {"locations": [], "radii": [], "densities": []}
    for n in (most // 30, most // 10, most // 3, most):
        run = best(table(n, seed), RADII[::2], DENSITIES[::2], repeat)
        found["locations"].append((n, run["seconds"]))
        print(
            f"{n:,} locations: {run['seconds']:.2f} s, {run['bytes_per_location']:.0f} bytes/location", file=sys.stderr
        )
    addresses = table(most // 3, seed)
    for step in (10, 5, 2, 1):
        found["radii"].append((len(RADII[::step]), best(addresses, RADII[::step], DENSITIES[::2], repeat)["seconds"]))
    for step in (25, 10, 5, 2, 1):
        some = DENSITIES[::step]
        found["densities"].append((len(some), best(addresses, RADII[::2], some, repeat)["seconds"]))
    return found


def draw(found: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """The growth as three panels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), dpi=150, layout="constrained")
    for place, (name, points) in enumerate(found.items(), 1):
        axes = figure.add_subplot(1, 3, place)
        million = name == "locations"
        axes.plot([x / 1e6 if million else x for x, _ in points], [y for _, y in points], marker="o", color="#1f4e79")
        axes.set_xlabel("million locations" if million else name)
        axes.set_ylabel("seconds" if place == 1 else "")
        axes.set_ylim(0, 1.1 * max(y for _, y in points))
        axes.grid(color="#e5e5e5")
    figure.savefig(path)


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1_000_000, help="locations (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--sklearn", action="store_true", help="also time scikit-learn, at three settings")
    parser.add_argument("--torch", action="store_true", help="also time dbscan-torch, which must be installed")
    parser.add_argument("--command", action="store_true", help="also time the whole command")
    parser.add_argument("--growth", action="store_true", help="only the growth, up to three times the locations")
    parser.add_argument("--picture", type=Path, metavar="FILE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def main() -> None:
    """Run what is asked for; results to stdout, progress to stderr."""
    options = parse()
    keep_to(options.cores)
    machine = describe(PACKAGES)
    print(headline(machine))
    sweep_once(table(2_000, 0), RADII[-2:], [3, 10])  # kernels
    document: dict = {"machine": machine}
    if options.growth:
        document["growth"] = growth(options.seed, 3 * options.n, options.repeat)
        print(json.dumps(document["growth"]))
        if options.picture:
            draw(document["growth"], options.picture)
    else:
        settings = len(RADII) * len(DENSITIES)
        addresses = table(options.n, options.seed)
        ours = best(addresses, RADII, DENSITIES, options.repeat)
        ends = [DENSITIES[0], DENSITIES[-1]]
        two = best(addresses, RADII, ends, options.repeat)
        ours["per_further_density_s"] = (ours["seconds"] - two["seconds"]) / (settings - len(RADII) * len(ends))
        document["gpu-clusters"] = ours
        print(f"gpu-clusters: {settings} settings in {ours['seconds']:.2f} s, {ours['bytes_per_location']:.0f} bytes/location; "
              f"each further density {1000 * ours['per_further_density_s']:.2f} ms")  # fmt: skip
        tools = [("gpu-clusters", TIMED), ("dbscan", TIMED)]
        tools += [("dbscan-torch", TIMED)] if options.torch else []
        tools += [("scikit-learn-kd", TIMED[1:8:3])] if options.sklearn else []
        for tool, some in tools:
            found = document[f"{tool}, single"] = others(tool, options.n, options.seed, options.repeat, some)
            print(f"{tool}: mean {found['mean_s']:.3f} s a setting, all extrapolated {found['extrapolated_s']:.0f} s: "
                  f"{found['extrapolated_s'] / ours['seconds']:.0f} times the sweep")  # fmt: skip
            if tool == "gpu-clusters":
                print(
                    f"each further density: {100 * ours['per_further_density_s'] / found['mean_s']:.2f} % of a single run"
                )
        if options.command:
            document["command_s"] = command(options.n, options.seed, options.repeat)
            print(f"the whole command: {document['command_s']:.1f} s")
    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
