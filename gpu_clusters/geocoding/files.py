"""Files of addresses to files with coordinates, in memory that does not grow with the number of rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.degrees import GEOCODED, UNGEOCODED
from gpu_clusters.errors import InputError
from gpu_clusters.geocoding.documents import Documents
from gpu_clusters.geocoding.lookup import Progress, find_places
from gpu_clusters.geocoding.match import Place
from gpu_clusters.geocoding.table import TABLE, check_columns, columns_of, tables
from gpu_clusters.geocoding.target import Target
from gpu_clusters.geocoding.triples import Triple, Triples
from gpu_clusters.geocoding.writing import aligned, without_dictionaries, writing
from gpu_clusters.io.columns import without_views
from gpu_clusters.io.countries import iso2
from gpu_clusters.io.coverage import coverage_table
from gpu_clusters.io.delimited import DelimitedReader
from gpu_clusters.io.formats import ParquetReader, Reader
from gpu_clusters.io.model import InputFile
from gpu_clusters.io.place import Rows
from gpu_clusters.io.record import input_file
from gpu_clusters.io.results import write_coverage
from gpu_clusters.scratch import scratch_folder

if TYPE_CHECKING:
    from gpu_clusters.geocoding.arcgis import ArcGIS

_BLOCK = 1 << 21  # bytes of text: dozens of such blocks may be read ahead
_ROWS = 1 << 17  # of Parquet files


@dataclass(frozen=True, eq=False)
class Geocoded:
    """What has become of files.

    Attributes
    ----------
    rows, distinct, placed : int
        Rows, distinct addresses, rows with coordinates.
    accuracy, geocode : dict of str to int
        Rows by accuracy, and placed rows by how they were found, largest first.
    coverage : DataFrame
        Columns of ``schema.COVERAGE``; documents are NaN where they have not been counted.
    inputs : list of InputFile
    arcgis : dict or None
        Where the fallback is, the requests made, the answers bought and those that were in the cache.
    """

    rows: int
    distinct: int
    placed: int
    accuracy: dict[str, int]
    geocode: dict[str, int]
    coverage: pd.DataFrame
    inputs: list[InputFile]
    arcgis: dict[str, Any] | None = None


def geocode_files(
    source: str,
    target: Target,
    record: dict[str, Any],
    *,
    city: str,
    country: str,
    admin: str | None = None,
    doc_id: str | None = None,
    gazetteer: str | os.PathLike[str] | None = None,
    fallback: ArcGIS | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Geocoded:
    """Find the coordinates of the addresses in files, and write all rows and columns with them.

    The source is read twice: for the distinct addresses, then for the output.

    Parameters
    ----------
    source : path
        A file or folder: Parquet, CSV, TSV.
    target : Target
    record : dict
        Goes into the manifest besides what this function knows.
    city, country, admin, gazetteer, fallback
        As for `geocode`.
    doc_id : str, optional
        Column that tells documents apart, for the coverage table.
    force : bool
        Replace a file.
    progress : callable, optional
        Told the name of the work at hand and the part of it that is done, 0..1, None where that is not known.

    Raises
    ------
    InputError, UsageError
        Files or columns that cannot be used.
    ServiceError
        The fallback refuses or does not answer.
    """
    tell = progress or (lambda _name, _part: None)
    sources = [_in_small_batches(reader) for reader in tables(source)]
    for reader in sources:
        names = [name for name in (city, country, admin, doc_id) if name is not None]
        check_columns(list(reader.layout().names), names, reader.name)
    triples = Triples(city, admin, country)
    with _documents(doc_id) as documents:
        times, inputs = _read(sources, triples, doc_id, documents, tell)
        places = find_places(triples.distinct, gazetteer, fallback, tell)
        coverage = _coverage(triples.distinct, times, places, documents)
    done = _counted(times, places, coverage, inputs, fallback)
    if gazetteer is not None:
        inputs.append(input_file("gazetteer", str(gazetteer), Path(gazetteer), 0))
    with target.new(sources, source, force=force) as (files, at_coverage, at_record):
        _write(sources, files, target.kind, triples, columns_of(places), [file.rows for file in inputs], tell)
        outputs = [(target.shown(file, at_record), file) for file in [*files, at_coverage]]
        record = record | {
            "inputs": [{"name": i.name, "size": i.size, "sha256": i.sha256, "rows": i.rows} for i in done.inputs],
            "rows": done.rows,
            "distinct": done.distinct,
            "placed": done.placed,
            "accuracy": done.accuracy,
            "geocode": done.geocode,
            "arcgis": done.arcgis,
            "coverage": coverage.to_dict("records"),
        }
        write_coverage(coverage, record, outputs, at_record)
    return done


def _in_small_batches(reader: Reader) -> Reader:
    """A reader whose batches, with all columns, take little memory."""
    if isinstance(reader, DelimitedReader):
        return replace(reader, block=_BLOCK)
    return replace(reader, rows=_ROWS) if isinstance(reader, ParquetReader) else reader


@contextmanager
def _documents(doc_id: str | None) -> Iterator[Documents | None]:
    if doc_id is None:
        yield None
        return
    with scratch_folder("gpu-clusters-documents") as folder, closing(Documents(folder)) as documents:
        yield documents


def _read(
    sources: Sequence[Reader], triples: Triples, doc_id: str | None, documents: Documents | None, tell: Progress
) -> tuple[np.ndarray, list[InputFile]]:
    """How many rows each distinct address has, (k,) int64, and the files."""
    inputs, times = [], np.zeros(0, np.int64)
    columns = list(dict.fromkeys(name for name in (*triples.columns, doc_id) if name is not None))
    for i, reader in enumerate(sources):
        rows = 0
        for batch, part in reader.batches(columns, ()):
            codes = triples.codes(batch, reader.name)
            times = np.append(times, np.zeros(len(triples) - len(times), np.int64))
            np.add.at(times, codes, 1)
            if documents is not None:
                documents.add(batch.column(doc_id), codes, Rows(reader.name, {"doc_id": str(doc_id)}, rows + 1))
            rows += batch.num_rows
            tell("read cities", (i + part) / len(sources))
        inputs.append(input_file(TABLE, reader.name, reader.path, rows))
    return times, inputs


def _write(
    sources: Sequence[Reader],
    files: Sequence[Path],
    kind: str,
    triples: Triples,
    places: pa.Table,
    rows: Sequence[int],
    tell: Progress,
) -> None:
    """Write all sources, of which each has so many ``rows``, into one file, or each into its own."""
    done = 0
    groups = [[reader] for reader in sources] if len(files) == len(sources) else [list(sources)]
    for file, group in zip(files, groups, strict=True):
        own = _schema(group)
        schema = pa.schema([*own, *places.schema], own.metadata)
        with writing(file, kind, schema) as write:
            for reader in group:
                left = rows[done]
                for batch, part in reader.batches(list(reader.layout().names), ()):
                    codes, left = triples.codes(batch, reader.name), left - batch.num_rows
                    if left < 0 or len(triples) > places.num_rows:
                        break
                    with _together(reader.name):
                        columns = aligned(without_views(batch), own).columns
                    write(pa.Table.from_arrays([*columns, *places.take(pa.array(codes)).columns], schema=schema))
                    tell("write", (done + part) / len(sources))
                if left or len(triples) > places.num_rows:
                    raise InputError(f"{reader.name}: has changed while it was read; run again when it is complete")
                done += 1


def _schema(sources: Sequence[Reader]) -> pa.Schema:
    """Columns of all sources in the order of their first appearance, each of a type that holds them all."""
    schemas = []
    for reader in sources:
        names = list(reader.layout().names)
        batch = next((batch for batch, _ in reader.batches(names, ())), None)
        if batch is None:
            batch = _no_rows(reader, names, typed=len(sources) == 1)
        schemas.append(without_views(batch).schema.with_metadata(batch.schema.metadata))
    where = f"{sources[0].name} to {sources[-1].name}"
    with _together(where):
        schema = schemas[0] if len(schemas) == 1 else _united(schemas)
    fields = [pa.field(one.name, pa.string()) if pa.types.is_null(one.type) else one for one in schema]
    return pa.schema(fields, schema.metadata)


def _united(schemas: Sequence[pa.Schema]) -> pa.Schema:
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException:  # a dictionary here may be plain texts there
        return pa.unify_schemas([without_dictionaries(schema) for schema in schemas], promote_options="permissive")


@contextmanager
def _together(where: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        raise InputError(
            f"{where}: a column has types that do not go together ({error}); give a folder as --out"
        ) from None


def _no_rows(reader: Reader, names: Sequence[str], *, typed: bool) -> pa.RecordBatch:
    """The columns of a source without rows: in its types, which often are any, or in those of the others."""
    schema = pa.schema([(name, pa.null()) for name in names])
    if typed and isinstance(reader, ParquetReader):
        with pa.OSFile(os.fsencode(reader.path)) as file:
            schema = pq.read_schema(file)
    return pa.RecordBatch.from_pylist([], schema)


def _coverage(
    triples: Sequence[Triple], times: np.ndarray, places: Sequence[Place], documents: Documents | None
) -> pd.DataFrame:
    """The coverage table, by ISO's code of the country where there is one."""
    named = [iso2(country) for _, _, country in triples]
    countries = sorted(set(named) - {""})
    code = {name: i for i, name in enumerate(countries)}
    country = np.array([code.get(name, -1) for name in named], np.int32)
    placed = np.array([place.geocode is not None for place in places], bool)
    counts = (np.full(len(countries) + 2, np.nan),) * 2
    if documents is not None:
        counts = documents.count(country, placed, len(countries))
    status = np.where(placed, GEOCODED, UNGEOCODED).astype(np.int8)
    return coverage_table(TABLE, countries, country, status, *counts, times)


def _counted(
    times: np.ndarray,
    places: Sequence[Place],
    coverage: pd.DataFrame,
    inputs: list[InputFile],
    fallback: ArcGIS | None,
) -> Geocoded:
    counted = pd.DataFrame({"rows": times, "how": [p.geocode for p in places], "why": [p.accuracy for p in places]})

    def by(name: str) -> dict[str, int]:
        sums = counted.groupby(name)["rows"].sum()
        return {str(key): int(sums[key]) for key in sorted(sums.index, key=lambda key: (-sums[key], key))}

    how = by("how")
    arcgis = None
    if fallback is not None:
        counts = {"requests": fallback.asked, "answered": fallback.answered, "from_cache": fallback.kept}
        arcgis = {"url": fallback.url} | counts
    return Geocoded(int(times.sum()), len(places), sum(how.values()), by("why"), how, coverage, inputs, arcgis)
