"""The nearest locations of a place at every level, against all pairs."""

from __future__ import annotations

import cuda_loops
import cupy_double
import numpy as np
import pytest

from gpu_clusters.engines import cuda, hierarchy
from gpu_clusters.engines.levels import ON_CPU
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels import nearby
from gpu_clusters.kernels.spaces import degrees_reach, in_degrees

LEVELS = 60


def scene(kind, rng):
    """Places, locations and levels: a grid with ties, a crowd whose levels rise outwards, or both sides of the date line."""
    if kind == "outwards":  # every location is the nearest at its own level
        angle, far = rng.uniform(0, 2 * np.pi, 300), np.sort(rng.uniform(0, 0.05, 300))
        level = np.minimum(np.arange(300) // 4, LEVELS)
        return (
            np.array([10.0, 10.001]),
            np.array([50.0, 50.0]),
            10 + far * np.cos(angle),
            50 + far * np.sin(angle),
            level,
        )
    lon, lat = rng.integers(-8, 9, (2, 400)) / 100
    place_lon, place_lat = rng.integers(-8, 9, (2, 40)) / 100 + rng.choice([0.0, 0.005], (2, 40))
    if kind == "date line":
        lon, place_lon = (np.where(x >= 0, x - 180, x + 180) for x in (lon, place_lon))
    return place_lon, place_lat, lon, lat, rng.integers(0, LEVELS + 1, 400)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["grid", "outwards", "date line"])
def test_nearest_of_every_level(kind, seed):
    place_lon, place_lat, lon, lat, level = scene(kind, np.random.default_rng(seed))
    reach = degrees_reach(0.05)
    queries, targets = (index.build(in_degrees(*at), reach) for at in ((place_lon, place_lat), (lon, lat)))
    found = nearby.nearest_by_level(queries, targets, reach, level.astype(np.int16), LEVELS)
    most = 0
    for place in range(len(place_lon)):
        dx = np.abs(lon - place_lon[place])
        dx = np.where(dx > 180, 360 - dx, dx)
        square = dx * dx + (lat - place_lat[place]) ** 2
        near = (square <= 0.05 * 0.05) & (level > 0)
        best = [square[near & (level >= at)].min(initial=np.inf) for at in range(LEVELS + 1)]
        expected = {i for i in np.flatnonzero(near) if square[i] == best[level[i]]}
        got = found.location[found.start[place] : found.start[place + 1]]
        numbers = np.where(got < 0, -1 - got, got)
        assert len(got) == len(expected) and set(numbers.tolist()) == expected
        assert (np.diff(square[numbers]) >= 0).all()
        assert ((got < 0) == (np.diff(square[numbers], prepend=-1) == 0)).all()
        most = max(most, len(got))
    assert most > (nearby.ROOM if kind == "outwards" else 1)


@pytest.mark.parametrize("where", ["host", "device"])
def test_equally_near_locations_above_and_below_where_squares_lose_bits(where, monkeypatch):
    """Of the sum of two squares hardly any bits are those of the small one: what is left of it tells little of how near."""
    monkeypatch.setattr(cuda, "launch", cuda_loops.launch)
    of = hierarchy.kernels(cupy_double) if where == "device" else ON_CPU
    reach = degrees_reach(1.5)
    for aside in np.ldexp(np.random.default_rng(0).uniform(1, 2, 60), -25):
        lon = aside + np.array([0.0, 0.0, 0.5, 0.5])  # the last two are farther
        lat = np.array([41.0, 39.0, 41.1, 38.9])
        level = of.xp.asarray(np.ones(4, np.int16))
        place, targets = (of.build(in_degrees(*at), reach) for at in ((np.zeros(1), np.full(1, 40.0)), (lon, lat)))
        found = of.nearest_by_level(place, targets, reach, level, 1)
        assert sorted(np.where(found.location < 0, -1 - found.location, found.location).tolist()) == [0, 1], aside
