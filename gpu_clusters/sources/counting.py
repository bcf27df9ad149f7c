"""The coverage of a table from that of its buckets, which have no document in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters.degrees import GEOCODED
from gpu_clusters.io.columns import TEXT
from gpu_clusters.io.coverage import coverage_table, with_whole_documents
from gpu_clusters.io.deals import sums_by_country
from gpu_clusters.io.grouping import count_documents, group
from gpu_clusters.io.vocabulary import Vocabulary
from gpu_clusters.schema import COVERAGE
from gpu_clusters.sources.locations import codes_of_documents, status_of

_COUNTS = ["rows", "geocoded", "invalid", "documents", "documents_covered"]


def coverage_of(table: str, rows: pa.Table) -> pd.DataFrame:
    """The rows of ``schema.COVERAGE`` for a bucket."""
    country, countries = _countries(rows)
    _, _, status = status_of(rows)
    geocoded = status == GEOCODED
    if table == "deals":
        deals = np.ones(len(rows))
        if "deals" in rows.column_names:
            deals = np.nan_to_num(rows.column("deals").to_numpy().astype(np.float64), nan=1.0)
        documents = sums_by_country(country, deals, len(countries))
        covered = sums_by_country(country[geocoded], deals[geocoded], len(countries))
    else:
        codes = codes_of_documents(rows)
        start, order = group(codes, int(codes.max()) + 1)
        documents, covered = count_documents(start, order, country, geocoded, len(countries))
    return coverage_table(table, countries, country, status, documents, covered)


def added_up(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The coverage of all buckets together."""
    countries, world = (_sums([table.iloc[rows] for table in tables]) for rows in (slice(-1), slice(-1, None)))
    total = pd.concat([countries.sort_values("country"), world], ignore_index=True)
    total["rows_pct"] = 100.0 * total["geocoded"] / total["rows"]
    total["documents_pct"] = 100.0 * total["documents_covered"] / total["documents"]
    return with_whole_documents(total[list(COVERAGE)])


def _sums(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables).groupby(["table", "country"], as_index=False)[_COUNTS].sum()


def _countries(rows: pa.Table) -> tuple[np.ndarray, tuple[str, ...]]:
    """Index of each row's country, -1 where missing, and the countries, ascending by code point, as `read_addresses` has them."""
    names = Vocabulary()
    if "country" in rows.column_names:
        names.add(rows.column("country").combine_chunks().cast(TEXT))
    else:
        names.add_missing(len(rows))
    return names.finish(strip=True)
