"""The kernel that sums places in areas, and its exact sums, against all pairs."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from rasters import within

from gpu_clusters.kernels import discs, exact
from gpu_clusters.kernels.totals import nothing


def on_earth(lon):
    return (lon + 180) % 360 - 180


class World(NamedTuple):
    """Members of areas, places with values of which some are missing, and the places' division into windows."""

    members: tuple  # lon, lat, area, number of areas, degrees: as of `discs.areas`
    places: tuple  # lon, lat, value
    windows: list


def random_world(seed):
    """Members and places around the date line, at poles, on lattices, in one area or in several, values of any size."""
    rng = np.random.default_rng(seed)
    members, clusters, places = rng.integers(1, 80), rng.integers(1, 6), rng.integers(1, 500)
    area, digits = rng.choice([0.05, 0.125, 0.5, 3.0, 200.0]), rng.choice([1, 2, 6])
    west, span, high = rng.choice([-180, 179, 0, 10]), rng.choice([1, 5, 360]), rng.choice([1, 90])
    lon, other_lon = (on_earth(np.round(west + span * rng.random(n), digits)) for n in (members, places))
    lat, other_lat = (np.round(high * rng.uniform(-1, 1, n), digits) for n in (members, places))
    cluster = rng.permutation(np.arange(members) % clusters)
    value = np.exp(rng.normal(0, rng.choice([1, 100]), places))
    value[rng.random(places) < 0.2] = np.nan
    order = rng.permutation(places)
    windows = np.array_split(order, rng.integers(1, 5))
    return World((lon, lat, cluster, clusters, area), (other_lon, other_lat, value), windows)


def assert_all_pairs(totals, world):
    """Totals are those of a test of every place against every member."""
    (lon, lat, cluster, clusters, area), (other_lon, other_lat, value) = world.members, world.places
    for number in range(clusters):
        own = cluster == number
        inside = within(other_lon, other_lat, zip(lon[own], lat[own], strict=True), area)
        known = inside & ~np.isnan(value)
        assert totals.held[number] == known.sum()
        assert totals.empty[number] == (inside & np.isnan(value)).sum()
        assert exact.rounded(totals.limbs)[number] == math.fsum(value[known])


@pytest.mark.parametrize("seed", range(150))
def test_places_in_areas_equal_all_pairs(seed):
    world = random_world(seed)
    found, totals = discs.areas(*world.members), nothing(world.members[3])
    for part in world.windows:
        discs.gather(found, totals, *(values[part] for values in world.places))
    assert_all_pairs(totals, world)


def test_sums_are_exact_over_all_of_float64():
    values = [5e-324, 2.2e-308, 2.3e-308, 1.0, 1 - 2**-53, 2.0**53, 0.1, 1e300, 1.7e308, 0.0]
    areas = discs.areas(np.zeros(1), np.zeros(1), np.zeros(1, np.int64), 1, 1.0)
    for count in range(1, len(values) + 1):
        totals = nothing(1)
        for value in values[:count] * 3:
            if value < 1e307:
                discs.gather(areas, totals, np.zeros(1), np.zeros(1), np.array([value]))
        expected = math.fsum(v for v in values[:count] * 3 if v < 1e307)
        assert exact.rounded(totals.limbs)[0] == expected
    too_much = np.full(3, 1.7e308)
    discs.gather(areas, totals, np.zeros(3), np.zeros(3), too_much)
    assert exact.rounded(totals.limbs)[0] == math.inf


def test_limbs_have_room_for_so_many_terms():
    largest = [float(np.nextafter(2.0**power, 0)) for power in range(32)]  # each way to fall across limbs
    most = max(part for value in largest for part in exact.parts(value)[1:])
    assert exact.TERMS * most + exact.MASK < 2**63
