"""First-order divisions of countries: states, provinces, prefectures."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd

from gpu_clusters.geocoding.folding import folded

FIRST = "1"  # level of states and provinces in the table; 2 are their districts


class Division(NamedTuple):
    """A division that a row names.

    ``code`` is GeoNames' admin-1 code. ``sure`` is false where a bare code named it: exports often use FIPS 10-4, whose codes
    look like GeoNames' and are older, so such a division decides between namesakes and rules out no place.
    """

    code: str
    sure: bool


class Divisions:
    """All divisions by what names them.

    Parameters
    ----------
    places : DataFrame
        The gazetteer, whose codes count.
    """

    def __init__(self, places: pd.DataFrame) -> None:
        self._codes: dict[str, dict[str, str]] = defaultdict(dict)
        for country, code in places[["country", "admin1"]].drop_duplicates().itertuples(index=False):
            if code not in ("", "00"):
                self._codes[country][_plain(code)] = code
        self._names, self._areas = _names()

    def find(self, country: str, text: str) -> Division | None:
        """The division that a text names: a name, ISO's or GeoNames' code; None where there is no such division."""
        codes = self._codes.get(country, {})
        key = folded(text)
        named = self._names.get(country, {}).get(key)
        if named is not None and named in codes.values():
            return Division(named, True)
        code = codes.get(_plain(text))
        return None if code is None else Division(code, code.isalpha())

    def is_area(self, country: str, name: str) -> bool:
        """Whether a folded name is that of a division of the country."""
        return name in self._areas.get(country, ())

    def is_named_after(self, country: str, name: str, city: str) -> bool:
        """Whether the division of this name is also called as the city is: Lisboa after Lisbon, not Kanagawa after Yokohama."""
        others = self._areas.get(country, {}).get(name, ())
        return any(other == city or other.startswith(f"{city} ") for other in others)


def _plain(code: str) -> str:
    """A code without leading zeros, which spreadsheets drop."""
    code = code.strip().upper()
    return code.lstrip("0") or code if code.isdigit() else code


@cache
def _names() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, set[str]]]]:
    """Codes by folded name (names with several codes have none), and all names of a division by each of them, by country."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    called: dict[tuple[str, str], set[str]] = defaultdict(set)
    for number, line in enumerate(_lines()):
        country, code, level, iso, names = line
        keys = {key for key in map(folded, names.split("|")) if key}
        if level == FIRST:
            called[country, code or f"line {number}"] |= keys
        for key in keys:
            found[country][key].add(code)
        if iso.isalpha():
            found[country][folded(iso)].add(code)
    sure = {
        country: {name: next(iter(codes)) for name, codes in names.items() if len(codes) == 1 and "" not in codes}
        for country, names in found.items()
    }
    areas: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for (country, _), keys in called.items():
        for key in keys:
            areas[country][key] |= keys
    return sure, areas


def _lines() -> list[list[str]]:
    """Country, code, level, ISO's code, names (see tools/make_admin1.py)."""
    text = files("gpu_clusters.geocoding").joinpath("admin1.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]
