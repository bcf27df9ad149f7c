"""From what the user gives (paths, folders, data frames) to readers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.delimited import DelimitedReader
from gpu_clusters.io.folders import refuse_twins, walk
from gpu_clusters.io.formats import GeoJsonReader, ParquetReader, Reader, reading
from gpu_clusters.io.frames import ArrowReader, PandasReader
from gpu_clusters.io.workbooks import ADVICE, ENDINGS, refuse_workbook
from gpu_clusters.paths import absent, is_there

_COMPRESSIONS = {"": None, ".gz": "gzip", ".zst": "zstd"}
_OPENERS: dict[str, Callable[[Path, str], Reader]] = {
    **dict.fromkeys((".parquet", ".geoparquet", ".pq"), ParquetReader),
    **dict.fromkeys((".geojson", ".json"), GeoJsonReader),
    **{
        ending + packed: partial(DelimitedReader, delimiter=delimiter, compression=compression)
        for ending, delimiter in ((".csv", ","), (".tsv", "\t"))
        for packed, compression in _COMPRESSIONS.items()
    },
}
SUPPORTED = tuple(_OPENERS)
_LAZY = {"dask": "compute", "dask_expr": "compute", "dask_geopandas": "compute", "polars": "collect"}
"""By package: what makes a data frame of one that is only planned."""


def readers(source: Any, table: str) -> list[Reader]:
    """Find all readers of a table.

    Parameters
    ----------
    source : path, data frame, or list of these
        A path is a file or a folder. Of a folder all supported files are taken, those of its folders too, in the order
        of their paths, those behind links too; names that begin with ``.`` or ``_``, files of other kinds, and what
        ``gpu-clusters convert`` and ``geocode`` have written beside a table are passed over.
    table : str
        Name of the table.

    Raises
    ------
    InputError
        A source that is missing, empty, given twice or of an unsupported kind, or a folder with a file in two formats.
    UsageError
        Something that is no source.
    """
    given = listed(source, table)
    found: list[Reader] = []
    frames = sum(is_frame(one) for one in given)
    for one in given:
        if isinstance(one, (str, os.PathLike)):
            if not os.fspath(one):
                raise InputError(f"{table}: the name of a file is empty")
            found.extend(_from_path(Path(one)))
        elif is_frame(one):
            number = sum(reader.path is None for reader in found) + 1
            found.append(_from_frame(one, f"{table} (data frame{f' {number}' if frames > 1 else ''})"))
        else:
            raise _no_source(one, table)
    _refuse_repeated(found, table)
    return found


def paths_of(source: Any, table: str) -> list[Path]:
    """The files of a table that are going to be read; raises what `readers` does."""
    return [] if source is None else [reader.path for reader in readers(source, table) if reader.path is not None]


def listed(source: Any, table: str) -> list[Any]:
    """The sources that are given, one or many; what can be gone through only once is gone through."""
    single = is_frame(source) or isinstance(source, (str, bytes, os.PathLike))
    columnar = any(hasattr(type(source), part) for part in ("columns", "__arrow_c_stream__"))
    if not single and (columnar or isinstance(source, (Mapping, pd.Series))):
        raise _no_source(source, table)  # else the names of its columns, or its values, would be taken for paths
    given = list(source) if isinstance(source, Iterable) and not single else [source]
    if not given:
        raise InputError(f"{table}: no file is given")
    return given


def is_frame(one: Any) -> bool:
    """Whether it is a data frame of any library; a single column, which is a stream too, has a dtype."""
    streams = hasattr(one, "__arrow_c_stream__") and not hasattr(type(one), "dtype")
    return streams or isinstance(one, (pd.DataFrame, pa.Table, pa.RecordBatch))


def _no_source(one: Any, table: str) -> UsageError:
    finish = _LAZY.get(type(one).__module__.partition(".")[0], "")
    hint = f"; give what its {finish}() returns" if hasattr(one, finish) else ""
    return UsageError(f"{table}: a source is a path, a data frame or a list of these, not {type(one).__name__}{hint}")


def _refuse_repeated(found: list[Reader], table: str) -> None:
    seen = set()
    for reader in found:
        if reader.path is not None:
            real = reader.path.resolve()
            if real in seen:
                raise InputError(f"{reader.name}: is given twice for {table}; its rows would count double")
            seen.add(real)


def _opener(path: Path) -> Callable[[Path, str], Reader] | None:
    ending = max((e for e in SUPPORTED if path.name.lower().endswith(e)), key=len, default=None)
    return None if ending is None else _OPENERS[ending]


def _from_path(path: Path) -> list[Reader]:
    with reading(str(path), "a file or folder"):
        if not is_there(path):
            raise InputError(f"{path}: {absent(path)}")
        if path.is_dir():
            return _from_folder(path)
        if not path.is_file():
            raise InputError(f"{path}: is neither a file nor a folder")
    opener = _opener(path)
    if opener is None:
        hint = ADVICE if path.suffix.lower() in ENDINGS else "save the table as Parquet or CSV"
        endings = ", ".join(SUPPORTED)
        raise InputError(f"{path}: files of this kind are not supported; {hint}; supported endings: {endings}")
    return [_checked(path, opener)]


def _checked(path: Path, opener: Callable[[Path, str], Reader]) -> Reader:
    with reading(str(path), "a file"), path.open("rb") as file:
        first = file.read(4)
    if not first:
        raise InputError(f"{path}: is empty (0 bytes); write it again, or leave it out")
    reader = opener(path, str(path))
    if isinstance(reader, DelimitedReader):
        if reader.compression is None and (first[:2] == b"\x1f\x8b" or first == b"\x28\xb5\x2f\xfd"):
            right = ".gz" if first[:2] == b"\x1f\x8b" else ".zst"
            raise InputError(f"{path}: is compressed; rename it to end in {right}")
        if reader.compression is None and first[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise InputError(f"{path}: is text in UTF-16; save it as UTF-8")
        if reader.compression is None:
            refuse_workbook(str(path), first)
    return reader


def _from_folder(folder: Path) -> list[Reader]:
    paths: list[Path] = []
    for parent, names in walk(folder):
        records = _records(parent, names)
        paths += [parent / name for name in names if name not in records]
    found = [(path, opener) for path in sorted(paths) if (opener := _opener(path)) is not None]
    if not found:
        raise InputError(f"{folder}: the folder holds no supported file; supported endings: {', '.join(SUPPORTED)}")
    refuse_twins(path for path, _ in found)
    return [_checked(path, opener) for path, opener in found]


def _records(folder: Path, names: Sequence[str]) -> set[str]:
    """Files that convert and geocode have written beside a table, which are no part of it."""
    found: set[str] = set()
    for name in names:
        if name.endswith("manifest.json"):
            with suppress(OSError, ValueError, TypeError, LookupError, AttributeError):
                manifest = json.loads((folder / name).read_text(encoding="utf-8"))
                made_by = (manifest.get("program"), manifest.get("command"))
                if made_by == ("gpu-clusters", "convert"):
                    found.update(map(str, manifest["records"]))
                elif made_by == ("gpu-clusters", "geocode"):
                    found |= {name, str(manifest["outputs"][-1]["name"])}
    return found


def _from_frame(frame: Any, name: str) -> Reader:
    if isinstance(frame, pd.DataFrame):
        return PandasReader(frame, name)
    if isinstance(frame, pa.RecordBatch):
        return ArrowReader(pa.Table.from_batches([frame]), name)
    if isinstance(frame, (pa.Table, pa.RecordBatchReader)):
        return ArrowReader(frame, name)
    with reading(name, "an Arrow stream"):
        return ArrowReader(pa.RecordBatchReader.from_stream(frame), name)
