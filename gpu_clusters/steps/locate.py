"""From addresses to locations: distinct places with their numbers of addresses and whole-number weights.

Rows stay on the device that holds them; the far fewer locations are the host's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.arrays import count_each, namespace, to_host
from gpu_clusters.compiled import cached
from gpu_clusters.io.model import Addresses
from gpu_clusters.settings import Settings


class Locations(NamedTuple):
    """Distinct places in (lat, lon) order, (n,) each.

    ``lon``, ``lat`` float64 degrees; ``inventors``, ``authors`` int64 numbers of addresses; ``weight`` int64.
    ``threshold`` is the weight within the radius that makes a location core.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    inventors: NDArray[np.int64]
    authors: NDArray[np.int64]
    weight: NDArray[np.int64]
    threshold: int


class Located(NamedTuple):
    """Locations, and for each row of a table the index of its location (int32, on the rows' device; None for an absent table)."""

    locations: Locations
    patents: NDArray[np.int32] | None
    publications: NDArray[np.int32] | None


def locate(patents: Addresses | None, publications: Addresses | None, settings: Settings) -> Located:
    """Find the distinct places of both tables and weigh them (method, section 3).

    Parameters
    ----------
    patents, publications : Addresses or None
        At least one of them.
    settings : Settings
        Uses ``weighting`` and ``density``.
    """
    tables = [table for table in (patents, publications) if table is not None]
    lon, lat, places = distinct_places([(table.lon, table.lat) for table in tables])
    counts = [to_host(count_each(place, len(lon))).astype(np.int64) for place in places]
    none = np.zeros(len(lon), np.int64)
    inventors = counts[0] if patents is not None else none
    authors = counts[-1] if publications is not None else none
    all_inventors, all_authors = int(inventors.sum()), int(authors.sum())
    per_inventor, per_author = settings.weights(all_inventors, all_authors)
    weight = inventors * per_inventor + authors * per_author
    threshold = settings.threshold(all_inventors, all_authors)
    return Located(
        Locations(lon, lat, inventors, authors, weight, threshold),
        places[0] if patents is not None else None,
        places[-1] if publications is not None else None,
    )


def distinct_places(
    tables: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.int32]]]:
    """Distinct (lon, lat) pairs of several tables in (lat, lon) order, and for each table's rows the index of theirs."""
    return _by_hash(tables) if namespace(tables[0][0]) is np else _by_sort(tables)


def _by_sort(tables: list[tuple[Any, Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64], list[Any]]:
    """`distinct_places` on a GPU, which sorts faster than it could look up row after row."""
    xp = namespace(tables[0][0])
    lon, lat = (xp.concatenate(column) for column in zip(*tables, strict=True))
    order = xp.argsort(lon)  # of equal values the first stays first
    order = order[xp.argsort(lat[order])]
    lon, lat = lon[order], lat[order]
    new = xp.ones(len(lon), bool)
    new[1:] = (lon[1:] != lon[:-1]) | (lat[1:] != lat[:-1])
    place = xp.empty(len(lon), np.int32)
    place[order] = (xp.cumsum(new) - 1).astype(np.int32)
    ends = np.cumsum([len(table_lon) for table_lon, _ in tables]).tolist()
    places = [place[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    return to_host(lon[new]), to_host(lat[new]), places


def _by_hash(
    tables: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.int32]]]:
    """`distinct_places` on a CPU."""
    lon, lat = np.empty(1 << 15), np.empty(1 << 15)
    slots = np.full(1 << 16, -1, np.int32)
    count, places = 0, []
    for table_lon, table_lat in tables:
        place = np.empty(len(table_lon), np.int32)
        done, count = _intern(table_lon, table_lat, place, 0, slots, lon, lat, count)
        while done < len(place):
            lon, lat = np.resize(lon, 2 * len(lon)), np.resize(lat, 2 * len(lat))
            slots = np.full(2 * len(slots), -1, np.int32)
            _refill(slots, lon, lat, count)
            done, count = _intern(table_lon, table_lat, place, done, slots, lon, lat, count)
        places.append(place)
    lon, lat = lon[:count], lat[:count]
    order = np.lexsort((lon, lat))
    rank = np.empty(count, np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    return lon[order], lat[order], [rank[place] for place in places]


@cached(njit)
def _slot(lon, lat, mask):
    """First slot to try for a place: its bits, well mixed."""
    a = np.float64(lon).view(np.uint64)
    b = np.float64(lat).view(np.uint64)
    h = (a ^ (b << np.uint64(1)) ^ (b >> np.uint64(63))) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    return np.int64(h & np.uint64(mask))


@cached(njit)
def _intern(lon, lat, place, done, slots, known_lon, known_lat, count):
    """Give every row from ``done`` on the number of its place; stops at a new place that no longer fits."""
    mask = len(slots) - 1
    for i in range(done, len(place)):
        slot = _slot(lon[i], lat[i], mask)
        while slots[slot] >= 0 and (known_lon[slots[slot]] != lon[i] or known_lat[slots[slot]] != lat[i]):
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            if count == len(known_lon):
                return i, count
            known_lon[count], known_lat[count] = lon[i], lat[i]
            slots[slot] = count
            count += 1
        place[i] = slots[slot]
    return len(place), count


@cached(njit)
def _refill(slots, lon, lat, count):
    """Enter the known places into empty slots."""
    mask = len(slots) - 1
    for i in range(count):
        slot = _slot(lon[i], lat[i], mask)
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = i
