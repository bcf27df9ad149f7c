"""Regions that the user brings, ranked in place of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.steps.inside import Inside, points_inside, smallest_holding
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.merge import Merged


def in_regions(
    locations: Locations, regions: NDArray[Any], inside: Inside = points_inside
) -> tuple[Clustering, Merged]:
    """Place locations in regions, (r,) polygons: each in the smallest that holds it, see `inside.smallest_holding`.

    Nothing is clustered: no location is core, its density is its own weight, and there are no initial clusters.
    """
    nothing = np.full(len(locations.lon), -1, np.int64)
    labels = smallest_holding(regions, locations.lon, locations.lat, inside)
    clustering = Clustering(locations.weight, np.zeros(len(nothing), np.bool_), nothing)
    return clustering, Merged(labels, np.empty((0, 2), np.int64))


def named_regions(ranking: pd.DataFrame, names: Sequence[str | None], polygons: NDArray[Any]) -> pd.DataFrame:
    """The ranking with the regions' names; a region without addresses is at a point within it, one without an area nowhere.

    Parameters
    ----------
    ranking : DataFrame
        By rank, in the columns of ``schema.RANKING``.
    names : (r,) sequence of str or None
    polygons : (r,) array of shapely polygons
        Both in the order of the ranking.
    """
    lon, lat = ranking["lon"].to_numpy(copy=True), ranking["lat"].to_numpy(copy=True)
    alone = np.flatnonzero(
        (ranking["locations"].to_numpy() == 0) & ~(shapely.is_missing(polygons) | shapely.is_empty(polygons))
    )
    lon[alone], lat[alone] = shapely.get_coordinates(shapely.point_on_surface(polygons[alone])).T
    return ranking.assign(name=pd.Series(list(names), index=ranking.index, dtype=object), lon=lon, lat=lat)
