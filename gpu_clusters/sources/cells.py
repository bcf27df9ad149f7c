"""Cells of delimited files and columns of Parquet files, by the names that they are to have."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
    clean = _cleaned(block, delimiter, layout.encoding)
    table, short = _parsed(clean.data, width, found, delimiter)
    parsed = table.num_rows + len(short)
    at = np.arange(1, parsed + 1) if clean.positions is None else clean.positions
    good = np.ones(parsed, bool)
    faults = clean.faults
    for row, fault in short.items():
        faults[int(at[row - 1])] = fault
        good[row - 1] = False
    for row in sorted(faults):
        skips.add(path, number + row - 1, faults[row])
    yield number + at[good] - 1, table, parsed + len(clean.faults) - len(short)


class _Clean(NamedTuple):
    """Text in UTF-8 without the rows that are no text, or have a quotation mark too many.

    ``positions``: number of each row that is left, from 1; None if all are. ``faults``: of the others.
    """

    data: bytes
    positions: np.ndarray | None
    faults: dict[int, str]


def _cleaned(block: bytes, delimiter: str, encoding: str) -> _Clean:
    with suppress(UnicodeDecodeError):
        text = block.decode(encoding)
        if block.count(b'"') % 2 == 0 and (not _over_lines(block) or _strict(text, delimiter)):
            return _Clean(block if encoding == "utf-8" else text.encode(), None, {})
    texts, positions, faults = [], [], {}
    for row, raw in enumerate(_apart(block, delimiter, encoding), 1):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            faults[row] = f"is not text in {encoding}"
            continue
        if raw.count(b'"') % 2:
            faults[row] = "has a quotation mark that is never closed"
        else:
            texts.append(text)
            positions.append(row)
    return _Clean("\n".join(texts).encode(), np.array(positions, np.int64), faults)


def _over_lines(block: bytes) -> bool:
    """Whether a cell may go over several lines."""
    return b'"' in block and any(line.count(b'"') % 2 for line in block.split(b"\n"))


def _strict(text: str, delimiter: str) -> bool:
    """Whether quotation marks are only where they may be: a stray one would swallow the lines up to the next."""
    csv.field_size_limit(2 * _LONGEST)
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            pass
    except csv.Error:
        return False
    return True


def _apart(block: bytes, delimiter: str, encoding: str) -> Iterator[bytes]:
    """Records one by one; of one whose quotation mark stays open, or is closed where it should not, the first line alone."""
    lines = block.split(b"\n")
    odd = [at for at, line in enumerate(lines) if line.count(b'"') % 2]
    at = 0
    while at < len(lines):
        end = at + 1
        if odd and odd[0] == at:
            odd.pop(0)
            if odd and _strict(b"\n".join(lines[at : odd[0] + 1]).decode(encoding, "replace"), delimiter):
                end = odd.pop(0) + 1
        record = b"\n".join(lines[at:end])
        if record.strip(b"\r"):
            yield record
        at = end


def _parsed(data: bytes, width: int, found: Mapping[str, int], delimiter: str) -> tuple[pa.Table, dict[int, str]]:
    """The wanted columns of the rows that have as many cells as the header; of the others, by number, what is wrong."""
    short: dict[int, str] = {}

    def refuse(row: pa_csv.InvalidRow) -> str:
        short[row.number] = f"has {row.actual_columns} cells where the header has {row.expected_columns}"
        return "skip"

    columns = {name: f"c{at}" for name, at in found.items()}
    if not data.strip():
        return pa.table({name: pa.array([], pa.string()) for name in columns}), short
    table = pa_csv.read_csv(
        io.BytesIO(data),
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
