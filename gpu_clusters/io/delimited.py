"""CSV and TSV files, plain or compressed, as Arrow record batches of texts.

Every cell is read as text and turned into numbers later, so that a bad cell can be named with its row. A line that no
data can hold is added behind the last one: a file that ends within quotes swallows it, and is found out.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from gpu_clusters.errors import InputError
from gpu_clusters.io.formats import Batches, Layout, reading
from gpu_clusters.io.place import shorten

_BLOCK = 1 << 24
LONGEST = _BLOCK // 2  # row in bytes: whether Arrow reads one that is longer depends on where blocks begin
_END = "\x1f\x1eend of table\x1e\x1f"


@dataclass(frozen=True)
class DelimitedReader:
    """A file of delimited text in UTF-8, with a header line.

    ``block`` bytes become a batch, and a few dozen such blocks may be read ahead.
    """

    path: Path
    name: str
    delimiter: str
    compression: str | None
    block: int | None = None

    @property
    def _kind(self) -> str:
        kind = "TSV" if self.delimiter == "\t" else "CSV"
        return f"{self.compression}-compressed {kind}" if self.compression else kind

    def layout(self) -> Layout:
        with reading(self.name, self._kind), pa.OSFile(os.fsencode(self.path)) as file:
            text = io.TextIOWrapper(io.BufferedReader(self.checked(file)), "utf-8-sig", newline="")
            try:
                names = next((row for row in csv.reader(text, delimiter=self.delimiter) if row), [])
            except csv.Error as error:
                raise InputError(f"{self.name}: its header cannot be read ({error}); is it {self._kind}?") from error
        if any("\0" in name for name in names):
            raise InputError(f"{self.name}: is not text in UTF-8 (its header holds NUL bytes); save it as UTF-8")
        return Layout(names)

    def checked(self, file: Any, tail: bytes = b"") -> Checked:
        """What an open file holds, uncompressed, with some bytes behind its end; an error where it is not UTF-8."""
        return Checked(pa.CompressedInputStream(file, self.compression) if self.compression else file, tail)

    def batches(self, columns: Sequence[str], categories: Sequence[str]) -> Batches:  # noqa: ARG002
        names = self.layout().names
        done, ended = 0, False
        problem: list[Any] = []

        def refuse(row: Any) -> str:
            problem.append(row)
            return "error"

        with reading(self.name, self._kind), pa.OSFile(os.fsencode(self.path)) as file:
            end = "\n" + self.delimiter.join([_END] * len(names)) + "\n"
            source = pa.PythonFile(self.checked(file, end.encode()), mode="r")
            stream = None
            try:
                stream = pa_csv.open_csv(source, *self._options(columns, refuse))
                for batch in stream:
                    if batch.num_rows and batch.column(0)[-1].as_py() == _END:
                        ended, batch = True, batch.slice(0, batch.num_rows - 1)
                    done += batch.num_rows
                    yield batch, min(file.tell() / max(file.size(), 1), 1.0)
            except pa.ArrowInvalid as error:
                raise self._explained(error, problem, len(names)) from error
            finally:
                if stream is not None:
                    stream.close()
        if not ended:
            raise InputError(
                f"{self.name}: row {done}: a quotation mark is opened and never closed; close or double it"
            )

    def _options(self, columns: Sequence[str], refuse: Callable[[Any], str]) -> tuple[Any, Any, Any]:
        """Texts only; one thread, for the numbers of bad rows."""
        return (
            pa_csv.ReadOptions(block_size=self.block or _BLOCK, use_threads=False),
            pa_csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=refuse),
            pa_csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
            ),
        )

    def _explained(self, error: Exception, problem: list[Any], columns: int) -> Exception:
        """Name the row that has too few or too many cells."""
        if not problem:
            return error
        row = problem[0]
        text = shorten(row.text.split(_END)[0].rstrip())
        where = "" if row.number is None else f"row {row.number - 1}: "
        has = "does not end (is a quotation mark left open?)" if _END in row.text else f"has {row.actual_columns} cells"
        return InputError(f"{self.name}: {where}{has} where the header has {columns}: {text}")


class Checked(io.RawIOBase):
    """A stream of bytes that must be UTF-8, with a few bytes added at its end."""

    def __init__(self, source: Any, tail: bytes) -> None:
        self._source = source
        self._tail = tail
        self._at = 0
        self._held = b""
        self._check = codecs.getincrementaldecoder("utf-8")()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, fewer at the end alone: Arrow looks for the whole header in the first block.

        A carriage return at the end waits for the next block: Arrow drops a line feed with which a block begins after one,
        also within quotes.
        """
        data = self._held or self._piece(size)
        while 0 < len(data) < size and (more := self._piece(size - len(data))):
            data += more
        self._held = b"\r" if len(data) > 1 and data.endswith(b"\r") else b""
        return data[: len(data) - len(self._held)]

    def _piece(self, size: int) -> bytes:
        """Up to `size` bytes of the source, or behind its end of the tail."""
        data: bytes = self._source.read(size if size and size > 0 else None)
        if not data:
            self._check.decode(b"", final=True)
            data, self._tail = self._tail[:size], self._tail[size:]
            return data
        try:
            self._check.decode(data)
        except UnicodeDecodeError as error:
            raise UnicodeDecodeError("utf-8", b"", self._at + error.start, self._at + error.end, error.reason) from None
        self._at += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, for the classes of ``io``."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
