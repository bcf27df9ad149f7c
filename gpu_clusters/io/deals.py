"""Reading the table of venture-capital deals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import numpy as np

from gpu_clusters.degrees import GEOCODED
from gpu_clusters.io.chunks import Chunk, read_chunks
from gpu_clusters.io.columns import check_sum, to_float, to_text
from gpu_clusters.io.coverage import coverage_table
from gpu_clusters.io.model import Deals, TableRead
from gpu_clusters.io.record import Progress, Record
from gpu_clusters.io.vocabulary import Vocabulary, join, only_used
from gpu_clusters.settings import Years

_WANTED = ("deals", "country")


def read_deals(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    years: Years | None = None,
    progress: Progress | None = None,
) -> TableRead[Deals]:
    """Read a table of deals.

    Parameters
    ----------
    source, columns, years, progress
        As in `read_addresses`. A row counts as many deals as its column ``deals`` says, 1 where that is null or absent.

    Returns
    -------
    TableRead
        `Deals`, coverage (its ``documents`` are sums of deals), files and invalid rows.

    Raises
    ------
    InputError
        Data that cannot be used; names file, column and row.
    UsageError
        Arguments that make no sense.
    """
    record = Record()
    lon: list[np.ndarray] = []
    lat: list[np.ndarray] = []
    counts: list[np.ndarray] = []
    statuses: list[np.ndarray] = []
    names = Vocabulary()
    with closing(read_chunks(source, "deals", _WANTED, columns or {}, years, progress, record)) as chunks:
        for chunk in chunks:
            lon.append(chunk.lon[chunk.geocoded])
            lat.append(chunk.lat[chunk.geocoded])
            counts.append(_counts(chunk))
            statuses.append(chunk.status)
            if "country" in chunk.columns:
                names.add(to_text(chunk.columns["country"], chunk.rows, "country"))
            else:
                names.add_missing(len(chunk))
    deals, status = join(counts, np.float64), join(statuses, np.int8)
    check_sum(deals, "deals", "deals")
    geocoded = status == GEOCODED
    country, countries = names.finish(strip=True)
    coverage = coverage_table(
        "deals",
        countries,
        country,
        status,
        sums_by_country(country, deals, len(countries)),
        sums_by_country(country[geocoded], deals[geocoded], len(countries)),
    )
    country, countries = only_used(country[geocoded], countries)
    data = Deals(join(lon, np.float64), join(lat, np.float64), deals[geocoded], country, countries)
    return TableRead(data, coverage, record.inputs, record.invalid, record.undated, record.alike)


def _counts(chunk: Chunk) -> np.ndarray:
    """Deals of each row, checked: (n,) float64."""
    if "deals" not in chunk.columns:
        return np.ones(len(chunk))
    deals = to_float(chunk.columns["deals"], chunk.rows, "deals")
    wrong = (deals < 0) | np.isinf(deals)
    if wrong.any():
        index = int(np.flatnonzero(wrong)[0])
        raise chunk.rows.error("deals", f"{deals[index]}; it must be a finite number, 0 or more", index)
    return np.where(np.isnan(deals), 1.0, deals)


def sums_by_country(country: np.ndarray, deals: np.ndarray, countries: int) -> np.ndarray:
    """Sums by country, of the missing country and of the world, correctly rounded so that no order matters."""
    order = np.argsort(country, kind="stable")
    ends = np.searchsorted(country[order], np.arange(-1, countries + 1))
    sums = [math.fsum(part) for part in np.split(deals[order], ends[1:-1])]
    return np.array([*sums[1:], sums[0], math.fsum(deals)])
