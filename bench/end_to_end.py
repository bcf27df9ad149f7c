"""The whole command on inputs of the published size: stage times, wall time, peak resident memory.

    python bench/end_to_end.py --scale 1 --data bench/data --json end_to_end.json

The command runs as a user would run it, in a subprocess: once cold (an empty folder for compiled kernels) and
`--repeat` times warm. Arguments after `--` go to the command.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from machine import GIB, describe, headline, keep_to

DENSITY = 4_500
"""The default density; a smaller world gets a density in proportion, and so about as many clusters."""

TABLES = ("patents", "publications", "deals")
PACKAGES = ("gpu-clusters", "numba", "numpy", "pandas", "pyarrow")


def world(folder: Path, scale: float, seed: int) -> dict:
    """Make the inputs unless the folder has them already; what `world.py` says about them.

    They are made in a subprocess: the peak memory of a command counts from that of the process that starts it.
    """
    about = folder / "world.json"
    found = json.loads(about.read_text()) if about.exists() else {}
    if (found.get("scale"), found.get("seed")) != (scale, seed):
        script = Path(__file__).with_name("world.py")
        arguments = ["--scale", str(scale), "--seed", str(seed), "--out", str(folder)]
        subprocess.run([sys.executable, str(script), *arguments], check=True, stdout=sys.stderr)
        found = json.loads(about.read_text())
    return found


def density_of(data: Path) -> float:
    """The method's density, in proportion to the size of the inputs."""
    return DENSITY * json.loads((data / "world.json").read_text())["scale"]


def command(data: Path, out: Path, options: argparse.Namespace) -> list[str]:
    """The command line under test."""
    beside = Path(sys.executable).with_name("gpu-clusters")
    program = str(beside) if beside.exists() else shutil.which("gpu-clusters")
    if program is None:
        raise SystemExit("gpu-clusters is not installed in this environment")
    line = [program, "rank"]
    for table in TABLES:
        line += [f"--{table}", str(data / f"{table}.parquet")]
    line += ["--density", f"{density_of(data):g}"]
    return [*line, "--out", str(out), "--force", *options.rest]


def run(line: list[str], environment: dict[str, str]) -> dict:
    """Run the command to its end; wall time, processor time and peak resident memory of it and its children."""
    with tempfile.TemporaryFile() as progress:
        clock = time.perf_counter()
        process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=progress)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - clock
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            progress.seek(0)
            raise SystemExit(f"exit code {process.returncode}\n{progress.read().decode(errors='replace')}")
    return {
        "wall_s": wall,
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "peak_gib": usage.ru_maxrss * 1024 / GIB,
        "load_average": os.getloadavg()[0],
    }


def result(out: Path) -> dict:
    """Clusters, locations and the stages' times, as the command's files tell them."""
    import pyarrow.parquet as pq

    manifest = json.loads((out / "manifest.json").read_text())
    return {
        "clusters": pq.read_metadata(out / "ranking.parquet").num_rows,
        "locations": pq.read_metadata(out / "locations.parquet").num_rows,
        "timings": manifest.get("timings", {}),
    }


def report(document: dict) -> str:
    """Markdown: one column for the cold run and one for the fastest of the warm runs."""
    runs = document["runs"]
    cold, warm = runs[0], min(runs[1:], key=lambda run: run["wall_s"], default=None)
    columns = [("cold", cold)] + ([("warm", warm)] if warm else [])
    rows = "; ".join(f"{name} {count:,} rows" for name, count in document["world"]["rows"].items())
    found = f"{cold['locations']:,} locations, {cold['clusters']:,} clusters"
    lines = [
        f"\nscale {document['world']['scale']:g}: {rows}; {found}\n",
        "| | " + " | ".join(name for name, _ in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    stages = list(dict.fromkeys(stage for _, found in columns for stage in found["timings"]))
    for stage in stages:
        lines.append(
            f"| {stage}, s | " + " | ".join(f"{found['timings'].get(stage, 0):.2f}" for _, found in columns) + " |"
        )
    for title, key in (("wall, s", "wall_s"), ("user CPU, s", "user_s"), ("peak memory, GiB", "peak_gib")):
        lines.append(f"| **{title}** | " + " | ".join(f"{found[key]:.2f}" for _, found in columns) + " |")
    if warm:
        walls = [found["wall_s"] for found in runs[1:]]
        lines.append(f"\nwarm: fastest of {len(walls)}, median wall {median(walls):.2f} s")
    return "\n".join(lines)


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the inputs here, or reuse those that are here")
    parser.add_argument("--repeat", type=int, default=3, help="warm runs (default: %(default)s)")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "rest", nargs="*", metavar="-- ARGUMENTS", help="arguments for the command, such as --device cpu"
    )
    return parser.parse_args()


def main() -> None:
    """Make or find the inputs, run cold and warm, and print the table."""
    options = parse()
    environment = keep_to(options.cores)
    machine = describe(PACKAGES)
    print(headline(machine))
    runs = []
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        data = options.data or folder / "data"
        about = world(data, options.scale, options.seed)
        environment["NUMBA_CACHE_DIR"] = str(folder / "kernels")
        out = folder / "out"
        for number in range(1 + options.repeat):
            runs.append(run(command(data, out, options), environment) | result(out))
            print(f"{'warm' if number else 'cold'}: {runs[-1]['wall_s']:.2f} s", file=sys.stderr)
    document = {"machine": machine, "world": about, "runs": runs}
    print(report(document))
    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
