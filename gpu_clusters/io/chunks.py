"""The reading that all tables share: columns, window of years, coordinates, and the record of what was read."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gpu_clusters.degrees import GEOCODED, INVALID, classify
from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.columns import to_float, to_year, without_views
from gpu_clusters.io.formats import Layout, Reader, reading
from gpu_clusters.io.model import InputFile, InvalidRows
from gpu_clusters.io.place import Rows
from gpu_clusters.io.sources import readers
from gpu_clusters.io.spatial import coordinates
from gpu_clusters.schema import OPTIONAL, REQUIRED

Years = tuple[int | None, int | None]
Progress = Callable[[str, float], None]
_KEPT_INVALID = 1000
_CATEGORIES = ("country", "organization")


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows of a table, within the window of years.

    Attributes
    ----------
    rows : Rows
        Where they come from.
    lon, lat : (n,) float64
        Degrees, normalised where geocoded.
    status : (n,) int8
        ``UNGEOCODED``, ``INVALID`` or ``GEOCODED``.
    columns : dict of str to Arrow array
        The other columns by canonical name; absent ones are not in it.
    """

    rows: Rows
    lon: np.ndarray
    lat: np.ndarray
    status: np.ndarray
    columns: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.lon)

    @property
    def geocoded(self) -> np.ndarray:
        """(n,) bool."""
        return self.status == GEOCODED


@dataclass
class Record:
    """What was met while reading a table; filled by `read_chunks`."""

    inputs: list[InputFile] = field(default_factory=list)
    invalid: list[InvalidRows] = field(default_factory=list)
    counts: np.ndarray = field(default_factory=lambda: np.zeros(3, np.int64))  # by status


@dataclass(frozen=True)
class _Plan:
    """How one source is read: its columns by canonical name, and its geometry if that gives the coordinates."""

    reader: Reader
    names: dict[str, str]
    layout: Layout
    spatial: bool


def read_chunks(
    source: Any,
    table: str,
    wanted: Sequence[str],
    columns: Mapping[str, str],
    years: Years | None,
    progress: Progress | None,
    record: Record,
) -> Generator[Chunk, None, None]:
    """Read a table piece by piece.

    Parameters
    ----------
    source : path, data frame, or list of these
    table : str
        One of ``schema.TABLES``.
    wanted : sequence of str
        Canonical columns to read besides the coordinates and the year.
    columns : mapping of str to str
        The user's column for a canonical name.
    years : (from, to) or None
        Inclusive window, either end may be None; rows without a year are outside.
    progress : callable or None
        Called with the name of a source and the part of the table that is read, 0..1.
    record : Record
        Takes down sources, invalid rows and counts; complete when the iteration has ended.

    Raises
    ------
    InputError
        A source that cannot be read, columns that are missing, or a table without a geocoded row.
    UsageError
        Unknown table or canonical column, or a window that ends before it begins.
    """
    window = _window(table, columns, years)
    plans = [_plan(reader, table, columns, wanted, window is not None) for reader in readers(source, table)]
    _check_fraction(plans, table)
    sizes = [plan.reader.path.stat().st_size if plan.reader.path else 1 for plan in plans]
    stop = threading.Event()
    pool = ThreadPoolExecutor(1, thread_name_prefix="sha256")
    try:
        digests = [_digest(pool, plan.reader, stop) for plan in plans]
        for i, plan in enumerate(plans):
            total = yield from _read_one(plan, wanted, window, record, _part(progress, sizes, i))
            digest = digests[i]
            record.inputs.append(
                InputFile(
                    table,
                    plan.reader.name,
                    plan.reader.path,
                    sizes[i] if plan.reader.path else None,
                    digest.result() if digest else None,
                    total,
                )
            )
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    _check_counts(table, record, window)


def _window(table: str, columns: Mapping[str, str], years: Years | None) -> Years | None:
    if table not in REQUIRED:
        raise UsageError(f"unknown table {table!r}; tables: {', '.join(REQUIRED)}")
    known = REQUIRED[table] + OPTIONAL[table]
    for name in columns:
        if name not in known:
            raise UsageError(f"{table} has no column {name!r} to map; its columns: {', '.join(known)}")
    first, last = years if years is not None else (None, None)
    if first is not None and last is not None and first > last:
        raise UsageError(f"{table}: the window of years {first}:{last} ends before it begins")
    return None if first is None and last is None else (first, last)


def _plan(reader: Reader, table: str, columns: Mapping[str, str], wanted: Sequence[str], need_year: bool) -> _Plan:
    """Find the columns of one source."""
    layout = reader.layout()
    present = list(layout.names)
    names = {name: columns.get(name, name) for name in REQUIRED[table] + OPTIONAL[table]}
    both = names["lon"] in present and names["lat"] in present
    spatial = layout.geometry is not None and not both and not {"lon", "lat"} & set(columns)
    needed = [*REQUIRED[table], *columns, *(["year"] if need_year else [])]
    if layout.rows == 0 and not present:
        needed = []  # a GeoJSON file without a feature has no columns
    for name in dict.fromkeys(needed):
        if names[name] not in present and not (spatial and name in ("lon", "lat")):
            raise InputError(_missing(reader, table, name, names[name], present))
    found = {name: column for name, column in names.items() if column in present}
    for name, column in found.items():
        if present.count(column) > 1:
            raise InputError(f'{reader.name}: column "{column}" ({name}) is there {present.count(column)} times')
    if spatial:
        found.pop("lon", None)
        found.pop("lat", None)
    for name in wanted:
        partition = f"{names[name]}="
        if name not in found and reader.path and any(p.startswith(partition) for p in reader.path.parts[:-1]):
            raise InputError(
                f'{reader.name}: column "{names[name]}" stands in the name of a folder only, which is not read; '
                "write it into the files"
            )
    return _Plan(reader, found, layout, spatial)


def _missing(reader: Reader, table: str, name: str, column: str, present: Sequence[str]) -> str:
    shown = ", ".join(present[:40]) + (", ..." if len(present) > 40 else "")
    what = f'column "{column}" is missing' + (f" (given for {name})" if column != name else "")
    hint = f"name the right one with --column {table}.{name}=NAME"
    if len(present) == 1 and any(mark in present[0] for mark in ";\t|"):
        hint = "are its cells separated by commas (.csv) or tabs (.tsv)?"
    return f"{reader.name}: {what}; columns there: {shown or 'none'}; {hint}"


def _check_fraction(plans: Sequence[_Plan], table: str) -> None:
    """Refuse a table of which only some sources say `fraction`."""
    if "fraction" not in OPTIONAL[table]:
        return
    having = [plan for plan in plans if "fraction" in plan.names]
    lacking = [plan for plan in plans if "fraction" not in plan.names and plan.layout.rows != 0]
    if having and lacking:
        raise InputError(
            f'{lacking[0].reader.name}: column "fraction" is missing, but {having[0].reader.name} has it; '
            f"give it in all files of {table} or in none"
        )


def _read_one(
    plan: _Plan, wanted: Sequence[str], window: Years | None, record: Record, progress: Callable[[str, float], None]
) -> Generator[Chunk, None, int]:
    """Read one source; returns its number of rows."""
    names = {name: column for name, column in plan.names.items() if name in (*wanted, "lon", "lat")}
    if window is not None and "year" in plan.names:
        names["year"] = plan.names["year"]
    geometry = plan.layout.geometry if plan.spatial else None
    columns = list(dict.fromkeys([*names.values(), *([geometry.column] if geometry else [])]))
    if not columns:
        return 0
    categories = [column for name, column in names.items() if name in _CATEGORIES]
    invalid: list[int] = []
    invalid_total = done = 0
    progress(plan.reader.name, 0.0)
    for batch, part in plan.reader.batches(columns, categories):
        rows = Rows(plan.reader.name, names, done + 1)
        done += batch.num_rows
        batch = without_views(batch)
        if window is not None:
            rows, batch = _within(batch, rows, window)
        if batch.num_rows:
            if geometry is not None:
                lon, lat = coordinates(batch.column(geometry.column), geometry, rows)
            else:
                lon, lat = (to_float(batch.column(names[name]), rows, name) for name in ("lon", "lat"))
            lon, lat, status = np.array(lon), np.array(lat), np.empty(len(lon), np.int8)
            classify(lon, lat, status)
            record.counts += np.bincount(status, minlength=3)
            bad = np.flatnonzero(status == INVALID)
            invalid_total += len(bad)
            invalid += rows.numbers(bad[: _KEPT_INVALID - len(invalid)])
            others = {name: batch.column(column) for name, column in names.items() if name in wanted}
            yield Chunk(rows, lon, lat, status, others)
        progress(plan.reader.name, part)
    progress(plan.reader.name, 1.0)
    if invalid_total:
        record.invalid.append(InvalidRows(plan.reader.name, invalid, invalid_total))
    return done


def _within(batch: pa.RecordBatch, rows: Rows, window: Years) -> tuple[Rows, pa.RecordBatch]:
    """Keep the rows of the window."""
    year = to_year(batch.column(rows.names["year"]), rows)
    first, last = window
    inside = (year >= (-np.inf if first is None else first)) & (year <= (np.inf if last is None else last))
    if inside.all():
        return rows, batch
    return replace(rows, kept=np.flatnonzero(inside)), batch.filter(pa.array(inside))


def _part(progress: Progress | None, sizes: Sequence[int], i: int) -> Callable[[str, float], None]:
    """Scale the progress within source `i` to that within the table."""
    before, total = sum(sizes[:i]), max(sum(sizes), 1)

    def report(name: str, part: float) -> None:
        if progress is not None:
            progress(name, (before + part * sizes[i]) / total)

    return report


def _digest(pool: ThreadPoolExecutor, reader: Reader, stop: threading.Event) -> Future[str] | None:
    return None if reader.path is None else pool.submit(_sha256, reader.path, reader.name, stop)


def _sha256(path: Path, name: str, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    with reading(name, "a file"), path.open("rb", buffering=0) as file:
        while not stop.is_set() and (block := file.read(1 << 22)):
            digest.update(block)
    return digest.hexdigest()


def _check_counts(table: str, record: Record, window: Years | None) -> None:
    ungeocoded, invalid, geocoded = (int(count) for count in record.counts)
    if geocoded:
        return
    rows = sum(file.rows for file in record.inputs)
    where = ", ".join(file.name for file in record.inputs[:3]) + (", ..." if len(record.inputs) > 3 else "")
    inside = ungeocoded + invalid
    years = "" if window is None else f" in the years {':'.join('' if y is None else str(y) for y in window)}"
    if inside == 0:
        raise InputError(f"{table} ({where}): no row{years} (of {rows} rows)")
    raise InputError(
        f"{table} ({where}): no geocoded row{years}: of {inside} rows, {ungeocoded} lack a coordinate "
        f"(ungeocoded) and {invalid} have an impossible one (invalid); geocode them, or check lon and lat"
    )
