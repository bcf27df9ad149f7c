"""Tables on screens of any width: names are shortened and last columns left out, but no figure is cut."""

from __future__ import annotations

from rich.cells import cell_len
from rich.table import Column, Table

NAMES = ("cluster", "country")
SHORTEST = 12  # what is left of a name at least, in characters
BETWEEN = 2  # characters between columns


def fit(table: Table, width: int) -> None:
    """Make a table as narrow as a screen of ``width`` characters: first by its column of names, then by its last columns."""
    name = next((column for column in table.columns if column.header in NAMES), None)
    longest = name.max_width if name is not None else None
    while (excess := sum(_width(column) + BETWEEN for column in table.columns) - BETWEEN - width) > 0:
        if name is not None and _width(name) > SHORTEST:
            name.max_width = max(SHORTEST, _width(name) - excess)
        elif len(table.columns) > 1 and table.columns[-1] is not name:
            table.columns.pop()
            if name is not None:
                name.max_width = longest
        else:
            return


def _width(column: Column) -> int:
    """Characters that a column takes."""
    lines = [line for cell in (column.header, *column.cells) for line in str(cell).splitlines()]
    widest = max(map(cell_len, lines), default=0)
    return widest if column.max_width is None else min(widest, column.max_width)
