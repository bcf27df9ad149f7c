"""Rows whose coordinates do not go with the country that they name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpu_clusters.arrays import to_host
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.wording import counted

MARGIN = 5.0  # degrees around a country's towns
LOOKED_AT = 100_000  # rows at most, evenly over the table


def at_zero(data: Addresses | Deals, table: str) -> list[str]:
    """A warning where rows that name a country lie at longitude 0, latitude 0."""
    rows = int(((data.lon == 0) & (data.lat == 0) & (data.country >= 0)).sum())
    if not rows:
        return []
    which = counted(rows, "row that names a country is", "rows that name a country are")
    return [
        f"{table}: {which} at longitude 0, latitude 0, in the sea, as many geocoders write where they find nothing; "
        "leave such coordinates empty"
    ]


def swapped(data: Addresses | Deals, table: str, towns: pd.DataFrame) -> list[str]:
    """A warning where more than half of the rows lie far outside of their country, and would not with the two exchanged.

    Of a table with countries; rows whose country has no town do not count. A country is the box around its ``towns``
    (``country``, ``lon``, ``lat``), and `MARGIN` more, so that a table with right coordinates is not warned of; a table of
    countries that lie as far north as east may be swapped without a warning.
    """
    step = -(-data.rows // LOOKED_AT)
    lon, lat, country = (to_host(column[::step]) for column in (data.lon, data.lat, data.country))
    boxes = towns.groupby("country")[["lon", "lat"]].agg(["min", "max"]).reindex(data.countries).to_numpy()
    known = (country >= 0) & ~np.isnan(boxes[country, 0])
    lon, lat, (west, east, south, north) = lon[known], lat[known], boxes[country[known]].T

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x >= west - MARGIN) & (x <= east + MARGIN) & (y >= south - MARGIN) & (y <= north + MARGIN)

    exchanged = int((~inside(lon, lat) & inside(lat, lon)).sum())
    if 2 * exchanged <= len(lon):
        return []
    which = counted(exchanged, "row that names a country lies", "rows that name a country lie")
    return [
        f"{table}: {which} far outside of it, and within it once lon and lat are exchanged, of {len(lon):,}"
        f"{'' if step == 1 else ' looked at'}; if they are swapped, give these columns the other way round"
    ]
