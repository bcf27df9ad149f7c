"""The files that cuDF reads into the memory of a GPU, piece by piece: Parquet, CSV and TSV.

Numbers of Parquet are those of the file. cuDF's reader of CSV checks neither that rows are complete nor that texts are UTF-8,
it adds up the digits of a decimal, which rounds some last bits otherwise, and releases differ in what they make of quotation
marks. So all of that is done or checked here (`text_blocks`, `device_fields`), and of cuDF's texts it is checked that they are as
long as the file's.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gpu_clusters.errors import InputError, first_line
from gpu_clusters.io.columns import to_float as host_to_float
from gpu_clusters.io.columns import to_year
from gpu_clusters.io.delimited import LONGEST, DelimitedReader
from gpu_clusters.io.device_columns import to_float
from gpu_clusters.io.device_fields import Fields, find_fields, numbers
from gpu_clusters.io.footers import NOTHING, TEXT, Footer, NeedsCpuError, footer_of
from gpu_clusters.io.formats import ParquetReader
from gpu_clusters.io.place import Rows
from gpu_clusters.io.plans import Plan
from gpu_clusters.io.text_blocks import blocks

TEXT_PIECE = 1 << 26
"""Bytes of text that are looked at at once, about; 4 to 10 times as much memory is needed, where cells are empty up to 50."""

_TEXTS = ("doc_id", "country", "organization")


@dataclass(frozen=True)
class Piece:
    """Some rows of a file.

    Attributes
    ----------
    rows : int
    numbers : dict of str to (rows,) float64
        Of each canonical column of numbers; NaN where missing.
    texts : dict of str to series
        Of each canonical column of texts that holds something, and the document ids.
    ids : str
        Name of the dtype of document ids, or ``footers.TEXT``.
    part : float
        How much of the file is read, 0..1.
    """

    rows: int
    numbers: dict[str, Any]
    texts: dict[str, Any]
    ids: str
    part: float

    def take(self, kept: Any) -> Piece:
        """The rows at ``kept`` (m,) int64."""
        numbers = {name: values[kept] for name, values in self.numbers.items()}
        texts = {name: values.take(kept) for name, values in self.texts.items()}
        return Piece(len(kept), numbers, texts, self.ids, self.part)


class DeviceFile(Protocol):
    """A file that cuDF reads."""

    @property
    def name(self) -> str: ...

    @property
    def least_rows(self) -> int:
        """Rows that it has, as far as is known before it is read."""
        ...

    def pieces(self, cudf: Any, xp: Any, size: int) -> Iterator[Piece]:
        """Read it in pieces of about `size` bytes; all that is odd is `NeedsCpuError`."""
        ...


def device_file(plan: Plan, names: dict[str, str]) -> DeviceFile:
    """The file of a plan, of which the columns ``names`` are read; `NeedsCpuError` if cuDF does not read it."""
    reader = plan.reader
    if plan.spatial:
        raise NeedsCpuError(f"{reader.name} has its coordinates in a geometry")
    if isinstance(reader, ParquetReader):
        return ParquetFile(reader, names, footer_of(reader, names))
    if isinstance(reader, DelimitedReader):
        if len(plan.layout.names) < 2:
            raise NeedsCpuError(f"{reader.name} has one column, in which an empty line is no row")
        return DelimitedFile(reader, names, list(plan.layout.names))
    raise NeedsCpuError(f"{reader.name} is neither Parquet nor CSV")


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file."""

    reader: ParquetReader
    names: Mapping[str, str]
    footer: Footer

    @property
    def name(self) -> str:
        return self.reader.name

    @property
    def least_rows(self) -> int:
        return self.footer.rows

    def pieces(self, cudf: Any, xp: Any, size: int) -> Iterator[Piece]:
        done = 0
        for groups, rows in self.footer.pieces(size):
            texts = self._columns(cudf, groups, rows)
            given = [name for name in texts if name not in _TEXTS]
            numbers = {name: to_float(xp, texts.pop(name)) for name in given}
            done += rows
            yield Piece(rows, numbers, texts, self.footer.kinds["doc_id"], done / self.footer.rows)

    def _columns(self, cudf: Any, groups: list[int], rows: int) -> dict[str, Any]:
        """Read some row groups: a series for each canonical column that holds something."""
        kinds = self.footer.kinds
        names = {name: column for name, column in self.names.items() if kinds[name] != NOTHING}
        frame = _read_by_cudf(
            cudf.read_parquet,
            self.name,
            str(self.reader.path.absolute()),
            columns=list(dict.fromkeys(names.values())),
            row_groups=[groups],
            use_pandas_metadata=False,
            dataset_kwargs={"partitioning": None},  # no columns from the names of folders
        )
        return _checked(frame, names, kinds, rows, self.name)


@dataclass(frozen=True)
class DelimitedFile:
    """A CSV or TSV file; ``header`` has all of its columns."""

    reader: DelimitedReader
    names: Mapping[str, str]
    header: list[str]

    @property
    def name(self) -> str:
        return self.reader.name

    @property
    def least_rows(self) -> int:
        return 0

    def pieces(self, cudf: Any, xp: Any, size: int) -> Iterator[Piece]:
        done = 0
        for block, part in blocks(self.reader, self.header, min(size, TEXT_PIECE)):
            try:
                fields = find_fields(xp, block, self.reader.delimiter, len(self.header))
            except NeedsCpuError as error:
                raise NeedsCpuError(f"{self.name} is not plain, as {error}") from None
            longest = int((fields.end[:, -1] - fields.begin[:, 0]).max())
            if longest > LONGEST:
                raise NeedsCpuError(f"{self.name} has a row of {longest} bytes")
            given = [name for name in self.names if name not in _TEXTS]
            read = {name: self._numbers(xp, fields, name, done) for name in given}
            yield Piece(len(fields), read, self._texts(cudf, xp, block, fields), TEXT, part)
            done += len(fields)

    def _numbers(self, xp: Any, fields: Fields, name: str, done: int) -> Any:
        rows, read = Rows(self.name, self.names, done + 1), to_year if name == "year" else host_to_float
        try:
            return numbers(xp, fields, self._place(name), lambda texts: read(texts, rows, name))
        except InputError as error:
            raise NeedsCpuError(f'{self.name} has a cell of column "{self.names[name]}" that is no number') from error

    def _texts(self, cudf: Any, xp: Any, block: bytes, fields: Fields) -> dict[str, Any]:
        """Read a block: a series for each canonical column of texts."""
        columns = {name: str(self._place(name)) for name in self.names if name in _TEXTS}
        wanted = list(dict.fromkeys(columns.values()))
        frame = _read_by_cudf(
            cudf.read_csv,
            self.name,
            io.BytesIO(block),
            sep=self.reader.delimiter,
            header=None,
            names=[str(place) for place in range(len(self.header))],
            usecols=wanted,
            dtype=dict.fromkeys(wanted, "str"),
            na_filter=False,
            keep_default_na=False,
            skip_blank_lines=False,
            compression=None,
        )
        texts = _checked(frame, columns, dict.fromkeys(columns, TEXT), len(fields), self.name)
        for name, series in texts.items():
            _, _, size = fields.cells(xp, int(columns[name]))
            if not bool((series.str.byte_count().fillna(0).values == size).all()):
                raise NeedsCpuError(f'cuDF reads other texts in column "{self.names[name]}" of {self.name}')
        return texts

    def _place(self, name: str) -> int:
        """Which of the columns a canonical one is."""
        return self.header.index(self.names[name])


def _read_by_cudf(function: Any, name: str, source: Any, **how: Any) -> Any:
    """Call one of cuDF's readers."""
    try:
        return function(source, **how)
    except MemoryError:
        raise
    except Exception as error:
        raise NeedsCpuError(f"cuDF cannot read {name} ({first_line(error)})") from error


def _checked(frame: Any, names: Mapping[str, str], kinds: Mapping[str, str], rows: int, file: str) -> dict[str, Any]:
    """The series of a frame by canonical name, if they are what is expected."""
    if len(frame) != rows or set(frame.columns) != set(names.values()):
        raise NeedsCpuError(f"cuDF reads other rows or columns of {file}")
    series = {name: frame[column] for name, column in names.items()}
    for name, values in series.items():
        kind = str(values.dtype)
        if kind not in (("object", "str", "string") if kinds[name] == TEXT else (kinds[name],)):
            raise NeedsCpuError(f'cuDF reads column "{names[name]}" of {file} as {kind}')
    return series
