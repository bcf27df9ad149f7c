"""States, provinces and prefectures by all that an address may call them."""

from __future__ import annotations

import pytest

from gpu_clusters.geocoding.admin1 import Divisions, without_kind
from gpu_clusters.io.gazetteer import gazetteer


@pytest.fixture(scope="module")
def divisions() -> Divisions:
    return Divisions(gazetteer())


@pytest.mark.parametrize(
    ("country", "texts", "codes"),
    [
        ("NG", ["Oyo State", "Oyo", "OYO STATE", "State of Oyo", "OY", "NG-OY"], {"32"}),
        ("JP", ["Gunma", "Gunma Prefecture", "Gunma-ken"], {"10"}),
        ("JP", ["Ōsaka", "Osaka-fu", "Osaka Pref."], {"32"}),
        ("KR", ["Jeju-do", "Jeju", "Jeju Province"], {"01"}),
        ("CN", ["Hebei", "Hebei Sheng", "Hebei Province", "HE", "CN-HE"], {"10"}),
        ("CN", ["Beijing", "Beijing Shi", "Beijing City", "Beijing Municipality"], {"22"}),
        ("SE", ["Stockholm", "Stockholms län", "Stockholm County", "AB"], {"26"}),
        ("VN", ["Ho Chi Minh City", "Ho Chi Minh"], {"79"}),
        ("US", ["New York", "New York State", "State of New York", "NY", "US-NY"], {"NY"}),
        ("UA", ["Kyiv City"], {"12"}),
        ("UA", ["Kyiv Oblast"], {"13"}),
        ("UA", ["Kyiv", "Kyiv Region"], {"12", "13"}),  # of the city or around it
        ("AR", ["Buenos Aires"], {"01", "07"}),
        ("RU", ["Respublika Altaj"], {"03"}),
        ("RU", ["Altai Krai"], {"04"}),
        ("RU", ["Altai"], {"03", "04"}),
        ("IN", ["Telangana", "TS"], {"40"}),
        ("IN", ["Andhra Pradesh", "AP"], {"02", "40"}),  # which Telangana was part of
        ("ID", ["South Papua"], {"PS"}),
        ("KR", ["Jeollanam-do", "South Jeolla"], {"16", "18"}),
        ("NO", ["Viken"], {"01", "04", "13"}),
    ],
)
def test_all_that_names_a_division(divisions, country, texts, codes):
    for text in texts:
        found = divisions.find(country, text)
        assert found is not None and found.codes == codes and found.sure, (text, found)


def test_numbers_are_of_a_standard_only_with_the_country_and_rule_out_nothing(divisions):
    for text, code in (("JP-13", "40"), ("13", "13")):  # Tokyo in ISO 3166-2, Hyōgo in GeoNames
        found = divisions.find("JP", text)
        assert found.codes == {code} and not found.sure


@pytest.mark.parametrize(
    ("country", "text"), [("US", "Washington County"), ("US", "Nowhere"), ("CN", "JP-13"), ("ID", "Sumatera")]
)
def test_what_names_no_division(divisions, country, text):
    assert divisions.find(country, text) is None


def test_a_name_of_kinds_alone_stays():
    assert without_kind("free state", {"free", "state"}) == "free"
    assert without_kind("state province", {"province", "state"}) == "state"
    assert without_kind("province 1", {"province"}) == "province 1"


def test_divisions_of_large_cities_have_a_name(divisions):
    places = gazetteer()
    large = places[(places["population"] >= 500_000) & ~places["admin1"].isin(["", "00"])]
    codes = set(zip(large["country"], large["admin1"], strict=True))
    named = {
        (country, code)
        for country, names in divisions._table.items()
        for found in names.names.values()
        for code in found
    }
    assert len(codes) > 500 and codes <= named
