"""Reading a table of addresses: patents or publications."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np
import pyarrow as pa

from gpu_clusters.degrees import GEOCODED
from gpu_clusters.errors import UsageError
from gpu_clusters.io.chunks import Chunk, read_chunks
from gpu_clusters.io.columns import check_sum, to_float, to_ids, to_text
from gpu_clusters.io.coverage import coverage_table
from gpu_clusters.io.grouping import count_documents, group
from gpu_clusters.io.identifiers import Identifiers
from gpu_clusters.io.model import Addresses, TableRead
from gpu_clusters.io.record import Progress, Record
from gpu_clusters.io.vocabulary import Vocabulary, join, only_used
from gpu_clusters.settings import Years

WANTED = ("doc_id", "country", "organization", "fraction")
"""Columns of a table of addresses besides the coordinates and the year."""


def read_addresses(
    source: Any,
    table: str,
    *,
    columns: Mapping[str, str] | None = None,
    years: Years | None = None,
    progress: Progress | None = None,
) -> TableRead[Addresses]:
    """Read a table of addresses.

    Parameters
    ----------
    source : path, data frame, or list of these
        Parquet, GeoParquet, CSV, TSV (plain, ``.gz``, ``.zst``) and GeoJSON files, folders of them, pandas, geopandas,
        pyarrow and polars frames. Coordinates are those of the columns ``lon`` and ``lat``; where there are no such
        columns, those of the points of the geometry column.
    table : {"patents", "publications"}
    columns : mapping of str to str, optional
        The source's column for a canonical name, as in ``{"organization": "applicant"}``; all sources must have it.
    years : (from, to), optional
        Inclusive window, either end may be None. Rows outside, or without a year, are as if they were not there.
    progress : callable, optional
        Called now and then with the name of a source and the part of the table that is read, 0..1.

    Returns
    -------
    TableRead
        `Addresses`, coverage, files and invalid rows.

    Raises
    ------
    InputError
        Data that cannot be used; names file, column and row.
    UsageError
        Arguments that make no sense.
    """
    refuse_deals(table)
    record = Record()
    rows = _Rows()
    with closing(read_chunks(source, table, WANTED, columns or {}, years, progress, record)) as chunks:
        for chunk in chunks:
            rows.add(chunk)
    data, coverage = rows.finish(table)
    return TableRead(data, coverage, record.inputs, record.invalid, record.undated, record.alike)


def refuse_deals(table: str) -> None:
    """Refuse the one table that has no addresses (``UsageError``)."""
    if table == "deals":
        raise UsageError("deals are read by read_deals")


class _Rows:
    """Collects the rows of a table, chunk by chunk."""

    def __init__(self) -> None:
        self._ids = Identifiers()
        self._status: list[np.ndarray] = []
        self._country = Vocabulary()
        self._lon: list[np.ndarray] = []  # from here on geocoded rows only
        self._lat: list[np.ndarray] = []
        self._organization = Vocabulary()
        self._fraction: list[np.ndarray] | None = None

    def add(self, chunk: Chunk) -> None:
        """Check a chunk and append it."""
        rows, given, geocoded = chunk.rows, chunk.columns, chunk.geocoded
        everywhere = bool(geocoded.all())

        def kept(values: np.ndarray) -> np.ndarray:
            return values if everywhere else values[geocoded]

        self._ids.add(to_ids(given["doc_id"], rows))
        self._status.append(chunk.status)
        self._lon.append(kept(chunk.lon))
        self._lat.append(kept(chunk.lat))
        if "country" in given:
            self._country.add(to_text(given["country"], rows, "country"))
        else:
            self._country.add_missing(len(chunk))
        if "organization" in given:
            named = to_text(given["organization"], rows, "organization")
            self._organization.add(named if everywhere else named.filter(pa.array(geocoded)))
        else:
            self._organization.add_missing(int(np.count_nonzero(geocoded)))
        if "fraction" in given:
            fraction = to_float(given["fraction"], rows, "fraction")
            wrong = ~(fraction >= 0) | np.isinf(fraction)
            if wrong.any():
                index = int(np.flatnonzero(wrong)[0])
                value = "is null" if np.isnan(fraction[index]) else f"{fraction[index]}"
                raise rows.error("fraction", f"{value}; it must be a finite number, 0 or more", index)
            self._fraction = [] if self._fraction is None else self._fraction
            self._fraction.append(kept(fraction))

    def finish(self, table: str) -> tuple[Addresses, Any]:
        """Group the rows by document, and count."""
        codes, count = self._ids.finish()
        status = join(self._status, np.int8)
        geocoded = status == GEOCODED
        country, countries = self._country.finish(strip=True)
        start, order = group(codes, count)
        documents, covered = count_documents(start, order, country, geocoded, len(countries))
        coverage = coverage_table(table, countries, country, status, documents, covered)
        if not geocoded.all():
            country, countries = only_used(country[geocoded], countries)
            start, order = group(codes[geocoded], count)
        del codes, geocoded, status
        sizes = np.diff(start)
        doc_start = np.concatenate(([0], np.cumsum(sizes[sizes > 0])))

        def ordered(values: np.ndarray) -> np.ndarray:
            return values if order is None else values[order]

        lon, lat = ordered(join(self._lon, np.float64)), ordered(join(self._lat, np.float64))
        organization, organizations = self._organization.finish()
        fraction = None if self._fraction is None else ordered(join(self._fraction, np.float64))
        if fraction is not None:
            check_sum(fraction, table, "fraction")
        country, organization = ordered(country), ordered(organization)
        data = Addresses(table, lon, lat, doc_start, country, countries, organization, organizations, fraction)
        return data, coverage
