"""Converting an OpenAlex snapshot: wall time, and peak resident memory of the process and all that it starts.

    python bench/sources.py --rows 5_000_000 10_000_000 --json sources.json

The snapshot is synthetic (`snapshot.py`). What is timed is `gpu-clusters convert` as a user runs it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
from machine import GIB, describe, headline, keep_to
from snapshot import make

PACKAGES = ("gpu-clusters", "pyarrow", "pandas", "numpy")
EVERY_S = 0.05
PROGRAM = str(Path(sys.executable).with_name("gpu-clusters"))


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000_000, 10_000_000])
    parser.add_argument("--form", nargs="+", default=["jsonl", "parquet"], choices=("jsonl", "parquet"))
    parser.add_argument("--dask", nargs="*", default=[], metavar="SCHEDULER", help="also with these, such as local:2")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def watched(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Run a command: seconds, and the largest sum of the resident memory of its processes, GiB."""
    started = time.perf_counter()
    program = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    whole, peak = psutil.Process(program.pid), 0
    while program.poll() is None:
        held = 0
        with suppress(psutil.NoSuchProcess):
            for process in [whole, *whole.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    held += process.memory_info().rss
        peak = max(peak, held)
        time.sleep(EVERY_S)
    if program.returncode:
        sys.exit(f"{' '.join(command)}: exit code {program.returncode}")
    return {"wall_s": time.perf_counter() - started, "peak_gib": peak / GIB}


def main() -> None:
    """Make snapshots of each size and form, convert them, and print the figures."""
    options = parse()
    environment = keep_to(options.cores)
    machine = describe(PACKAGES)
    print(headline(machine))
    print("\n| form | rows | input, GB | Dask | s | rows/s | peak GiB |\n|---|---|---|---|---|---|---|", flush=True)
    runs = []
    for form in options.form:
        with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
            folder = Path(temporary)
            for rows in sorted(options.rows):
                made = make(folder / "snapshot", rows, form)
                size = sum(path.stat().st_size for path in (folder / "snapshot").rglob("*") if path.is_file())
                for dask in [None, *options.dask]:
                    call = [PROGRAM, "convert", "openalex", str(folder / "snapshot"), "--retracted"]
                    call += ["--out", str(folder / "out"), "--force", *(["--dask", dask] if dask else [])]
                    found = watched(call, environment)
                    written = json.loads((folder / "out/manifest.json").read_text())["rows"]
                    if written != made:
                        sys.exit(f"{made} rows were made, {written} written")
                    runs.append({"form": form, "rows": made, "bytes": size, "dask": dask, **found})
                    print(
                        f"| {form} | {made:,} | {size / 1e9:.2f} | {dask or 'no'} | {found['wall_s']:.1f} | "
                        f"{made / found['wall_s']:,.0f} | {found['peak_gib']:.2f} |",
                        flush=True,
                    )
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "runs": runs}, indent=2) + "\n")


if __name__ == "__main__":
    main()
