"""Coordinates by city, state and country: rules on a small gazetteer, the command, shares on the real tables."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from exports import geonames
from program import Program

import gpu_clusters
from gpu_clusters.errors import InputError
from gpu_clusters.geocoding.folding import folded
from gpu_clusters.geocoding.match import Matcher
from gpu_clusters.io.countries import iso2
from gpu_clusters.world.published import COUNTRIES

PLACES = [  # name, country, admin1, lat, lon, population, other names
    ("Springfield", "US", "IL", 39.8, -89.6, 110_000),
    ("Springfield", "US", "MO", 37.2, -93.3, 160_000),
    ("Saint-Étienne", "FR", "84", 45.4, 4.4, 170_000, "Sant Etienne"),
    ("Suwon", "KR", "13", 37.3, 127.0, 1_200_000, "Suweon"),
    ("Yokohama", "JP", "19", 35.4, 139.6, 3_700_000, "Kanagawa"),
    ("Twin", "DE", "02", 50.0, 10.0, 900),
    ("Twin", "DE", "06", 52.0, 10.0, 900),
    ("Close", "DE", "02", 50.0, 10.0, 900),
    ("Close", "DE", "02", 50.01, 10.0, 900),
    ("Düsseldorf", "DE", "07", 51.2, 6.8, 600_000),
    ("Bluford", "US", "IL", 38.3, -88.7, 700),
    ("Windhoek", "NA", "21", -22.6, 17.1, 270_000),
    ("Evanston", "US", "IL", 42.0, -87.7, 78_000, "Lake Region"),
    ("San Juan", "PR", "00", 18.4, -66.1, 400_000),
    ("Bandung", "ID", "30", -6.9, 107.6, 1_700_000),
    ("Semarang", "ID", "07", -7.0, 110.4, 1_500_000),
    ("Minsk", "BY", "04", 53.9, 27.57, 1_740_000),
    ("Machulishchy", "BY", "05", 53.78, 27.58, 7_000),
    ("District", "US", "IL", 41.0, -89.0, 900),
    ("Sector 7", "US", "IL", 40.0, -89.0, 900),
    ("Moscow", "RU", "48", 55.75, 37.6, 10_000_000),
    ("Lyubertsy", "RU", "47", 55.7, 37.7, 170_000),
    ("Hyderabad", "IN", "40", 17.4, 78.5, 6_800_000),
    ("Visakhapatnam", "IN", "02", 17.7, 83.3, 2_000_000),
    ("Gwangju", "KR", "18", 35.2, 126.9, 1_400_000),
    ("Gwangju", "KR", "13", 37.4, 127.3, 80_000),
    ("Wyoming", "US", "MI", 42.9, -85.7, 75_000),
    ("Cheyenne", "US", "WY", 41.1, -104.8, 65_000),
    ("Newcastle", "GB", "NIR", 54.2, -5.9, 7_444),
    ("Newcastle upon Tyne", "GB", "ENG", 54.97, -1.61, 300_125, "Newcastle"),
    ("Newcastle-under-Lyme", "GB", "ENG", 53.0, -2.2, 75_000, "Newcastle"),
    ("Newtown", "US", "IL", 38.0, -88.0, 3_384),
    ("Tallahassee", "US", "FL", 30.4, -84.3, 201_731, "Newtown"),
    ("Deerfield", "US", "IL", 42.2, -87.8, 19_019),
    ("Deerfield Beach", "US", "FL", 26.3, -80.1, 79_768, "Deerfield"),
    ("Clifton", "GB", "ENG", 51.5, -2.6, 0),
    ("Clifton upon Teme", "GB", "ENG", 52.3, -2.4, 9_999, "Clifton"),
    ("Kreis", "DE", "07", 51.0, 7.0, 2_000),
    ("Kreis am See", "DE", "06", 52.0, 9.0, 20_000, "Kreis"),
    ("Florida", "US", "NY", 41.3, -74.4, 2_899),
    ("Florida Heights", "US", "FL", 28.0, -82.0, 90_000, "Florida"),
]
CASES = [  # city, state, country, latitude (None: no place), geocode or the reason
    ("Springfield", "", "US", 37.2, "name"),
    ("SPRINGFIELD", "Illinois", "USA", 39.8, "name+admin1"),
    ("Springfield", "IL", "US", 39.8, "name+admin1"),
    ("Springfield", "Nowhere", "US", 37.2, "name"),
    ("Springfield", "Texas", "US", 37.2, "name"),  # a state without places in this gazetteer
    ("St. Etienne", "", "France", 45.4, "name"),
    ("Sant Etienne", "", "FR", 45.4, "altname"),
    ("Suwon-si", "", "KR", 37.3, "suffix"),
    ("Su won", "", "KR", 37.3, "joined"),
    ("Kanagawa", "", "JP", None, "area"),
    ("Kanagawa", "19", "JP", None, "area"),  # a number may be that of another division, in FIPS 10-4
    ("Kanagawa", "Kanagawa", "JP", 35.4, "altname+admin1"),
    ("Close", "06", "DE", 50.0, "name"),  # so it rules out no place
    ("Duesseldorf", "", "DE", 51.2, "suffix"),  # how umlauts are written without them, where there are any
    ("Blueford", "", "US", None, "not found"),
    ("Twin", "", "DE", None, "ambiguous"),
    ("Twin", "06", "DE", 52.0, "name+admin1"),
    ("Close", "", "DE", 50.0, "name"),
    ("Springfield", "", "FR", None, "not found"),
    ("Twin", "", "", None, "no country"),
    (" ", "", "DE", None, "no city"),
    ("Windhoek", "", "NA", -22.6, "name"),
    ("Lake Region", "IL", "US", None, "area"),
    ("San Juan", "Puerto Rico", "US", 18.4, "name"),  # a territory with a code of its own
    ("San Juan", "", "FR", None, "not found"),
    ("Bandung", "Jawa Barat", "ID", -6.9, "name+admin1"),  # of the island Java
    ("Bandung", "JB", "ID", -6.9, "name+admin1"),
    ("Semarang", "West Java", "ID", None, "elsewhere"),
    ("Sumatera", "", "ID", None, "area"),
    ("Minsk", "Minsk", "BY", 53.9, "name+admin1"),  # a division of its own, within another of this name
    ("Moscow", "Moscow", "RU", 55.75, "name+admin1"),
    ("Moscow", "Moscow Oblast", "RU", 55.75, "name"),  # beside it
    ("Hyderabad", "Andhra Pradesh", "IN", 17.4, "name+admin1"),  # which its state was part of
    ("Gwangju", "", "KR", 35.2, "name"),
    ("Gwangju", "Gyeonggi Province", "KR", 37.4, "name+admin1"),  # GeoNames: Gyeonggi-do
    ("42000 St. Etienne Cedex 1", "", "FR", 45.4, "postcode"),
    ("F-42000 Saint-Étienne", "", "FR", 45.4, "postcode"),
    ("Springfield 62701", "IL", "US", 39.8, "postcode+admin1"),
    ("Suwon-si 16499", "", "KR", 37.3, "postcode"),
    ("Kanagawa 221", "", "JP", None, "not found"),
    ("District 9", "", "US", None, "not found"),
    ("62701", "", "US", None, "not found"),
    ("Sector 7", "", "US", 40.0, "name"),
    ("Wyoming", "Wyoming", "US", None, "area"),  # far from the state of this name
    ("Newcastle", "", "GB", 54.97, "altname"),  # the short form of a place with forty times the people
    ("Newcastle", "I7", "GB", 54.97, "altname"),  # a code that is not known
    ("Newcastle", "NIR", "GB", 54.2, "name+admin1"),
    ("Newcastle", "England", "GB", 54.97, "altname+admin1"),
    ("Newcastle", "Scotland", "GB", 54.97, "altname"),  # a state without places in this gazetteer
    ("Newtown", "", "US", 38.0, "name"),  # another name, but no short form
    ("Deerfield", "", "US", 42.2, "name"),  # four times the people
    ("Clifton", "", "GB", 51.5, "name"),  # not ten times a thousand
    ("Kreis", "", "DE", 52.0, "altname"),  # ten times
    ("Kreis", "07", "DE", 51.0, "name+admin1"),
    ("Kreis", "06", "DE", 52.0, "altname+admin1"),  # a number that decides between namesakes
    ("Kreis", "Nordrhein-Westfalen", "DE", 51.0, "name+admin1"),
    ("Kreis", "Bayern", "DE", None, "elsewhere"),
    ("Florida", "", "US", 41.3, "name"),  # as another name an area
]


@pytest.fixture
def export(tmp_path):
    return geonames(tmp_path / "cities500.txt", PLACES)


@pytest.fixture
def program(monkeypatch, capsys, export):
    """The program, in a folder with the gazetteer and in.csv."""
    frame().to_csv(export.parent / "in.csv", index=False)
    return Program(monkeypatch, capsys, export.parent)


def frame() -> pd.DataFrame:
    rows = pd.DataFrame([case[:3] for case in CASES], columns=["town", "state", "land"])
    return rows.assign(id=[f"d{i}" for i in range(len(rows))])


ARGS = ("geocode", "in.csv", "--city", "town", "--country", "land", "--admin", "state", "--gazetteer", "cities500.txt")


def check(table: pd.DataFrame) -> None:
    for row, (city, _, _, lat, how) in zip(table.itertuples(index=False), CASES, strict=True):
        if lat is None:
            assert np.isnan(row.lon) and np.isnan(row.lat) and pd.isna(row.geocode) and row.accuracy == how, (city, row)
        else:
            assert row.lat == lat and row.geocode == how and row.accuracy == "city", (city, row)


def test_rules_in_a_frame_whose_rows_and_index_stay(export):
    given = frame().set_index(pd.Index(range(100, 100 + len(CASES))))
    found = gpu_clusters.geocode(given, city="town", country="land", admin="state", gazetteer=export)
    pd.testing.assert_frame_equal(found[given.columns], given)
    check(found)


def test_missing_and_categorical_columns(export):
    given = pd.DataFrame({"city": ["Suwon", None, "Suwon"], "country": pd.Categorical(["KR", "KR", None])})
    found = gpu_clusters.geocode(given, gazetteer=export)
    assert found["accuracy"].tolist() == ["city", "no city", "no country"]
    empty = gpu_clusters.geocode(given.head(0), gazetteer=export)
    assert empty.columns.tolist() == ["city", "country", "lon", "lat", "geocode", "accuracy"] and not len(empty)


def test_columns_whose_labels_are_numbers(export):
    given = pd.DataFrame({0: ["Suwon"], 1: ["KR"], 2: [(1, "a")]})
    found = gpu_clusters.geocode(given, city="0", country="1", gazetteer=export)
    assert found["lon"].tolist() == [127.0] and found.columns[:3].tolist() == [0, 1, 2]


def test_distinct_addresses_are_looked_up_once(export, monkeypatch):
    asked = []
    find = Matcher.find
    monkeypatch.setattr(Matcher, "find", lambda self, *triple: asked.append(triple) or find(self, *triple))
    given = pd.concat([frame()] * 3, ignore_index=True).sample(frac=1, random_state=1)
    found = gpu_clusters.geocode(given, city="town", country="land", admin="state", gazetteer=export)
    assert len(asked) == len(set(asked)) == len(CASES)
    check(found.sort_index().iloc[len(CASES) : 2 * len(CASES)])


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"city": "a"}, "has no column 'country'"),
        ({"city": "a", "country": "b", "lon": 1.0}, "has a column 'lon' already"),
        (
            {"id;city;country": "1;a;b"},
            "has no column 'city'; it has id;city;country; are its .* separated by semicolons",
        ),
    ],
)
def test_columns_that_do_not_fit(export, columns, says):
    with pytest.raises(InputError, match=says):
        gpu_clusters.geocode(pd.DataFrame(columns, index=[0]), gazetteer=export)


def test_folding_and_countries():
    assert folded("ŁÓDŹ") == "lodz" and folded("Saint–Denis") == "saint denis" and folded("L'Aquila") == "laquila"
    assert folded("Æbelø Œ Ðað Þing Đà Diyarbakır GROẞENHAIN") == "aebelo oe dad thing da diyarbakir grossenhain"
    assert [iso2(text) for text in ("KOR", "Viet Nam", "uk", "NA", "ZZ")] == ["KR", "VN", "GB", "NA", "ZZ"]
    assert [iso2(text) for text in ("Hong Kong, China", "Korea, Rep.", "Côte d'Ivoire")] == ["HK", "KR", "CI"]
    assert [iso2(text) for text in ("U.K.", "U.S.", "P.R. China", "N.A.")] == ["GB", "US", "CN", "N.A."]
    assert [iso2(text) for text in ("UAE", "Republic of Moldova", "Palestine")] == ["AE", "MD", "PS"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("NL", "Netherlands|The Netherlands|NETHERLANDS"),
        ("TR", "Türkiye|Tu\u0308rkiye|Turkiye|Turkey"),
        ("CI", "Côte d'Ivoire|Co\u0302te d’Ivoire|Cote d'Ivoire|Ivory Coast"),
        ("AX", "Åland Islands"),
        ("BL", "Saint Barthélemy"),
        ("BO", "Bolivia, Plurinational State of"),
        ("BQ", "Bonaire, Sint Eustatius and Saba|Bonaire, Saint Eustatius and Saba"),
        ("CD", "Congo, The Democratic Republic of the|Congo, Dem. Rep."),
        ("CG", "Congo|Congo, Rep."),
        ("CW", "Curaçao|Curacao"),
        ("FM", "Micronesia, Federated States of|Micronesia, Fed. Sts."),
        ("KP", "Korea, Democratic People's Republic of|Korea, Dem. People's Rep."),
        ("MD", "Moldova, Republic of"),
        ("RE", "Réunion"),
        ("SK", "Slovak Republic|Slovakia"),
        ("TL", "Timor-Leste"),
        ("TZ", "Tanzania, United Republic of"),
        ("VE", "Venezuela, Bolivarian Republic of|Venezuela, RB"),
    ],
)
def test_countries_by_the_names_of_iso_and_the_world_bank(code, names):
    assert {iso2(name) for name in names.split("|")} == {code}


def test_every_published_country_is_known_by_its_name():
    """The chapter's own table of coverage is one that users will have."""
    assert {name: iso2(name) for name in COUNTRIES if name != "World Total"} == {
        name: code for name, code in COUNTRIES.items() if code != "World"
    }


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_command(program, ending):
    name = f"table.{ending}"
    if ending == "parquet":
        frame().to_parquet(program.here / name)
    else:
        frame().to_csv(program.here / name, index=False, sep="\t" if ending == "tsv" else ",")
    ran = program("geocode", name, *ARGS[2:], "--out", "out.parquet", "--json")
    assert ran.code == 0, ran
    table = pd.read_parquet(program.here / "out.parquet")
    pd.testing.assert_frame_equal(table[frame().columns], frame(), check_dtype=False)
    check(table)
    told = json.loads(ran.out)
    placed = sum(case[3] is not None for case in CASES)
    assert told["rows"] == told["distinct"] == sum(told["accuracy"].values()) == len(CASES)
    assert list(told["accuracy"].items()) == sorted(told["accuracy"].items(), key=lambda item: (-item[1], item[0]))
    assert told["placed"] == told["accuracy"]["city"] == placed
    assert f"placed {placed} of {len(CASES)} rows" in ran.err and "ambiguous 1" in ran.err
    assert not list(program.here.glob(".*"))


def test_command_refuses(program):
    program.refused(2, *ARGS, "--out", "in.csv", "--force", says="is the input")
    program.refused(2, *ARGS, "--out", "nowhere/out.parquet", says="is no folder")
    program.refused(3, *ARGS[:3], "place", *ARGS[4:], "--out", "o.parquet", says="in.csv: has no column 'place'")
    assert program(*ARGS, "--out", "o.parquet").code == 0
    program.refused(2, *ARGS, "--out", "o.parquet", says="give --force")
    (program.here / "o.parquet").write_bytes(b"old")
    assert program(*ARGS, "--out", "o.parquet", "--force").code == 0
    check(pd.read_parquet(program.here / "o.parquet"))


@pytest.mark.parametrize(("name", "least"), [("patents", 0.8385), ("deals", 0.8970)])
def test_real_tables(real_data, name, least):
    given = pd.read_parquet(real_data / f"{name}.parquet")
    found = gpu_clusters.geocode(given[["city", "state", "country"]], admin="state")
    placed, known = found["lon"].notna().to_numpy(), given["lon"].notna().to_numpy()
    assert placed.mean() >= least
    both = placed & known
    a, b, c, d = (np.radians(t[x].to_numpy()[both]) for t in (found, given) for x in ("lon", "lat"))
    h = np.sin((d - b) / 2) ** 2 + np.cos(b) * np.cos(d) * np.sin((c - a) / 2) ** 2
    assert (2 * 6371.0088 * np.arcsin(np.sqrt(h)) <= 5).mean() >= 0.99
