"""Slow and obvious: DBSCAN by all pairs, on whatever coordinates the kernels get."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import connected_components

from gpu_clusters.kernels.spaces import in_plane, on_sphere, plane_reach, sphere_reach


def neighbours(points, reach):
    """All pairs within reach; (n, n) bool."""
    dx, dy, dz = (np.subtract.outer(axis, axis) for axis in (points.x, points.y, points.z))
    return dx * dx + dy * dy + dz * dz <= reach.limit


def cluster(problem):
    """Densities, core flags and labels."""
    near = neighbours(problem.points, problem.reach)
    density = (near * problem.weight).sum(axis=1)
    core = density >= problem.threshold
    labels = np.full(len(core), -1)
    places = np.flatnonzero(core)
    if len(places):
        component = connected_components(near[np.ix_(places, places)], directed=False)[1]
        names = {}
        for name in component:
            names.setdefault(name, len(names))
        labels[places] = [names[name] for name in component]
        for i in np.flatnonzero(~core):
            candidates = places[near[i, places]]
            if not len(candidates):
                continue
            if problem.border == "lowest":
                labels[i] = labels[candidates].min()
            else:
                labels[i] = labels[min(candidates, key=lambda j: (-density[j], problem.lat[j], problem.lon[j], j))]
    return density, core, labels


def random_problem_points(rng, kind, n):
    """Longitudes and latitudes (or metres for kind "plane") and a radius in kilometres, of many nasty kinds."""
    if kind == "globe":
        lon, lat = rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
        radius = 10 ** rng.uniform(1.5, 4.5)
    elif kind in ("north pole", "south pole"):
        lon, lat = rng.uniform(-180, 180, n), 90 - np.abs(rng.normal(size=n)) * 10 ** rng.uniform(-9, 1)
        lat[::7] = 90
        lat = np.clip(lat, -90, 90) * (1 if kind == "north pole" else -1)
        radius = 10 ** rng.uniform(-4, 3.5)
    elif kind == "date line":
        lon, lat = 180 + rng.normal(size=n) * 10 ** rng.uniform(-2, 1), rng.normal(size=n) * 20
        radius = 10 ** rng.uniform(0, 3)
    elif kind == "lattice":
        step = 0.1 * 2.0 ** -rng.integers(0, 4)
        lon = rng.integers(-8, 8, n) * step + rng.choice([0.0, 180.0, 60.0])
        lat = rng.integers(-8, 8, n) * step + rng.choice([0.0, 50.0, 80.0, -89.0])
        radius = step * 111.195 * rng.choice([1, math_sqrt2, 2, 0.999999999, 3])
    elif kind == "whole degrees":
        lon, lat = rng.integers(-180, 180, n) * 1.0, rng.integers(-90, 91, n) * 1.0
        radius = 10 ** rng.uniform(2, 4.4)
    elif kind == "one place":
        lon, lat = np.full(n, rng.uniform(-180, 180)), np.full(n, rng.uniform(-90, 90))
        radius = 10 ** rng.uniform(-6, 5)
    elif kind == "plane":
        lon, lat = rng.integers(-20, 20, n) * 1000.0, rng.integers(-20, 20, n) * 1000.0 + 5e6
        return lon, lat, float(rng.choice([1, math_sqrt2, 2, 2.5, 5, 100]))
    else:
        lon, lat = rng.normal(size=n) * 0.5, 45 + rng.normal(size=n) * 0.5
        radius = 10 ** rng.uniform(-4, 2)
    return (lon + 180) % 360 - 180, np.clip(lat, -90, 90), radius


def in_space(kind, lon, lat, radius):
    """Such points and their reach as kernels take them."""
    if kind == "plane":
        return in_plane(lon, lat), plane_reach(1000 * radius, float(np.abs(lat).max()))
    return on_sphere(lon, lat), sphere_reach(radius)


math_sqrt2 = 2**0.5
KINDS = ("globe", "north pole", "south pole", "date line", "lattice", "whole degrees", "one place", "plane", "town")
