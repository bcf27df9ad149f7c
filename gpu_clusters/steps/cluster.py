"""From weighted locations to clusters, with the engine of choice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.engines.protocol import Clustering, Engine, Problem
from gpu_clusters.kernels.spaces import SPHERE, Coordinates, Reach, in_plane, on_sphere, plane_reach, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.plane import project


def cluster(locations: Locations, settings: Settings, engine: Engine) -> Clustering:
    """Cluster the locations (method, sections 4 and 5); nothing but the engine's speed depends on the engine."""
    points, reach = space(locations.lon, locations.lat, settings)
    problem = Problem(
        points, locations.lon, locations.lat, locations.weight, reach, locations.threshold, settings.border
    )
    return engine(problem)


def space(lon: NDArray[np.float64], lat: NDArray[np.float64], settings: Settings) -> tuple[Coordinates, Reach]:
    """Coordinates to cluster in, and the radius there: on the sphere, or in the plane of ``settings.crs``."""
    points = on_sphere(lon, lat) if settings.crs is None else in_plane(*project(lon, lat, settings.crs))
    return points, reach_within(points.kind, extent(points), settings.radius_km)


def extent(points: Coordinates) -> float:
    """The largest coordinate of points in a plane; 0 on the sphere, where none is needed."""
    if points.kind == SPHERE:
        return 0.0
    return float(max(np.abs(points.x).max(initial=0.0), np.abs(points.z).max(initial=0.0)))


def reach_within(kind: int, extent: float, radius_km: float) -> Reach:
    """A radius in a space of the ``kind``, among points of the ``extent``."""
    return sphere_reach(radius_km) if kind == SPHERE else plane_reach(radius_km * 1000.0, extent)
