"""Distinct places within the sites: street-level points of inventors, few and heavy points of authors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.world.sites import Sites, shifted

DIGITS = {"patents": 6, "publications": 4}
STREETS = 0.62  # points for an inventor's address
WITHIN = 0.97  # of a site's radius


class Points(NamedTuple):
    """Places by site, the first of each its centre: (p,) degrees, and the first and number of each site's, (n,)."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    site: NDArray[np.int32]
    first: NDArray[np.int64]
    number: NDArray[np.int64]


def draw(sites: Sites, rows: NDArray[np.int64], table: str, rng: np.random.Generator) -> Points:
    """Draw the places of a table; each has a row, so all of them are locations."""
    if table == "patents":
        count = np.ceil(STREETS * rows).astype(np.int64)
    else:
        count = np.minimum(rows, 1 + (0.5 * np.sqrt(rows)).astype(np.int64))
    count = np.where((sites.radius_km > 0) | (rows == 0), count, 1)
    first = np.cumsum(count) - count
    site = np.repeat(np.arange(len(rows), dtype=np.int32), count)
    km = sites.radius_km[site] * WITHIN * rng.random(len(site)) ** 0.75
    bearing = rng.uniform(0, 2 * np.pi, len(site))
    lon, lat = shifted(sites.lon[site], sites.lat[site], km, bearing)
    lon, lat = lon.round(DIGITS[table]), lat.round(DIGITS[table])
    centre = first[count > 0]
    lon[centre], lat[centre] = sites.lon[count > 0], sites.lat[count > 0]
    lon[lon >= 180] -= 360
    return Points(lon, lat, site, first, count)


def of_rows(
    points: Points, site: NDArray[np.int16], within: NDArray[np.int32], table: str, rng: np.random.Generator
) -> NDArray[np.int32]:
    """The point of each row: every point once, then any; with authors the first ones most."""
    count = points.number[site]
    power = 1.0 if table == "patents" else 2.5
    other = (count * rng.random(len(site)) ** power).astype(np.int64)
    return (points.first[site] + np.where(within < count, within, other)).astype(np.int32)


def truth(sites: Sites, cluster: NDArray[np.int64], tables: list[Points]) -> pd.DataFrame:
    """Every location with its planted ``cluster``, (n,) by site (position in the list of clusters, -1 noise), and part.

    Columns ``lon``, ``lat``, ``cluster``, ``part``, ``kind`` (of site); in (lat, lon) order.
    """
    lon, lat = (np.concatenate([getattr(points, name) for points in tables]) for name in ("lon", "lat"))
    site = np.concatenate([points.site for points in tables])
    order = np.lexsort((lon, lat))
    lon, lat, site = lon[order] + 0.0, lat[order] + 0.0, site[order]
    new = (np.diff(lon, prepend=np.inf) != 0) | (np.diff(lat, prepend=np.inf) != 0)
    lon, lat, site = lon[new], lat[new], site[new]
    columns = {"cluster": cluster[site], "part": sites.part[site], "kind": sites.kind[site]}
    return pd.DataFrame({"lon": lon, "lat": lat, **columns})
