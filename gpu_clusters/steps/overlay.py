"""Venture capital: which cluster's area each deal lies in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.io.model import Deals
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.areas import nearest_members
from gpu_clusters.kernels.bands import Bands
from gpu_clusters.kernels.spaces import Reach, degrees_reach, in_degrees
from gpu_clusters.settings import Settings
from gpu_clusters.steps.inside import Inside, nearest_holding, points_inside, smallest_holding
from gpu_clusters.steps.locate import Locations, distinct_places
from gpu_clusters.steps.members import Members, of_locations

Nearest = Callable[[Bands, Bands, NDArray[np.int64], Reach], NDArray[np.int64]]
"""`kernels.areas.nearest_members`, or what a GPU does in its place."""


class Overlay(NamedTuple):
    """Distinct places of deals in (lat, lon) order, (d,) each, and the index of each deal row's place, (n,) int32."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    labels: NDArray[np.int64]
    place: NDArray[np.int32]


def overlay(
    deals: Deals,
    locations: Locations,
    labels: NDArray[np.int64],
    settings: Settings,
    nearest: Nearest = nearest_members,
) -> Overlay:
    """Assign deals to the clusters in whose areas they lie (method, section 7).

    Parameters
    ----------
    deals : Deals
    locations : Locations
    labels : (n,) int64
        Cluster of each location, -1 for noise.
    settings : Settings
        Uses ``area_degrees``.
    nearest : callable
        Finds the nearest members.
    """
    lon, lat, (place,) = distinct_places([(deals.lon, deals.lat)])
    return Overlay(lon, lat, in_areas(lon, lat, locations, labels, settings.area_degrees, nearest), place)


def overlay_polygons(
    deals: Deals,
    polygons: NDArray[Any],
    locations: Locations,
    members: Members,
    inside: Inside = points_inside,
) -> Overlay:
    """Assign deals to the clusters whose polygons hold them, (k,) in the order of ``members``; see `inside.nearest_holding`."""
    lon, lat, (place,) = distinct_places([(deals.lon, deals.lat)])
    member_lon, member_lat = locations.lon[members.place], locations.lat[members.place]
    found = nearest_holding(polygons, lon, lat, members, member_lon, member_lat, inside)
    return Overlay(lon, lat, np.append(members.labels(), -1)[found], place)


def overlay_regions(deals: Deals, regions: NDArray[Any], inside: Inside = points_inside) -> Overlay:
    """Assign deals to regions as locations are assigned, see `inside.smallest_holding`."""
    lon, lat, (place,) = distinct_places([(deals.lon, deals.lat)])
    return Overlay(lon, lat, smallest_holding(regions, lon, lat, inside), place)


def in_areas(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    locations: Locations,
    labels: NDArray[np.int64],
    area_degrees: float,
    nearest: Nearest = nearest_members,
) -> NDArray[np.int64]:
    """Label of the cluster whose area holds each place, the nearest member's where there are several; -1 for none."""
    result = np.full(len(lon), -1, np.int64)
    members = of_locations(labels)
    if not members.clusters or not len(lon):
        return result
    points = in_degrees(locations.lon[members.place], locations.lat[members.place])
    reach = degrees_reach(area_degrees)
    targets = index.build(points, reach)
    queries = index.build(in_degrees(lon, lat), reach)
    found = nearest(queries, targets, members.cluster[targets.order], reach)
    inside = found >= 0
    result[queries.order[inside]] = members.labels()[found[inside]]
    return result
