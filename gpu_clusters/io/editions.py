"""Reading an edition: the clusters of a result and their places, from its folder or from memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.formats import BATCH, reading
from gpu_clusters.io.model import Edition, Places
from gpu_clusters.io.results import LOCATIONS_TYPES, RANKING_TYPES, fingerprint
from gpu_clusters.paths import is_there, spelled
from gpu_clusters.schema import TABLES, TEXT_COLUMNS
from gpu_clusters.settings import Settings, Years, years_window
from gpu_clusters.staging import MANIFEST

FOR_RANKS = ("cluster_id", "rank", "intensity_rank")
FOR_COMPARISON = (
    *FOR_RANKS,
    *("name", "economies", "patent_share", "publication_share", "deal_share", "total_share", "lon", "lat"),
)
_MAY_BE_NULL = TEXT_COLUMNS | {"intensity_rank", "lon", "lat"}  # a region without an area is nowhere
_PLACES = ("lon", "lat", "weight", "cluster_id")
_NOT_OF_THE_METHOD = frozenset({"columns", "years", "device", "engine", "names"})
_LIMIT = 2**62  # weights of all places together stay below
IN_MEMORY = "the result in memory"


def read_edition(source: Any, columns: Sequence[str]) -> Edition:
    """Read what a result says of its clusters.

    Parameters
    ----------
    source : path or Result
        Of a folder ``ranking.parquet``, ``locations.parquet`` and, if it is there, ``manifest.json`` are read.
    columns : sequence of str
        Columns of the ranking that are needed, `FOR_RANKS` or `FOR_COMPARISON`.

    Raises
    ------
    InputError
        The folder or one of its files is missing or cannot be used; the message names it.
    UsageError
        Neither a path nor a result; an empty path.
    """
    if isinstance(source, (str, os.PathLike)):
        return _from_folder(Path(spelled(source, "the folder of an edition")), columns)
    if not all(hasattr(source, part) for part in ("ranking", "locations", "manifest")):
        raise UsageError(f"an edition is the folder of a result or a Result, not {type(source).__name__}")
    names = [f"{table} of {IN_MEMORY}" for table in ("ranking", "locations")]
    ranking = _ranking(_arrow(source.ranking, columns, names[0]), names[0])
    locations = _arrow(source.locations, _PLACES, names[1])
    places = _places(iter(locations.to_batches()), ranking["cluster_id"].to_numpy(), names[1])
    return Edition(IN_MEMORY, ranking, places, source.manifest, None, [])


def differing_settings(
    now: Mapping[str, Any], before: Mapping[str, Any], but: Collection[str] = _NOT_OF_THE_METHOD
) -> dict[str, tuple[Any, Any]]:
    """Settings that differ between two manifests, ``but`` for some, as name: (before, now).

    Devices and engines give the same result, and years and names of columns are what editions differ in by their nature. What a
    manifest does not say has the method's default; one without settings differs in none.
    """
    if not (now.get("settings") and before.get("settings")):
        return {}
    default = Settings().as_dict()
    as_written = (json.loads(json.dumps(record["settings"])) for record in (before, now))  # in memory pairs are tuples
    one, other = ({**default, **settings} for settings in as_written)
    names = [name for name in {**one, **other} if name not in but]
    return {name: (one.get(name), other.get(name)) for name in names if one.get(name) != other.get(name)}


def about(edition: Edition) -> dict[str, Any]:
    """What the manifest of a later run or of a comparison says of an edition."""
    return {
        "name": edition.name,
        "created": edition.manifest.get("created"),
        "manifest_sha256": edition.sha256,
        "clusters": len(edition.ranking),
    }


def caveats(now: Edition, before: Edition, matched: int) -> list[str]:
    """Why a comparison of two editions may say little."""
    found = before.warnings + [warning for warning in now.warnings if warning not in before.warnings]
    differing = differing_settings(now.manifest, before.manifest)
    if differing:
        listed = ", ".join(f"{name} {_said(one)} -> {_said(other)}" for name, (one, other) in differing.items())
        found.append(
            f"the editions were made with different settings ({listed}): ranks may have changed for that alone"
        )
    spans = [f"{table} {_span(one)} -> {_span(other)}" for table, one, other in _windows(before, now)]
    if spans:
        found.append(
            f"the editions were asked for different numbers of years ({', '.join(spans)}): ranks may have changed for "
            "that alone"
        )
    only = _only(before, now), _only(now, before)
    for tables, which in zip(only, ("earlier", "later"), strict=True):
        if tables:
            found.append(f"only the {which} edition has {' and '.join(tables)}: ranks may have changed for that alone")
    if len(now.ranking) and len(before.ranking) and not matched:
        found.append(
            "the editions share no location within clusters, so that no cluster has an earlier rank: were coordinates "
            "rounded differently?"
        )
    return found


def _only(one: Edition, other: Edition) -> list[str]:
    """Tables that count something in the first edition only."""
    here, there = (edition.manifest.get("totals") or {} for edition in (one, other))
    return [table for table in TABLES if here and there and here.get(table) and not there.get(table)]


def _windows(before: Edition, now: Edition) -> Iterator[tuple[str, Years, Years]]:
    """Tables of both editions of which one counts more years than the other, with the first and last year of either."""
    for table in TABLES:
        here, there = (_window(edition, table) for edition in (before, now))
        if here and there and _years(here) != _years(there):
            yield table, here, there


def _window(edition: Edition, table: str) -> Years | None:
    """The first and last year that a table counts, None where it has no end; None for a table that counts nothing."""
    manifest = edition.manifest
    if not (manifest.get("settings") and (manifest.get("totals") or {}).get(table)):
        return None
    first, last = (manifest["settings"].get("years") or {}).get(table) or (None, None)
    return first, last


def _years(window: Years) -> tuple[bool, bool] | int:
    """How many years there are; of a window without an end, on which side it has one."""
    first, last = window
    return (first is None, last is None) if first is None or last is None else last - first + 1


def _from_folder(folder: Path, columns: Sequence[str]) -> Edition:
    with reading(str(folder), "a folder"):
        if not is_there(folder):
            raise InputError(f"{folder}: does not exist; give the folder of a result")
        if not folder.is_dir():
            raise InputError(f"{folder}: is not a folder; give the folder of a result, not one of its files")
    manifest, sha256 = _manifest(folder / MANIFEST)
    ranking_file, locations_file = folder / "ranking.parquet", folder / "locations.parquet"
    with _parquet(ranking_file, columns) as file:
        ranking = _ranking(file.read(list(columns)), str(ranking_file))
    with _parquet(locations_file, _PLACES) as file:
        batches = file.iter_batches(BATCH, columns=list(_PLACES))
        places = _places(batches, ranking["cluster_id"].to_numpy(), str(locations_file))
    warnings = [] if sha256 else [f"{folder} has no {MANIFEST}: its settings are not known"]
    written = {output["name"]: output["sha256"] for output in manifest.get("outputs", [])}
    for path in (ranking_file, locations_file):
        if path.name in written and written[path.name] != _digest(path):
            warnings.append(f"{path} is not what its {MANIFEST} says: it has been changed since it was written")
    return Edition(str(folder), ranking, places, manifest, sha256, warnings)


def _manifest(path: Path) -> tuple[dict[str, Any], str | None]:
    """The manifest and the digest of its file; empty and None where there is none."""
    with reading(str(path), "JSON"):
        if not is_there(path):
            return {}, None
        text = path.read_bytes()
        found = json.loads(text)
    if not _is_manifest(found):
        raise InputError(f"{path}: is not the manifest of a result; is {path.parent} the folder of one?")
    return found, hashlib.sha256(text).hexdigest()


def _is_manifest(found: Any) -> bool:
    """Whether all parts that are looked at later are of their kind, as far as they are there."""
    kinds = {"settings": dict, "totals": dict, "outputs": list}
    if not (isinstance(found, dict) and all(isinstance(found.get(part, kind()), kind) for part, kind in kinds.items())):
        return False
    totals, outputs = found.get("totals", {}).values(), found.get("outputs", [])
    return (
        _are_windows(found.get("settings", {}).get("years", {}))
        and all(total is None or isinstance(total, (int, float)) for total in totals)
        and all(
            isinstance(o, dict) and all(isinstance(o.get(part), str) for part in ("name", "sha256")) for o in outputs
        )
    )


def _are_windows(years: Any) -> bool:
    """Whether these are the first and last years of tables, null for no end."""
    try:
        return isinstance(years, dict) and all(years_window("years", one) for one in years.values())
    except UsageError:
        return False


@contextmanager
def _parquet(path: Path, columns: Sequence[str]) -> Iterator[pq.ParquetFile]:
    with reading(str(path), "Parquet"):
        if not is_there(path):
            raise InputError(f"{path}: does not exist; is {path.parent} the folder of a result?")
        with pa.OSFile(os.fsencode(path)) as source, pq.ParquetFile(source, pre_buffer=False) as file:
            _need(columns, file.schema_arrow.names, str(path))
            yield file


def _arrow(frame: pd.DataFrame, columns: Sequence[str], name: str) -> pa.Table:
    _need(columns, list(frame.columns), name)
    with reading(name, "a table"):
        return pa.Table.from_pandas(frame[list(columns)], preserve_index=False)


def _need(columns: Sequence[str], given: Sequence[str], name: str) -> None:
    missing = [column for column in columns if column not in given]
    if missing:
        raise InputError(f"{name}: has no column {missing[0]}; a result of gpu-clusters rank is needed")


def _ranking(table: pa.Table, name: str) -> pd.DataFrame:
    """The clusters by rank, then cluster_id, of checked values."""
    with reading(name, "the ranking of a result"):
        table = table.cast(pa.schema([RANKING_TYPES.field(column) for column in table.column_names]))
    for column in table.column_names:
        values = table.column(column)
        if column not in _MAY_BE_NULL:
            _check(name, column, values.is_valid(), "is empty")
            if pa.types.is_floating(values.type):
                _check(name, column, np.isfinite(values.to_numpy()), "is not finite")
    ranking = pd.DataFrame(
        {
            column: values.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
            for column, values in zip(table.column_names, table.columns, strict=True)
        }
    )
    for column in TEXT_COLUMNS & set(ranking):
        ranking[column] = ranking[column].astype(object).where(ranking[column].notna(), None)
    ranking = ranking.astype({"cluster_id": np.int64, "rank": np.int64})
    _check(name, "cluster_id", ranking["cluster_id"] > 0, "is not above 0")
    _check(name, "cluster_id", ~ranking["cluster_id"].duplicated(), "is there twice")
    return ranking.sort_values(["rank", "cluster_id"], ignore_index=True)


def _places(batches: Iterator[pa.RecordBatch], known: np.ndarray, name: str) -> Places:
    """The locations that belong to clusters, in (lat, lon) order; ``known`` are the cluster_id of the ranking's rows."""
    parts, first = [_nowhere()], 0
    row = np.argsort(known)
    types = pa.schema([LOCATIONS_TYPES.field(column) for column in _PLACES])
    for batch in batches:
        with reading(name, "the locations of a result"):
            table = pa.Table.from_batches([batch]).cast(types)
        for column in _PLACES:
            _check(name, column, table.column(column).is_valid(), "is empty", first)
        lon, lat, weight, cluster_id = (table.column(column).to_numpy() for column in _PLACES)
        for column, values in (("lon", lon), ("lat", lat)):
            _check(name, column, np.isfinite(values), "is not finite", first)
        _check(name, "weight", weight > 0, "is not above 0", first)
        member = cluster_id > 0
        at = np.searchsorted(known, cluster_id, sorter=row)
        _check(
            name, "cluster_id", ~member | (np.append(known[row], 0)[at] == cluster_id), "is not in the ranking", first
        )
        parts.append(Places(lon[member], lat[member], weight[member], row[at[member]]))
        first += len(member)
    lon, lat, weight, cluster = (np.concatenate(column) for column in zip(*parts, strict=True))
    if weight.sum(dtype=np.float64) >= _LIMIT:
        raise InputError(f"{name}: column weight adds up to more than a result can have (2^62)")
    back = (lat[1:] < lat[:-1]) | ((lat[1:] == lat[:-1]) & (lon[1:] < lon[:-1]))
    if back.any():
        order = np.lexsort((lon, lat))
        lon, lat, weight, cluster = lon[order], lat[order], weight[order], cluster[order]
    twice = np.flatnonzero((lat[1:] == lat[:-1]) & (lon[1:] == lon[:-1]))
    if len(twice):
        at = f"lon {lon[twice[0]]}, lat {lat[twice[0]]}"
        raise InputError(f"{name}: the location at {at} is there twice; a result has each once")
    return Places(lon, lat, weight, cluster)


def _nowhere() -> Places:
    return Places(np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))


def _check(name: str, column: str, good: Any, what: str, first: int = 0) -> None:
    wrong = np.flatnonzero(~np.asarray(good))
    if len(wrong):
        raise InputError(f"{name}: column {column} {what} in row {first + wrong[0] + 1}; write the result again")


def _digest(path: Path) -> str:
    with reading(str(path), "a file"):
        return str(fingerprint(path)["sha256"])


def _span(window: Years) -> str:
    first, last = window
    return "all" if first is last is None else f"{'' if first is None else first}:{'' if last is None else last}"


def _said(value: Any) -> str:
    return "none" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)
