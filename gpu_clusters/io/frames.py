"""Data frames of any library as Arrow record batches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters.io.formats import BATCH, Batches, Layout, reading
from gpu_clusters.io.spatial import Geometry, find_geometry


@dataclass(frozen=True)
class ArrowReader:
    """Arrow tables, and whatever exports an Arrow stream (polars, DuckDB, ...)."""

    table: Any
    name: str
    path: Path | None = None

    def layout(self) -> Layout:
        rows = getattr(self.table, "num_rows", None)
        return Layout(self.table.schema.names, find_geometry(self.table.schema), rows)

    def batches(self, columns: Sequence[str], categories: Sequence[str]) -> Batches:  # noqa: ARG002
        done, total = 0, getattr(self.table, "num_rows", None)
        with reading(self.name, "an Arrow table"):
            for batch in self.table.to_batches() if isinstance(self.table, pa.Table) else self.table:
                for first in range(0, batch.num_rows, BATCH):
                    part = batch.select(list(columns)).slice(first, BATCH)
                    done += part.num_rows
                    yield part, done / total if total else 0.0


@dataclass(frozen=True)
class PandasReader:
    """pandas data frames, GeoDataFrames included; only the columns asked for are converted."""

    frame: pd.DataFrame
    name: str
    path: Path | None = None

    def layout(self) -> Layout:
        names = [str(label) for label in self.frame.columns]
        geometry = None
        geopandas = sys.modules.get("geopandas")  # where a GeoDataFrame exists, geopandas is imported
        if geopandas is not None and isinstance(self.frame, geopandas.GeoDataFrame):
            active = self.frame.active_geometry_name
            geometry = None if active is None else Geometry(str(active), "WKB", self.frame.crs)
        index = [str(label) for label in self.frame.index.names if label is not None]
        return Layout(names, geometry, len(self.frame), index)

    def batches(self, columns: Sequence[str], categories: Sequence[str]) -> Batches:  # noqa: ARG002
        layout = self.layout()
        arrays = []
        for name in columns:
            column = self.frame.iloc[:, layout.names.index(name)]
            points = layout.geometry is not None and layout.geometry.column == name
            arrays.append(_to_wkb(column) if points else _to_arrow(column))
        done = 0
        for batch in pa.Table.from_arrays(arrays, names=list(columns)).to_batches(max_chunksize=BATCH):
            done += batch.num_rows
            yield batch, done / len(self.frame)


def _to_wkb(column: Any) -> pa.Array:
    return pa.array(column.to_wkb(), pa.binary(), from_pandas=True)


def _to_arrow(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    """Convert a column; one of mixed types becomes text, as it would in a CSV file, and bytes where that is no UTF-8."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    try:
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        texts = [_cell(value) for value in column]
    try:
        return pa.array(texts, pa.large_string())
    except UnicodeEncodeError:
        return pa.array([None if text is None else text.encode("utf-8", "surrogatepass") for text in texts])


def _cell(value: Any) -> str | None:
    """Text of one cell; whole floats as whole numbers."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return None
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)
