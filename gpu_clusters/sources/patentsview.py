"""PatentsView's tables: inventors of granted US patents, their places, patents and owners.

Layout: ``g_inventor_disambiguated``, ``g_location_disambiguated``, ``g_patent`` and, if there, ``g_assignee_disambiguated``, as
``.tsv``, plain or packed. Places are held in memory, for there are some hundred thousand; patents and owners are many, and meet
the inventors bucket by bucket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.errors import InputError
from gpu_clusters.settings import Years
from gpu_clusters.sources.blocks import find
from gpu_clusters.sources.cells import ENDINGS, Layout
from gpu_clusters.sources.lookup import Lookup, lookup
from gpu_clusters.sources.skips import Skips
from gpu_clusters.sources.spill import Spill
from gpu_clusters.sources.tables import ROWS, read_rows, wanted

TYPES = ("utility",)
_PATENTS, _OWNERS = "patents", "owners"
_TRUE = pa.array(["1", "true"])  # the second where R or pandas has written the table anew
_INVENTOR = Layout({"doc_id": ("patent_id",), "location": ("location_id",)})
_PLACE = Layout(
    {
        "key": ("location_id",),
        "lon": ("longitude",),
        "lat": ("latitude",),
        "country": ("disambig_country",),
    }
)
_PATENT = Layout(
    {"doc_id": ("patent_id",), "year": ("patent_date",), "patent_type": ("patent_type",), "withdrawn": ("withdrawn",)},
    optional=("withdrawn",),
)
_OWNER = Layout(
    {
        "doc_id": ("patent_id",),
        "_sequence": ("assignee_sequence",),
        "organization": ("disambig_assignee_organization",),
    }
)
_LAYOUTS = {ROWS: _INVENTOR, _PATENTS: _PATENT, _OWNERS: _OWNER}


@dataclass(frozen=True)
class PatentsView:
    """The tables; ``streams`` says of each file which one it is; ``places`` are from the files ``others``."""

    files: Sequence[Path]
    streams: Sequence[str]
    others: Sequence[Path]
    places: Lookup
    years: Years = (None, None)
    types: Sequence[str] = TYPES
    name: str = "patentsview"
    table: str = "patents"

    def read(self, number: int, spill: Spill, skips: Skips, tally: Counter[str]) -> None:
        """Read one of the files."""
        stream = self.streams[number]
        for rows in read_rows(self.files[number], _LAYOUTS[stream], skips):
            spill.add(stream, self.places.add(rows, "location", tally) if stream == ROWS else rows, "doc_id")

    def join(self, streams: Mapping[str, pa.Table], tally: Counter[str]) -> pa.Table | None:
        """The inventors of a bucket with the year of their patent and its first owner."""
        rows = streams.get(ROWS)
        if rows is None:
            return None
        rows = rows.take(pc.sort_indices(rows, sort_keys=[("doc_id", "ascending")]))
        patents = streams.get(_PATENTS, _PATENT_TYPES.empty_table())
        at = _first(rows, patents)
        lost = at.null_count
        tally["rows whose patent is not in g_patent"] += lost
        for name in ("year", "patent_type", "withdrawn"):
            rows = rows.append_column(name, patents.column(name).combine_chunks().take(at))
        if lost:
            rows = rows.filter(at.is_valid())
        withdrawn = pc.is_in(pc.utf8_lower(rows.column("withdrawn")), value_set=_TRUE)
        if pc.any(withdrawn).as_py():
            tally["rows of withdrawn patents"] += pc.sum(withdrawn).as_py()
            rows = rows.filter(pc.invert(withdrawn))
        good = wanted(rows, self.years, {"patent_type": self.types} if self.types else {}, tally)
        rows = rows.filter(pa.array(good))
        owners = streams.get(_OWNERS)
        if owners is None:
            named = pa.nulls(rows.num_rows, pa.string())
        else:
            owners = owners.filter(owners.column("organization").is_valid())
            owners = owners.take(pc.sort_indices(owners, sort_keys=[("_sequence", "ascending")]))
            named = owners.column("organization").combine_chunks().take(_first(rows, owners))
        rows = rows.append_column("organization", named)
        return rows.select(["doc_id", "lon", "lat", "country", "organization", "year"])

    def check(self, tally: Counter[str]) -> None:
        """Refuse inventors of whom none lives at a place of the table of places."""
        self.places.check("location", self.files[0], tally)


_PATENT_TYPES = pa.schema(
    {"doc_id": pa.string(), "year": pa.int64(), "patent_type": pa.string(), "withdrawn": pa.string()}
)


def patentsview(
    paths: Sequence[Path], skips: Skips, *, years: Years = (None, None), types: Sequence[str] = TYPES
) -> PatentsView:
    """Find the files, and read the places.

    Raises
    ------
    InputError
        A file is missing, there twice, or has another layout.
    """

    def files(stem: str) -> list[Path]:
        found = find(paths, stem, ENDINGS)
        if not found and stem != "g_assignee_disambiguated":
            raise InputError(f"{', '.join(map(str, paths))}: there is no {stem}.tsv (also .tsv.zip, .tsv.gz)")
        if len(found) > 1:
            raise InputError(f"{found[1]}: is {stem} once more, beside {found[0]}; give the files of one release")
        return found

    found = {
        ROWS: files("g_inventor_disambiguated"),
        _PATENTS: files("g_patent"),
        _OWNERS: files("g_assignee_disambiguated"),
    }
    others = files("g_location_disambiguated")
    places = lookup(others, _PLACE, skips, "g_location_disambiguated")
    streams = [stream for stream, some in found.items() for _ in some]
    paths = [path for some in found.values() for path in some]
    return PatentsView(paths, streams, others, places, years, tuple(types))


def _first(rows: pa.Table, others: pa.Table) -> pa.Array:
    """Index of the first of some other rows with the same document; null where there is none."""
    known = others.column("doc_id").combine_chunks().dictionary_encode()
    _, first = np.unique(known.indices.to_numpy(), return_index=True)
    return pa.array(first).take(pc.index_in(rows.column("doc_id").combine_chunks(), value_set=known.dictionary))
