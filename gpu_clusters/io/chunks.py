"""The reading that all tables share: columns, window of years, coordinates."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from gpu_clusters.degrees import GEOCODED, INVALID, classify
from gpu_clusters.io.columns import to_float, to_year, without_views
from gpu_clusters.io.model import InvalidRows
from gpu_clusters.io.place import Rows
from gpu_clusters.io.plans import Plan, check_arguments, plan_sources
from gpu_clusters.io.record import KEPT_INVALID, Progress, Record, digests, part_of, sizes_of
from gpu_clusters.io.spatial import coordinates
from gpu_clusters.settings import Years

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
    window = check_arguments(table, columns, years)
    plans = plan_sources(source, table, wanted, columns, window)
    sizes = sizes_of(plans)
    with digests([plan.reader.path for plan in plans]) as digest:
        for i, plan in enumerate(plans):
            total = yield from _read_one(plan, wanted, window, record, part_of(progress, sizes, i))
            record.add(plan, table, sizes[i], digest[i], total)
    record.check(table, window)


def _read_one(
    plan: Plan, wanted: Sequence[str], window: Years | None, record: Record, progress: Callable[[str, float], None]
) -> Generator[Chunk, None, int]:
    """Read one source; returns its number of rows."""
    names = plan.used(wanted, window)
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
            rows, batch = _within(batch, rows, window, record)
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
            invalid += rows.numbers(bad[: KEPT_INVALID - len(invalid)])
            others = {name: batch.column(column) for name, column in names.items() if name in wanted}
            yield Chunk(rows, lon, lat, status, others)
        progress(plan.reader.name, part)
    progress(plan.reader.name, 1.0)
    if invalid_total:
        record.invalid.append(InvalidRows(plan.reader.name, invalid, invalid_total))
    return done


def _within(batch: pa.RecordBatch, rows: Rows, window: Years, record: Record) -> tuple[Rows, pa.RecordBatch]:
    """Keep the rows of the window; counts those without a year."""
    year = to_year(batch.column(rows.names["year"]), rows)
    record.undated += int(np.isnan(year).sum())
    first, last = window
    inside = (year >= (-np.inf if first is None else first)) & (year <= (np.inf if last is None else last))
    if inside.all():
        return rows, batch
    return replace(rows, kept=np.flatnonzero(inside)), batch.filter(pa.array(inside))
