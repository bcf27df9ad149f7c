"""Which cluster a place of the user's names is for: countries and several clusters of one place."""

from __future__ import annotations

import numpy as np
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
