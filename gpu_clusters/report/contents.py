"""What a report is made from: the tables of a result, and of a sweep if there is one."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.schema import (
    COVERAGE,
    DEALS,
    LOCATIONS,
    ORGANIZATIONS,
    PARTNERS,
    RANKING,
    TEXT_COLUMNS,
    WHOLE_COLUMNS,
)

if TYPE_CHECKING:
    import geopandas as gpd

    from gpu_clusters.result import Result

STABILITY = "stability.csv"
OF_STABILITY = ("lon", "lat", "best_rank", "median_rank", "worst_rank", "matched")


@dataclass(frozen=True, eq=False)
class Contents:
    """All that a report shows.

    Attributes
    ----------
    ranking, locations, deals, coverage, organizations, partners : DataFrame
        As in `Result`; a table that the folder lacks has its columns and no rows.
    boundaries : GeoDataFrame or None
        ``cluster_id`` and ``geometry`` (lon, lat).
    manifest : dict
        Empty where there is none.
    stability : DataFrame or None
        Of a sweep: a row for each cluster of its baseline setting.
    top : int
        How many clusters the main ranking has.
    """

    ranking: pd.DataFrame
    locations: pd.DataFrame
    deals: pd.DataFrame
    coverage: pd.DataFrame
    organizations: pd.DataFrame
    partners: pd.DataFrame
    boundaries: gpd.GeoDataFrame | None
    manifest: dict[str, Any]
    stability: pd.DataFrame | None = None
    top: int = 100

    @cached_property
    def clusters(self) -> pd.DataFrame:
        """The ranking with a name to show for every cluster (``label``), also for those that have none."""
        clusters = self.ranking.copy()
        economies = clusters["economies"].fillna("").astype(str)
        unnamed = (
            "Cluster " + clusters["cluster_id"].astype(str) + np.where(economies != "", " (" + economies + ")", "")
        )
        name = clusters["name"]
        clusters["label"] = name.where(name.notna() & (name.fillna("").astype(str).str.strip() != ""), unnamed).astype(
            object
        )
        return clusters

    @property
    def leading(self) -> pd.DataFrame:
        """The first ``top`` of `clusters`, by rank."""
        return self.clusters[self.clusters["rank"] <= self.top]

    def has(self, column: str) -> bool:
        """Whether any cluster has a value in this column of the ranking."""
        return bool(self.ranking[column].notna().any())


def read(
    folder: str | os.PathLike[str], *, sweep: str | os.PathLike[str] | None = None, top: int | None = None
) -> Contents:
    """Read the files of a result.

    Parameters
    ----------
    folder : path
        Output of ``rank`` or ``demo``; ``ranking.parquet`` and ``locations.parquet`` must be there.
    sweep : path, optional
        Output of ``sweep`` around the same setting, for the range of each cluster's ranks.
    top : int, optional
        Size of the main ranking; by default that of the result's settings.

    Raises
    ------
    UsageError
        A folder that is not there or holds no result.
    InputError
        A file of the result that cannot be read.
    """
    home = _folder(folder, "ranking.parquet", "a result of gpu-clusters rank")
    manifest = _json(home / "manifest.json")
    return Contents(
        ranking=_table(home / "ranking.parquet", RANKING, required=("cluster_id", "rank", "total_share", "lon", "lat")),
        locations=_table(home / "locations.parquet", LOCATIONS, required=("lon", "lat", "cluster_id")),
        deals=_table(home / "deals.parquet", DEALS),
        coverage=_coverage(home / "coverage.csv"),
        organizations=_table(home / "organizations.parquet", ORGANIZATIONS),
        partners=_table(home / "partners.parquet", PARTNERS),
        boundaries=_boundaries(home / "boundaries.parquet"),
        manifest=manifest,
        stability=None if sweep is None else read_stability(sweep),
        top=_top(top, manifest),
    )


def of_result(result: Result, *, sweep: str | os.PathLike[str] | None = None, top: int | None = None) -> Contents:
    """What a report on a result that has not been written shows; see `read`."""
    return Contents(
        ranking=_complete(result.ranking, RANKING),
        locations=result.locations,
        deals=result.deals,
        coverage=result.coverage,
        organizations=result.organizations,
        partners=result.partners,
        boundaries=result.boundaries,
        manifest=result.manifest,
        stability=None if sweep is None else read_stability(sweep),
        top=_top(top, result.manifest),
    )


def read_stability(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """The table ``stability.csv`` of a sweep's folder."""
    from pyarrow import csv  # reads numbers exactly, with every version of pandas

    path = _folder(folder, STABILITY, "a result of gpu-clusters sweep") / STABILITY
    try:
        stability = csv.read_csv(path).to_pandas()
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    missing = [name for name in OF_STABILITY if name not in stability]
    if missing:
        raise InputError(f"{path} has no column {missing[0]!r}: write it anew with gpu-clusters sweep")
    return stability


def _folder(folder: str | os.PathLike[str], file: str, what: str) -> Path:
    path = Path(folder)
    if not path.is_dir():
        raise UsageError(f"{folder} is not a folder: name the one that holds {what}")
    if not (path / file).is_file():
        raise UsageError(f"{folder} has no {file}: name a folder that holds {what}")
    return path


def _top(top: int | None, manifest: dict[str, Any]) -> int:
    given = manifest.get("settings", {}).get("top", 100) if top is None else top
    if not isinstance(given, int) or given < 1:
        raise UsageError(f"top must be a whole number, 1 or more, not {given!r}")
    return given


def _table(path: Path, columns: tuple[str, ...], required: tuple[str, ...] = ()) -> pd.DataFrame:
    """The columns of a Parquet file; those that are missing are empty, unless they are required."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file() and not required:
        return _complete(pd.DataFrame(), columns)
    try:
        with path.open("rb") as file:
            there = set(pq.read_schema(file).names)
            table = pq.read_table(file, columns=[name for name in columns if name in there])
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    missing = [name for name in required if name not in there]
    if missing:
        raise InputError(f"{path} has no column {missing[0]!r}: write the result anew with gpu-clusters rank")
    return _complete(table.to_pandas(), columns)


def _complete(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """The frame with all columns; whole numbers that may be missing as Int64, texts as objects."""
    made = {}
    for name in columns:
        given = frame[name] if name in frame else pd.Series([None] * len(frame), dtype=object)
        if name in TEXT_COLUMNS:
            made[name] = given.astype(object).where(given.notna(), None)
        elif name in WHOLE_COLUMNS and name not in ("cluster_id", "rank") and columns is RANKING:
            made[name] = given.astype("Int64")
        elif given.dtype == object and columns is RANKING:
            made[name] = given.astype(float)
        else:
            made[name] = given
    return pd.DataFrame(made)


def _coverage(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame(columns=list(COVERAGE))
    try:
        texts = {"table": str, "country": str}
        return pd.read_csv(path, keep_default_na=False, na_values={c: [""] for c in COVERAGE[2:]}, dtype=texts)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _boundaries(path: Path) -> gpd.GeoDataFrame | None:
    if not path.is_file():
        return None
    import geopandas as gpd

    try:
        return gpd.read_parquet(path)[["cluster_id", "geometry"]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    return value if isinstance(value, dict) else {}
