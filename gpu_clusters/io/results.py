"""Writing a result: beside its place first, then put there with one rename."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.errors import GpuClustersError, UsageError
from gpu_clusters.schema import RANKING, TEXT_COLUMNS, WHOLE_COLUMNS

if TYPE_CHECKING:
    from gpu_clusters.result import Result

MANIFEST = "manifest.json"
RANKING_TYPES = pa.schema(
    [(c, pa.int64() if c in WHOLE_COLUMNS else pa.string() if c in TEXT_COLUMNS else pa.float64()) for c in RANKING]
)


def write_result(result: Result, out: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write all files of a result; see `Result.write`."""
    started = perf_counter()
    with new_folder(out, force=force) as folder:
        ranking = pa.Table.from_pandas(result.ranking, schema=RANKING_TYPES, preserve_index=False)
        _write_csv(result.ranking, folder / "ranking.csv")
        _write_parquet(ranking, folder / "ranking.parquet")
        _write_parquet(pa.Table.from_pandas(result.locations, preserve_index=False), folder / "locations.parquet")
        _write_parquet(pa.Table.from_pandas(result.deals, preserve_index=False), folder / "deals.parquet")
        _write_csv(result.coverage, folder / "coverage.csv")
        outputs = [_fingerprint(path) for path in sorted(folder.iterdir())]
        timings = result.manifest["timings"] | {"write": round(perf_counter() - started, 4)}
        _write_json(result.manifest | {"timings": timings, "outputs": outputs}, folder / MANIFEST)


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd", compression_level=3)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _write_json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}
