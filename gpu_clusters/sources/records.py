"""Records with nested fields: JSON lines, or Parquet."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json
import pyarrow.parquet as pq

from gpu_clusters.errors import InputError, first_line
from gpu_clusters.sources.blocks import BrokenOffError, blocks, end_of_line
from gpu_clusters.sources.skips import Skips

_BATCH = 8_192
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")  # pyarrow's parser ends the process where the first record is null
_IN_BLOCK = re.compile(r"\.? in row \d+$")  # of the lines that are parsed at once, which are not those of the file
Numbered = tuple[np.ndarray, pa.Table]


def records(path: Path, schema: pa.Schema, expected: tuple[str, ...], skips: Skips) -> Iterator[Numbered]:
    """The records of a file, piece by piece, in the columns of a schema; other fields are passed over.

    Parameters
    ----------
    path : Path
        ``.parquet``, or JSON lines, plain or compressed.
    expected : tuple of str
        Columns that some record of a file must have, or its layout is another one. Every record must have an ``id``.

    Yields
    ------
    numbers : (n,) int64
        Of the records in the file, from 1.
    table : Table of n rows

    Raises
    ------
    InputError
        The layout is another one, no record can be read, or `skips` refuses one.
    """
    read = _parquet if path.suffix.lower() == ".parquet" else _json
    good, lacking = 0, set(expected)
    nameless: list[int] = []  # records without an id, until one that has shows that it is not the layout
    for numbers, table in read(path, schema, skips):
        lacking = {name for name in lacking if table.column(name).null_count == table.num_rows}
        known = table.column("id").is_valid().to_numpy()
        nameless += numbers[~known].tolist()
        if not good and not known.any():
            continue
        for number in nameless:
            skips.add(path, number, "has no 'id'")
        nameless.clear()
        good += int(known.sum())
        yield numbers[known], table if known.all() else table.filter(pa.array(known))
    skips.check_some(path, good)
    if lacking and (good or nameless):
        raise InputError(f"{path}: no record has the field {min(lacking)!r}; has the layout changed?")


def _json(path: Path, schema: pa.Schema, skips: Skips) -> Iterator[Numbered]:
    number = 1
    try:
        for block in blocks(path, end_of_line):
            yield from _lines(path, number, block, schema, skips)
            number += block.count(b"\n")
    except BrokenOffError as error:
        skips.add(path, number, str(error))


def _lines(path: Path, number: int, block: bytes, schema: pa.Schema, skips: Skips) -> Iterator[Numbered]:
    """Parse lines at once if all are good."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    blank = block.startswith((b"\n", b"\r\n")) or b"\n\n" in block or b"\n\r\n" in block
    table = "" if blank else _parsed(block, lines, schema)
    if isinstance(table, pa.Table):
        yield np.arange(number, number + lines), table
        return
    split = block.split(b"\n")
    full = [(number + i, line) for i, line in enumerate(split) if line.strip()]
    yield from _halved(path, full, schema, skips)


def _halved(path: Path, lines: list[tuple[int, bytes]], schema: pa.Schema, skips: Skips) -> Iterator[Numbered]:
    """Halve lines of which some are bad until those stand alone."""
    if not lines:
        return
    found = _parsed(b"\n".join(line for _, line in lines), len(lines), schema)
    if isinstance(found, pa.Table):
        yield np.array([number for number, _ in lines]), found
    elif len(lines) == 1:
        skips.add(path, lines[0][0], found)
    else:
        half = len(lines) // 2
        yield from _halved(path, lines[:half], schema, skips)
        yield from _halved(path, lines[half:], schema, skips)


def _parsed(text: bytes, lines: int, schema: pa.Schema) -> pa.Table | str:
    """The objects of some lines, one a line, or why they are none."""
    if not _OBJECT.match(text):
        return "is no JSON object"
    try:
        text.decode("utf-8")
        options = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        read = pa_json.ReadOptions(use_threads=False, block_size=len(text) + 1024)
        table = pa_json.read_json(io.BytesIO(text), read_options=read, parse_options=options)
    except UnicodeDecodeError:
        return "is not text in UTF-8"
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        return f"is not JSON as expected ({_IN_BLOCK.sub('', first_line(error))})"
    return table.select(schema.names) if table.num_rows == lines else "holds several objects, or a part of one"


def _parquet(path: Path, schema: pa.Schema, skips: Skips) -> Iterator[Numbered]:
    number = 1
    try:
        with pa.OSFile(os.fsencode(path)) as source, pq.ParquetFile(source) as file:
            names = file.schema_arrow.names
            there = [name for name in schema.names if name in names]
            twice = next((name for name in there if names.count(name) > 1), None)
            if twice is not None:
                raise InputError(f"{path}: {names.count(twice)} columns are called {twice!r}; has the layout changed?")
            for batch in file.iter_batches(_BATCH, columns=there):
                columns = [_column(path, batch, field) for field in schema]
                yield in_utf8(path, number, pa.RecordBatch.from_arrays(columns, schema=schema), skips)
                number += len(batch)
    except (pa.ArrowException, OSError) as error:
        reason = first_line(error)
        skips.add(path, number, f"the file breaks off or is damaged ({reason}); what follows is lost")


def in_utf8(path: Path, number: int, rows: pa.RecordBatch, skips: Skips) -> Numbered:
    """Rows of a Parquet file and their numbers, from ``number``; those with a text that is not in UTF-8 are taken down."""
    numbers = np.arange(number, number + len(rows))
    if _is_valid(rows):
        return numbers, pa.Table.from_batches([rows])
    good = np.array([_is_valid(rows.take(pa.array([at]))) for at in range(len(rows))], bool)
    for bad in numbers[~good]:
        skips.add(path, int(bad), "holds a text that is not in UTF-8")
    return numbers[good], pa.Table.from_batches([rows.filter(pa.array(good))])


def _is_valid(rows: pa.RecordBatch) -> bool:
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _column(path: Path, batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    """A column of a file in the type of a field; null where the file has none."""
    if field.name not in batch.schema.names:
        return pa.nulls(len(batch), field.type)
    try:
        return shaped(batch.column(field.name), field.type)
    except pa.ArrowException as error:
        reason = first_line(error)
        raise InputError(
            f"{path}: column {field.name!r} is not as expected ({reason}); has the layout changed?"
        ) from None


def shaped(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """An array with the fields of a type alone; fields that are not there are null.

    Raises
    ------
    ArrowException
        Values that are not of such a type.
    """
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), kind)
    if pa.types.is_list(kind):
        if not any(is_one(values.type) for is_one in _LISTS):
            raise pa.ArrowTypeError(f"{values.type} where lists should be")
        lists = values if pa.types.is_list(values.type) else values.cast(pa.list_(values.type.value_type))
        if lists.offset:
            lists = pa.concat_arrays([lists])
        inner = shaped(lists.values, kind.value_type)
        return pa.ListArray.from_arrays(lists.offsets, inner, mask=lists.is_null() if lists.null_count else None)
    if pa.types.is_struct(kind):
        if not pa.types.is_struct(values.type):
            raise pa.ArrowTypeError(f"{values.type} where fields should be")
        there = {field.name for field in values.type}
        fields = [
            shaped(pc.struct_field(values, field.name), field.type)
            if field.name in there
            else pa.nulls(len(values), field.type)
            for field in kind
        ]
        return pa.StructArray.from_arrays(fields, fields=list(kind), mask=values.is_null())
    return values.cast(kind)
