"""Any table through a mapping of columns in a TOML file, and the worldwide geocoded patents, whose mapping is known."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.countries import iso2
from gpu_clusters.io.folders import refuse_twins
from gpu_clusters.schema import OPTIONAL, REQUIRED, TABLES
from gpu_clusters.settings import Years
from gpu_clusters.sources.blocks import files_of
from gpu_clusters.sources.cells import ENDINGS, Layout
from gpu_clusters.sources.tables import ID, Table
from gpu_clusters.toml import read_toml

_KEYS = ("table", "delimiter", "encoding", "columns", "keep", "unique")
_INVENTORS = "geoc_inv"
_GEOC_INV = {
    "doc_id": ("appln_id",),
    "lon": ("lng",),
    "lat": ("lat",),
    "country": ("ctry_code",),
    "year": ("filing_date",),
}


def geoc_inv(paths: Sequence[Path], *, years: Years = (None, None)) -> Table:
    """``geoc_inv.txt``, inventors by application: de Rassenfosse, Kozak and Seliger 2019, Dataverse doi:10.7910/DVN/OTTBDX."""
    given = set(paths)
    files = [path for path in files_of(paths) if path in given or path.name.lower().startswith(_INVENTORS)]
    whole = [path for path in files if path in given or path.name.lower().startswith(f"{_INVENTORS}.")]
    files = whole or files  # what else is called like the table has some of its rows once more
    more = [path for path in whole if path not in given][1:]
    if more:
        raise InputError(f"{more[0]}: is {_INVENTORS} once more, beside {whole[0]}; give the files of one release")
    return Table("geoc-inv", "patents", _some(files, paths, ENDINGS, _INVENTORS), Layout(_GEOC_INV), years)


def mapped(paths: Sequence[Path], mapping: Path, *, years: Years = (None, None)) -> Table:
    """Delimited or Parquet files through a mapping, a TOML file with `_KEYS`.

    Raises
    ------
    UsageError
        The mapping makes no sense.
    InputError
        There is no file.
    """
    given = read_toml(mapping, _KEYS)
    table, columns, keep = given.get("table"), given.get("columns"), given.get("keep", {})
    if table not in TABLES:
        raise UsageError(f"{mapping}: table must be one of {', '.join(TABLES)}, not {table!r}")
    if not isinstance(columns, dict) or not columns or not all(isinstance(name, str) for name in columns.values()):
        raise UsageError(f'{mapping}: [columns] must give each name a column, as in country = "Company Country"')
    if "doc_id" in REQUIRED[table] and "doc_id" not in columns:
        raise UsageError(
            f"{mapping}: [columns] lacks doc_id; {table} have {', '.join(REQUIRED[table] + OPTIONAL[table])}"
        )
    if years != (None, None) and "year" not in columns:
        raise UsageError(f"{mapping}: years need a year among [columns]")
    if not isinstance(keep, dict):
        raise UsageError(f"{mapping}: keep must be a table of lists, as in [keep]")
    odd = next((name for name in columns if name.startswith("_")), None)
    if odd is not None:
        raise UsageError(f"{mapping}: [columns] gives the name {odd!r}; names must not begin with _")
    for name, texts in keep.items():
        if name not in columns or not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise UsageError(f"{mapping}: keep.{name} must be a list of texts, and {name} one of [columns]")
    unique = given.get("unique", False)
    if not isinstance(unique, bool) or (unique and ID[table] not in columns):
        raise UsageError(f"{mapping}: unique must be true or false, and needs {ID[table]} among [columns]")
    if "country" in keep:
        keep = keep | {"country": [iso2(text) for text in keep["country"]]}
    names = {name: (column,) for name, column in columns.items()}
    layout = Layout(names, (), *_form(given, mapping), hint=f"correct [columns] or delimiter in {mapping}")
    files = _some(files_of(paths), paths, (*ENDINGS, ".parquet"))
    return Table("table", table, files, layout, years, keep, unique, others=[mapping])


def _some(files: list[Path], paths: Sequence[Path], endings: Sequence[str], stem: str = "") -> list[Path]:
    """The files that were given, and those below folders that have one of the endings; ``stem`` is how they are called."""
    given = set(paths)
    found = [path for path in files if path in given or path.name.lower().endswith(tuple(endings))]
    if not found:
        looked = ", ".join(f"{stem}{ending}" for ending in endings)
        raise InputError(f"{', '.join(map(str, paths))}: there is no file; looked for {looked}")
    refuse_twins(path for path in found if path not in given)
    return found


def _form(given: dict[str, Any], mapping: Path) -> tuple[str | None, str]:
    delimiter, encoding = given.get("delimiter"), given.get("encoding", "utf-8")
    one = isinstance(delimiter, str) and len(delimiter) == 1 and delimiter.isascii() and delimiter not in '\0\r\n"'
    if delimiter is not None and not one:
        raise UsageError(f"{mapping}: delimiter must be one character such as ';' or '|', not {delimiter!r}")
    return delimiter, known_encoding(encoding)


def known_encoding(name: Any) -> str:
    """The usual name of an encoding.

    Raises
    ------
    UsageError
        Python does not know it, it does not write ASCII as ASCII, or it writes other letters with a quotation mark's byte.
    """
    try:
        found = codecs.lookup(name).name
        plain = 'a,"\t\n'.encode(found) == b'a,"\t\n'
        plain = plain and b'"' not in "あ".encode(found, "replace")  # $" in ISO 2022 and HZ
    except (LookupError, TypeError, ValueError):
        raise UsageError(f"unknown encoding {name!r}; there are utf-8, cp1252, latin-1 and others") from None
    if not plain:
        raise UsageError(f"files in {name} cannot be read: save them as UTF-8")
    return "utf-8" if found == "utf-8-sig" else found
