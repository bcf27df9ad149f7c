"""Where points live and when two of them are within a radius: on the sphere, in a plane, in plain degrees.

Every space gives a point a *key* (the coordinate along a band), a *height* (the coordinate across bands) and a triple
``x, y, z`` in which two points are within the radius iff ``dx*dx + dy*dy + dz*dz <= limit``:

======== ================= ================= ============================ ===============
space    key               height            x, y, z                      period of key
======== ================= ================= ============================ ===============
SPHERE   longitude, deg    latitude, deg     unit vector                  360
PLANE    easting, m        northing, m       easting, 0, northing         none
DEGREES  longitude, deg    latitude, deg     longitude, 0, latitude       360
======== ================= ================= ============================ ===============

(In DEGREES ``dx`` is the shorter way round.)  ``z`` grows with the height in every space.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0088

SPHERE, PLANE, DEGREES = 0, 1, 2


class Coordinates(NamedTuple):
    """Points of one space, in the order in which they were given; all arrays (n,) float64."""

    kind: int
    key: NDArray[np.float64]
    height: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]


class Reach(NamedTuple):
    """A radius, ready for the kernels.

    ``limit`` decides; ``sure`` and ``maybe`` are the same squared distance with room for rounding on either side, so that
    what lies within ``sure`` passes the test against ``limit`` and what passes it lies within ``maybe``.
    """

    kind: int
    limit: float
    sure: float
    maybe: float
    cosine: float  # of the angular radius; 1 in a plane
    sine: float  # of the angular radius, from a quarter turn on of that of ``sure``; the radius itself in a plane
    slack: float  # room for rounding in the key
    period: float  # of the key; 0: none
    height: float  # largest difference of heights within the radius


def on_sphere(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Coordinates:
    """Unit vectors of points given in degrees: computed here once, on the host, for every engine and device."""
    x, y, z = unit_vectors(lon, lat)
    return Coordinates(SPHERE, np.ascontiguousarray(lon), np.ascontiguousarray(lat), x, y, z)


def in_plane(easting: NDArray[np.float64], northing: NDArray[np.float64]) -> Coordinates:
    """Points of a projected coordinate system, in metres."""
    easting, northing = np.ascontiguousarray(easting), np.ascontiguousarray(northing)
    return Coordinates(PLANE, easting, northing, easting, np.zeros_like(easting), northing)


def in_degrees(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Coordinates:
    """Points in the plain longitude/latitude plane, round at the date line."""
    lon, lat = np.ascontiguousarray(lon), np.ascontiguousarray(lat)
    return Coordinates(DEGREES, lon, lat, lon, np.zeros_like(lon), lat)


def unit_vectors(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors ``x, y, z``, each (n,) float64, of points with ``lon``, ``lat`` in degrees."""
    longitude, latitude = np.radians(lon), np.radians(lat)
    ring = np.cos(latitude)
    x = np.cos(longitude)
    x *= ring
    y = np.sin(longitude, out=longitude)
    y *= ring
    return x, y, np.sin(latitude, out=latitude)


def chord_limit(radius_km: float) -> float:
    """Largest squared chord between unit vectors of points at most ``radius_km`` apart on the Earth's sphere."""
    if radius_km >= math.pi * EARTH_RADIUS_KM:
        return math.inf
    chord = 2 * math.sin(radius_km / (2 * EARTH_RADIUS_KM))
    return chord * chord


def sphere_reach(radius_km: float) -> Reach:
    """The great-circle radius of ``radius_km`` kilometres."""
    limit = chord_limit(radius_km)
    if limit == math.inf:
        return Reach(SPHERE, limit, limit, limit, 0.0, 0.0, 1e-12, 360.0, 360.0)
    chord, angle = math.sqrt(limit), radius_km / EARTH_RADIUS_KM
    sure, maybe = _squared(chord * (1 - 1e-12) - 1e-14), _squared(chord * (1 + 1e-12) + 1e-14)
    # near half a turn a chord hardly grows with its angle, and room for rounding in one is much room in the other
    widest = 2 * math.asin(min(math.sqrt(maybe) / 2, 1.0))
    return Reach(
        kind=SPHERE,
        limit=limit,
        sure=sure,
        maybe=maybe,
        cosine=math.cos(angle),
        sine=math.sin(angle) if angle < math.pi / 2 else math.sqrt(sure * (1 - sure / 4)),
        slack=1e-12,
        period=360.0,
        height=math.degrees(widest) * (1 + 1e-9) + 1e-9,
    )


def plane_reach(radius: float, extent: float, kind: int = PLANE) -> Reach:
    """A planar radius, in the unit of the coordinates, the largest of which is ``extent`` in size."""
    radius = min(float(radius), 4 * extent + 1)  # which holds everything
    room = 8 * np.finfo(np.float64).eps * (extent + radius)
    return Reach(
        kind=kind,
        limit=radius * radius,
        sure=_squared(radius * (1 - 1e-12) - room),
        maybe=_squared(radius * (1 + 1e-12) + room),
        cosine=1.0,
        sine=radius * (1 + 1e-12) + room,
        slack=room,
        period=360.0 if kind == DEGREES else 0.0,
        height=radius * (1 + 1e-9) + room,
    )


def degrees_reach(radius: float) -> Reach:
    """A radius in plain degrees of longitude and latitude."""
    return plane_reach(radius, 360.0, DEGREES)


def _squared(length: float) -> float:
    length = float(length)  # Python's: too large a square is infinite, without a warning
    return length * length if length > 0 else -1.0
