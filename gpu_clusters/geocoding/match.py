"""Places of cities that are known by name, state and country, from a gazetteer (GeoNames)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from gpu_clusters.geocoding.admin1 import Division, Divisions
from gpu_clusters.geocoding.folding import folded
from gpu_clusters.geocoding.postcodes import without_postcode
from gpu_clusters.io.countries import iso2

NEAR_KM = 5.0
"""Namesakes of equal population this close are one place."""
BESIDE_KM = 15.0
"""A city this close to the places of a division that is called as it is, and lies around it, may be given that division."""
SHORT_FORM_TIMES = 10
"""A name that is another place's short form (Newcastle upon Tyne) means that place if it has so many times the people."""
LEAST_PEOPLE = 1000
"""Places of fewer people, and of none in the gazetteer (unknown), count so many in that comparison."""

_CITY = {
    "JP": {"shi", "city", "machi", "cho", "mura"},
    "KR": {"si", "shi", "city"},
    "TW": {"shi", "city", "township", "zhen"},
    "CN": {"shi", "city"},
}
_AREA = {
    "JP": {"ken", "fu", "to", "gun", "prefecture", "pref"},
    "KR": {"do", "gun", "province"},
    "TW": {"county", "hsien", "xian", "prefecture"},
    "CN": {"province", "sheng", "county", "xian", "prefecture"},
}
_CITY_ELSEWHERE, _AREA_ELSEWHERE = {"city"}, {"province", "prefecture", "oblast", "region"}
_UMLAUTS = {"DE", "AT", "CH"}
BELONGING = {
    "CN": ("HK", "MO"),
    "US": ("PR", "VI", "GU"),
    "FR": ("RE", "GP", "MQ", "GF"),
    "GB": ("IM", "JE", "GG"),
    "NL": ("CW", "AW", "SX"),
    "NO": ("SJ",),
    "DK": ("FO", "GL"),
    "FI": ("AX",),
}
"""Territories with a code of their own that addresses count to another country."""


class Place(NamedTuple):
    """Where a (city, state, country) is, or why that is not known.

    ``lon``, ``lat`` in degrees, NaN where unknown; ``geocode`` says how it was found (None if not), ``accuracy`` is ``city``
    or the reason: ``area`` (the name of a state or a county), ``ambiguous``, ``elsewhere`` (only in another state),
    ``not found``, ``no city``, ``no country``. The fallback adds ``arcgis``, ``not a city`` and ``refused``.
    """

    lon: float
    lat: float
    geocode: str | None
    accuracy: str


class Matcher:
    """Finds cities by name.

    A name is looked up in its country: among the places' own names; then among their other names; then without words that
    mean city (``-si``, ``City``); then without spaces. At each of these the state, if there is one, decides between namesakes,
    and then the population. Another name that is the short form of an own one goes first if the place is much larger. Where
    nothing is found, the same is tried without a postal code.

    Parameters
    ----------
    places : DataFrame
        As `gpu_clusters.io.gazetteer.gazetteer` gives it.
    cities : iterable of (city, country)
        All that will be looked up: only their names are put in order.
    """

    def __init__(self, places: pd.DataFrame, cities: Iterable[tuple[str, str]]) -> None:
        self.divisions = Divisions(places)
        self._lon, self._lat = places["lon"].to_numpy(), places["lat"].to_numpy()
        self._population = places["population"].to_numpy()
        self._admin1, self._name = places["admin1"].to_numpy(object), places["name"].to_numpy(object)
        self._country = places["country"].to_numpy(object)
        wanted: dict[str, dict[str, set[str]]] = {level: defaultdict(set) for level in ("name", "suffix", "joined")}
        for city, country in cities:
            code = iso2(country)
            for name in filter(None, (city, without_postcode(folded(city)))):
                for one in (code, *BELONGING.get(code, ())):
                    for level, key in _keys(name, one):
                        wanted["name" if level in ("name", "altname") else level][one].add(key)
        self._index = _index(places, wanted)

    def find(self, city: str, state: str, country: str) -> Place:
        """The place of a city; empty texts are missing."""
        if not country.strip():
            return nowhere("no country")
        code, name = iso2(country), folded(city)
        if not name:
            return nowhere("no city")
        place = self._anywhere(code, city, state)
        if place.accuracy == "not found" and (bare := without_postcode(name)):
            there = self._anywhere(code, bare, state)
            if there.geocode:
                return there._replace(geocode="postcode" + "+admin1" * there.geocode.endswith("+admin1"))
        return place

    def _anywhere(self, code: str, city: str, state: str) -> Place:
        """The place of a city within a country and the territories that belong to it."""
        place = self._within(code, city, state)
        if place.accuracy == "not found":
            for one in BELONGING.get(code, ()):
                if (there := self._within(one, city, "")).geocode:
                    return there
        return place

    def _within(self, country: str, city: str, state: str) -> Place:
        """The place of a city within a country, given by its code."""
        name = folded(city)
        is_area = self.divisions.is_area(country, name)
        division = self.divisions.find(country, state) if state.strip() else None
        elsewhere = False
        for level, key in _keys(city, country):
            found = self._index[level].get((country, key), [])
            if level != "name":
                found = [i for i in found if not self._is_area(country, name, i, level, division)]
            elif longer := self._longer(country, name, found, division):
                found, level = longer, "altname"
            if not found:
                continue
            within = [i for i in found if division is not None and self._admin1[i] in division.codes]
            if division is not None and division.sure and not within:
                found = self._beside(country, name, found, division)
                if not found:
                    elsewhere = True
                    continue
            place = self._largest(within or found, level + ("+admin1" if within else ""))
            return nowhere("area") if is_area and place.geocode is None else place
        if is_area or _last_word(name) in _AREA.get(country, _AREA_ELSEWHERE):
            return nowhere("area")
        return nowhere("elsewhere" if elsewhere else "not found")

    def _is_area(self, country: str, name: str, place: int, level: str, division: Division | None) -> bool:
        """Whether a name that is not the place's own means the area that the place lies in.

        Kanagawa is another name of Yokohama, and an area. Not so where city and area have the name in common (Lisboa),
        where the state says so (New York in New York), or where GeoNames calls it "New York City".
        """
        if _last_word(name) in _AREA.get(country, _AREA_ELSEWHERE):
            return True
        if not self.divisions.is_area(country, name) or _core(name, country) != name:
            return False
        own = folded(self._name[place])
        if self.divisions.is_named_after(country, name, own):
            return False
        if level != "altname":
            return True
        within = division is not None and division.sure and self._admin1[place] in division.codes
        return not within and own != f"{name} city"

    def _beside(self, country: str, name: str, found: list[int], division: Division) -> list[int]:
        """Those of some places that lie beside a division which is called as they are, and are no part of it.

        Minsk and Buenos Aires are divisions of their own, within others of the same name.
        """
        called = self.divisions.find(country, name)
        if called is None or not called.codes & division.codes:
            return []
        there = np.flatnonzero((self._country == country) & np.isin(self._admin1, list(division.codes)))
        lon, lat = self._lon[there], self._lat[there]
        return [i for i in found if (km(self._lon[i], self._lat[i], lon, lat) <= BESIDE_KM).any()]

    def _longer(self, country: str, name: str, found: list[int], division: Division | None) -> list[int]:
        """Places of which a name is the short form, so much larger than those ``found`` by it that they are meant.

        None where nothing was found, or something in the state.
        """
        if not found or (division is not None and not division.codes.isdisjoint(self._admin1[found])):
            return []
        enough = SHORT_FORM_TIMES * max(LEAST_PEOPLE, *self._population[found])
        return [
            i
            for i in self._index["altname"].get((country, name), [])
            if self._population[i] >= enough
            and folded(self._name[i]).startswith(f"{name} ")
            and not self._is_area(country, name, i, "altname", division)
        ]

    def _largest(self, found: list[int], geocode: str) -> Place:
        population = self._population[found]
        best = [i for i, people in zip(found, population, strict=True) if people == population.max()]
        first = best[0]
        if any(km(self._lon[i], self._lat[i], self._lon[first], self._lat[first]) > NEAR_KM for i in best[1:]):
            return nowhere("ambiguous")
        return Place(float(self._lon[first]), float(self._lat[first]), geocode, "city")


def nowhere(reason: str) -> Place:
    """No place, and why."""
    return Place(np.nan, np.nan, None, reason)


def _keys(city: str, country: str) -> Iterator[tuple[str, str]]:
    """What a city is looked up by, level by level."""
    name = folded(city)
    core = _core(name, country)
    yield "name", name
    yield "altname", name
    yield "suffix", core
    if country in _UMLAUTS:
        yield "suffix", core.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    yield "joined", core.replace(" ", "")


def _core(name: str, country: str) -> str:
    """A folded name without a last word that means city."""
    before, space, last = name.rpartition(" ")
    return before if space and last in _CITY.get(country, _CITY_ELSEWHERE) else name


def _last_word(name: str) -> str:
    """The last of several words, "" of a single one."""
    return name.rpartition(" ")[2] if " " in name else ""


def _index(places: pd.DataFrame, wanted: dict[str, dict[str, set[str]]]) -> dict[str, dict[tuple[str, str], list[int]]]:
    """Places (ascending positions) by level, country and key, of the keys that are wanted."""
    index: dict[str, dict[tuple[str, str], list[int]]] = {
        level: defaultdict(list) for level in ("name", "altname", "suffix", "joined")
    }
    foreign = {country for country, keys in wanted["name"].items() if not all(map(str.isascii, keys))}
    columns = (places[column].tolist() for column in ("name", "alternates", "country"))
    for i, (own, others, country) in enumerate(zip(*columns, strict=True)):
        names = wanted["name"].get(country)
        if names is None:
            continue
        suffixes, joined = wanted["suffix"][country], wanted["joined"][country]
        for level, text in [("name", own), *(("altname", other) for other in others.split(","))]:
            if level == "altname" and not text.isascii() and country not in foreign:
                continue  # GeoNames has an ASCII form beside it
            name = folded(text)
            core = _core(name, country)
            compact = core.replace(" ", "")
            for kind, key, keys in ((level, name, names), ("suffix", core, suffixes), ("joined", compact, joined)):
                if key in keys:
                    there = index[kind][country, key]
                    if not there or there[-1] != i:
                        there.append(i)
    return index


def km(lon: float, lat: float, other_lon: np.ndarray | float, other_lat: np.ndarray | float) -> np.ndarray:
    """Great-circle distances in kilometres from a place to others."""
    a, b, c, d = (np.radians(degrees) for degrees in (lon, lat, other_lon, other_lat))
    h = np.sin((d - b) / 2) ** 2 + np.cos(b) * np.cos(d) * np.sin((c - a) / 2) ** 2
    return 2 * 6371.0088 * np.arcsin(np.sqrt(np.minimum(h, 1.0)))
