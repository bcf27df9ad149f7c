"""Reading a table of addresses into the memory of a GPU, with cuDF.

What comes out is what `gpu_clusters.io.addresses.read_addresses` gives, bit for bit, and so are the errors. cuDF reads Parquet,
CSV and TSV files (`device_files`). All other tables, and those in which something may be wrong, are read by the CPU's reader,
which words all errors, and its arrays go to the GPU; ``remark`` is told so, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gpu_clusters.arrays import count_each
from gpu_clusters.degrees import GEOCODED, INVALID, classified
from gpu_clusters.io import addresses as host
from gpu_clusters.io.columns import LARGEST_SUM, of_dates
from gpu_clusters.io.device_columns import Ids, Words, joined, only_used
from gpu_clusters.io.device_counts import coverage, group
from gpu_clusters.io.device_files import DeviceFile, Piece, device_file
from gpu_clusters.io.footers import NeedsCpuError
from gpu_clusters.io.model import Addresses, InvalidRows, TableRead
from gpu_clusters.io.plans import check_arguments, plan_sources
from gpu_clusters.io.record import KEPT_INVALID, Progress, Record, digests, part_of, sizes_of
from gpu_clusters.io.sources import is_frame, listed
from gpu_clusters.settings import Years

PIECE = 1 << 31
"""Bytes of a file that are read at once, about."""

_MOST_ROWS = 2**31 - 1  # of a column of cuDF


def read_addresses(
    cudf: Any,
    xp: Any,
    source: Any,
    table: str,
    *,
    columns: Mapping[str, str] | None = None,
    years: Years | None = None,
    progress: Progress | None = None,
    remark: Callable[[str], None] = lambda _: None,
    piece: int = PIECE,
) -> TableRead[Addresses]:
    """Read a table of addresses.

    Parameters
    ----------
    cudf, xp : module
        ``cudf``, or None where it cannot be had, and ``cupy``.
    source, table, columns, years
        As in `gpu_clusters.io.read_addresses`.
    progress : callable, optional
        As there; begins anew where the CPU's reader takes over.
    remark : callable, optional
        Told who has read the table, and why, where it was not cuDF.
    piece : int
        Bytes of a file that are read at once, about; a row group at least.

    Returns
    -------
    TableRead
        As there, but the arrays of its ``data`` are CuPy's.

    Raises
    ------
    InputError, UsageError
        As there.
    MemoryError
        The GPU's memory is full.
    """
    host.refuse_deals(table)
    window = check_arguments(table, columns or {}, years)
    given = listed(source, table)
    try:
        read = _read(cudf, xp, given, table, columns or {}, window, progress, piece)
        remark(f"{table} read by cuDF")
        return read
    except NeedsCpuError as error:
        reason = str(error)  # the error itself keeps what was read in the GPU's memory
    remark(f"{table} read by the CPU, because {reason}")
    read = host.read_addresses(given, table, columns=columns, years=years, progress=progress)
    assert isinstance(read.data, Addresses)
    return replace(read, data=upload(xp, read.data))


def upload(xp: Any, data: Addresses) -> Addresses:
    """The same addresses with arrays of the module ``xp``: cupy."""
    names = ("lon", "lat", "doc_start", "country", "organization", "fraction")
    arrays: dict[str, Any] = {name: getattr(data, name) for name in names}
    for name, array in arrays.items():
        arrays[name] = None if array is None else xp.asarray(array)
    return replace(data, **arrays)


def _read(
    cudf: Any,
    xp: Any,
    given: list[Any],
    table: str,
    columns: Mapping[str, str],
    window: Years | None,
    progress: Progress | None,
    piece: int,
) -> TableRead[Addresses]:
    """Read all with cuDF."""
    if cudf is None:
        raise NeedsCpuError("cuDF is not installed or cannot be loaded")
    if any(is_frame(one) for one in given):
        raise NeedsCpuError("it is a data frame")
    plans = plan_sources(given, table, host.WANTED, columns, window)
    files = [device_file(plan, plan.used(host.WANTED, window)) for plan in plans]
    _check_rows(sum(file.least_rows for file in files))
    record, rows, seen = Record(), _Rows(cudf, xp), 0
    sizes = sizes_of(plans)
    with digests([plan.reader.path for plan in plans]) as digest:
        for i, (plan, file) in enumerate(zip(plans, files, strict=True)):
            total = _read_one(file, rows, window, record, part_of(progress, sizes, i), piece)
            record.add(plan, table, sizes[i], digest[i], total)
            seen += total
            _check_rows(seen)
    record.check(table, window)
    data, covered = rows.finish(table)
    return TableRead(data, covered, record.inputs, record.invalid, record.undated, record.alike)


def _check_rows(rows: int) -> None:
    if rows > _MOST_ROWS:
        raise NeedsCpuError("it has more rows than a column of cuDF")


def _read_one(
    file: DeviceFile, rows: _Rows, window: Years | None, record: Record, report: Callable[[str, float], None], size: int
) -> int:
    """Read one file, piece by piece; gives its number of rows."""
    xp = rows.xp
    invalid: list[int] = []
    invalid_total = done = 0
    report(file.name, 0.0)
    for piece in file.pieces(rows.cudf, xp, size):
        before, done = done, done + piece.rows
        kept = None  # all rows
        if window is not None:
            kept = _within(xp, piece.numbers["year"], window)
            record.undated += int(xp.isnan(piece.numbers["year"]).sum())
        if kept is not None:
            piece = piece.take(kept)
        if piece.rows:
            lon, lat, status = classified(xp, piece.numbers["lon"], piece.numbers["lat"])
            record.counts += count_each(status, 3).get()
            bad = xp.flatnonzero(status == INVALID)
            listed_here = bad[: KEPT_INVALID - len(invalid)]
            numbers = listed_here if kept is None else kept[listed_here]
            invalid_total += len(bad)
            invalid += (numbers + (before + 1)).tolist()
            rows.add(lon, lat, status, piece)
        report(file.name, piece.part)
    report(file.name, 1.0)
    if invalid_total:
        record.invalid.append(InvalidRows(file.name, invalid, invalid_total))
    return done


def _within(xp: Any, year: Any, window: Years) -> Any:
    """The rows of the window (m,) int64, None if all are."""
    first, last = window
    year = of_dates(xp, year)
    inside = xp.isfinite(year)
    if first is not None:
        inside &= year >= first
    if last is not None:
        inside &= year <= last
    return None if bool(inside.all()) else xp.flatnonzero(inside)


class _Rows:
    """Collects the rows of a table, piece by piece."""

    def __init__(self, cudf: Any, xp: Any) -> None:
        self.cudf = cudf
        self.xp = xp
        self._ids = Ids(cudf, xp)
        self._status: list[Any] = []
        self._country = Words(cudf, xp)
        self._lon: list[Any] = []  # from here on geocoded rows only
        self._lat: list[Any] = []
        self._organization = Words(cudf, xp)
        self._fraction: list[Any] | None = None

    def add(self, lon: Any, lat: Any, status: Any, piece: Piece) -> None:
        """Check a piece and append it."""
        geocoded = self.xp.flatnonzero(status == GEOCODED)
        self._ids.add(piece.texts["doc_id"], piece.ids)
        self._status.append(status)
        self._lon.append(lon[geocoded])
        self._lat.append(lat[geocoded])
        if "country" in piece.texts:
            self._country.add(piece.texts["country"])
        else:
            self._country.add_missing(len(status))
        if "organization" in piece.texts:
            self._organization.add(piece.texts["organization"].take(geocoded))
        else:
            self._organization.add_missing(len(geocoded))
        if "fraction" in piece.numbers:
            fraction = piece.numbers["fraction"]
            if not bool(((fraction >= 0) & self.xp.isfinite(fraction)).all()):
                raise NeedsCpuError("a fraction is missing, negative or infinite")
            self._fraction = [] if self._fraction is None else self._fraction
            self._fraction.append(fraction[geocoded])

    def finish(self, table: str) -> tuple[Addresses, Any]:
        """Group the rows by document, and count."""
        xp = self.xp
        codes, _ = self._ids.finish()
        status = joined(xp, self._status, np.int8)
        geocoded = status == GEOCODED
        country, countries = self._country.finish(strip=True)
        covered = coverage(xp, table, countries, country, status, codes)
        country, countries = only_used(xp, country[geocoded], countries)
        start, order = group(xp, codes[geocoded])
        del codes, geocoded, status
        lon = joined(xp, self._lon, np.float64)[order]
        lat = joined(xp, self._lat, np.float64)[order]
        organization, organizations = self._organization.finish()
        fraction = None if self._fraction is None else joined(xp, self._fraction, np.float64)[order]
        if fraction is not None and float(fraction.max()) * len(fraction) > LARGEST_SUM:
            raise NeedsCpuError("fractions may add up to more than can be computed with")
        data = Addresses(
            *(table, lon, lat, start, country[order], countries, organization[order], organizations, fraction)
        )
        return data, covered
