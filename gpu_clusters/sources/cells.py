"""Cells of delimited files and columns of Parquet files, by the names that they are to have."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from gpu_clusters.errors import InputError
from gpu_clusters.sources.blocks import PACKED, BrokenOffError, blocks
from gpu_clusters.sources.records import Numbered
from gpu_clusters.sources.skips import Skips

ENDINGS = tuple(f"{ending}{packed}" for ending in (".csv", ".tsv", ".txt") for packed in ("", *PACKED))
_LONGEST = 1 << 24  # bytes that a record may have
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
        None: a tab in files whose name has ``.tsv``, else a comma.
    encoding : str
        One that has ASCII's characters in ASCII's places.
    """

    columns: Mapping[str, Sequence[str]]
    optional: Sequence[str] = ()
    delimiter: str | None = None
    encoding: str = "utf-8"

    def found(self, path: Path, header: Sequence[str]) -> dict[str, int]:
        """Position of each column by the name that it is to have.

        Raises
        ------
        InputError
            One that is not optional is missing.
        """
        there = {name.strip().casefold(): at for at, name in reversed(list(enumerate(header)))}
        found = {}
        for name, candidates in self.columns.items():
            at = next((there[text.casefold()] for text in candidates if text.casefold() in there), None)
            if at is not None:
                found[name] = at
            elif name not in self.optional:
                shown = ", ".join(header[:_SHOWN]) + (", ..." if len(header) > _SHOWN else "")
                raise InputError(
                    f'{path}: column "{candidates[0]}" is missing; columns there: {shown}; has the layout changed? '
                    "gpu-clusters convert table reads any layout through a mapping"
                )
        return found


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
        A column is missing, no row can be read, or `skips` refuses one.
    """
    good, before = 0, skips.total
    for numbers, table in (_parquet if path.suffix == ".parquet" else _delimited)(path, layout, skips):
        good += table.num_rows
        for name in layout.columns:
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        yield numbers, table.select(list(layout.columns))
    skips.check_some(path, good, before)


def _parquet(path: Path, layout: Layout, skips: Skips) -> Iterator[Numbered]:
    number = 1
    try:
        with pq.ParquetFile(path) as file:
            header = file.schema_arrow.names
            found = layout.found(path, header)
            for batch in file.iter_batches(_BATCH, columns=list({header[at] for at in found.values()})):
                table = pa.table({name: batch.column(header[at]) for name, at in found.items()})
                yield np.arange(number, number + len(batch)), table
                number += len(batch)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        skips.add(path, number, f"the file breaks off or is damaged ({reason}); what follows is lost")


def _delimited(path: Path, layout: Layout, skips: Skips) -> Iterator[Numbered]:
    delimiter = layout.delimiter or ("\t" if ".tsv" in path.name.lower() else ",")
    header: list[str] | None = None
    found: dict[str, int] = {}
    number = 1
    try:
        for block in blocks(path, end_of_record):
            if header is None:
                header, block = _header(path, block, delimiter, layout.encoding)
                found = layout.found(path, header)
            for numbers, table, rows in _rows(path, number, block, len(header), found, delimiter, layout, skips):
                yield numbers, table
                number += rows
    except BrokenOffError as error:
        skips.add(path, number, str(error))
    if header is None:
        raise InputError(f"{path}: is empty; a header line is needed")


def end_of_record(data: bytes) -> int:
    """Where the last whole record ends: at an end of line outside of quotation marks.

    A mark that is opened and not closed within `_LONGEST` bytes ends with the last line: the parser will find it.
    """
    end = data.rfind(b"\n") + 1
    inside = data.count(b'"', 0, end) % 2
    while end and inside:
        before = data.rfind(b"\n", 0, end - 1) + 1
        inside ^= data.count(b'"', before, end) % 2
        end = before
    return end or (data.rfind(b"\n") + 1 if len(data) > _LONGEST else 0)


def _header(path: Path, block: bytes, delimiter: str, encoding: str) -> tuple[list[str], bytes]:
    if block[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: is text in UTF-16; save it as UTF-8")
    line, _, rest = block.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    try:
        text = line.decode(encoding).rstrip("\r")
    except UnicodeDecodeError:
        raise InputError(f"{path}: the header is not text in {encoding}; --encoding names another") from None
    if "\0" in text:
        raise InputError(f"{path}: is no delimited text")
    return next(csv.reader([text], delimiter=delimiter), []), rest


def _rows(
    path: Path,
    number: int,
    block: bytes,
    width: int,
    found: Mapping[str, int],
    delimiter: str,
    layout: Layout,
    skips: Skips,
) -> Iterator[tuple[np.ndarray, pa.Table, int]]:
    """The good rows of a block, and how many rows it has in all; bad ones are taken down."""
    faults: dict[int, str] = {}
    try:
        text = block.decode(layout.encoding)
        whole = end_of_record(block + b"\n") == len(block) + 1
    except UnicodeDecodeError:
        whole = False
    if whole:
        positions = None
        data = block if layout.encoding == "utf-8" else text.encode()
    else:
        texts, positions = [], []
        count = 0
        for raw in _apart(block):
            count += 1
            fault, decoded = _fault(raw, layout.encoding)
            if fault:
                faults[count] = fault
            else:
                positions.append(count)
                texts.append(decoded)
        data = "\n".join(texts).encode()
    short: dict[int, str] = {}

    def refuse(row: pa_csv.InvalidRow) -> str:
        lines = f", over {row.text.count(chr(10)) + 1} lines" if "\n" in row.text else ""
        short[row.number] = f"has {row.actual_columns} cells where the header has {row.expected_columns}{lines}"
        return "skip"

    names = {name: f"c{at}" for name, at in found.items()}
    table = (
        pa_csv.read_csv(
            io.BytesIO(data),
            read_options=pa_csv.ReadOptions(
                column_names=[f"c{at}" for at in range(width)], use_threads=False, block_size=len(data) + 1024
            ),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(dict.fromkeys(names.values())),
                column_types=dict.fromkeys(names.values(), pa.string()),
                strings_can_be_null=False,
            ),
        )
        if data.strip()
        else pa.table({at: pa.array([], pa.string()) for at in names.values()})
    )
    parsed = table.num_rows + len(short)
    at = np.arange(1, parsed + 1) if positions is None else np.array(positions, np.int64)
    good = np.ones(parsed, bool)
    for row, fault in short.items():
        faults[int(at[row - 1])] = fault
        good[row - 1] = False
    for row in sorted(faults):
        skips.add(path, number + row - 1, faults[row])
    columns = pa.table({name: table.column(column) for name, column in names.items()})
    yield number + at[good] - 1, columns, parsed if positions is None else count


def _apart(block: bytes) -> Iterator[bytes]:
    """Records one by one; one whose quotation mark stays open is its first line alone."""
    lines = block.split(b"\n")
    at = 0
    while at < len(lines):
        end = at + 1
        if lines[at].count(b'"') % 2:
            closing = next((i for i in range(at + 1, len(lines)) if lines[i].count(b'"') % 2), None)
            end = at + 1 if closing is None else closing + 1
        record = b"\n".join(lines[at:end])
        if record.strip(b"\r"):
            yield record
        at = end


def _fault(record: bytes, encoding: str) -> tuple[str, str]:
    """What is wrong with a record, if anything, and its text."""
    if record.count(b'"') % 2:
        return "has a quotation mark that is never closed", ""
    try:
        return "", record.decode(encoding)
    except UnicodeDecodeError:
        return f"is not text in {encoding}", ""
