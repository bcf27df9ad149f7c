"""Files of delimited text as blocks of whole rows, in bytes, for readers that look at many rows at once.

What is not plainly a table is `NeedsCpuError`: the CPU's reader then reads it, and words its errors.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice

import pyarrow as pa

from gpu_clusters.errors import InputError
from gpu_clusters.io.delimited import LONGEST, DelimitedReader
from gpu_clusters.io.footers import NeedsCpuError
from gpu_clusters.io.formats import reading

_MARK = b"\xef\xbb\xbf"  # that some programs put before UTF-8
_QUOTE = b'"'


def blocks(reader: DelimitedReader, names: list[str], size: int) -> Iterator[tuple[bytes, float]]:
    """Read a file.

    Parameters
    ----------
    reader : DelimitedReader
    names : list of str
        Its columns.
    size : int
        Bytes of a block, about.

    Yields
    ------
    block : bytes
        Rows without the header, in UTF-8, all of them whole and with a line feed at the end.
    part : float
        How much of the file is read, 0..1.

    Raises
    ------
    NeedsCpuError
        A file that cannot be read to its end, is not UTF-8, has rows longer than a block, or a header that is odd.
    """
    try:
        with (
            reading(reader.name, "delimited text"),
            pa.OSFile(os.fsencode(reader.path)) as file,
            closing(reader.checked(file)) as source,
        ):
            left, header = b"", True
            while read := source.read(size):
                block = left + read
                end = end_of_rows(block)
                if not end and len(block) >= size:
                    raise NeedsCpuError(f"{reader.name} has a row that does not end within {len(block)} bytes")
                left, block = block[end:], block[:end]
                if header and block:
                    block, header = block[_end_of_header(reader, block, names) :], False
                if block:
                    yield block, min(file.tell() / max(file.size(), 1), 1.0)
            if left.count(_QUOTE) % 2:
                raise NeedsCpuError(f"{reader.name} ends within quotation marks")
            if left:
                block = left + b"\n"
                block = block[_end_of_header(reader, block, names) :] if header else block
                if block:
                    yield block, 1.0
    except InputError as error:
        raise NeedsCpuError(f"{reader.name} cannot be read to its end as text in UTF-8") from error


def end_of_rows(block: bytes) -> int:
    """Where the last whole row ends: behind a line feed that is not within quotation marks; 0 if none does."""
    end = block.rfind(b"\n") + 1
    quotes = block.count(_QUOTE, 0, end)
    while end and quotes % 2:
        before = block.rfind(b"\n", 0, end - 1) + 1
        quotes -= block.count(_QUOTE, before, end)
        end = before
    return end


def _end_of_header(reader: DelimitedReader, block: bytes, names: list[str]) -> int:
    """Where the first row begins; the line before must be the header, and nothing else."""
    end = block.find(b"\n") + 1
    quotes = block.count(_QUOTE, 0, end)
    while quotes % 2:
        after = block.find(b"\n", end) + 1
        quotes += block.count(_QUOTE, end, after)
        end = after
    text = block[:end].removeprefix(_MARK).decode()
    if end > LONGEST:
        raise NeedsCpuError(f"{reader.name} has a header of {end} bytes")
    with suppress(csv.Error):  # a cell behind the header that is too long for Python's reader
        if list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=reader.delimiter), 2)) == [names]:
            return end
    raise NeedsCpuError(f"{reader.name} does not begin with a header in one line")
