"""What the readers hand on: plain arrays in frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class Addresses:
    """Geocoded addresses of one table, grouped by document.

    The arrays are NumPy's, or CuPy's where `gpu_clusters.io.device` has read the table.

    Attributes
    ----------
    name : str
        ``"patents"`` or ``"publications"``.
    lon, lat : (n,) float64
        Degrees; lon in [-180, 180), lat in [-90, 90], no negative zero. Empty after `without_coordinates`.
    doc_start : (d + 1,) int64
        Rows ``doc_start[i]:doc_start[i + 1]`` are document ``i``; every document has at least one row.
    country : (n,) int32
        Index into `countries`, -1 where missing.
    countries : tuple of str
        The countries that occur in these rows, ascending by code point.
    organization : (n,) int32
        Index into `organizations`, -1 where missing.
    organizations : tuple of str
        The organizations that occur in these rows, ascending by code point.
    fraction : (n,) float64 or None
        Given fractions, finite and not negative; None where the table has no such column.
    """

    name: str
    lon: np.ndarray
    lat: np.ndarray
    doc_start: np.ndarray
    country: np.ndarray
    countries: tuple[str, ...]
    organization: np.ndarray
    organizations: tuple[str, ...]
    fraction: np.ndarray | None

    @property
    def rows(self) -> int:
        """Number of geocoded rows."""
        return len(self.country)

    @property
    def documents(self) -> int:
        """Number of documents with a geocoded row."""
        return len(self.doc_start) - 1

    def without_coordinates(self) -> Addresses:
        """The same rows, for what comes after they are located; what their coordinates took can be given back."""
        return replace(self, lon=self.lon[:0].copy(), lat=self.lat[:0].copy())


@dataclass(frozen=True, eq=False)
class Deals:
    """Geocoded deals, in the order of the source.

    Attributes
    ----------
    lon, lat : (n,) float64
        Degrees; lon in [-180, 180), lat in [-90, 90], no negative zero.
    deals : (n,) float64
        Number of deals of the row, finite and not negative.
    country : (n,) int32
        Index into `countries`, -1 where missing.
    countries : tuple of str
        The countries that occur in these rows, ascending by code point.
    """

    lon: np.ndarray
    lat: np.ndarray
    deals: np.ndarray
    country: np.ndarray
    countries: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Number of geocoded rows."""
        return len(self.lon)


class Places(NamedTuple):
    """Member locations of the clusters of an edition.

    Attributes
    ----------
    lon, lat : (n,) float64
        Degrees, each pair once.
    weight : (n,) int64
    cluster : (n,) int64
        Row of the cluster in the edition's ranking.
    """

    lon: np.ndarray
    lat: np.ndarray
    weight: np.ndarray
    cluster: np.ndarray


@dataclass(frozen=True, eq=False)
class Edition:
    """What a result says of its clusters.

    Attributes
    ----------
    name : str
        Its folder as given, or ``"the result in memory"``.
    ranking : DataFrame
        One row a cluster by rank, then cluster_id; the columns that were asked for.
    places : Places
    manifest : dict
        Empty where the folder has none.
    sha256 : str or None
        Digest of the manifest's file.
    warnings : list of str
        What is odd about it.
    """

    name: str
    ranking: pd.DataFrame
    places: Places
    manifest: dict[str, Any]
    sha256: str | None
    warnings: list[str]


@dataclass(frozen=True)
class InputFile:
    """A file that was read, for the record.

    Attributes
    ----------
    table : str
        Table that it belongs to.
    name : str
        Its path as given, or for example ``"patents (data frame)"``.
    path : Path or None
        None for a data frame.
    size : int or None
        Bytes; None for a data frame.
    sha256 : str or None
        Hexadecimal digest of the bytes; None for a data frame.
    rows : int
        All its data rows, those outside of a window of years included.
    """

    table: str
    name: str
    path: Path | None
    size: int | None
    sha256: str | None
    rows: int


class InvalidRows(NamedTuple):
    """Rows of a file whose coordinates are both given but impossible.

    Attributes
    ----------
    name : str
        File, as in `InputFile`.
    rows : list of int
        Their numbers, 1 = first data row; at most the first 1,000.
    total : int
        How many there are.
    """

    name: str
    rows: list[int]
    total: int


Rows = TypeVar("Rows", bound=Addresses | Deals, covariant=True)


@dataclass(frozen=True, eq=False)
class TableRead(Generic[Rows]):
    """A table with all that is to be said about its reading.

    Attributes
    ----------
    data : Addresses or Deals
        The geocoded rows.
    coverage : DataFrame
        Columns of ``schema.COVERAGE``: a row for each country (``""`` where missing, if any), then the World row.
    inputs : list of InputFile
        The files in the order of reading.
    invalid : list of InvalidRows
        The files that have invalid rows.
    undated : int
        Rows without a year, left out because there is a window of years; 0 without a window.
    alike : dict of str to str
        Columns that were not read but are called as one that would have been, by that one's name.
    """

    data: Rows
    coverage: pd.DataFrame
    inputs: list[InputFile]
    invalid: list[InvalidRows]
    undated: int
    alike: dict[str, str]
