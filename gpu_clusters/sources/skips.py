"""What cannot be read: an error, or left out, counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gpu_clusters.errors import InputError

FAIL, SKIP = "fail", "skip"
LISTED = 10_000
"""Rows of a file that are listed one by one; all are counted."""


class Skip(NamedTuple):
    """A row that was left out: its file, its number (1 = first data row), why."""

    file: str
    row: int
    reason: str


@dataclass
class Skips:
    """Refuses rows that cannot be read, or lists them; ``on_error`` is `FAIL` or `SKIP`."""

    on_error: str = FAIL
    listed: list[Skip] = field(default_factory=list)
    of_file: Counter[Path] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """How many rows were left out."""
        return self.of_file.total()

    def add(self, file: Path, row: int, reason: str) -> None:
        """Take down a row.

        Raises
        ------
        InputError
            With `FAIL`.
        """
        if self.on_error == FAIL:
            raise InputError(
                f"{file}: row {row}: {reason}; --on-error skip (in Python on_error='skip') leaves such rows out and lists them"
            )
        self.of_file[file] += 1
        if self.of_file[file] <= LISTED:
            self.listed.append(Skip(str(file), row, reason))

    def check_some(self, file: Path, good: int) -> None:
        """Refuse a file of which not one row could be read, whatever ``on_error`` says.

        Raises
        ------
        InputError
            ``good`` is 0, and rows of the file were left out.
        """
        if not good and self.of_file[file]:
            raise InputError(f"{file}: not one row could be read ({self.listed[-1].reason}); is it the right file?")


def together(parts: Iterable[Skips]) -> tuple[list[Skip], int]:
    """All that is listed, in order, and how many rows were left out."""
    parts = list(parts)
    return [skip for part in parts for skip in part.listed], sum(part.total for part in parts)
