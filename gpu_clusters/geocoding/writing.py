"""Tables of any size to files, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from gpu_clusters.errors import UsageError
from gpu_clusters.io.columns import has_texts

ENDINGS = (".parquet", ".csv", ".tsv", ".csv.gz", ".tsv.gz")
Write = Callable[[pa.Table], None]


def ending(name: str) -> str | None:
    """The ending of a file that can be written; None for another name."""
    return max((end for end in ENDINGS if name.lower().endswith(end)), key=len, default=None)


@contextmanager
def writing(path: Path, kind: str, schema: pa.Schema) -> Iterator[Write]:
    """Something that takes tables of ``schema`` and appends them to a file; ``kind`` is one of `ENDINGS`.

    In CSV and TSV files texts are quoted and missing values are not, so that an empty text and none stay different.

    Raises
    ------
    UsageError
        A column that such a file cannot hold.
    """
    if kind == ".parquet":
        with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer.write_table
        return
    odd = next((field for field in schema if not has_texts(field.type)), None)
    if odd is not None:
        raise UsageError(
            f"column {odd.name!r} holds {odd.type}, which a text file cannot: give an --out that ends in .parquet"
        )
    options = pa_csv.WriteOptions(delimiter="\t" if ".tsv" in kind else ",")
    plain = without_dictionaries(schema)
    with (
        path.open("wb") as plainly,
        pa.output_stream(plainly, compression="gzip" if kind.endswith(".gz") else None) as file,
        pa_csv.CSVWriter(file, plain, write_options=options) as csv,
    ):
        yield lambda table: csv.write_table(table.cast(plain))


def aligned(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """A batch with the columns and types of a schema; what it lacks is missing."""
    columns = []
    for field in schema:
        at = batch.schema.get_field_index(field.name)
        column = pa.nulls(batch.num_rows, field.type) if at < 0 else batch.column(at)
        if column.type != field.type:
            column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
            column = column.cast(field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def without_dictionaries(schema: pa.Schema) -> pa.Schema:
    """The columns of a schema, those that are dictionaries in the type of their values."""
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in schema.types]
    return pa.schema(zip(schema.names, kinds, strict=True), schema.metadata)
