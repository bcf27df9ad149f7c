"""A double of cuDF on the CPU that is stricter than cuDF: what `gpu_clusters.io.device` uses, as cuDF's sources describe it.

- Arrays are those of `cupy_double`. Nothing becomes an array of NumPy or a list by itself, and what ``to_arrow`` brings to the
  host is in that module's ``log``.
- Where cuDF promises no order, the order is shuffled.
- ``read_csv`` takes no look at the number of cells, drops empty lines and a mark before UTF-8, has texts that mean missing, and
  toggles at every quotation mark.
- ``read_parquet`` has cuDF's surprises: an index that pandas has written is no column, and an error where it has a step; names
  of folders become columns; a path may be a pattern.
"""

from __future__ import annotations

import io
import json
import re
from typing import Any

import cupy_double as xp
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

NEW_TEXT = tuple(map(int, pd.__version__.split(".")[:2])) >= (2, 3)
text_dtype: Any = pd.StringDtype(na_value=np.nan) if NEW_TEXT else np.dtype(object)  # of cuDF 26.10; of 25.04
reads: list[tuple] = []  # path, columns and row groups of every reading
_random = np.random.default_rng(0)


class _Frame:
    """What a series and an index have in common; they hold an Arrow array."""

    __hash__ = None

    def __init__(self, data: Any) -> None:
        if isinstance(data, _Frame):
            data = data._data
        elif isinstance(data, xp.ndarray):
            data = pa.array(xp.unwrapped(data))
        elif not isinstance(data, pa.Array):
            raise TypeError(f"the double of cuDF makes no series of {type(data)}")
        self._data = data

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a host NumPy array via __array__ is not allowed")

    def __iter__(self) -> Any:
        raise TypeError(f"{type(self).__name__} object is not iterable")

    def __len__(self) -> int:
        return len(self._data)

    @property
    def dtype(self) -> Any:
        return text_dtype if _is_text(self._data) else np.dtype(self._data.type.to_pandas_dtype())

    @property
    def values(self) -> xp.ndarray:
        if _is_text(self._data):
            raise TypeError("cupy does not support str")
        if self._data.null_count:
            raise ValueError("Column must have no nulls.")
        return xp.wrapped(self._data.to_numpy(zero_copy_only=False).copy())

    def to_arrow(self) -> pa.Array:
        xp.log.append(("to_arrow", self._data.nbytes))
        return self._data


class Index(_Frame):
    """``cudf.Index``."""


class Series(_Frame):
    """``cudf.Series``."""

    def isnull(self) -> Series:
        return Series(self._data.is_null(nan_is_null=True))

    def fillna(self, value: Any) -> Series:
        """Nulls, and NaN as well."""
        mask = self._data.is_null(nan_is_null=True)
        return Series(pc.if_else(mask, pa.scalar(value, self._data.type), self._data))

    def astype(self, dtype: str) -> Series:
        if dtype != "str" or not pa.types.is_integer(self._data.type):
            raise TypeError(f"this double casts whole numbers to texts, and not {self._data.type} to {dtype}")
        return Series(self._data.cast(pa.string()))

    def take(self, indices: xp.ndarray) -> Series:
        if not isinstance(indices, xp.ndarray) or indices.dtype.kind not in "iu":
            raise TypeError("Gather map must have integer dtype")
        return Series(self._data.take(pa.array(xp.unwrapped(indices))))

    def factorize(self) -> tuple[xp.ndarray, Index]:
        """Codes of 64 bits, -1 where null; the distinct values in any order."""
        coded = self._data.dictionary_encode()
        order = _random.permutation(len(coded.dictionary))
        place = np.append(np.argsort(order), -1)
        return xp.wrapped(place[coded.indices.fill_null(-1).to_numpy()]), Index(coded.dictionary.take(pa.array(order)))

    @property
    def str(self) -> Texts:
        if not _is_text(self._data):
            raise AttributeError("Can only use .str accessor with string values")
        return Texts(self._data)


class Texts:
    """``Series.str``."""

    def __init__(self, data: pa.Array) -> None:
        self._data = data

    def byte_count(self) -> Series:
        return Series(pc.binary_length(self._data).cast(pa.int32()))

    def count(self, pat: Any) -> Series:
        """Characters are counted as UTF-8 has them; bytes that are none are left out."""
        texts = [
            None if blob is None else blob.decode(errors="ignore") for blob in self._data.cast(pa.binary()).to_pylist()
        ]
        return Series(pa.array([None if text is None else len(re.findall(pat, text)) for text in texts], pa.int32()))


class DataFrame:
    """``cudf.DataFrame``."""

    def __init__(self, columns: dict[str, pa.Array]) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def __getitem__(self, name: str) -> Series:
        return Series(self._columns[name])

    @property
    def columns(self) -> pd.Index:
        return pd.Index(list(self._columns))


def concat(objs: list[Series], *, ignore_index: bool) -> Series:
    if not ignore_index or not objs:
        raise ValueError("this double concatenates some series, and ignores the index")
    return Series(pa.chunked_array([one._data.cast(pa.large_string()) for one in objs]).combine_chunks())


def read_parquet(
    filepath_or_buffer: str,
    *,
    columns: list[str],
    row_groups: list[list[int]],
    use_pandas_metadata: bool,
    dataset_kwargs: Any,
) -> DataFrame:
    """One file; row groups in the order that is asked for, and the columns that there are."""
    if not isinstance(filepath_or_buffer, str) or re.search(r"[*?\[]|::|://", filepath_or_buffer):
        raise FileNotFoundError(f"{filepath_or_buffer} could not be resolved to any files")
    (groups,) = row_groups
    reads.append((filepath_or_buffer, tuple(columns), tuple(groups)))
    with pq.ParquetFile(filepath_or_buffer) as file:
        read = file.read_row_groups(groups, columns=columns)
        pandas = json.loads((file.schema_arrow.metadata or {}).get(b"pandas", b"{}"))
    found = {name: _plain(read.column(name).combine_chunks()) for name in read.column_names}
    index = [name for name in pandas.get("index_columns", []) if isinstance(name, str)]
    if any(isinstance(one, dict) and one["step"] != 1 for one in pandas.get("index_columns", [])):
        raise ValueError("Length mismatch: the index of some row groups is made with the step of the whole")
    if index and (use_pandas_metadata or set(index) <= set(found)):
        found = {name: values for name, values in found.items() if name not in index}
    if not isinstance(dataset_kwargs, dict) or dataset_kwargs.get("partitioning") is not None:
        for part in filepath_or_buffer.split("/")[:-1]:
            name, equals, value = part.partition("=")
            found |= {name: pa.array([value] * len(read))} if equals else {}
    return DataFrame(found)


def read_csv(
    filepath_or_buffer: io.BytesIO,
    *,
    sep: str = ",",
    header: Any = "infer",
    names: list[str] | None = None,
    usecols: list[str] | None = None,
    dtype: Any = None,
    na_filter: bool = True,
    keep_default_na: bool = True,
    skip_blank_lines: bool = True,
    compression: Any = "infer",
) -> DataFrame:
    """Rows without a header, and texts alone."""
    if not isinstance(filepath_or_buffer, io.BytesIO) or header is not None or names is None or usecols is None:
        raise TypeError("this double reads bytes, and columns that are named")
    if compression not in (None, "infer") or dtype != dict.fromkeys(usecols, "str") or not set(usecols) <= set(names):
        raise TypeError("this double reads texts alone")
    content = filepath_or_buffer.getvalue().removeprefix(b"\xef\xbb\xbf")
    reads.append((len(content), tuple(usecols), ()))
    rows = [line.removesuffix(b"\r") for line in _split(content.removesuffix(b"\n"), b"\n")]
    cells = [_split(row, sep.encode()) for row in rows if row or not skip_blank_lines]
    missing = (b"", b'""', b"NA", b"NULL", b"nan", b"<NA>") if na_filter and keep_default_na else ()

    def text(row: list[bytes], place: int) -> bytes | None:
        if place >= len(row) or row[place] in missing:
            return None
        cell = row[place]
        return cell[1:-1].replace(b'""', b'"') if cell[:1] == cell[-1:] == b'"' else cell

    columns = {}
    for name in sorted(usecols, key=names.index):
        blobs = pa.array([text(row, names.index(name)) for row in cells], pa.binary())
        columns[name] = pa.Array.from_buffers(pa.string(), len(blobs), blobs.buffers())  # whatever the bytes are
    return DataFrame(columns)


def _split(content: bytes, at: bytes) -> list[bytes]:
    """Cut where the number of quotation marks before is even."""
    parts: list[bytes] = []
    whole = True
    for part in content.split(at):
        if whole:
            parts.append(part)
        else:
            parts[-1] += at + part
        whole = parts[-1].count(b'"') % 2 == 0
    return parts


def _is_text(data: pa.Array) -> bool:
    return pa.types.is_string(data.type) or pa.types.is_large_string(data.type)


def _plain(data: Any) -> pa.Array:
    """One array without a dictionary, of which cuDF knows nothing."""
    data = pa.concat_arrays(data.chunks) if isinstance(data, pa.ChunkedArray) else data
    return data.dictionary_decode() if pa.types.is_dictionary(data.type) else data
