"""Which Parquet files cuDF reads to the same values as the CPU's reader, as far as their footers tell.

What is not plainly the same is `NeedsCpuError`: the CPU's reader then reads the table, and words its errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.io.formats import ParquetReader

TEXT, NOTHING = "text", "nothing"
_CODECS = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"}
_ENCODINGS = {"PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "RLE", "BIT_PACKED"}
_TEXTS = (pa.string(), pa.large_string())
_WHOLE = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32())
_NUMBERS = (*_WHOLE, pa.uint64(), pa.float32(), pa.float64())
_CELL = 16  # bytes that a cell takes at least, in the estimate of a piece


class NeedsCpuError(Exception):
    """A table that the CPU's reader must read; says why, in words that end a sentence."""


@dataclass(frozen=True)
class Footer:
    """What is read of a file.

    Attributes
    ----------
    kinds : dict of str to str
        Of each canonical column the name of its numbers' dtype, `TEXT`, or `NOTHING`: nulls without a type.
    groups : list of (int, int)
        Rows of each row group, and about how many bytes the columns take in memory.
    """

    kinds: dict[str, str]
    groups: list[tuple[int, int]]

    @property
    def rows(self) -> int:
        """Number of rows of the file."""
        return sum(rows for rows, _ in self.groups)

    def pieces(self, most: int) -> Iterator[tuple[list[int], int]]:
        """Consecutive row groups of about `most` bytes, one at least: their numbers, and their rows together."""
        numbers, rows, size = list[int](), 0, 0
        for number, (more, room) in enumerate(self.groups):
            if rows and size + room > most:
                yield numbers, rows
                numbers, rows, size = [], 0, 0
            if more:
                numbers, rows, size = [*numbers, number], rows + more, size + room
        if rows:
            yield numbers, rows


def footer_of(reader: ParquetReader, names: Mapping[str, str]) -> Footer:
    """Look at the footer of a file.

    Parameters
    ----------
    reader : ParquetReader
    names : mapping of str to str
        The file's column for each canonical column that is read.

    Raises
    ------
    NeedsCpuError
        A path, type, compression or encoding outside of what is known to be read alike.
    """
    metadata, schema = reader.footer()
    _check_path(reader)
    places = {metadata.schema.column(i).path: i for i in range(metadata.num_columns)}
    kinds = {name: _kind(reader, name, column, metadata, schema, places) for name, column in names.items()}
    read = {places[column] for name, column in names.items() if kinds[name] != NOTHING}
    groups = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        chunks = [group.column(place) for place in sorted(read)]
        for chunk in chunks:
            odd = {chunk.compression} - _CODECS or set(chunk.encodings) - _ENCODINGS
            if odd:
                raise NeedsCpuError(f'{reader.name} has column "{chunk.path_in_schema}" in {", ".join(sorted(odd))}')
        room = sum(max(chunk.total_uncompressed_size, _CELL * group.num_rows) for chunk in chunks)
        groups.append((group.num_rows, room))
    return Footer(kinds, groups)


def _check_path(reader: ParquetReader) -> None:
    """Refuse names that cuDF would take for a pattern or an address, or cannot take."""
    path = str(reader.path.absolute())
    try:
        path.encode()
    except UnicodeEncodeError:
        raise NeedsCpuError(f"the path of {reader.name} is not UTF-8") from None
    if any(mark in path for mark in "*?[]{}:\\"):
        raise NeedsCpuError(f"the path of {reader.name} has characters that are also those of patterns and addresses")


def _kind(
    reader: ParquetReader,
    name: str,
    column: str,
    metadata: pq.FileMetaData,
    schema: pa.Schema,
    places: Mapping[str, int],
) -> str:
    """How a column is stored, if it is of a type that both readers read alike."""
    kind = schema.field(column).type
    leaf = metadata.schema.column(places[column]) if column in places and "." not in column else None
    if leaf is None or leaf.max_repetition_level > 0 or leaf.max_definition_level > 1:
        raise NeedsCpuError(f'{reader.name} has column "{column}" as {kind} within others')
    text = kind.value_type if pa.types.is_dictionary(kind) else kind
    if name in ("doc_id", "country", "organization") and text in _TEXTS and leaf.logical_type.type == "STRING":
        return TEXT
    if name in ("country", "organization") and pa.types.is_null(kind):
        return NOTHING
    if kind in (_WHOLE if name == "doc_id" else _NUMBERS) and name not in ("country", "organization"):
        return np.dtype(kind.to_pandas_dtype()).name
    raise NeedsCpuError(f'{reader.name} has column "{column}" as {kind}')
