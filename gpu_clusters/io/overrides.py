"""The user's own names for clusters: a file or table of ``place`` and ``name``."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.model import InputFile
from gpu_clusters.paths import spelled

COLUMNS = ("place", "name", "country", "lon", "lat")
_WANTED = "a table of names has the columns place and name, and may have country, lon and lat"


class Override(NamedTuple):
    """One row: the cluster of ``place`` (a name, or ``""`` where coordinates, degrees, say it) is called ``name``."""

    row: int
    place: str
    name: str
    country: str
    at: tuple[float, float] | None


class Overrides(NamedTuple):
    """Rows in the order of the source, and the source for the record."""

    rows: list[Override]
    source: InputFile


def read_overrides(source: Any) -> Overrides:
    """Read names for clusters.

    Parameters
    ----------
    source : path, dict or DataFrame
        A CSV file (TSV if its name ends so; UTF-8) with a header, a dict of place to name, or a frame (pandas', pyarrow's or
        polars') with the same columns.

    Raises
    ------
    InputError
        It cannot be read or a row makes no sense; the message names file, column and row.
    UsageError
        Nothing to read names from.
    """
    if isinstance(source, Mapping):
        source = pd.DataFrame({"place": list(source), "name": list(source.values())}, dtype=object)
    elif hasattr(source, "to_pandas"):
        source = source.to_pandas()
    if isinstance(source, pd.DataFrame):
        title, path, data = "names (data frame)", None, b""
        lines = _cells_of(source, title)
    elif not isinstance(source, (str, os.PathLike)):
        raise UsageError(
            f"names: a path, a data frame, a dict of place to name, or False for none, not {type(source).__name__}"
        )
    else:
        path = Path(spelled(source, "names"))
        title = str(path)
        data = _bytes(path)
        lines = _cells(data, title, "\t" if path.suffix.lower() in (".tsv", ".tab") else ",")
    header = [str(name).strip().lower() for name in next(lines, [])]
    _check_header(header, title)
    rows = [_row(i, dict(zip(header, cells, strict=True)), title) for i, cells in enumerate(lines, 1) if any(cells)]
    digest = None if path is None else hashlib.sha256(data).hexdigest()
    return Overrides(rows, InputFile("names", title, path, None if path is None else len(data), digest, len(rows)))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: the table of names cannot be read: {reason}; check the path") from None


def _cells(data: bytes, title: str, delimiter: str) -> Iterator[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{title}: is not text in UTF-8; save the table of names as CSV in UTF-8") from None
    width, row = 0, -1
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if not (cells or width):
                continue  # before the header
            row += 1
            width = width or len(cells)
            if cells and len(cells) != width:
                raise InputError(f"{title}: row {row} has {len(cells)} cells where the header has {width}")
            yield [cell.strip() for cell in cells]
    except csv.Error as error:
        raise InputError(f"{title}: row {row + 1} cannot be read ({error}); is it CSV?") from None


def _cells_of(frame: pd.DataFrame, title: str) -> Iterator[list[str]]:
    yield [str(name) for name in frame.columns]
    for number, row in enumerate(frame.itertuples(index=False), 1):
        if not all(map(pd.api.types.is_scalar, row)):
            raise InputError(
                f"{title}: row {number} holds what is neither text nor number; give one of them in each cell"
            )
        yield ["" if pd.isna(cell) else str(cell).strip() for cell in row]


def _check_header(header: list[str], title: str) -> None:
    for name in header:
        if name not in COLUMNS:
            raise InputError(f"{title}: unknown column {name!r}; {_WANTED}")
        if header.count(name) > 1:
            raise InputError(f"{title}: column {name!r} is there twice; {_WANTED}")
    if "name" not in header or not {"place", "lon"} & set(header):
        raise InputError(f"{title}: column {'name' if 'name' not in header else 'place'!r} is missing; {_WANTED}")
    if ("lon" in header) != ("lat" in header):
        raise InputError(f"{title}: lon and lat are needed both; {_WANTED}")


def _row(number: int, cells: dict[str, str], title: str) -> Override:
    where = f"{title}: row {number}"
    texts = (cells.get("lon", ""), cells.get("lat", ""))
    at = None
    if any(texts):
        at = _degrees(texts[0], "lon", 360.0, where), _degrees(texts[1], "lat", 90.0, where)
    if not cells.get("place") and at is None:
        raise InputError(f"{where}, column place: is empty; give a place's name, or lon and lat")
    if not cells["name"]:
        raise InputError(f"{where}, column name: is empty; give the name, or remove the row")
    return Override(number, cells.get("place", ""), cells["name"], cells.get("country", "").upper(), at)


def _degrees(text: str, column: str, most: float, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise InputError(f"{where}, column {column}: must be degrees from {-most:g} to {most:g}, not {text!r}")
    return value
