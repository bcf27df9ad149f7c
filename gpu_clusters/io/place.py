"""Names for where a problem is: file, column, row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gpu_clusters.errors import InputError


def shorten(text: str) -> str:
    """Quote a text of the data for a message, cut to 80 characters."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


@dataclass(frozen=True)
class Rows:
    """The rows of a file that a batch holds, so that messages can name them.

    Attributes
    ----------
    file : str
        File or data frame.
    names : Mapping of str to str
        The file's column for each canonical name.
    first : int
        Number of the batch's first row in the file, 1 = first data row.
    kept : (m,) int64 or None
        Positions within the batch of the rows that are left; None if all are.
    """

    file: str
    names: Mapping[str, str]
    first: int
    kept: np.ndarray | None = None

    def number(self, index: int) -> int:
        """Row number in the file of the row at `index`, 1-based."""
        return self.first + int(index if self.kept is None else self.kept[index])

    def numbers(self, indices: np.ndarray) -> list[int]:
        """Row numbers in the file, 1-based."""
        return [self.number(index) for index in indices]

    def column(self, canonical: str) -> str:
        """The file's column as a message names it."""
        name = self.names.get(canonical, canonical)
        return f'column "{name}"' + (f" ({canonical})" if name != canonical else "")

    def error(self, canonical: str, problem: str, index: int | None = None) -> InputError:
        """Error that names file, column and, where there is one, row."""
        row = "" if index is None else f", row {self.number(index)}"
        return InputError(f"{self.file}: {self.column(canonical)}{row}: {problem}")
