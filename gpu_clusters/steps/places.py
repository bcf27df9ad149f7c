"""The places that clusters are named after: which city a district is part of, and which place an address counts for."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gpu_clusters.kernels.pulls import strongest
from gpu_clusters.kernels.spaces import EARTH_RADIUS_KM, chord_limit, unit_vectors

CROWD = 15_000
"""People per square kilometre in a city's disc; Tokyo's wards have as many, few large cities have more."""

REACH_KM = 50.0
"""A place does not pull addresses that are further away."""

_HEAP = 0.1  # degrees


class Places(NamedTuple):
    """Places in (lat, lon, geonameid) order, (m,) each.

    ``unit`` (m, 3) are unit vectors, ``size`` float64 people, at least 1, ``city`` the index of the city that a place is part of:
    its own where it is none's. ``table`` has the gazetteer's columns in the same order.
    """

    unit: NDArray[np.float64]
    size: NDArray[np.float64]
    city: NDArray[np.int64]
    table: pd.DataFrame


def places_from(gazetteer: pd.DataFrame) -> Places:
    """Places of a gazetteer (columns of ``io.gazetteer``), districts folded into their cities.

    A place is part of the largest place in whose disc its centre lies, if both are in the same country and first-level
    division (a city without a code is in all of them); that one may be part of a yet larger one. A place's disc holds its people
    at 15,000 per square kilometre.
    """
    table = gazetteer.sort_values(["lat", "lon", "geonameid"], ignore_index=True)
    unit = units_of(table["lon"].to_numpy(), table["lat"].to_numpy())
    size = np.maximum(table["population"].to_numpy(np.float64), 1.0)
    return Places(unit, size, _cities(unit, size, table), table)


def strongest_place(lon: NDArray[np.float64], lat: NDArray[np.float64], places: Places) -> NDArray[np.int64]:
    """Index of the place that each point counts for, -1 where none is within 50 km; (n,) int64.

    That is the place with the least squared distance per inhabitant (Reilly's law of gravitation): where two cities meet, their
    distances are as the square roots of their sizes. Of equals the larger one, then the first.
    """
    return _strongest(lon, lat, places, places.size, REACH_KM)


def far_from_all(lon: NDArray[np.float64], lat: NDArray[np.float64], places: Places, km: float) -> NDArray[np.bool_]:
    """Whether no place is within ``km`` of each point; (n,) bool."""
    return _strongest(lon, lat, places, np.ones(len(places.size)), km) < 0


def _strongest(
    lon: NDArray[np.float64], lat: NDArray[np.float64], places: Places, size: NDArray[np.float64], reach_km: float
) -> NDArray[np.int64]:
    heap = (np.floor(lat / _HEAP) * 10_000 + np.floor(lon / _HEAP)).astype(np.int64)
    order = np.argsort(heap, kind="stable")
    start = np.flatnonzero(np.diff(heap[order], prepend=np.iinfo(np.int64).min))
    band = math.degrees(reach_km / EARTH_RADIUS_KM) + 1e-5
    lats = places.table["lat"].to_numpy()
    found = np.empty(len(lon), np.int64)
    found[order] = strongest(
        *(units_of(lon[order], lat[order]), np.append(start, len(lon)), places.unit, lats, size),
        *(math.sqrt(chord_limit(reach_km)), band),
    )
    return found


def _cities(unit: NDArray[np.float64], size: NDArray[np.float64], table: pd.DataFrame) -> NDArray[np.int64]:
    """Index of the city that each place is part of."""
    country = pd.factorize(table["country"])[0]
    division = table["admin1"].where(~table["admin1"].isin(["", "00"]), "")
    free, division = (division == "").to_numpy(), pd.factorize(division)[0]
    chord = 2 * np.sin(np.sqrt(size / (math.pi * CROWD)) / (2 * EARTH_RADIUS_KM))
    found = cKDTree(unit).query_ball_point(unit, chord)
    host = np.repeat(np.arange(len(size)), [len(one) for one in found])
    guest = np.concatenate([np.asarray(f, np.int64) for f in found])
    same = (country[host] == country[guest]) & (free[host] | (division[host] == division[guest]))
    host, guest = host[same], guest[same]
    order = np.lexsort((host, -size[host], guest))
    _, first = np.unique(guest[order], return_index=True)
    city = host[order][first]  # a place is in its own disc too, and its own city if none there is larger
    while not np.array_equal(city, city[city]):
        city = city[city]
    return city


def units_of(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors of points in degrees; (n, 3) float64."""
    return np.column_stack(unit_vectors(lon, lat))
