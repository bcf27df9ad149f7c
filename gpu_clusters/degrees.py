"""Longitudes and latitudes as they are given: which can be used, and in which form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from gpu_clusters.compiled import cached

UNGEOCODED, INVALID, GEOCODED = 0, 1, 2
ELSEWHERE = 0.1  # degrees: no datum is so far off


@cached(numba.njit, nogil=True)
def classify(lon: np.ndarray, lat: np.ndarray, status: np.ndarray) -> None:
    """Say of each row whether it is geocoded, and normalise the coordinates of those that are, in place.

    Parameters
    ----------
    lon, lat : (n,) float64
        Degrees, NaN where missing. Longitudes in [-180, 180) stay bit for bit, others move by 360; -0.0 becomes 0.0.
    status : (n,) int8
        Filled with `UNGEOCODED` (a coordinate is missing), `INVALID` (both given, not both possible) or `GEOCODED`.
    """
    for i in range(lon.shape[0]):
        x, y = lon[i], lat[i]
        if np.isnan(x) or np.isnan(y):
            status[i] = UNGEOCODED
        elif abs(y) <= 90.0 and abs(x) <= 360.0:
            status[i] = GEOCODED
            if x >= 180.0:
                x -= 360.0
            elif x < -180.0:
                x += 360.0
            lon[i] = x + 0.0
            lat[i] = y + 0.0
        else:
            status[i] = INVALID


def classified(xp: Any, lon: Any, lat: Any) -> tuple[Any, Any, Any]:
    """`classify` in array code, for arrays of the module ``xp``: gives longitudes, latitudes and status, bit for bit the same."""
    possible = (abs(lat) <= 90.0) & (abs(lon) <= 360.0)
    missing = xp.isnan(lon) | xp.isnan(lat)
    turned = xp.where(lon >= 180.0, lon - 360.0, xp.where(lon < -180.0, lon + 360.0, lon))
    status = xp.where(possible, GEOCODED, xp.where(missing, UNGEOCODED, INVALID)).astype(np.int8)
    return xp.where(possible, turned + 0.0, lon), xp.where(possible, lat + 0.0, lat), status


def meet(box: Sequence[float] | np.ndarray, boxes: np.ndarray, turn: float, slack: float) -> np.ndarray:
    """Which boxes (west, south, east, north) overlap one by more than ``slack``, whole turns apart too."""
    west, south, east, north = boxes.T
    high = np.minimum(north, box[3]) - np.maximum(south, box[1]) > slack
    wide = np.zeros(len(boxes), np.bool_)
    for shift in (0.0, -2 * turn, -turn, turn, 2 * turn) if turn else (0.0,):
        wide |= np.minimum(east + shift, box[2]) - np.maximum(west + shift, box[0]) > slack
    return high & wide


def elsewhere(lon: np.ndarray, lat: np.ndarray, back_lon: np.ndarray, back_lat: np.ndarray) -> np.ndarray:
    """Which places come back from a map as other ones, far away, so that it has both at one point; not those that are lost."""
    east = ((back_lon - lon + 180) % 360 - 180) * np.cos(np.radians(lat))
    apart = np.hypot(east, back_lat - lat)
    return np.isfinite(apart) & (apart > ELSEWHERE)
