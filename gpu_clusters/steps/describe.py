"""What clusters may be called: the places that carry their output, districts folded into their cities."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by
from gpu_clusters.kernels.spaces import chord_limit
from gpu_clusters.steps.places import Places, far_from_all, strongest_place, units_of
from gpu_clusters.steps.spelling import usual

DASH = "–"
MOST = 3
LEAST = 45
"""Percent of what its first place carries that a further place must carry to be named."""

TOWN_KM = 10.0
"""Places smaller than towns count where most of a cluster's output is further than this from any town."""

_NOWHERE = -1


class Points(NamedTuple):
    """Locations with output in clusters, (n,) each: degrees, the cluster's number (0, 1, ...), output in whole units."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    cluster: NDArray[np.int64]
    output: NDArray[np.int64]

    def only(self, chosen: NDArray[np.bool_]) -> Points:
        """Those of the points that are chosen, (n,) bool."""
        return Points(self.lon[chosen], self.lat[chosen], self.cluster[chosen], self.output[chosen])


class Place(NamedTuple):
    """A place that carries output of a cluster, with all of its names; ``division`` is the first-level one's code."""

    name: str
    country: str
    division: str
    others: str
    output: int


class Described(NamedTuple):
    """What a cluster may be called.

    ``cities`` carry its output, districts folded into them, ``places`` without folding, largest output first. ``spot`` names
    the point with most output by its coordinates.
    """

    cities: list[Place]
    places: list[Place]
    spot: str

    @property
    def named(self) -> list[Place]:
        """The cities that make its name: at most three, each with at least 45 % of the first one's output."""
        first = self.cities[0].output if self.cities else 0
        return [c for i, c in enumerate(self.cities[:MOST]) if i == 0 or (first and 100 * c.output >= LEAST * first)]

    @property
    def name(self) -> str:
        """Their names, joined by en dashes; its coordinates where no place is within 50 km."""
        return DASH.join(place.name for place in self.named) or self.spot


def describe(points: Points, clusters: int, towns: Places, smaller: Callable[[], Places]) -> list[Described]:
    """What each of the ``clusters`` may be called.

    Parameters
    ----------
    points : Points
        At least one of each cluster.
    clusters : int
    towns : Places
        The larger places of the world.
    smaller : callable
        Gives all places; asked only if there are clusters with most of their output more than 10 km from any town.
    """
    place = strongest_place(points.lon, points.lat, towns)
    remote = _remote(points, clusters, place, towns)
    described = _described(points, clusters, place, towns)
    if not remote.any():
        return described
    points = points.only(remote[points.cluster])
    every = smaller()
    better = _described(points, clusters, strongest_place(points.lon, points.lat, every), every)
    return [better[c] if remote[c] else described[c] for c in range(clusters)]


def _remote(points: Points, clusters: int, place: NDArray[np.int64], towns: Places) -> NDArray[np.bool_]:
    """Whether more than half of a cluster's output is far from any town; (clusters,)."""
    total = sum_by(points.cluster, points.output, clusters)
    apart = np.square(units_of(points.lon, points.lat) - towns.unit[place]).sum(axis=1)
    rest = points.only((place == _NOWHERE) | (apart > chord_limit(TOWN_KM)))
    far = np.where(far_from_all(rest.lon, rest.lat, towns, TOWN_KM), rest.output, 0)
    return 2 * sum_by(rest.cluster, far, clusters) > total


def _described(points: Points, clusters: int, place: NDArray[np.int64], places: Places) -> list[Described]:
    """What the clusters may be called if each point counts for ``place``, (n,)."""
    known = place != _NOWHERE
    key = points.cluster[known] * len(places.size) + place[known]
    pair, output = _summed(key, points.output[known])
    by_place = _listed(pair, output, clusters, places)
    cluster, found = pair // len(places.size), pair % len(places.size)
    by_city = _listed(*_summed(cluster * len(places.size) + places.city[found], output), clusters, places)
    return [Described(*all_of) for all_of in zip(by_city, by_place, _spots(points, clusters), strict=True)]


def _summed(key: NDArray[np.int64], output: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct keys, ascending, and the output of each."""
    start = np.flatnonzero(np.diff(key, prepend=-1))  # neighbours are often of one key: fewer are left to sort
    key, output = key[start], np.add.reduceat(output, start) if len(start) else output
    keys, row = np.unique(key, return_inverse=True)
    return keys, sum_by(row, output, len(keys))


def _listed(pair: NDArray[np.int64], output: NDArray[np.int64], clusters: int, places: Places) -> list[list[Place]]:
    """Places of each cluster, most output first; of equals the larger place, then the first in (lat, lon) order."""
    cluster, found = pair // len(places.size), pair % len(places.size)
    order = np.lexsort((found, -places.size[found], -output, cluster))
    rows = places.table.iloc[found[order]]
    result: list[list[Place]] = [[] for _ in range(clusters)]
    columns = (rows[name].tolist() for name in ("name", "country", "admin1", "alternates"))
    for c, name, country, division, others, carries in zip(
        cluster[order].tolist(), *columns, output[order].tolist(), strict=True
    ):
        result[c].append(Place(usual(name, country), country, division, f"{name},{others}", carries))
    return result


def _spots(points: Points, clusters: int) -> list[str]:
    """Coordinates of the point of each cluster with most output, the first in (lat, lon) order; "" without points."""
    most = np.full(clusters, -1, np.int64)
    np.maximum.at(most, points.cluster, points.output)
    best = np.flatnonzero(points.output == most[points.cluster])
    best = best[np.lexsort((points.lon[best], points.lat[best], points.cluster[best]))]
    found, first = np.unique(points.cluster[best], return_index=True)
    spots = [""] * clusters
    for c, i in zip(found.tolist(), best[first].tolist(), strict=True):
        spots[c] = _spot(points.lon[i], points.lat[i])
    return spots


def _spot(lon: float, lat: float) -> str:
    return f"{abs(lat):.2f}°{'S' if lat < 0 else 'N'} {abs(lon):.2f}°{'W' if lon < 0 else 'E'}"
