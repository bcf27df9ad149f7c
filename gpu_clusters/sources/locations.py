"""From rows to places: how many rows and what part of the documents each distinct (lon, lat) has.

Buckets are counted one by one and added up in their order. Within a bucket rows are counted by (place, value), on any device, and
only those few products are added, on the CPU, in a fixed order: the order of the rows does not matter, nor who counts which
bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from threading import Lock

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters import backend
from gpu_clusters.degrees import GEOCODED, classify

_PLACE = ["lat", "lon"]
_AT_ONCE = 16
_GPU = Lock()  # one bucket at a time: the others need its memory, and cuDF does not promise to work in several threads


def status_of(rows: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``lon``, ``lat`` (normalised where geocoded, NaN where missing) and status of the rows, as `degrees.classify` has it."""
    lon, lat = (
        rows.column(name).to_numpy().astype(np.float64) if name in rows.column_names else np.full(len(rows), np.nan)
        for name in ("lon", "lat")
    )
    status = np.empty(len(rows), np.int8)
    classify(lon, lat, status)
    return lon, lat, status


def amount(table: str) -> str:
    """The column that says what the rows of a place amount to."""
    return "deals" if table == "deals" else "fraction"


def places_of(table: str, rows: pa.Table, device: str = "cpu") -> pd.DataFrame:
    """The places of whole documents, and what each has.

    A row counts its ``fraction`` or ``deals``, else 1/k in a document of k geocoded rows, or 1 deal.
    On ``device`` "gpu" cuDF counts the rows; the result is the same, bit for bit.

    Returns
    -------
    DataFrame
        ``lat``, ``lon`` (float64, degrees), ``rows`` (int64), `amount` (float64); by (lat, lon).

    Raises
    ------
    DeviceError
        cuDF is not there.
    """
    lon, lat, status = status_of(rows)
    good = status == GEOCODED
    name = amount(table)
    if name in rows.column_names:
        value = np.nan_to_num(rows.column(name).to_numpy().astype(np.float64), nan=1.0)[good]
    elif table == "deals":
        value = np.ones(int(good.sum()))
    else:
        codes = codes_of_documents(rows)[good]
        value = 1.0 / np.bincount(codes)[codes]
    value += 0.0  # -0.0 and 0.0 are one group: whichever stood for it would be seen
    counted = _counted({"lat": lat[good], "lon": lon[good], name: value}, device)
    counted[name] *= counted["rows"]
    return _summed([counted], name)


def _counted(columns: Mapping[str, np.ndarray], device: str) -> pd.DataFrame:
    """Each combination of values and how many ``rows`` (int64) have it, in the order of the columns' values."""
    frames, on_gpu = backend.frames(device), device == "gpu"
    with _GPU if on_gpu else nullcontext():
        frame = frames.DataFrame(data=columns)
        sizes = frame.groupby(by=list(columns), as_index=False, sort=True).size()  # cuDF does not sort unless told to
        counted: pd.DataFrame = sizes.to_pandas() if on_gpu else sizes
    return counted.rename(columns={"size": "rows"}).astype({"rows": np.int64})


class Places:
    """Adds up buckets, which must come in their order."""

    def __init__(self, table: str) -> None:
        self._name = amount(table)
        self._waiting: list[pd.DataFrame] = []

    def add(self, places: pd.DataFrame) -> None:
        """Take the places of a bucket."""
        self._waiting.append(places)
        if len(self._waiting) > _AT_ONCE:
            self._waiting = [_summed(self._waiting, self._name)]

    def finish(self) -> pd.DataFrame:
        """All places in (lat, lon) order: ``lon``, ``lat``, ``rows`` (int64), and what they amount to (float64)."""
        return _summed(self._waiting, self._name)[["lon", "lat", "rows", self._name]]


def _summed(parts: list[pd.DataFrame], name: str) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True).groupby(_PLACE, as_index=False)[["rows", name]].sum()


def codes_of_documents(rows: pa.Table) -> np.ndarray:
    """A number for each row's document, (n,) int32."""
    return rows.column("doc_id").combine_chunks().dictionary_encode().indices.to_numpy()
