"""Clusters that would have one name, as the rule for telling them apart has it."""

from __future__ import annotations

import pytest

from gpu_clusters.steps.describe import Described, Place
from gpu_clusters.steps.name import unique


def described(*cities: tuple[str, str, str]) -> Described:
    """A cluster of cities (name, country, division), each with less output than the one before."""
    places = [Place(*city, "", 100 - number) for number, city in enumerate(cities)]
    return Described(places, places, "0.00°N 0.00°E")


@pytest.mark.parametrize(
    ("divisions", "names"),
    [
        (["OR", "ME"], ["Portland (US-OR)", "Portland (US-ME)"]),
        (["OR", "23"], ["Portland", "Portland (2)"]),  # one state has no letters: the states tell nothing
        (["OR", ""], ["Portland", "Portland (2)"]),
        (["OR", "OR"], ["Portland", "Portland (2)"]),
        (["OR", "OR", "ME"], ["Portland (US-OR)", "Portland (US-OR) (2)", "Portland (US-ME)"]),
    ],
)
def test_states_tell_homonyms_apart_where_all_have_one(divisions, names):
    clusters = [described(("Portland", "US", division)) for division in divisions]
    assert unique(clusters, {}, range(len(clusters))) == names


def test_countries_come_before_states():
    clusters = [described(("Cambridge", country, "ENG")) for country in ("GB", "US", "US")]
    assert unique(clusters, {}, range(3)) == ["Cambridge (GB)", "Cambridge (US)", "Cambridge (US) (2)"]


def test_clusters_far_from_any_place_may_share_their_coordinates():
    assert unique([described(), described(), described()], {}, [1, 0, 2]) == [
        "0.00°N 0.00°E (2)",
        "0.00°N 0.00°E",
        "0.00°N 0.00°E (3)",
    ]
