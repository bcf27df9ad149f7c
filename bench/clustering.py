"""One run of DBSCAN, side by side: this package, `dbscan` and scikit-learn on the same locations and cores.

    python bench/clustering.py --case all --repeat 5 --json clustering.json

Every fit runs in a fresh process, after the data are built and the tool has been warmed on 2,000 locations; the tools
take turns (A B C A B C ...). See README.md in this folder for what is counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from answers import Answer, differences
from fit_one import NOT_INSTALLED, OUT_OF_MEMORY, TOOLS
from machine import GIB, describe, headline, keep_to
from spots import spots

COMPARED = [tool for tool in TOOLS if tool != "dbscan-torch"]  # which does not say what is core

FULL = 1_000_000
CASES = {"base": (1.5, 40, 0.0), "heavy": (1.5, 40, 0.1), "15km": (15.0, 2_500, 0.0)}
"""Radius in km, threshold for a million locations, share of the locations in five tight spots."""

QUIET = 0.1
"""Cores that other processes may use during the median run before the table says so."""

PACKAGES = ("gpu-clusters", "dbscan", "scikit-learn", "numba", "numpy")
FRACTIONS = (16, 8, 4)
"""A tool that runs out of memory or time is run on these fractions of the locations, for an extrapolation."""


def fit_once(tool: str, data: Path, radius_km: float, threshold: int, options: argparse.Namespace) -> dict:
    """One fit in a subprocess under the memory guard; `failure` says why there is no answer."""
    answer = data.with_name(f"{data.stem}-{tool}.npz")
    limit = int(options.memory_limit * GIB)
    command = [sys.executable, str(Path(__file__).with_name("fit_one.py")), tool, str(data)]
    command += [str(radius_km), str(threshold), str(answer)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=options.time_limit,
            env=options.environment,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        )
    except subprocess.TimeoutExpired:
        return {"failure": f"no end in {options.time_limit:g} s"}
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1]) | {"answer": answer}
    if done.returncode == NOT_INSTALLED:
        return {"failure": f"not available: {done.stderr.strip()}"}
    if done.returncode in (OUT_OF_MEMORY, -9) or "bad_alloc" in done.stderr:
        return {"failure": f"out of memory ({options.memory_limit:g} GiB)"}
    raise RuntimeError(f"{tool} failed with exit code {done.returncode}:\n{done.stderr}")


def summary(runs: list[dict], n: int) -> dict:
    """Times and memory of one tool's repeats; the failure alone if one of them failed."""
    failure = next((run["failure"] for run in runs if "failure" in run), None)
    if failure:
        return {"failure": failure}
    seconds = [run["seconds"] for run in runs]
    return {
        "input": runs[0]["input"],
        "seconds": seconds,
        "min_s": min(seconds),
        "median_s": median(seconds),
        "cpu_s": min(run["cpu_seconds"] for run in runs),
        "others_cores": median(run["others_cores"] for run in runs),
        "bytes_per_location": max(run["growth_bytes"] for run in runs) / n,
    }


def extrapolate(tool: str, folder: Path, case: dict, options: argparse.Namespace) -> dict:
    """Time and memory at full size by the power law through the two largest fractions of it that came to an end."""
    found = []
    for fraction in FRACTIONS:
        n = case["n"] // fraction
        data = write_spots(folder / f"part-{fraction}.npz", n, options.seed, case["heavy"])
        run = fit_once(tool, data, case["radius_km"], max(2, round(case["threshold"] / fraction)), options)
        if "failure" in run:
            break
        found.append((n, run["seconds"], run["growth_bytes"] / n))
    if len(found) < 2:
        return {}
    (n1, s1, b1), (n2, s2, b2) = found[-2:]
    steps = np.log(case["n"] / n2) / np.log(n2 / n1)
    return {
        "measured": [{"n": n, "seconds": s, "bytes_per_location": b} for n, s, b in found],
        "seconds": s2 * (s2 / s1) ** steps,
        "bytes_per_location": b2 * (b2 / b1) ** steps,
    }


def write_spots(file: Path, n: int, seed: int, heavy: float) -> Path:
    """Write the locations where a subprocess can read them."""
    lon, lat = spots(n, seed, heavy)
    np.savez(file, lon=lon, lat=lat)
    return file


def side_by_side(name: str, case: dict, options: argparse.Namespace) -> dict:
    """Run all tools on one case, and compare each answer with that of the first tool that gave one."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = Path(temporary)
        data = write_spots(folder / "spots.npz", case["n"], options.seed, case["heavy"])
        runs: dict[str, list[dict]] = {tool: [] for tool in options.which}
        for _ in range(options.repeat):
            for tool, sofar in runs.items():
                if not sofar or "failure" not in sofar[-1]:
                    sofar.append(fit_once(tool, data, case["radius_km"], case["threshold"], options))
                    print(f"{name}: {tool}: {sofar[-1].get('failure') or sofar[-1]['seconds']}", file=sys.stderr)
        tools = {tool: summary(found, case["n"]) for tool, found in runs.items()}
        answers = {
            tool: read_answer(runs[tool][0]["answer"]) for tool, found in tools.items() if "failure" not in found
        }
        reference = next(iter(answers), "")
        for tool, found in tools.items():
            if tool in answers:
                found |= answers[tool].counts() | {"ratio": found["min_s"] / tools[reference]["min_s"]}
                if tool != reference:
                    found["differences"] = differences(answers[reference], answers[tool])
            elif "not available" not in found["failure"] and options.extrapolate:
                found["extrapolated"] = extrapolate(tool, folder, case, options)
    return {"case": name, **case, "reference": reference or None, "tools": tools}


def read_answer(file: Path) -> Answer:
    """Labels and core mask as `fit_one.py` wrote them."""
    with np.load(file) as data:
        return Answer(data["labels"], data["core"])


def table(result: dict) -> str:
    """The result as a Markdown table."""
    lines = [
        f"\n**{result['case']}**: {result['n']:,} locations, radius {result['radius_km']:g} km, threshold "
        f"{result['threshold']:,}, {result['heavy']:.0%} in five tight spots; differences from {result['reference']}\n",
        "| tool | min s | median s | ratio | CPU s | bytes/location | cores | clusters | noise | differences |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for tool, found in result["tools"].items():
        if "failure" in found:
            far = found.get("extrapolated")
            note = (
                "; extrapolated: {seconds:.3g} s, {bytes_per_location:,.0f} bytes/location".format(**far) if far else ""
            )
            lines.append(f"| {tool} | {found['failure']}{note} | | | | | | | | |")
            continue
        lines.append(
            f"| {tool} | {found['min_s']:.3f} | {found['median_s']:.3f} | {found['ratio']:.2f} | {found['cpu_s']:.3f} "
            f"| {found['bytes_per_location']:,.0f} | {found['cores']:,} | {found['clusters']:,} | {found['noise']:,} "
            f"| {in_words(found.get('differences'))} |"
        )
    others = max((found.get("others_cores", 0) for found in result["tools"].values()), default=0)
    if others > QUIET:
        lines.append(f"\nNot a quiet machine: other processes used {others:.2f} cores in the median run of one tool.")
    return "\n".join(lines)


def in_words(found: dict | None) -> str:
    """Differences from the reference, as few words as the truth allows."""
    if found is None:
        return "-"
    cores = f"{found['cores']} cores, {found['noise']} noise"
    if found["same_partition"]:
        return f"{cores}; same partition of the cores; {found['borders']} borders"
    return f"{cores}; another partition of the cores"


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=[*CASES, "all"], default="base")
    parser.add_argument("--n", type=int, default=FULL, help="locations (default: %(default)s)")
    parser.add_argument("--radius-km", type=float, help="instead of the case's own")
    parser.add_argument("--threshold", type=int, help="instead of the case's own, which shrinks and grows with n")
    parser.add_argument("--heavy", type=float, help="share in five tight spots, instead of the case's")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--which", nargs="+", choices=COMPARED, default=COMPARED, metavar="TOOL", help=f"{COMPARED}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--memory-limit", type=float, default=18, help="GiB of address space a tool may use")
    parser.add_argument("--time-limit", type=float, default=1800, help="seconds a process may take")
    parser.add_argument("--no-extrapolate", dest="extrapolate", action="store_false")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


def main() -> None:
    """Run the cases asked for; tables to stdout, progress to stderr."""
    options = parse()
    options.environment = keep_to(options.cores)
    machine = describe(PACKAGES)
    print(headline(machine))
    results = []
    for name in CASES if options.case == "all" else [options.case]:
        radius_km, threshold, heavy = CASES[name]
        case = {
            "n": options.n,
            "radius_km": options.radius_km or radius_km,
            "threshold": options.threshold or max(2, round(threshold * options.n / FULL)),
            "heavy": heavy if options.heavy is None else options.heavy,
        }
        results.append(side_by_side(name, case, options))
        print(table(results[-1]), flush=True)
        if options.json:
            document = {"machine": machine, "repeat": options.repeat, "seed": options.seed, "cases": results}
            options.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
