"""Records of delimited text: where they end, how many there are, and which are one row each."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from threading import Lock

import numpy as np

from gpu_clusters.io.text_blocks import end_of_rows

LONGEST = 1 << 24
"""Bytes that a record may have."""

OTHERWISE = "save the file as UTF-8, or give its encoding where the source is crunchbase or table"
"""What to do about text in another encoding."""
_LIMIT = Lock()  # of a cell in `csv`, which all threads of the process share


def end_of_record(data: bytes) -> int:
    """Where the last whole record ends: at an end of line outside of quotation marks.

    A mark that is opened and not closed within `LONGEST` bytes ends with the last line: the parser will find it.
    """
    return end_of_rows(data) or (data.rfind(b"\n") + 1 if len(data) > LONGEST else 0)


def lone_returns(text: str) -> bool:
    """Whether there are carriage returns that no line feed follows."""
    return text.count("\r") != text.count("\r\n")


def records_of(lines: Sequence[str], delimiter: str) -> int:
    """How many records some lines are; -1 where a quotation mark, or a carriage return, is where it may not be."""
    try:
        return _count(lines, delimiter, strict=True)
    except csv.Error:
        return -1


def _count(lines: Sequence[str], delimiter: str, *, strict: bool) -> int:
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=strict)
    with _LIMIT:
        limit = csv.field_size_limit(2 * LONGEST)
        try:
            return sum(1 for row in rows if row)
        finally:
            csv.field_size_limit(limit)


def one_by_one(block: bytes, delimiter: str, encoding: str) -> tuple[bytes, np.ndarray, dict[int, str]]:
    """In UTF-8 the records of a block that are one row each, their numbers from 1, and what is wrong with the others."""
    texts, positions, faults = [], [], {}
    for row, raw in enumerate(_apart(block, delimiter, encoding), 1):
        try:
            text = raw.decode(encoding)
            fault = _fault(text, delimiter)
        except UnicodeDecodeError:
            fault = f"is not text in {encoding}; {OTHERWISE}"
        if fault:
            faults[row] = fault
        else:
            texts.append(text)
            positions.append(row)
    return "\n".join(texts).encode(), np.array(positions, np.int64), faults


def _apart(block: bytes, delimiter: str, encoding: str) -> Iterator[bytes]:
    """Records one by one; of one whose quotation mark stays open, or is closed where it should not, the first line alone."""
    lines = block.split(b"\n")
    odd = deque(at for at, line in enumerate(lines) if line.count(b'"') % 2)
    at = 0
    while at < len(lines):
        end = at + 1
        if odd and odd[0] == at:
            odd.popleft()
            if odd and _fault(lines[at].decode(encoding, "replace"), delimiter):
                several = b"\n".join(lines[at : odd[0] + 1]).decode(encoding, "replace")
                if records_of(several.split("\n"), delimiter) == 1:
                    end = odd.popleft() + 1
        record = b"\n".join(lines[at:end])
        if record.strip(b"\r"):
            yield record
        at = end


def _fault(record: str, delimiter: str) -> str:
    """Why a record is not one row; "" if it is. Marks within a cell that does not begin with one are part of it."""
    if '"' not in record and not lone_returns(record + "\n"):
        return ""
    try:
        rows = _count([*record.split("\n"), "the next"], delimiter, strict=False)
    except csv.Error:
        return "has a carriage return outside of quotation marks"
    return "" if rows > 1 else "has a quotation mark that is never closed"
