"""Which candidate of the ArcGIS geocoder counts as the city, and how it is asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from arcgis import candidate

from gpu_clusters.geocoding.admin1 import Divisions
from gpu_clusters.geocoding.choose import chosen, fitting, query

PLACES = pd.DataFrame({"country": ["US", "US", "FR"], "admin1": ["IL", "MO", "84"]})


def fit(state="", country="US"):
    return fitting(Divisions(PLACES), state, country)


def slim(*arguments, **more):
    one = candidate(*arguments, **more)
    return {"lon": one["location"]["x"], "lat": one["location"]["y"]} | {k: one[k] for k in ("score", "attributes")}


@pytest.mark.parametrize(
    ("candidates", "state", "place"),
    [
        ([], "", "not found"),
        ([slim(1, 2)], "", 1),
        ([slim(1, 2, score=84.9)], "", "not found"),
        ([slim(1, 2), slim(1.01, 2)], "", 1),
        ([slim(1, 2), slim(9, 9)], "", "ambiguous"),
        ([slim(1, 2), slim(9, 9, score=99)], "", 1),
        ([slim(9, 9, score=99), slim(1, 2)], "", 1),
        *[
            ([slim(1, 2, kind=kind)], "", "area")
            for kind in ("State or Province", "County", "Country", "MetroArea", "")
        ],
        *[([slim(1, 2, kind=kind)], "", 1) for kind in ("District", "Neighborhood", "Block")],
        *[([slim(1, 2, kind="", level=level)], "", 1) for level in ("PointAddress", "Postal", "StreetAddress")],
        ([slim(1, 2, kind="", City="Paris")], "", 1),  # a locator that gives no type
        ([slim(1, 2, kind="County", City="Paris")], "", "area"),
        ([slim(1, 2, kind="Hotel", level="POI")], "", "not a city"),
        ([slim(1, 2, kind="", level="StreetName")], "", "not a city"),
        ([slim(1, 2, kind="Hotel", level="POI"), slim(3, 3, score=90)], "", 3),
        ([slim(1, 2, kind="County"), slim(3, 3, score=90)], "", "area"),
        ([slim(1, 2, kind="County"), slim(3, 3)], "", 3),
        ([slim(1, 2, Country="CAN")], "", "elsewhere"),
        ([slim(1, 2, Country="PRI")], "", 1),  # counted to the US
        ([slim(1, 2, Country="CAN"), slim(3, 3, score=90, Country="USA")], "", 3),
        ([slim(1, 2, Country="USA", Region="Missouri")], "IL", "elsewhere"),
        ([slim(1, 2, Country="USA", RegionAbbr="MO")], "Missouri", 1),
        (
            [slim(1, 2, Country="USA", Region="Missouri"), slim(3, 3, score=90, Country="USA", Region="Illinois")],
            "IL",
            3,
        ),
        ([slim(1, 2, Country="USA", Region="Missouri")], "Atlantis", 1),  # no state of the country
    ],
)
def test_what_counts_as_the_city(candidates, state, place):
    found = chosen(candidates, fit(state))
    if isinstance(place, str):
        assert np.isnan(found.lon) and found.geocode is None and found.accuracy == place
    else:
        assert (found.lon, found.geocode, found.accuracy) == (place, "arcgis", "city")


def test_questions_in_words():
    assert query("Ontario", "", "CA") == "Ontario, Canada" and query(" A  B ", "IL", "usa") == "A B, IL, United States"
    assert (
        query("A", "08", "Canada") == query("A", "8.0", "CA") == "A, Canada" and query("A", "", "Utopia") == "A, Utopia"
    )
    assert fit(country="Utopia")({"Country": "USA"})  # nothing is known of such a country
