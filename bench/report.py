"""The report on a result of the published size: wall time, peak resident memory, size of the page.

    python bench/report.py --scale 1 --data bench/data --json report.json

The inputs and the result are made first (or taken from `--data`); what is timed is `gpu-clusters report` as a user runs it,
`--repeat` times.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import median

from end_to_end import command, run, world
from machine import describe, headline, keep_to

PACKAGES = ("gpu-clusters", "matplotlib", "datashader", "shapely", "pandas")


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, metavar="DIR", help="make the inputs here, or reuse those that are here")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    options.rest = []
    return options


def main() -> None:
    """Make or find a result, report on it, and print the figures."""
    options = parse()
    environment = keep_to(options.cores)
    machine = describe(PACKAGES)
    print(headline(machine))
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        data = options.data or folder / "data"
        world(data, options.scale, options.seed)
        result = data / "result"
        if not (result / "manifest.json").exists():
            run(command(data, result, options), environment)
        program, out = command(data, result, options)[0], folder / "report"
        runs = []
        for _ in range(options.repeat):
            runs.append(run([program, "report", str(result), "--out", str(out), "--force"], environment))
            print(f"{runs[-1]['wall_s']:.2f} s", file=sys.stderr)
        files = {path.name: path.stat().st_size for path in sorted(out.iterdir())}
        manifest = json.loads((result / "manifest.json").read_text())
    walls = [one["wall_s"] for one in runs]
    print(f"\n{manifest['locations']:,} locations, {manifest['clusters']:,} clusters\n")
    print("| min s | median s | user CPU s | peak GiB | report.html, MB | all files, MB |\n|---|---|---|---|---|---|")
    print(
        f"| {min(walls):.1f} | {median(walls):.1f} | {min(one['user_s'] for one in runs):.1f} | "
        f"{max(one['peak_gib'] for one in runs):.2f} | {files['report.html'] / 1e6:.2f} | {sum(files.values()) / 1e6:.1f} |"
    )
    if options.json:
        document = {"machine": machine, "runs": runs, "files": files, "locations": manifest["locations"]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
