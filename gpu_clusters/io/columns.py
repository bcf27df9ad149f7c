"""One Arrow column to one typed array: numbers, texts, years and document ids, with strict checks.

Files and data frames carry the same data in many types (text, categories, decimals, nullable integers). Everything
that can hold the value is taken; what cannot is an ``InputError`` that names file, column and row.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.errors import InputError
from gpu_clusters.io.place import Rows, shorten

TEXT = pa.large_string()
_TEXTS = (
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view),
)
_MISSING = pa.array(["", "NA", "nan", "NaN", "NAN"], TEXT)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.ASCII | re.IGNORECASE)
_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*", re.ASCII)
_NO_NUMBER = re.compile(r"|NA|[+-]?[nN][aA][nN]")
_DATE = re.compile(r"\s*(\d{4})-\d{2}(-\d{2}(?!\d).*)?\s*", re.ASCII | re.DOTALL)
_LARGEST_EXACT = 2.0**53
LARGEST_SUM = 1e300


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a type holds text (binary counts: some writers of Parquet do not mark their texts)."""
    return any(test(kind) for test in _TEXTS)


def has_texts(kind: pa.DataType) -> bool:
    """Tell whether values of a type can be written as texts: no lists, no bytes, none with a meaning of their own."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    plain = pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    return plain or (is_text(kind) and "binary" not in str(kind))


def stored(array: pa.Array) -> pa.Array:
    """Take the texts of an extension type that is text with a meaning; what else there is stays and is refused."""
    return array.storage if isinstance(array, pa.ExtensionArray) and is_text(array.storage.type) else array


def without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Turn text views, for which Arrow has few functions, into large_string."""

    def plain(array: pa.Array) -> pa.Array:
        if pa.types.is_dictionary(array.type):
            before = array.dictionary
            after = plain(before)
            return array if after is before else pa.DictionaryArray.from_arrays(array.indices, after)
        if not str(array.type).endswith("_view"):
            return array
        kind = pa.large_binary() if str(array.type).startswith("binary") else TEXT
        try:
            return array.cast(kind)
        except pa.ArrowNotImplementedError:
            return pa.array(array.to_pylist(), kind)

    return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], names=batch.schema.names)


def decoded(array: pa.Array) -> pa.Array:
    """Take the values of a dictionary array."""
    array = stored(array)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def check_sum(values: np.ndarray, table: str, column: str) -> None:
    """Refuse numbers whose sum is too large to compute with."""
    with np.errstate(over="ignore"):
        total = float(values.sum())
    if total > LARGEST_SUM:
        raise InputError(
            f'{table}: column "{column}" adds up to {total:g}, more than can be computed with; check its unit'
        )


def to_float(array: pa.Array, rows: Rows, name: str) -> np.ndarray:
    """Read a number column.

    Parameters
    ----------
    array : (n,) Arrow array
        Numbers of any kind, or texts that are numbers.
    rows : Rows
        Where the rows come from.
    name : str
        Canonical column name.

    Returns
    -------
    (n,) float64
        NaN where missing (null, NaN, empty text, ``NA``); infinities stay.

    Raises
    ------
    InputError
        Other text, or a type that holds no numbers (dates, booleans, lists).
    """
    array = decoded(array)
    kind = array.type
    if array.null_count == len(array):
        return np.full(len(array), np.nan)
    if pa.types.is_decimal(kind):
        return _parse(array.cast(pa.string()).cast(TEXT), rows, name)  # through text: correctly rounded
    if is_text(kind):
        return _parse(_utf8(array, rows, name), rows, name)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise rows.error(name, f"holds {kind}, which is not a number")
    if pa.types.is_float16(kind):
        values = array.to_numpy(zero_copy_only=False).astype(np.float64)
        values[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return values
    return array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _parse(array: pa.Array, rows: Rows, name: str) -> np.ndarray:
    """Turn texts into numbers: all at once where they are plain, one distinct text at a time where they are not."""
    present = pc.if_else(pc.is_in(array, value_set=_MISSING), pa.scalar(None, TEXT), array)
    try:
        values = present.cast(pa.float64()).to_numpy(zero_copy_only=False)
        if np.count_nonzero(np.isnan(values)) == present.null_count:
            return values
    except pa.ArrowInvalid:
        pass
    codes = pc.utf8_trim_whitespace(array).dictionary_encode()
    numbers: list[float | None] = [_number(text) for text in codes.dictionary.to_pylist()]
    indices = codes.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)
    bad = [code for code, number in enumerate(numbers) if number is None]
    if bad:
        index = int(np.flatnonzero(np.isin(indices, bad))[0])
        hint = "; decimals have a point" if _COMMA.fullmatch(array[index].as_py()) else ""
        raise rows.error(name, f"{shorten(array[index].as_py())} is not a number{hint}", index)
    return np.array([*numbers, np.nan], np.float64)[indices]


def _number(text: str) -> float | None:
    """Read one trimmed text; NaN where it means missing, None where it is no number."""
    if _NO_NUMBER.fullmatch(text):
        return np.nan
    return float(text) if _NUMBER.fullmatch(text) else None


def to_text(array: pa.Array, rows: Rows, name: str) -> pa.Array:
    """Read a text column.

    Returns
    -------
    (n,) Arrow array of large_string, or of dictionary<int32, large_string> where the column has few values, each once
        Numbers become their decimal text. Null stays null.

    Raises
    ------
    InputError
        A type that is neither text nor whole numbers, or text that is not UTF-8.
    """
    array = stored(array)
    kind = array.type
    if pa.types.is_dictionary(kind) and is_text(kind.value_type):
        dictionary = array.dictionary
        if dictionary.null_count == 0 and len(dictionary) <= len(array) // 2:
            texts = _utf8(dictionary, rows, name)
            if len(texts.unique()) == len(texts):  # Arrow allows the same text twice
                return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), texts)
    array = decoded(array)
    if array.null_count == len(array):
        return pa.nulls(len(array), TEXT)
    if is_text(array.type):
        return _utf8(array, rows, name)
    whole = _to_whole(array, rows, name)
    return (whole if isinstance(whole, pa.Array) else pa.array(whole)).cast(TEXT)


def _utf8(array: pa.Array, rows: Rows, name: str) -> pa.Array:
    """Cast texts of any layout to large_string; Arrow looks at those that call themselves texts only when told to."""
    try:
        texts = array.cast(TEXT)
        texts.validate(full=True)
        return texts
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raise rows.error(name, "is not text in UTF-8") from None


def to_ids(array: pa.Array, rows: Rows, name: str = "doc_id") -> np.ndarray | pa.Array:
    """Read identifiers.

    Returns
    -------
    (n,) int64, or (n,) Arrow array as `to_text` gives it
        Whole numbers (floats that are whole included) or texts.

    Raises
    ------
    InputError
        A null or blank identifier; a number that is not whole, or too large to be told from its neighbours.
    """
    plain = stored(array)
    kind = plain.type.value_type if pa.types.is_dictionary(plain.type) else plain.type
    if not is_text(kind):
        plain = decoded(plain)
        if pa.types.is_float16(plain.type):
            plain = pa.array(to_float(plain, rows, name))  # in which older Arrow finds no NaN
        missing = plain.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
        if missing.any():
            raise rows.error(name, "is null", int(np.flatnonzero(missing)[0]))
        whole = _to_whole(plain, rows, name)
        return whole.cast(TEXT) if isinstance(whole, pa.Array) else whole
    texts = to_text(plain, rows, name)
    if texts.null_count:
        missing = texts.is_null().to_numpy(zero_copy_only=False)
        raise rows.error(name, "is null", int(np.flatnonzero(missing)[0]))
    blank = _blank(texts)
    if blank.any():
        raise rows.error(name, "is empty", int(np.flatnonzero(blank)[0]))
    return texts


def _blank(texts: pa.Array) -> np.ndarray:
    """Mark texts that are empty or white space only: (n,) bool."""
    values = texts.dictionary if pa.types.is_dictionary(texts.type) else texts
    blank = pc.equal(pc.utf8_ltrim_whitespace(values), "").to_numpy(zero_copy_only=False)
    if values is texts or not blank.any():
        return blank if values is texts else np.zeros(len(texts), bool)
    return blank[texts.indices.to_numpy(zero_copy_only=False)]


def _to_whole(array: pa.Array, rows: Rows, name: str) -> np.ndarray | pa.Array:
    """Whole numbers as (n,) int64, or as an Arrow array where they have nulls or do not fit into int64."""
    kind = array.type
    if pa.types.is_floating(kind):
        values = to_float(array, rows, name)
        bad = ~np.isnan(values) & ~((np.floor(values) == values) & (np.abs(values) < _LARGEST_EXACT))
        if bad.any():
            index = int(np.flatnonzero(bad)[0])
            what = "is not a whole number below 2^53; write it as an integer or as text"
            raise rows.error(name, f"{values[index]} {what}", index)
        array = pa.array(values, from_pandas=True).cast(pa.int64())
    elif pa.types.is_decimal(kind):
        array = _decimal_to_whole(array, rows, name)
    elif not pa.types.is_integer(kind):
        raise rows.error(name, f"holds {kind}; it must be text or whole numbers")
    if array.null_count or not pa.types.is_integer(array.type):
        return array
    try:
        return array.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return array


def _decimal_to_whole(array: pa.Array, rows: Rows, name: str) -> pa.Array:
    """Decimals without a fraction as int64, or as text where they are too large for that."""
    try:
        texts = array.cast(pa.decimal256(76, 0)).cast(pa.string())
    except pa.ArrowInvalid:
        index, odd = next(
            (i, d) for i, d in enumerate(array.to_pylist()) if d is not None and d != d.to_integral_value()
        )
        raise rows.error(name, f"{odd} is not a whole number", index) from None
    try:
        return texts.cast(pa.int64())
    except pa.ArrowInvalid:
        return texts


def to_year(array: pa.Array, rows: Rows, name: str = "year") -> np.ndarray:
    """Read years: numbers, dates, or texts that hold a number or an ISO date; 20210501 is a date, too.

    Returns
    -------
    (n,) float64
        NaN where missing or infinite.
    """
    array = decoded(array)
    kind = array.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            try:
                array = pc.local_timestamp(array)
            except pa.ArrowInvalid as error:
                raise rows.error(name, f"holds {kind} that cannot be read ({error})") from None
        return to_float(pc.year(array), rows, name)
    if is_text(kind):
        codes = _utf8(array, rows, name).dictionary_encode()
        found = [None if text is None else _DATE.fullmatch(text) for text in codes.dictionary.to_pylist()]
        years = [match.group(1) if match else None for match in found]
        texts = pc.coalesce(pa.array(years, TEXT), codes.dictionary)
        array = pa.DictionaryArray.from_arrays(codes.indices, texts).dictionary_decode()
    values = to_float(array, rows, name)
    return np.where(np.isfinite(values), of_dates(np, values), np.nan)


def of_dates(xp: Any, years: Any) -> Any:
    """Years, (n,) float64 of the module ``xp``, of numbers that may be dates: 2021 of 20210501."""
    return xp.where((years >= 1e7) & (years < 1e8), xp.floor(years / 1e4), years)
