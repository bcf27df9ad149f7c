"""The boundaries of clusters: their areas, their hulls, or polygons that the user brings."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by
from gpu_clusters.settings import Settings
from gpu_clusters.steps.hulls import hulls
from gpu_clusters.steps.inside import Inside, points_inside
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.members import Members
from gpu_clusters.steps.outline import area_polygons
from gpu_clusters.wording import counted


def draw(
    locations: Locations,
    members: Members,
    settings: Settings,
    given: NDArray[Any] | None = None,
    inside: Inside = points_inside,
) -> NDArray[Any]:
    """One polygon or multipolygon a cluster, in the order of ``members``; (k,) of shapely.

    Parameters
    ----------
    locations : Locations
    members : Members
    settings : Settings
        Uses ``boundary`` and ``area_degrees``.
    given : array of polygons, optional
        What the file holds that ``boundary`` names; see `claimed`.
    inside : Inside
    """
    if given is not None:
        return claimed(given, locations, members, inside)
    lon, lat, cluster = locations.lon[members.place], locations.lat[members.place], members.cluster
    if settings.boundary == "area":
        return area_polygons(lon, lat, cluster, members.clusters, settings.area_degrees)
    polygons = hulls(lon, lat, cluster, members.clusters, concave=settings.boundary == "concave")
    flat = shapely.is_empty(polygons)
    if flat.any():  # a place, or places in a line: no hull has an area, so the method's own stands in
        own = flat[cluster]
        number = np.cumsum(flat) - 1
        polygons[flat] = area_polygons(
            *(lon[own], lat[own], number[cluster[own]], int(flat.sum()), settings.area_degrees), divided=False
        )
    return polygons


def claimed(
    given: NDArray[Any], locations: Locations, members: Members, inside: Inside = points_inside
) -> NDArray[Any]:
    """Of polygons the ones of each cluster: a polygon is that cluster's whose members in it weigh most.

    Equal weights: the first cluster in the order of ``members``. A polygon without a member is nobody's; several of a cluster
    are united; a cluster without one has an empty polygon.
    """
    point, polygon = inside(given, locations.lon[members.place], locations.lat[members.place])
    pair, of_pair = np.unique(polygon * members.clusters + members.cluster[point], return_inverse=True)
    weight = sum_by(of_pair, locations.weight[members.place][point], len(pair))
    polygon, cluster = np.divmod(pair, members.clusters)
    order = np.lexsort((cluster, -weight, polygon))
    owned, first = np.unique(polygon[order], return_index=True)
    owner = cluster[order[first]]
    result = np.full(members.clusters, shapely.Polygon(), object)
    for number in np.unique(owner):
        own = given[owned[owner == number]]
        result[number] = own[0] if len(own) == 1 else shapely.union_all(own)
    return result


def warnings_of(polygons: NDArray[Any]) -> list[str]:
    """What the user of a file of boundaries must know of the clusters' polygons."""
    none = int(shapely.is_empty(polygons).sum())
    if not none:
        return []
    return [
        f"boundary: the file has no polygon for {none:,} of {counted(len(polygons), 'cluster')} (none in which "
        "their places weigh most): without one there is no boundary, no deal and no population"
    ]
