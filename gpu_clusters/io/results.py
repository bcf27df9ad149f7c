"""Writing the files of a result."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.io.boundaries import write_geojson, write_geoparquet
from gpu_clusters.schema import COMPARISON, DEALS, LOCATIONS, PARTNERS, RANKING, TEXT_COLUMNS, WHOLE_COLUMNS
from gpu_clusters.staging import MANIFEST, new_folder

if TYPE_CHECKING:
    from gpu_clusters.editions import Comparison
    from gpu_clusters.result import Result

RESULT_FILES = (
    *("ranking.csv", "ranking.parquet", "locations.parquet", "deals.parquet", "organizations.parquet"),
    *("partners.parquet", "boundaries.parquet", "boundaries.geojson", "coverage.csv", MANIFEST),
)
_SPECIAL = re.compile('[",\r\n]')


def _types(columns: tuple[str, ...]) -> pa.Schema:
    kinds = {"core": pa.bool_(), **dict.fromkeys(WHOLE_COLUMNS, pa.int64()), **dict.fromkeys(TEXT_COLUMNS, pa.string())}
    return pa.schema([(column, kinds.get(column, pa.float64())) for column in columns])


RANKING_TYPES, LOCATIONS_TYPES, DEALS_TYPES = _types(RANKING), _types(LOCATIONS), _types(DEALS)
COMPARISON_TYPES = _types(COMPARISON)
ORGANIZATIONS_TYPES = pa.schema(
    {
        "cluster_id": pa.int64(),
        "table": pa.string(),
        "place": pa.int64(),
        "organization": pa.string(),
        "count": pa.float64(),
    }
)
PARTNERS_TYPES = pa.schema(dict.fromkeys(PARTNERS, pa.int64()))


def write_result(result: Result, out: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write all files of a result; see `Result.write`."""
    started = perf_counter()
    with new_folder(out, force=force, sources=sources(result.manifest)) as folder:
        write_csv(result.ranking, folder / "ranking.csv")
        write_parquet(result.ranking, RANKING_TYPES, folder / "ranking.parquet")
        write_parquet(result.locations, LOCATIONS_TYPES, folder / "locations.parquet")
        write_parquet(result.deals, DEALS_TYPES, folder / "deals.parquet")
        write_parquet(result.organizations, ORGANIZATIONS_TYPES, folder / "organizations.parquet")
        write_parquet(result.partners, PARTNERS_TYPES, folder / "partners.parquet")
        write_geoparquet(result.boundaries, folder / "boundaries.parquet")
        write_geojson(result.boundaries, folder / "boundaries.geojson")
        write_csv(result.coverage, folder / "coverage.csv")
        outputs = [fingerprint(path) for path in sorted(folder.iterdir())]
        timings = result.manifest["timings"] | {"write": round(perf_counter() - started, 4)}
        write_json(result.manifest | {"timings": timings, "outputs": outputs}, folder / MANIFEST)


def sources(record: dict[str, Any]) -> list[str]:
    """Files that a result is made from, by its manifest."""
    return [str(file["name"]) for file in record["inputs"]]


def write_comparison(comparison: Comparison, out: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write all files of a comparison of two editions; see `Comparison.write`."""
    with new_folder(out, force=force) as folder:
        write_csv(comparison.clusters, folder / "comparison.csv")
        write_parquet(comparison.clusters, COMPARISON_TYPES, folder / "comparison.parquet")
        write_csv(comparison.splits, folder / "splits.csv")
        write_csv(comparison.mergers, folder / "mergers.csv")
        outputs = [fingerprint(path) for path in sorted(folder.iterdir())]
        write_json(comparison.manifest | {"outputs": outputs}, folder / MANIFEST)


def write_coverage(
    coverage: pd.DataFrame, record: dict[str, Any], outputs: Sequence[tuple[str, Path]], at: Path
) -> None:
    """Write a coverage table into the last of ``outputs``, and to ``at`` a record of all of them, by the names given here."""
    write_csv(coverage, outputs[-1][1])
    write_json(record | {"outputs": [fingerprint(path) | {"name": name} for name, path in outputs]}, at)


def plain(value: Any) -> Any:
    """A value as JSON has them: numpy's numbers as numbers, and null for what is missing or not finite."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return None if value is pd.NA or value is pd.NaT else str(value)


def write_parquet(frame: pd.DataFrame, types: pa.Schema, path: Path) -> None:
    table = pa.Table.from_pandas(frame, schema=types, preserve_index=False).replace_schema_metadata(None)
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", compression_level=3)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write UTF-8 with numbers that read back exactly, missing values empty, and texts quoted where they must be."""
    rows = zip(*(frame[column].tolist() for column in frame.columns), strict=True)
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:  # \udc.. as in JSON
        file.write(",".join(frame.columns) + "\n")
        file.writelines(",".join(map(_cell, row)) + "\n" for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"' if _SPECIAL.search(value) else value
    return "" if value is None or pd.isna(value) else repr(value)


def write_json(value: Any, path: Path) -> None:
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_bytes((text + "\n").encode("utf-8", "backslashreplace"))  # \udc.. of a file name that is not UTF-8


def fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}
