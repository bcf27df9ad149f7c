"""The planted world: making it, ranking its previous edition and ranking it, stage by stage, with peak memory.

    python bench/planted.py --scale 1 --data bench/planted --json planted.json

Each of the three is a process of its own, bound to `--cores` cores; the kernels are compiled beforehand, on the smallest world.
Memory and wall time are those of the whole process.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from end_to_end import PACKAGES, run
from machine import describe, headline, keep_to

DENSITY, SMALLEST = 4_500, 0.005


def make(folder: Path, scale: float, report: Path | None) -> None:
    """Make a world here and now, and note when each stage began."""
    from gpu_clusters.world import make_world

    folder.mkdir(parents=True, exist_ok=True)
    began, stages = time.perf_counter(), []
    make_world(folder, scale, tell=lambda stage, _: stages.append((stage, time.perf_counter() - began)))
    stages.append(("", time.perf_counter() - began))
    seconds: dict[str, float] = {}
    for (stage, start), (_, end) in pairwise(stages):
        seconds[stage] = seconds.get(stage, 0.0) + end - start
    if report is not None:
        report.write_text(json.dumps(seconds))


def ranked(data: Path, scale: float, prefix: str, out: Path, environment: dict[str, str]) -> dict:
    """Rank one edition as a user would; its figures and the stages' times."""
    program = str(Path(sys.executable).with_name("gpu-clusters"))
    line = [program, "rank", "--density", f"{DENSITY * scale:g}", "--out", str(out), "--force"]
    for table in ("patents", "publications", "deals"):
        line += [f"--{table}", str(data / f"{prefix}{table}.parquet")]
    line += ["--population", str(data / f"{prefix}population.tif")]
    if not prefix:
        line += ["--names", str(data / "names.csv"), "--previous", str(data / "previous")]
    figures = run(line, environment)
    manifest = json.loads((out / "manifest.json").read_text())
    return figures | {
        "timings": manifest["timings"],
        "clusters": manifest["clusters"],
        "locations": manifest["locations"],
    }


def differing(out: Path) -> int:
    """Number of published figures that a result does not reproduce."""
    import pandas as pd

    from gpu_clusters.world import differences

    return len(differences(pd.read_parquet(out / "ranking.parquet")))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where the inputs and results go")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.data, options.scale, options.make)
        return
    environment = keep_to(options.cores)
    document = {"machine": describe(PACKAGES), "scale": options.scale}
    print(headline(document["machine"]))
    with tempfile.TemporaryDirectory() as warm:
        make(Path(warm), SMALLEST, None)
        ranked(Path(warm), SMALLEST, "previous_", Path(warm) / "previous", environment)
        ranked(Path(warm), SMALLEST, "", Path(warm) / "result", environment)
    report = Path(tempfile.mkstemp()[1])
    script = [
        sys.executable,
        __file__,
        "--scale",
        str(options.scale),
        "--data",
        str(options.data),
        "--make",
        str(report),
    ]
    document["make"] = run(script, environment) | {"timings": json.loads(report.read_text())}
    report.unlink()
    for name, prefix in (("previous", "previous_"), ("result", "")):
        document[name] = ranked(options.data, options.scale, prefix, options.data / name, environment)
    document["differences"] = differing(options.data / "result")
    for name in ("make", "previous", "result"):
        figures = document[name]
        print(f"\n{name}: {figures['wall_s']:.1f} s, peak {figures['peak_gib']:.2f} GiB")
        for stage, seconds in figures["timings"].items():
            print(f"| {stage} | {seconds:.2f} |")
    print(f"\n{document['differences']} published figures are not reproduced")
    if options.json:
        options.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
