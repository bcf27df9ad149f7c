"""Peak memory of `gpu-clusters geocode` on tables of 2, 4 and 8 million rows with 1,000 distinct addresses.

    python bench/geocoding.py [--millions 2 4 8] [--json geocoding.json]

Each run is a process of its own; memory is that of the whole process, imports and gazetteer included.
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

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from gpu_clusters.io.gazetteer import towns

MILLION = 1_000_000
PROGRAM = [sys.executable, "-c", "from gpu_clusters_cli.main import run; run()", "geocode"]


def make(path: Path, millions: int) -> None:
    """Write documents of three rows each, with cities drawn from 1,000."""
    rng = np.random.default_rng(0)
    cities = towns().sample(1000, random_state=0)
    names, countries = (pa.array(cities[name].tolist()) for name in ("name", "country"))
    schema = pa.schema(dict.fromkeys(("doc_id", "city", "country", "note"), pa.string()))
    kind = pq.ParquetWriter if path.suffix == ".parquet" else pa_csv.CSVWriter
    with kind(str(path), schema) as writer:
        for part in range(millions):
            at = pa.array(rng.integers(0, 1000, MILLION))
            rows = np.arange(part * MILLION, (part + 1) * MILLION)
            doc_id, note = [f"US{row // 3:09}" for row in rows], [f"applicant number {row % 9973}" for row in rows]
            writer.write_table(pa.table([doc_id, names.take(at), countries.take(at), note], schema=schema))


def run(source: Path, out: Path, *options: str) -> tuple[float, float]:
    """Seconds, and MB of memory at the peak."""
    started = time.perf_counter()
    args = [*PROGRAM, str(source), "--city", "city", "--country", "country", "--out", str(out), "--force", *options]
    null = os.open(os.devnull, os.O_WRONLY)
    redirect = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    _, status, usage = os.wait4(os.posix_spawn(args[0], args, os.environ, file_actions=redirect), 0)
    os.close(null)
    if status:
        raise SystemExit(f"geocode {source} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--millions", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:  # in a process of its own: the peak of the one that measures would be the least that it can see
        make(Path(given.make[0]), int(given.make[1]))
        return
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".parquet", ".csv"):
            for millions in given.millions:
                source, out = Path(folder, f"in{ending}"), Path(folder, f"out{ending}")
                subprocess.run([sys.executable, __file__, "--make", str(source), str(millions)], check=True)
                for options in ((), ("--doc-id", "doc_id")):
                    seconds, megabytes = run(source, out, *options)
                    found.append([ending, millions, bool(options), round(seconds, 1), round(megabytes)])
                    print(
                        f"{ending} {millions} M rows {' '.join(options)}: {seconds:.1f} s, {megabytes:.0f} MB",
                        flush=True,
                    )
    if given.json:
        given.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
