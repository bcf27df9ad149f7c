"""Cells of delimited files and columns of Parquet files, by the names that they are to have."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from gpu_clusters.errors import InputError, first_line
from gpu_clusters.io.columns import decoded
from gpu_clusters.io.workbooks import refuse_workbook
from gpu_clusters.sources.blocks import PACKED, BrokenOffError, blocks
from gpu_clusters.sources.quotes import OTHERWISE, end_of_record, lone_returns, one_by_one, records_of
from gpu_clusters.sources.records import Numbered, in_utf8
from gpu_clusters.sources.skips import Skips

ENDINGS = tuple(f"{ending}{packed}" for ending in (".csv", ".tsv", ".txt") for packed in ("", *PACKED))
_TABBED = tuple(f".tsv{packed}" for packed in ("", *PACKED))
_MARK = b"\xef\xbb\xbf"
"""What some programs put before UTF-8."""
_BATCH = 100_000
_SHOWN = 40


@dataclass(frozen=True)
class Layout:
    """How a file is to be read.

    Attributes
    ----------
    columns : mapping
        By the name that a column is to have: what the file may call it, the first that is there counts.
    optional : sequence of str
        Names whose columns may be missing, and are empty then.
    delimiter : str or None
        None: a tab in ``.tsv`` files, plain or packed, else a comma.
    encoding : str
        One that has ASCII's characters in ASCII's places.
    hint : str
        What to do where a column is missing.
    """

    columns: Mapping[str, Sequence[str]]
    optional: Sequence[str] = ()
    delimiter: str | None = None
    encoding: str = "utf-8"
    hint: str = "has the layout changed? gpu-clusters convert table reads any layout through a mapping"

    def found(self, path: Path, header: Sequence[str]) -> dict[str, int]:
        """Position of each column by the name that it is to have.

        Raises
        ------
        InputError
            One that is not optional is missing, or there are several of it.
        """
        found = {}
        for name, candidates in self.columns.items():
            called = next((text for text in candidates if _called(text, header)), candidates[0])
            there = _called(called, header)
            if len(there) > 1:
                raise InputError(f'{path}: {len(there)} columns are called "{called}"; rename those that do not count')
            if there:
                found[name] = there[0]
            elif name not in self.optional:
                shown = ", ".join(name[:_SHOWN] for name in header[:_SHOWN]) + (", ..." if len(header) > _SHOWN else "")
                raise InputError(f'{path}: column "{candidates[0]}" is missing; columns there: {shown}; {self.hint}')
        return found


def _called(text: str, header: Sequence[str]) -> list[int]:
    """The columns of this very name, or else those whose name differs in case and spaces around it."""
    very = [at for at, name in enumerate(header) if name == text]
    return very or [at for at, name in enumerate(header) if name.strip().casefold() == text.strip().casefold()]


def cells(path: Path, layout: Layout, skips: Skips) -> Iterator[Numbered]:
    """The wanted columns of a file, piece by piece: texts, or what a Parquet file has; missing optional ones are null.

    Yields
    ------
    numbers : (n,) int64
        Of the data rows, from 1.
    table : Table of n rows
        Empty cells of delimited files are "".

    Raises
    ------
    InputError
        A column is missing, or `skips` refuses a row.
    """
    for numbers, table in (_parquet if path.suffix.lower() == ".parquet" else _delimited)(path, layout, skips):
        for name in layout.columns:
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        yield numbers, table.select(list(layout.columns))


def _parquet(path: Path, layout: Layout, skips: Skips) -> Iterator[Numbered]:
    number = 1
    try:
        with pa.OSFile(os.fsencode(path)) as source, pq.ParquetFile(source) as file:
            header = file.schema_arrow.names
            found = layout.found(path, header)
            for batch in file.iter_batches(_BATCH, columns=list({header[at] for at in found.values()})):
                columns = {name: decoded(batch.column(header[at])) for name, at in found.items()}
                yield in_utf8(path, number, pa.RecordBatch.from_pydict(columns), skips)
                number += len(batch)
    except (pa.ArrowException, OSError) as error:
        reason = first_line(error)
        skips.add(path, number, f"the file breaks off or is damaged ({reason}); what follows is lost")


def _delimited(path: Path, layout: Layout, skips: Skips) -> Iterator[Numbered]:
    delimiter = layout.delimiter or ("\t" if path.name.lower().endswith(_TABBED) else ",")
    header: list[str] | None = None
    found: dict[str, int] = {}
    number = 1
    try:
        for block in blocks(path, end_of_record):
            if header is None:
                header, block = _header(path, block, delimiter, layout.encoding)
                found = layout.found(path, header)
            numbers, table, rows = _rows(path, number, block, len(header), found, delimiter, layout, skips)
            yield numbers, table
            number += rows
    except BrokenOffError as error:
        skips.add(path, number, str(error))
        return
    if header is None:
        raise InputError(f"{path}: is empty; a header line is needed")


def _header(path: Path, block: bytes, delimiter: str, encoding: str) -> tuple[list[str], bytes]:
    """The cells of the first line that is not empty, which may go over several lines, and what comes after."""
    if block[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: is text in UTF-16; save it as UTF-8")
    refuse_workbook(str(path), block)
    lines = block.removeprefix(_MARK).split(b"\n")
    reader = csv.reader((line.decode(encoding) + "\n" for line in lines), delimiter=delimiter)
    try:
        header = next((row for row in reader if row), [])
    except UnicodeDecodeError:
        raise InputError(f"{path}: the header is not text in {encoding}; {OTHERWISE}") from None
    except csv.Error as error:
        if "new-line" in str(error):
            raise InputError(f"{path}: its lines end in carriage returns alone; save it with line feeds") from None
        raise InputError(f"{path}: is no delimited text ({error})") from None
    if any("\0" in name for name in header):
        raise InputError(f"{path}: is no delimited text")
    return header, b"\n".join(lines[reader.line_num :])


def _rows(
    path: Path,
    number: int,
    block: bytes,
    width: int,
    found: Mapping[str, int],
    delimiter: str,
    layout: Layout,
    skips: Skips,
) -> tuple[np.ndarray, pa.Table, int]:
    """Numbers and cells of the good rows of a block, and how many rows it has in all; bad ones are taken down."""
    parsed = _at_once(block, width, found, delimiter, layout.encoding)
    at, faults = None, dict[int, str]()
    if parsed is None:
        data, at, faults = one_by_one(block, delimiter, layout.encoding)
        parsed = _parsed(data, width, found, delimiter)
    table, short = parsed
    left = table.num_rows + len(short)
    at = np.arange(1, left + 1) if at is None else at
    rows, good = left + len(faults), np.ones(left, bool)
    for row, fault in short.items():
        faults[int(at[row - 1])] = fault
        good[row - 1] = False
    for row in sorted(faults):
        skips.add(path, number + row - 1, faults[row])
    return number + at[good] - 1, table, rows


def _at_once(
    block: bytes, width: int, found: Mapping[str, int], delimiter: str, encoding: str
) -> tuple[pa.Table, dict[int, str]] | None:
    """The rows of a block; None where some of it is no text, or a mark may have taken lines together or apart."""
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError:
        return None
    table, short = _parsed(block if encoding == "utf-8" else text.encode(), width, found, delimiter)
    if b'"' in block or lone_returns(text):
        lines = text.split("\n")
        if lone_returns(text) or any(line.count('"') % 2 for line in lines):
            records = records_of(lines, delimiter)
        else:
            records = sum(1 for line in lines if line.strip("\r"))
        if records != table.num_rows + len(short):
            return None
    return table, short


def _parsed(data: bytes, width: int, found: Mapping[str, int], delimiter: str) -> tuple[pa.Table, dict[int, str]]:
    """The wanted columns of the rows that have as many cells as the header; of the others, by number, what is wrong."""
    short: dict[int, str] = {}

    def refuse(row: pa_csv.InvalidRow) -> str:
        short[row.number] = f"has {row.actual_columns} cells where the header has {row.expected_columns}"
        return "skip"

    columns = {name: f"c{at}" for name, at in found.items()}
    if not data.strip(b"\r\n"):
        return pa.table({name: pa.array([], pa.string()) for name in columns}), short
    table = pa_csv.read_csv(
        io.BytesIO(_MARK + data),  # Arrow drops the first one, which may be a cell's
        read_options=pa_csv.ReadOptions(
            column_names=[f"c{at}" for at in range(width)], use_threads=False, block_size=len(data) + 1024
        ),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
        convert_options=pa_csv.ConvertOptions(
            include_columns=list(dict.fromkeys(columns.values())),
            column_types=dict.fromkeys(columns.values(), pa.string()),
            strings_can_be_null=False,
        ),
    )
    return pa.table({name: table.column(column) for name, column in columns.items()}), short
