"""Small tables that others look things up in: places by their id, companies by theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.errors import InputError
from gpu_clusters.sources.cells import Layout
from gpu_clusters.sources.skips import Skips
from gpu_clusters.sources.tables import read_rows


@dataclass(frozen=True)
class Lookup:
    """A table with a distinct ``key`` a row, folded to lower case, for exports do not agree on it."""

    table: pa.Table
    name: str

    def add(self, rows: pa.Table, key: str, tally: Counter[str]) -> pa.Table:
        """Replace the column ``key`` by what the table has for it; null, and counted, where that is nothing."""
        wanted = pc.utf8_lower(rows.column(key))
        at = pc.index_in(wanted, value_set=self.table.column("key").combine_chunks())
        tally[self._lost(key)] += at.null_count - wanted.null_count
        tally[f"_rows with a {key}"] += len(wanted) - wanted.null_count
        found = self.table.drop_columns("key").take(at)
        rows = rows.drop_columns(key)
        for name in found.column_names:
            rows = rows.append_column(name, found.column(name))
        return rows

    def check(self, key: str, file: Path, tally: Counter[str]) -> None:
        """Refuse a file if the table has none of its keys.

        Raises
        ------
        InputError
        """
        if tally[self._lost(key)] and tally[self._lost(key)] == tally[f"_rows with a {key}"]:
            raise InputError(
                f"{file}: no row has a {key} that is in {self.name}; are both files complete, and of one release?"
            )

    def _lost(self, key: str) -> str:
        return f"places of rows whose {key} is not in {self.name}"


def lookup(files: Sequence[Path], layout: Layout, skips: Skips, name: str) -> Lookup:
    """Read the tables; of several rows with one key the first counts."""
    table = pa.concat_tables([rows for path in files for rows in read_rows(path, layout, skips)]).combine_chunks()
    table = table.filter(table.column("key").is_valid())
    table = table.set_column(table.column_names.index("key"), "key", pc.utf8_lower(table.column("key")))
    codes = table.column("key").combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    return Lookup(table.take(pa.array(np.sort(first))).combine_chunks(), name)
