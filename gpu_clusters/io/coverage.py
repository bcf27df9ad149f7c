"""The coverage table: how much of each country's rows and documents is geocoded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpu_clusters.degrees import GEOCODED, INVALID
from gpu_clusters.schema import COVERAGE, WORLD


def coverage_table(
    table: str,
    countries: Sequence[str],
    country: np.ndarray,
    status: np.ndarray,
    documents: np.ndarray,
    covered: np.ndarray,
    times: np.ndarray | None = None,
) -> pd.DataFrame:
    """Make the coverage rows of one table.

    Parameters
    ----------
    table : str
    countries : sequence of str, k of them
        Ascending by code point.
    country : (n,) int32
        Index into `countries`, -1 where missing.
    status : (n,) int8
        ``UNGEOCODED``, ``INVALID`` or ``GEOCODED``.
    documents, covered : (k + 2,) int64 or float64
        Documents with a row, and with a geocoded row: of each country, of the missing country, of the world. NaN where they
        have not been counted.
    times : (n,) int64, optional
        How many rows each stands for, 1 where left out.

    Returns
    -------
    DataFrame
        Columns of ``schema.COVERAGE``; the missing country is ``""`` and comes first, if any row lacks its country;
        the World row is last. Percentages are NaN where there is nothing to divide by.
    """
    k = len(countries)
    place = np.where(country >= 0, country, k)

    def count(mask: np.ndarray | slice) -> np.ndarray:
        each = np.zeros(k + 1, np.int64)
        np.add.at(each, place[mask], 1 if times is None else times[mask])
        return np.append(each, each.sum())

    rows, geocoded, invalid = count(slice(None)), count(status == GEOCODED), count(status == INVALID)
    with np.errstate(invalid="ignore"):
        frame = pd.DataFrame(
            {
                "table": table,
                "country": pd.Series([*countries, "", WORLD], dtype="object").astype("str"),
                "rows": rows,
                "geocoded": geocoded,
                "invalid": invalid,
                "rows_pct": 100.0 * geocoded / rows,
                "documents": documents,
                "documents_covered": covered,
                "documents_pct": 100.0 * covered / documents,
            }
        )[list(COVERAGE)]
    order = [k, *range(k), k + 1]
    return frame.iloc[[i for i in order if rows[i] or i == k + 1]].reset_index(drop=True)


def with_whole_documents(coverage: pd.DataFrame) -> pd.DataFrame:
    """The same coverage, its numbers of documents as whole numbers where all of a column are: deals may come in fractions."""
    whole = {
        column: np.int64
        for column in ("documents", "documents_covered")
        if (coverage[column] % 1 == 0).all() and coverage[column].max() < 2**53
    }
    return coverage.astype(whole)
