"""Cells as what they stand for: numbers, years, countries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.errors import InputError
from gpu_clusters.io.columns import has_texts
from gpu_clusters.io.countries import iso2
from gpu_clusters.sources.skips import Skips

NUMBERS = ("lon", "lat", "fraction", "deals", "_sequence")
_IDS = ("doc_id", "deal_id")
_MISSING = pa.array(["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "\\N"])
_LARGEST_EXACT = 2.0**53
_YEAR = r"(?:^|\D)(?P<year>1[6-9]\d\d|20\d\d)(?:\D|$|\d{4}$)"


def typed(path: Path, numbers: np.ndarray, table: pa.Table, names: dict[str, str], skips: Skips) -> pa.Table:
    """The columns in the types of the method's tables; rows with other text in a number column, or without an id, are taken down.

    Parameters
    ----------
    path, numbers
        Where the rows come from.
    table : Table
        Texts, or what a Parquet file has; `NUMBERS` become float64, ``year`` int64, others texts, null where empty.
    names : dict of str to str
        The file's columns, for messages.

    Raises
    ------
    InputError
        `skips` refuses a row, or a column of a Parquet file holds lists or the like.
    """
    columns: dict[str, pa.Array] = {}
    faults: dict[int, str] = {}
    for name in table.column_names:
        values, called = table.column(name).combine_chunks(), f'column "{names.get(name, name)}"'
        if not has_texts(values.type):
            raise InputError(f"{path}: {called} holds {values.type}, neither texts nor numbers")
        try:
            columns[name] = _column(values, called, name, faults)
        except pa.ArrowException as error:
            raise InputError(f"{path}: {called} holds {values.type} that cannot be read ({error})") from None
    if "doc_id" in columns and columns["doc_id"].null_count:
        for empty in np.flatnonzero(columns["doc_id"].is_null().to_numpy(zero_copy_only=False)):
            faults.setdefault(int(empty), f'column "{names.get("doc_id", "doc_id")}" is empty; a document needs an id')
    for at in sorted(faults):
        skips.add(path, int(numbers[at]), faults[at])
    made = pa.table(columns)
    return made.filter(pa.array(~np.isin(np.arange(len(numbers)), list(faults)))) if faults else made


def _column(values: pa.Array, column: str, name: str, faults: dict[int, str]) -> pa.Array:
    if name in NUMBERS:
        return _numbers(values, column, name, faults)
    if name == "year":
        return years(values)
    if name == "country":
        return mapped(text(values), iso2)
    if name in _IDS and pa.types.is_floating(values.type):
        _check_whole(values, column, faults)
    return text(values)


def text(values: pa.Array) -> pa.Array:
    """Trimmed texts, null where empty or no number; whole numbers without a decimal point or an exponent."""
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())
        whole = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), _LARGEST_EXACT))
        digits = pc.if_else(whole, values, None).cast(pa.int64()).cast(pa.string())
        values = pc.if_else(pc.is_nan(values), None, pc.coalesce(digits, values.cast(pa.string())))
    elif not pa.types.is_string(values.type):
        values = values.cast(pa.string())
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(pc.binary_length(trimmed), 0), pa.scalar(None, pa.string()), trimmed)


def years(values: pa.Array) -> pa.Array:
    """Years as int64 from dates, or from numbers and texts with a year such as ``2015-05-01``, ``31/12/2015``, ``20150501``."""
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        return pc.year(values)
    return pc.struct_field(pc.extract_regex(text(values), _YEAR), "year").cast(pa.int64())


def mapped(values: pa.Array, function: Callable[[str], str]) -> pa.Array:
    """Each distinct text through a function."""
    coded = values.dictionary_encode()
    new = pa.array([function(value) for value in coded.dictionary.to_pylist()], pa.string())
    return new.take(coded.indices)


def one_of(values: pa.Array, allowed: Sequence[str]) -> np.ndarray:
    """Which texts are among some, without regard to case and to ``_`` or ``-`` for a space; (n,) bool."""
    wanted = pa.array([plain_name(name) for name in allowed], pa.string())
    return np.asarray(pc.is_in(mapped(values.fill_null(""), plain_name), wanted))


def plain_name(name: str) -> str:
    """A kind of round, patent or work, as it is compared."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")


def _check_whole(values: pa.Array, column: str, faults: dict[int, str]) -> None:
    """Ids that are floats must be whole and small enough to be told from their neighbours."""
    plain = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    odd = ~np.isnan(plain) & ~((np.floor(plain) == plain) & (np.abs(plain) < _LARGEST_EXACT))
    for at in np.flatnonzero(odd):
        what = "is not a whole number below 2^53; write it as an integer or as text"
        faults.setdefault(int(at), f"{column}: {plain[at]} {what}")


def _numbers(values: pa.Array, column: str, name: str, faults: dict[int, str]) -> pa.Array:
    """Numbers, null where missing; others are faults."""
    given = values
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        given = text(values)
        given = pc.if_else(pc.is_in(given, _MISSING), pa.scalar(None, pa.string()), given)
    try:
        found = given.cast(pa.float64(), safe=False)
    except pa.ArrowInvalid:
        numbers: list[float | None] = []
        for at, cell in enumerate(given.to_pylist()):
            try:
                numbers.append(None if cell is None else float(pa.scalar(cell).cast(pa.float64()).as_py()))
            except pa.ArrowInvalid:
                faults.setdefault(at, f"{column}: {cell[:80]!r} is not a number")
                numbers.append(None)
        found = pa.array(numbers, pa.float64())
    if name in ("fraction", "deals"):
        plain = found.to_numpy(zero_copy_only=False)
        missing = np.isnan(plain)
        wrong = (missing if name == "fraction" else False) | (~missing & ~((plain >= 0) & np.isfinite(plain)))
        for odd in np.flatnonzero(wrong):
            faults.setdefault(int(odd), f"{column}: {plain[odd]} must be a finite number, 0 or more")
    return found
