"""What clusters may be called: the places that carry their output, districts folded into their cities."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gpu_clusters.kernels.spaces import chord_limit
from gpu_clusters.steps.places import Places, strongest_place, units_of
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
    remote = _remote(points, clusters, towns)
    described = dict(_described(points.only(~remote[points.cluster]), towns))
    if remote.any():
        described |= dict(_described(points.only(remote[points.cluster]), smaller()))
    return [described[cluster] for cluster in range(clusters)]


def _remote(points: Points, clusters: int, towns: Places) -> NDArray[np.bool_]:
    """Whether more than half of a cluster's output is far from any town; (clusters,)."""
    limit = math.sqrt(chord_limit(TOWN_KM))
    distance, _ = cKDTree(towns.unit).query(units_of(points.lon, points.lat), distance_upper_bound=limit * (1 + 1e-12))
    far, total = np.zeros(clusters, np.int64), np.zeros(clusters, np.int64)
    np.add.at(far, points.cluster, np.where(np.isinf(distance), points.output, 0))
    np.add.at(total, points.cluster, points.output)
    return 2 * far > total


def _described(points: Points, places: Places) -> Iterable[tuple[int, Described]]:
    place = strongest_place(points.lon, points.lat, places)
    city = np.where(place == _NOWHERE, _NOWHERE, places.city[place])
    by_city, by_place = _carried(points, city, places), _carried(points, place, places)
    order = np.lexsort((points.lon, points.lat, -points.output, points.cluster))
    clusters, first = np.unique(points.cluster[order], return_index=True)
    for cluster, i in zip(clusters.tolist(), order[first].tolist(), strict=True):
        spot = _spot(points.lon[i], points.lat[i])
        yield cluster, Described(by_city.get(cluster, []), by_place.get(cluster, []), spot)


def _carried(points: Points, place: NDArray[np.int64], places: Places) -> dict[int, list[Place]]:
    """Places by cluster, most output first; of equals the larger place, then the first in (lat, lon) order."""
    known = place != _NOWHERE
    pair, row = np.unique(points.cluster[known] * len(places.size) + place[known], return_inverse=True)
    output = np.zeros(len(pair), np.int64)
    np.add.at(output, row, points.output[known])
    cluster, found = pair // max(len(places.size), 1), pair % max(len(places.size), 1)
    order = np.lexsort((found, -places.size[found], -output, cluster))
    rows = places.table.iloc[found[order]]
    result: dict[int, list[Place]] = {}
    columns = (rows[name].tolist() for name in ("name", "country", "admin1", "alternates"))
    for c, name, country, division, others, carries in zip(
        cluster[order].tolist(), *columns, output[order].tolist(), strict=True
    ):
        result.setdefault(c, []).append(Place(usual(name, country), country, division, f"{name},{others}", carries))
    return result


def _spot(lon: float, lat: float) -> str:
    return f"{abs(lat):.2f}°{'S' if lat < 0 else 'N'} {abs(lon):.2f}°{'W' if lon < 0 else 'E'}"
