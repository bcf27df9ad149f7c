"""Which cluster a place of the user's names is for: countries and several clusters of one place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpu_clusters.errors import InputError
from gpu_clusters.io.overrides import read_overrides
from gpu_clusters.steps.describe import Described, Place, Points
from gpu_clusters.steps.rename import named_by

NOWHERE = Points(np.empty(0), np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))


def described(*places: tuple[str, str, int]) -> Described:
    """A cluster of places (name, country, output), the largest output first."""
    found = [Place(name, country, "", "", output) for name, country, output in places]
    return Described(found, found, "0.00°N 0.00°E")


def found_by(place: str, *clusters: Described) -> dict[int, str]:
    names = [f"automatic {number}" for number in range(len(clusters))]
    given, warnings = named_by(read_overrides({place: "Mine"}), clusters, names, NOWHERE)
    assert not warnings
    return given


def test_a_place_in_two_countries_is_ambiguous_whatever_else_the_clusters_hold():
    one = described(("Large", "US", 90), ("Twin", "US", 5))
    other = described(("Larger", "US", 99), ("Twin", "CA", 40))
    with pytest.raises(InputError, match="there are several 'Twin', in CA, US"):
        found_by("Twin", one, other)


def test_a_place_in_two_clusters_of_a_country_is_where_it_carries_most():
    one = described(("Large", "US", 90), ("Twin", "CA", 5))
    other = described(("Larger", "CA", 99), ("Twin", "CA", 40))
    assert found_by("Twin", one, other) == {1: "Mine"}
    assert found_by("Twin", other, one) == {0: "Mine"}
    assert found_by("Twin", one, one) == {0: "Mine"}  # of equals the first


def test_a_place_that_carries_nothing_is_a_place_of_its_cluster():
    assert found_by("Small", described(("Other", "US", 0)), described(("Large", "US", 9), ("Small", "US", 0))) == {
        1: "Mine"
    }


def test_coordinates_are_for_the_nearest_of_many_points():
    """A thousand rows beside a fifth of a million points."""
    lon, lat = np.random.default_rng(1).uniform(-60, 60, (2, 200_000))
    own = np.arange(1000)
    points = Points(lon, lat, np.minimum(np.arange(len(lon)), 1000), np.ones(len(lon), np.int64))
    rows = pd.DataFrame({"lon": lon[own], "lat": lat[own] + 1e-7, "name": [f"N{number}" for number in own]})
    nowhere = pd.DataFrame({"lon": [0.0, 0.0, 0.0], "lat": [90.0, -90.0, 60.2], "name": ["north", "south", "far"]})
    given = read_overrides(pd.concat([rows, nowhere]))
    named, warnings = named_by(given, [described()] * 1001, [str(number) for number in range(1001)], points)
    assert named == dict(zip(own.tolist(), rows["name"], strict=True))
    assert len(warnings) == 3


def test_coordinates_are_for_the_first_of_equally_near_points():
    """Also where it lies farther north, and at the edge of what is near."""
    rows = pd.DataFrame({"lon": [0.0], "lat": [0.0], "name": ["Mine"]})
    for away, found in ((0.01, {0: "Mine"}), (0.0899, {0: "Mine"}), (0.09, {})):
        points = Points(np.zeros(2), np.array([away, -away]), np.arange(2), np.ones(2, np.int64))
        assert named_by(read_overrides(rows), [described()] * 2, ["one", "other"], points)[0] == found
