"""The supported kinds of source, each as a stream of Arrow record batches.

A reader says what a source holds (`Layout`) and yields its needed columns in batches of about `BATCH` rows, each with
the part of the source that is read so far. Whatever a library raises about a file becomes an ``InputError``.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.errors import InputError, first_line
from gpu_clusters.io.columns import is_text
from gpu_clusters.io.spatial import Geometry, find_geometry

BATCH = 1 << 20
Batches = Iterator[tuple[pa.RecordBatch, float]]


@dataclass(frozen=True)
class Layout:
    """Columns of a source, its geometry column if it has one, its number of rows if it is known beforehand, and its index."""

    names: Sequence[str]
    geometry: Geometry | None = None
    rows: int | None = None
    index: Sequence[str] = ()


class Reader(Protocol):
    """A source that can be read in batches."""

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> Path | None: ...

    def layout(self) -> Layout: ...

    def batches(self, columns: Sequence[str], categories: Sequence[str]) -> Batches:
        """Yield the `columns`; those in `categories` have few distinct texts."""
        ...


@contextmanager
def reading(name: str, kind: str) -> Iterator[None]:
    """Turn what a library raises about a file into an ``InputError`` with one line that says what to do."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{name}: does not exist; check the path") from error
    except PermissionError as error:
        raise InputError(f"{name}: cannot be opened for want of permission; allow reading it") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: is not text in UTF-8 (at byte {error.start}); save it as UTF-8") from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        reason = first_line(error).rstrip(".")
        hint = "is it complete, and is its ending right?"
        raise InputError(f"{name}: cannot be read as {kind} ({reason}); {hint}") from error


@dataclass(frozen=True)
class ParquetReader:
    """Parquet, GeoParquet included; in batches of ``rows``, or of `BATCH`."""

    path: Path
    name: str
    rows: int | None = None

    def _open(self) -> pa.NativeFile:
        return pa.OSFile(os.fsencode(self.path))  # the bytes of the name, which need not be UTF-8

    def layout(self) -> Layout:
        metadata, schema = self.footer()
        return Layout(schema.names, find_geometry(schema), metadata.num_rows)

    def footer(self) -> tuple[pq.FileMetaData, pa.Schema]:
        """What the file says of itself, and its columns as Arrow has them."""
        with reading(self.name, "Parquet"), self._open() as source, pq.ParquetFile(source) as file:
            return file.metadata, file.schema_arrow

    def batches(self, columns: Sequence[str], categories: Sequence[str]) -> Batches:
        with reading(self.name, "Parquet"):
            with self._open() as source:
                schema = pq.read_schema(source)
            texts = [name for name in categories if is_text(schema.field(name).type)]
            options = {"read_dictionary": texts, "buffer_size": 1 << 22, "pre_buffer": False}
            done = 0
            with self._open() as source, pq.ParquetFile(source, **options) as file:
                for batch in file.iter_batches(self.rows or BATCH, columns=list(columns)):
                    done += batch.num_rows
                    yield batch, done / max(file.metadata.num_rows, 1)


@dataclass(frozen=True)
class GeoJsonReader:
    """GeoJSON, through GDAL."""

    path: Path
    name: str

    def layout(self) -> Layout:
        import pyogrio

        with reading(self.name, "GeoJSON"), _no_warnings():
            info = pyogrio.read_info(self.path, force_feature_count=True, DATE_AS_STRING="YES")
        names = list(info["fields"])
        column = "geometry"
        while column in names:
            column += "_"
        return Layout(names, Geometry(column, "WKB", info["crs"]), int(info["features"]))

    def batches(self, columns: Sequence[str], categories: Sequence[str]) -> Batches:  # noqa: ARG002
        from pyogrio.raw import open_arrow

        layout = self.layout()
        assert layout.geometry is not None
        fields = [name for name in columns if name in layout.names]
        geometry = layout.geometry.column in columns
        options = {"columns": fields, "read_geometry": geometry, "batch_size": 1 << 16, "use_pyarrow": True}
        done = 0
        with (
            reading(self.name, "GeoJSON"),
            _no_warnings(),
            open_arrow(self.path, **options, DATE_AS_STRING="YES") as (_, stream),
        ):
            for batch in stream:
                done += batch.num_rows
                # GDAL's own name of the geometry, always its last column, may be a property's too
                own = [*batch.schema.names[:-1], layout.geometry.column] if geometry else batch.schema.names
                yield batch.rename_columns(own), done / max(layout.rows or 1, 1)


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Keep GDAL's remarks, such as repeated feature ids, to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
