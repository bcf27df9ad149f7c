"""Which columns of which sources make up a table; nothing but their headers is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.formats import Layout, Reader
from gpu_clusters.io.sources import readers
from gpu_clusters.schema import OPTIONAL, REQUIRED
from gpu_clusters.settings import Years

_WORDS = re.compile(r"[\W_]+")
"""What stands between the words of a column's name."""


@dataclass(frozen=True)
class Plan:
    """How one source is read: its columns by canonical name, and its geometry if that gives the coordinates.

    ``alike`` has, by the canonical name of a column that is not there, one that is called so but for case and separators.
    """

    reader: Reader
    names: dict[str, str]
    layout: Layout
    spatial: bool
    alike: dict[str, str]

    def used(self, wanted: Sequence[str], window: Years | None) -> dict[str, str]:
        """Columns to read besides the geometry: those wanted, the coordinates, and the year where there is a window."""
        names = {name: column for name, column in self.names.items() if name in (*wanted, "lon", "lat")}
        if window is not None and "year" in self.names:
            names["year"] = self.names["year"]
        return names


def plan_sources(
    source: Any, table: str, wanted: Sequence[str], columns: Mapping[str, str], window: Years | None
) -> list[Plan]:
    """Find the sources of a table and their columns.

    Parameters
    ----------
    source, table, wanted, columns
        As in `gpu_clusters.io.chunks.read_chunks`.
    window : (from, to) or None
        As `check_arguments` gives it.

    Raises
    ------
    InputError
        A source that cannot be read, or columns that are missing.
    """
    plans = [_plan(reader, table, columns, wanted, window is not None) for reader in readers(source, table)]
    _check_fraction(plans, table)
    return plans


def check_arguments(table: str, columns: Mapping[str, str], years: Years | None) -> Years | None:
    """Refuse arguments that make no sense (``UsageError``); gives the window of years, None if it is open at both ends."""
    if table not in REQUIRED:
        raise UsageError(f"unknown table {table!r}; tables: {', '.join(REQUIRED)}")
    known = REQUIRED[table] + OPTIONAL[table]
    for name in columns:
        if name not in known:
            raise UsageError(f"{table} has no column {name!r} to map; its columns: {', '.join(known)}")
    first, last = years if years is not None else (None, None)
    if first is not None and last is not None and first > last:
        raise UsageError(f"{table}: the window of years {first}:{last} ends before it begins")
    return None if first is None and last is None else (first, last)


def _plan(reader: Reader, table: str, columns: Mapping[str, str], wanted: Sequence[str], need_year: bool) -> Plan:
    """Find the columns of one source."""
    layout = reader.layout()
    present = list(layout.names)
    names = {name: columns.get(name, name) for name in REQUIRED[table] + OPTIONAL[table]}
    both = names["lon"] in present and names["lat"] in present
    spatial = layout.geometry is not None and not both and not {"lon", "lat"} & set(columns)
    needed = [*REQUIRED[table], *columns, *(["year"] if need_year else [])]
    if layout.rows == 0 and not present:
        needed = []  # a GeoJSON file without a feature has no columns
    for column in (names[name] for name in (*needed, *wanted) if names[name] not in present):
        if column in layout.index:
            raise InputError(f'{reader.name}: "{column}" is in the index; give what its reset_index() returns')
        if reader.path and any(part.startswith(f"{column}=") for part in reader.path.parts[:-1]):
            raise InputError(
                f'{reader.name}: column "{column}" stands in the name of a folder only, which is not read; '
                "write it into the files"
            )
    for name in dict.fromkeys(needed):
        if names[name] not in present and not (spatial and name in ("lon", "lat")):
            raise InputError(_missing(reader, table, name, names[name], present))
    found = {name: column for name, column in names.items() if column in present}
    for name, column in found.items():
        if present.count(column) > 1:
            times = present.count(column)
            raise InputError(f'{reader.name}: column "{column}" ({name}) is there {times} times; keep one of them')
    if spatial:
        found.pop("lon", None)
        found.pop("lat", None)
    return Plan(reader, found, layout, spatial, _alike([name for name in wanted if name not in found], present))


def _alike(missing: Sequence[str], present: Sequence[str]) -> dict[str, str]:
    """Columns that are called as the missing ones but for case and separators, by the missing one's name."""
    by_word = {_WORDS.sub("", column.casefold()): column for column in reversed(present)}
    found = {name: by_word.get(_WORDS.sub("", name)) for name in missing}
    return {name: column for name, column in found.items() if column is not None}


def _missing(reader: Reader, table: str, name: str, column: str, present: Sequence[str]) -> str:
    shown = ", ".join(present[:40]) + (", ..." if len(present) > 40 else "")
    what = f'column "{column}" is missing' + (f" (given for {name})" if column != name else "")
    mapping = f'columns={{"{table}": {{"{name}": NAME}}}}'
    hint = f"name the right one with {mapping if reader.path is None else f'--column {table}.{name}=NAME, in Python {mapping}'}"
    if unsplit := not_separated(present):
        hint = unsplit
    elif name in ("lon", "lat") and (cities := [one for one in present if "city" in _WORDS.split(one.casefold())]):
        hint += (
            f'; if there is none, gpu-clusters geocode (in Python gpu_clusters.geocode) adds lon and lat by "{cities[0]}" '
            "and a country"
        )
    return f"{reader.name}: {what}; columns there: {shown or 'none'}; {hint}"


def not_separated(present: Sequence[str]) -> str:
    """What to do about a file whose header is a single cell because other marks separate its cells; empty if it is none."""
    if len(present) != 1 or not any(mark in present[0] for mark in ",;\t|"):
        return ""
    hint = "are its cells separated by commas (.csv) or tabs (.tsv)?"
    if ";" in present[0]:
        hint += (
            ' Cells separated by semicolons, as Excel writes them, are converted in Python by pandas.read_csv("NAME.csv", '
            'sep=";", decimal=",").to_parquet("NAME.parquet")'
        )
    return hint


def _check_fraction(plans: Sequence[Plan], table: str) -> None:
    """Refuse a table of which only some sources say `fraction`."""
    if "fraction" not in OPTIONAL[table]:
        return
    having = [plan for plan in plans if "fraction" in plan.names]
    lacking = [plan for plan in plans if "fraction" not in plan.names and plan.layout.rows != 0]
    if having and lacking:
        raise InputError(
            f'{lacking[0].reader.name}: column "fraction" is missing, but {having[0].reader.name} has it; '
            f"give it in all files of {table} or in none"
        )
