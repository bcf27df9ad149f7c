"""Tables of cells: files whose columns need no more than new names, types and filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.settings import Years
from gpu_clusters.sources.cells import Layout, cells
from gpu_clusters.sources.skips import Skips
from gpu_clusters.sources.spill import Spill
from gpu_clusters.sources.values import one_of, text, typed

ROWS, GONE = "rows", "gone"
ID = {"patents": "doc_id", "publications": "doc_id", "deals": "deal_id"}
KINDS = 1_000
"""Reasons to leave rows out that are counted one by one, of each file: a column may hold any number of texts."""
RECORD = "_record"
"""Which record of the input a row is from; tells a document that is given twice from one with several rows."""


@dataclass(frozen=True)
class Table:
    """A source of files that need no joining.

    Attributes
    ----------
    table : str
        One of ``schema.TABLES``.
    files : sequence of Path
    keep : mapping
        Of a column, the texts that count; rows with others are left out.
    unique : bool
        Whether rows with one id are the same thing again, of which the last counts.
    others : sequence of Path
        Files that have been read beforehand.
    """

    name: str
    table: str
    files: Sequence[Path]
    layout: Layout
    years: Years = (None, None)
    keep: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unique: bool = False
    others: Sequence[Path] = ()

    def read(self, number: int, spill: Spill, skips: Skips, tally: Counter[str]) -> None:
        """Read one of the files."""
        id_column = ID[self.table] if ID[self.table] in self.layout.columns else None
        first = number << 40
        for rows in read_rows(self.files[number], self.layout, skips):
            rows = self.enrich(rows, tally)
            if self.unique:
                rows = rows.append_column(RECORD, pa.array(np.arange(first, first + rows.num_rows)))
                first += rows.num_rows
            good = wanted(rows, self.years, self.keep, tally)
            if self.unique:
                spill.add(GONE, rows.filter(pa.array(~good)).select([ID[self.table], RECORD]), id_column)
            spill.add(ROWS, rows.filter(pa.array(good)), id_column)

    def enrich(self, rows: pa.Table, tally: Counter[str]) -> pa.Table:  # noqa: ARG002 - for those that look something up
        """Add what other files say."""
        return rows

    def join(self, streams: Mapping[str, pa.Table], tally: Counter[str]) -> pa.Table | None:
        """The rows of a bucket, a document's together."""
        rows = streams.get(ROWS)
        if rows is None:
            return None
        id_column = ID[self.table]
        if id_column in rows.column_names:
            rows = rows.take(pc.sort_indices(rows, sort_keys=[(id_column, "ascending")]))
            if self.unique:
                why = f"rows with a {id_column} that came before"
                rows = without_repeated(rows, streams.get(GONE), id_column, why, tally).drop_columns(RECORD)
        return rows

    def check(self, tally: Counter[str]) -> None:
        """Nothing to say about the whole."""


def read_rows(path: Path, layout: Layout, skips: Skips) -> Iterator[pa.Table]:
    """The rows of a file in their types.

    Raises
    ------
    InputError
        A column is missing or of another kind, no row can be read, or `skips` refuses one.
    """
    good, names = 0, {name: candidates[0] for name, candidates in layout.columns.items()}
    for numbers, table in cells(path, layout, skips):
        rows = typed(path, numbers, table, names, skips)
        good += rows.num_rows
        yield rows
    skips.check_some(path, good)


def wanted(
    rows: pa.Table, years: Years, keep: Mapping[str, Sequence[str]], tally: Counter[str], what: str = "rows"
) -> np.ndarray:
    """Which rows are of some years with some texts in some columns, (n,) bool; the others are counted by why.

    ``what`` is how the rows are called.
    """
    good = np.ones(rows.num_rows, bool)
    for name, allowed in keep.items():
        values = text(rows.column(name).combine_chunks())
        mask = one_of(values, allowed)
        for pair in values.filter(pa.array(good & ~mask)).value_counts().to_pylist():
            why = f"{what} with {name} {pair['values'] or '(none)'}"
            tally[why if why in tally or len(tally) < KINDS else f"{what} with other {name}"] += pair["counts"]
        good &= mask
    if years != (None, None):
        year = rows.column("year")
        mask, known = within(year, years), year.is_valid().to_numpy()
        tally[f"{what} without a year"] += int((good & ~known).sum())
        tally[f"{what} of other years"] += int((good & known & ~mask).sum())
        good &= mask
    return good


def within(year: pa.ChunkedArray, years: Years) -> np.ndarray:
    """Which years are in a window, both ends included; (n,) bool, false where unknown."""
    first, last = years
    value = year.cast(pa.float64(), safe=False).to_numpy()
    return (value >= (-np.inf if first is None else first)) & (value <= (np.inf if last is None else last))


def without_repeated(rows: pa.Table, gone: pa.Table | None, id_column: str, why: str, tally: Counter[str]) -> pa.Table:
    """Of rows that are sorted by id, those of the last record with their id, and those without an id; the others are counted.

    ``gone`` has the ids and records of which no row is left: that a later one does not count brings no earlier one back.
    """
    coded = rows.column(id_column).combine_chunks().dictionary_encode()
    codes = coded.indices.fill_null(len(coded.dictionary)).to_numpy()
    record = rows.column(RECORD).to_numpy()
    last = np.full(len(coded.dictionary) + 1, -1, np.int64)
    np.maximum.at(last, codes, record)
    if gone is not None:
        at = pc.index_in(gone.column(id_column), value_set=coded.dictionary)
        met = at.is_valid()
        np.maximum.at(last, at.filter(met).to_numpy(), gone.column(RECORD).filter(met).to_numpy())
    keep = (record == last[codes]) | (codes == len(coded.dictionary))
    if keep.all():
        return rows
    tally[why] += len(np.unique(record[~keep]))
    return rows.filter(pa.array(keep))
