"""What a report is made from: the tables of a result, and of a sweep if there is one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import pandas as pd

from gpu_clusters import backend
from gpu_clusters.editions import compare
from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.paths import spelled
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
from gpu_clusters.settings import checked_top
from gpu_clusters.wording import counted

if TYPE_CHECKING:
    import geopandas as gpd

    from gpu_clusters.result import Result

P = ParamSpec("P")
Made = TypeVar("Made")
STABILITY = "stability.csv"
OF_STABILITY = ("rank", "lon", "lat", "best_rank", "median_rank", "worst_rank", "matched")
FLOATS = OF_STABILITY[1:-1]  # also where the table has no rows
OF_COVERAGE = {"table": "string", "country": "string", "rows_pct": "float64", "documents_pct": "float64"}
PARTS = {
    "settings": dict,
    "grid": dict,
    "totals": dict,
    "versions": dict,
    "inputs": list,
    "warnings": list,
}  # of a manifest


@dataclass(frozen=True, eq=False, repr=False)
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
    sweep : dict
        The sweep's manifest, empty where there is none.
    gone : DataFrame or None
        Clusters of the previous edition that are none any more: ``label``, ``economies``, ``previous_rank``; None where not
        known.
    top : int
        How many clusters the main ranking has.
    device : {"cpu", "gpu"}
        Where millions of points are counted into pixels.
    folders : frozenset of str
        Those that all this was read from, as real paths: a report replaces none of them.
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
    sweep: dict[str, Any] = field(default_factory=dict)
    gone: pd.DataFrame | None = None
    top: int = 100
    device: str = "cpu"
    folders: frozenset[str] = frozenset()

    @cached_property
    def clusters(self) -> pd.DataFrame:
        """The ranking with a name to show for every cluster (``label``), also for those that have none."""
        clusters = self.ranking.copy()
        clusters["label"] = _labels(clusters["name"], clusters["cluster_id"], clusters["economies"])
        return clusters

    @property
    def leading(self) -> pd.DataFrame:
        """The first ``top`` of `clusters`, by rank."""
        return self.clusters[self.clusters["rank"] <= self.top]

    @property
    def grid(self) -> dict[str, Any]:
        """Of the sweep: ``radii``, ``densities``, ``baseline``; empty where not known."""
        return self.sweep.get("grid", {})

    @property
    def ranked_by_intensity(self) -> int:
        """How many of the first clusters have been ranked by intensity, whatever is the main ranking here."""
        return min(_top(None, self.manifest), len(self.ranking))

    def __repr__(self) -> str:
        return f"<Contents: {counted(len(self.ranking), 'cluster')} of {counted(len(self.locations), 'location')}>"

    def has(self, column: str) -> bool:
        """Whether any cluster has a value in this column of the ranking."""
        return bool(self.ranking[column].notna().any())


def of_contents(make: Callable[P, Made]) -> Callable[P, Made]:
    """A function of contents, its first argument, that refuses anything else.

    Raises
    ------
    UsageError
        By the function, for what is no `Contents`.
    """

    @wraps(make)
    def checked(*args: P.args, **named: P.kwargs) -> Made:
        given = args[0] if args else named.get("contents")
        if not isinstance(given, Contents):
            raise UsageError(
                f"contents must be what report.read(folder) returns, not {type(given).__name__}; "
                "what rank returns is written first, by its write(folder)"
            )
        return make(*args, **named)

    return checked


def read(
    folder: str | os.PathLike[str],
    *,
    sweep: str | os.PathLike[str] | None = None,
    previous: Result | str | os.PathLike[str] | None = None,
    top: int | None = None,
    device: str = "cpu",
) -> Contents:
    """Read the files of a result.

    Parameters
    ----------
    folder : path
        Output of ``rank`` or ``demo``; ``ranking.parquet`` and ``locations.parquet`` must be there.
    sweep : path, optional
        Output of ``sweep`` around the same setting, for the range of each cluster's ranks.
    previous : path or Result, optional
        The previous edition: its ranks replace those that the result has, and clusters that are none any more are known.
    top : int, optional
        Size of the main ranking; by default that of the result's settings.
    device : {"cpu", "gpu"}
        Where millions of points are counted into pixels; a GPU needs cuDF.

    Raises
    ------
    UsageError
        A ``top`` that makes no sense.
    InputError
        A folder that is not there or holds no result, or a file of it that cannot be read.
    DeviceError
        The GPU's libraries are missing.
    """
    home = _folder(folder, "ranking.parquet", "a result of gpu-clusters rank")
    manifest = _manifest(home / "manifest.json", "rank")
    contents = Contents(
        ranking=_table(home / "ranking.parquet", RANKING, required=("cluster_id", "rank", "total_share", "lon", "lat")),
        locations=_table(home / "locations.parquet", LOCATIONS, required=("lon", "lat", "cluster_id")),
        deals=_optional(home / "deals.parquet", DEALS),
        coverage=_optional(home / "coverage.csv", COVERAGE),
        organizations=_optional(home / "organizations.parquet", ORGANIZATIONS),
        partners=_optional(home / "partners.parquet", PARTNERS),
        boundaries=_boundaries(home / "boundaries.parquet"),
        manifest=manifest,
    )
    _check(contents, *(home / f"{table}.parquet" for table in ("ranking", "locations")))
    return _with(contents, home, sweep, previous, top, device)


def of_result(
    result: Result,
    *,
    sweep: str | os.PathLike[str] | None = None,
    previous: Result | str | os.PathLike[str] | None = None,
    top: int | None = None,
    device: str = "cpu",
) -> Contents:
    """What a report on a result that has not been written shows; see `read`."""
    contents = Contents(
        ranking=_complete(result.ranking, RANKING),
        locations=result.locations,
        deals=result.deals,
        coverage=result.coverage,
        organizations=result.organizations,
        partners=result.partners,
        boundaries=result.boundaries,
        manifest=result.manifest,
    )
    _check(contents, *(Path(f"{table} of the result in memory") for table in ("ranking", "locations")))
    return _with(contents, result, sweep, previous, top, device)


def _check(contents: Contents, ranking: Path, locations: Path) -> None:
    """Refuse tables that are not of one result: clusters are 1, 2, ... by rank, and places are theirs or nobody's."""
    clusters = len(contents.ranking)
    if contents.ranking["cluster_id"].tolist() != list(range(1, clusters + 1)) or contents.ranking["rank"].isna().any():
        said = f"{ranking} has not the clusters 1, 2, 3 and so on by rank"
    elif not (contents.locations["cluster_id"] <= clusters).all():
        said = f"{locations} has clusters that {ranking.name} lacks"
    else:
        return
    raise InputError(f"{said}: write the result anew with gpu-clusters rank")


def _with(
    contents: Contents,
    result: Any,
    sweep: str | os.PathLike[str] | None,
    previous: Any,
    top: int | None,
    device: str,
) -> Contents:
    """The contents with what belongs to no single result."""
    backend.frames(device)
    folders = frozenset(
        os.path.realpath(one) for one in (result, sweep, previous) if isinstance(one, (str, os.PathLike))
    )
    contents = replace(contents, top=_top(top, contents.manifest), device=device, folders=folders)
    if sweep is not None:
        path = _folder(sweep, STABILITY, "a result of gpu-clusters sweep") / STABILITY
        stability = _csv(path, dict.fromkeys(FLOATS, "float64"), OF_STABILITY, "sweep")
        record = _manifest(path.with_name("manifest.json"), "sweep")
        contents = replace(contents, stability=stability, sweep=record)
    return contents if previous is None else _since(contents, compare(previous, result).clusters)


def _since(contents: Contents, compared: pd.DataFrame) -> Contents:
    """The contents with the previous ranks of a comparison, `editions.Comparison`, and the clusters that are none any more."""
    gone = compared[compared["status"] == "leaver"].sort_values("previous_rank", kind="stable")
    now = compared[compared["cluster_id"].notna()].set_index("cluster_id").reindex(contents.ranking["cluster_id"])
    columns = ("previous_rank", "rank_change", "previous_intensity_rank", "intensity_rank_change")
    ranking = contents.ranking.assign(**{name: now[name].astype("Int64").array for name in columns})
    labels = _labels(gone["previous_name"], gone["previous_cluster_id"], gone["economies"])
    return replace(contents, ranking=ranking, gone=gone[["economies", "previous_rank"]].assign(label=labels))


def _labels(name: pd.Series, number: pd.Series, economies: pd.Series) -> pd.Series:
    """Names, and for clusters without one their numbers and economies."""
    codes = economies.fillna("").astype(str)
    unnamed = "Cluster " + number.astype(str) + codes.where(codes == "", " (" + codes + ")")
    given = name.fillna("").astype(str)
    return given.where(given.str.strip() != "", unnamed).astype(object)


def _folder(folder: str | os.PathLike[str], file: str, what: str) -> Path:
    path = Path(spelled(folder, f"the folder of {what}"))
    if not path.is_dir():
        raise InputError(f"{folder} is not a folder: name the one that holds {what}")
    if not (path / file).is_file():
        raise InputError(f"{folder} has no {file}: name a folder that holds {what}")
    return path


def _top(top: int | None, manifest: dict[str, Any]) -> int:
    return checked_top(manifest.get("settings", {}).get("top", 100) if top is None else top)


def _table(path: Path, columns: tuple[str, ...], required: tuple[str, ...]) -> pd.DataFrame:
    """The columns of a Parquet file; those that are missing are empty, unless they are required."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            there = pq.read_schema(file).names
            table = pq.read_table(file, columns=[name for name in columns if name in there])
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    _check_columns(path, there, required, "rank")
    return _complete(table.to_pandas(), columns)


def _csv(path: Path, kinds: dict[str, str], required: tuple[str, ...], command: str) -> pd.DataFrame:
    """A CSV file that a command has written; ``kinds`` are those of columns whose values may not show them."""
    from pyarrow import csv  # reads numbers exactly, with every version of pandas

    try:
        with path.open("rb") as file:
            table = csv.read_csv(file, convert_options=csv.ConvertOptions(column_types=kinds, null_values=[""]))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    _check_columns(path, table.column_names, required, command)
    return table.to_pandas()


def _check_columns(path: Path, there: list[str], required: tuple[str, ...], command: str) -> None:
    missing = [name for name in required if name not in there]
    if missing:
        raise InputError(f"{path} has no column {missing[0]!r}: write it anew with gpu-clusters {command}")


def _optional(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """A table that a result may lack, but no column of it."""
    if not path.is_file():
        return pd.DataFrame(columns=list(columns))
    if path.suffix == ".csv":
        return _csv(path, OF_COVERAGE, columns, "rank")
    return _table(path, columns, columns)


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


def _boundaries(path: Path) -> gpd.GeoDataFrame | None:
    if not path.is_file():
        return None
    import geopandas as gpd

    try:
        with path.open("rb") as file:
            return gpd.read_parquet(file)[["cluster_id", "geometry"]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def _manifest(path: Path, command: str) -> dict[str, Any]:
    """The manifest that a command has written, with what a report needs of it; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    well = isinstance(value, dict) and all(isinstance(value.get(part, kind()), kind) for part, kind in PARTS.items())
    if well:
        settings, grid = value.get("settings"), value.get("grid")
        well = not settings or {"radius_km", "density", "area_degrees"} <= set(settings)
        well = well and not (settings and not isinstance(settings.get("top", 1), int))
        well = well and (not grid or bool(grid.get("radii") and grid.get("densities") and grid.get("baseline")))
    if not well:
        raise InputError(f"{path} is not what gpu-clusters {command} writes: write it anew")
    return dict(value)
