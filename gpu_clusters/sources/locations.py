"""From rows to places: how many rows and what part of the documents each distinct (lon, lat) has.

Buckets are counted one by one and put together afterwards, which gives the same numbers however rows are dealt out as long as
documents are whole: rows are counted by (place, value), and only those few products are added, in a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters.degrees import GEOCODED, classify
from gpu_clusters.sources.tables import ID

_KEYS = ["lat", "lon", "value"]


def status_of(rows: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``lon``, ``lat`` (normalised where geocoded, NaN where missing) and status of the rows, as `degrees.classify` has it."""
    lon, lat = (
        rows.column(name).to_numpy().astype(np.float64) if name in rows.column_names else np.full(len(rows), np.nan)
        for name in ("lon", "lat")
    )
    status = np.empty(len(rows), np.int8)
    classify(lon, lat, status)
    return lon, lat, status


def partial(table: str, rows: pa.Table) -> pd.DataFrame:
    """Geocoded rows of whole documents by place and value.

    The value is that of ``fraction`` or ``deals``, else 1/k in a document of k geocoded rows, 1 for a deal.

    Returns
    -------
    DataFrame
        ``lat``, ``lon`` (float64, degrees), ``value`` (float64), ``rows`` (int64).
    """
    lon, lat, status = status_of(rows)
    good = status == GEOCODED
    given = "deals" if table == "deals" else "fraction"
    if given in rows.column_names:
        value = np.nan_to_num(rows.column(given).to_numpy().astype(np.float64), nan=1.0)[good]
    elif table == "deals":
        value = np.ones(int(good.sum()))
    else:
        codes = codes_of_documents(rows, table)[good]
        value = 1.0 / np.bincount(codes)[codes]
    frame = pd.DataFrame({"lat": lat[good], "lon": lon[good], "value": value})
    return frame.groupby(_KEYS, as_index=False).size().rename(columns={"size": "rows"})


def combined(table: str, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Places in (lat, lon) order: ``lon``, ``lat``, ``rows`` (int64), and ``deals`` or ``fraction`` (float64)."""
    whole = pd.concat(parts, ignore_index=True).groupby(_KEYS, as_index=False)["rows"].sum()
    name = "deals" if table == "deals" else "fraction"
    whole[name] = whole["value"] * whole["rows"]
    places = whole.groupby(["lat", "lon"], as_index=False).agg(**{"rows": ("rows", "sum"), name: (name, "sum")})
    return places[["lon", "lat", "rows", name]]


def codes_of_documents(rows: pa.Table, table: str) -> np.ndarray:
    """A number for each row's document, (n,) int32; without ids every row is a document."""
    if ID[table] not in rows.column_names:
        return np.arange(len(rows), dtype=np.int32)
    return rows.column(ID[table]).combine_chunks().dictionary_encode().indices.to_numpy()
