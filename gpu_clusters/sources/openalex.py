"""OpenAlex's snapshot: works and institutions, as JSON lines or Parquet.

Layout: ``works`` and ``institutions``, each with ``updated_date=.../part_*`` (``.gz``, ``.parquet``). Source: OpenAlex's
documentation of the snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.errors import InputError
from gpu_clusters.settings import Years
from gpu_clusters.sources.blocks import files_of
from gpu_clusters.sources.records import records
from gpu_clusters.sources.skips import Skips
from gpu_clusters.sources.spill import Spill
from gpu_clusters.sources.tables import GONE, RECORD, ROWS, wanted, without_repeated

ENDINGS = (".gz", ".jsonl", ".json", ".zst", ".parquet")
TYPES = ("article", "review")
_PREFIX = "https://openalex.org/"
_ENTITIES = ("works", "institutions")
_MANIFESTS = ("manifest", "manifest.json")
_TABLES = (".csv.", ".tsv.")  # OpenAlex's own script makes such of the snapshot, packed
_DATED, _MERGED = "updated_date=", "merged_ids"
_LOST = "places of rows whose institution is not in the file of institutions"
_PIECE = 1 << 13  # works whose rows are made at once

_INSTITUTION = pa.struct([("id", pa.string()), ("display_name", pa.string()), ("country_code", pa.string())])
_AUTHORSHIP = pa.struct(
    [
        ("institutions", pa.list_(_INSTITUTION)),
        ("countries", pa.list_(pa.string())),
        ("raw_affiliation_strings", pa.list_(pa.string())),
        ("affiliations", pa.list_(pa.struct([("raw_affiliation_string", pa.string())]))),
    ]
)
WORKS = pa.schema(
    [
        ("id", pa.string()),
        ("publication_year", pa.int64()),
        ("type", pa.string()),
        ("is_retracted", pa.bool_()),
        ("authorships", pa.list_(_AUTHORSHIP)),
    ]
)
_GEO = pa.struct([("country_code", pa.string()), ("latitude", pa.float64()), ("longitude", pa.float64())])
INSTITUTIONS = pa.schema([("id", pa.string()), ("display_name", pa.string()), ("geo", _GEO)])


@dataclass(frozen=True)
class OpenAlex:
    """A snapshot; ``homes`` has the columns of `institutions`, from the files ``others``."""

    files: Sequence[Path]
    others: Sequence[Path]
    homes: pa.Table
    years: Years = (None, None)
    types: Sequence[str] = TYPES
    retracted: bool = False
    name: str = "openalex"
    table: str = "publications"

    def read(self, number: int, spill: Spill, skips: Skips, tally: Counter[str]) -> None:
        """Read one of the files of works."""
        first, known = number << 40, pd.Index(self.homes.column("id").to_numpy(), dtype=object)
        for numbers, works in records(self.files[number], WORKS, ("id", "authorships"), skips):
            for name in ("publication_year", "type", "is_retracted"):
                tally[f"_without {name}"] += works.column(name).null_count
            tally["_works"] += works.num_rows
            works = works.append_column(RECORD, pa.array(numbers + first))
            kept = works.filter(pa.array(self._wanted(works, tally)))
            there = np.zeros(works.num_rows, bool)
            for begin in range(0, kept.num_rows, _PIECE):
                rows = rows_of(kept.slice(begin, _PIECE), self.homes, known, tally)
                there |= np.isin(numbers + first, rows.column(RECORD).to_numpy())
                spill.add(ROWS, rows, "doc_id")
            gone = works.filter(pa.array(~there))
            spill.add(GONE, pa.table({"doc_id": _ids(gone), RECORD: gone.column(RECORD)}), "doc_id")

    def _wanted(self, works: pa.Table, tally: Counter[str]) -> np.ndarray:
        kinds = {"type": self.types} if self.types else {}
        good = wanted(works.rename_columns({"publication_year": "year"}), self.years, kinds, tally, "works")
        if not self.retracted:
            kept = ~works.column("is_retracted").fill_null(False).to_numpy()
            tally["retracted works"] += int((good & ~kept).sum())
            good &= kept
        return good

    def join(self, streams: Mapping[str, pa.Table], tally: Counter[str]) -> pa.Table | None:
        """The rows of a bucket, a work's together; of a work that is given twice the last record counts."""
        rows = streams.get(ROWS)
        if rows is None:
            return None
        rows = rows.take(pc.sort_indices(rows, sort_keys=[("doc_id", "ascending")]))
        gone = streams.get(GONE)
        return without_repeated(rows, gone, "doc_id", "older records of works", tally).drop_columns(RECORD)

    def check(self, tally: Counter[str]) -> None:
        """Refuse a layout whose fields have other names now.

        Raises
        ------
        InputError
        """
        works, needed = tally["_works"], ["publication_year"]
        needed += (["type"] if self.types else []) + ([] if self.retracted else ["is_retracted"])
        for name in needed:
            if works and tally[f"_without {name}"] == works:
                raise InputError(
                    f"{self.files[0]}: no work has the field {name!r}; has the layout of OpenAlex changed?"
                )
        if tally["_authors"] and tally["_authors"] == tally["_without institutions"]:
            raise InputError(
                f"{self.files[0]}: no authorship has the field 'institutions'; has the layout of OpenAlex changed?"
            )
        if tally["_institutions"] and tally["_institutions"] == tally["_without id"]:
            raise InputError(
                f"{self.files[0]}: no institution of an authorship has the field 'id'; has the layout changed?"
            )
        if tally[_LOST] and tally[_LOST] == tally["_rows"]:
            raise InputError(
                f"{self.files[0]}: no author has an institution that is in the files of institutions, such as "
                f"{self.others[0]}; are both complete, and of one snapshot?"
            )


def openalex(
    paths: Sequence[Path],
    skips: Skips,
    *,
    years: Years = (None, None),
    types: Sequence[str] = TYPES,
    retracted: bool = False,
) -> OpenAlex:
    """Find the files of a snapshot, and read all institutions (about 120,000).

    Raises
    ------
    InputError
        There is no ``works`` or ``institutions``, or in both formats, or the institutions cannot be read.
    """
    found: dict[str, list[Path]] = {entity: [] for entity in _ENTITIES}
    for path in files_of(paths):
        entity = _entity(path)
        if entity in found and path.name.lower().endswith(ENDINGS) and path.name not in _MANIFESTS:
            if any(ending in path.name.lower() for ending in _TABLES):
                raise InputError(
                    f"{path}: is a table by its name; OpenAlex is read from the snapshot's JSON lines or Parquet, in which "
                    "works have their authorships"
                )
            found[entity].append(path)
    for entity, files in found.items():
        files.sort(key=_day)
        if not files:
            given = ", ".join(map(str, paths))
            raise InputError(
                f"{given}: there is no folder {entity!r} with files of an OpenAlex snapshot ({', '.join(ENDINGS)})"
            )
        if len({path.suffix.lower() == ".parquet" for path in files}) > 1:
            raise InputError(
                f"{files[0]}: there are {entity} as JSON lines and as Parquet; name the folder of one of them"
            )
    homes = institutions(found["institutions"], skips)
    return OpenAlex(found["works"], found["institutions"], homes, years, tuple(types), retracted)


def _day(path: Path) -> str:
    """The day of a part, "" where it has none: the later part counts, in whatever folder it is."""
    return next((part for part in reversed(path.parts) if part.startswith(_DATED)), "")


def _entity(path: Path) -> str:
    """Of what a file holds records: the folder of the parts by date, or else the nearest that is called like one that is read."""
    parts = path.absolute().parts
    if _MERGED in parts:
        return ""
    dated = next((at for at, part in enumerate(parts) if part.startswith(_DATED)), 0)
    if dated:
        return parts[dated - 1]
    stems = (part.split(".")[0] for part in reversed(parts))
    return next((stem for stem in stems if stem in _ENTITIES), "")


def institutions(files: Sequence[Path], skips: Skips) -> pa.Table:
    """``id``, ``name``, ``country``, ``lon``, ``lat`` (degrees) of all institutions; of one given twice the last counts."""
    pieces = []
    for path in files:
        for _, table in records(path, INSTITUTIONS, ("id", "geo"), skips):
            geo = table.column("geo").combine_chunks()
            names = {"country": "country_code", "lon": "longitude", "lat": "latitude"}
            columns = {name: pc.struct_field(geo, field) for name, field in names.items()}
            pieces.append(pa.table({"id": table.column("id"), "name": table.column("display_name"), **columns}))
    if not pieces:
        raise InputError(f"{files[0]}: is empty, as are all files of institutions; are they complete?")
    homes = pa.concat_tables(pieces).combine_chunks()
    for name, field in (("lon", "longitude"), ("lat", "latitude")):
        if homes.column(name).null_count == homes.num_rows:
            raise InputError(
                f"{files[0]}: no institution has the field geo.{field}; has the layout of OpenAlex changed?"
            )
    codes = homes.column("id").combine_chunks().dictionary_encode().indices.to_numpy()
    _, last = np.unique(codes[::-1], return_index=True)
    return homes.take(pa.array(np.sort(len(codes) - 1 - last)))


def rows_of(works: pa.Table, homes: pa.Table, known: pd.Index, tally: Counter[str]) -> pa.Table:
    """One row per author and institution, with the author's share of the work split evenly among the author's institutions.

    Authors with an address share a work evenly. An author with an affiliation that OpenAlex has tied to no institution is one row
    without coordinates; one without any affiliation has no address, and is only counted. A row without coordinates keeps its
    share: what is not known where is not given to others. ``known`` has the ids of ``homes``, to be searched again and again.
    """
    lists = works.column("authorships").combine_chunks()
    work = _indices(pc.list_parent_indices(lists))
    authorships = pc.list_flatten(lists)
    inside = pc.struct_field(authorships, "institutions")
    author = _indices(pc.list_parent_indices(inside))
    named = pc.list_flatten(inside)
    ids = pc.struct_field(named, "id")
    tally.update({"_authors": len(work), "_without institutions": inside.null_count})
    tally.update({"_institutions": len(ids), "_without id": ids.null_count})
    first = _first_of_each(author, ids)
    tally["institutions that an author lists twice"] += len(author) - len(first)
    author, named, ids = author[first], named.take(pa.array(first)), ids.take(pa.array(first))

    alone = np.bincount(author, minlength=len(work)) == 0
    addressed = np.zeros(len(work), bool)
    for name in ("raw_affiliation_strings", "affiliations", "countries"):
        addressed |= np.asarray(pc.list_value_length(pc.struct_field(authorships, name)).fill_null(0)) > 0
    tally["authors without an affiliation"] += int((alone & ~addressed).sum())
    lone = np.flatnonzero(alone & addressed)
    authors = np.bincount(work[~alone | addressed], minlength=works.num_rows)
    tally["works without an author's address"] += int((authors == 0).sum())

    order = np.argsort(np.concatenate([author, lone]), kind="stable")
    who = np.concatenate([author, lone])[order]
    entry = pa.array(
        np.concatenate([np.arange(len(author)), np.zeros(len(lone), np.int64)])[order], mask=order >= len(author)
    )
    document = work[who]
    share = 1.0 / (authors[document] * np.bincount(who, minlength=len(work))[who])
    coded = ids.dictionary_encode()
    at = known.get_indexer(coded.dictionary.to_numpy(zero_copy_only=False))
    home = pa.array(at, mask=at < 0).take(coded.indices).take(entry)
    tally[_LOST] += home.null_count - len(lone)
    tally["_rows"] += len(author)

    def of_home(name: str) -> pa.Array:
        return homes.column(name).combine_chunks().take(home)

    def of_entry(name: str) -> pa.Array:
        return pc.struct_field(named, name).take(entry)

    doc = pa.array(document)
    return pa.table(
        {
            "doc_id": _ids(works).take(doc),
            "lon": of_home("lon"),
            "lat": of_home("lat"),
            "country": pc.coalesce(
                of_home("country"), of_entry("country_code"), _only(authorships).take(pa.array(who))
            ),
            "organization": pc.coalesce(of_home("name"), of_entry("display_name")),
            "year": works.column("publication_year").combine_chunks().take(doc),
            "fraction": pa.array(share),
            RECORD: works.column(RECORD).combine_chunks().take(doc),
        }
    )


def _ids(works: pa.Table) -> pa.Array:
    """``W123`` of ``https://openalex.org/W123``."""
    return pc.replace_substring(works.column("id").combine_chunks(), _PREFIX, "")


def _first_of_each(author: np.ndarray, ids: pa.Array) -> np.ndarray:
    """Where each (author, institution) is first, in order; those without an id are kept."""
    coded = ids.dictionary_encode()
    code = coded.indices.fill_null(-1).to_numpy().astype(np.int64)
    unknown = code < 0
    code[unknown] = len(coded.dictionary) + np.flatnonzero(unknown)
    _, first = np.unique(author * np.int64(len(coded.dictionary) + len(code) + 1) + code, return_index=True)
    return np.sort(first)


def _only(authorships: pa.StructArray) -> pa.Array:
    """The author's country where there is one alone."""
    countries = pc.struct_field(authorships, "countries")
    one = pc.equal(pc.list_value_length(countries), 1).fill_null(False)
    return pc.if_else(one, pc.list_element(pc.if_else(one, countries, pa.scalar([None], countries.type)), 0), None)


def _indices(array: pa.Array) -> np.ndarray:
    return array.to_numpy(zero_copy_only=False).astype(np.int64)
