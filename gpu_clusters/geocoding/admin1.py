"""First-order divisions of countries: states, provinces, prefectures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd

from gpu_clusters.geocoding.folding import folded

FIRST, DISTRICT = "1", "2"  # levels of the table: states and provinces, their districts; 0 is what states were part of


def _words(text: str) -> set[str]:
    return set(text.split())


_KINDS = _words(
    "autonomous canton emirate emirat estado governorate imarat kanton krai kray muhafazat oblast pref prefecture province "
    "provincia provinsi regiao region regione republic respublika state voivodeship wilayat wojewodztwo zizhiqu"
)
"""Words that say what kind of division a name is of."""
_KINDS_OF_SOME = _words(
    "autonoma capital city ciudad county departamento department distrito district division kraj lan land megye metropolitan "
    "municipality okrug parish shahri special territory zupanija"
)
"""The same, only where a division of the country is called so: a county of the US is no state."""
_KINDS_IN = {
    "CN": {"city", "municipality", "sheng", "shi"},
    "JP": {"ken", "fu", "to"},
    "KR": {"do", "si", "teukbyeolsi", "gwangyeoksi"},
    "TR": {"il", "ili"},
    "TW": {"city", "county", "hsien"},
    **{country: {"county"} for country in ("EE", "HR", "HU", "NO", "RO", "SE")},
    "VN": {"tinh"},
    "TH": {"changwat"},
}
ALL_KINDS = _KINDS.union(_KINDS_OF_SOME, *_KINDS_IN.values())
_OF = {"of", "de", "del", "di", "do", "da"}


class Division(NamedTuple):
    """A division that a row names.

    ``codes`` are GeoNames' admin-1 codes: several where a city and the province around it have the name in common (Kyiv), or
    where the division was one and is several. ``sure`` is false where a bare code named it: exports often use FIPS 10-4, whose
    codes look like GeoNames' and are older, so such a division decides between namesakes and rules out no place.
    """

    codes: frozenset[str]
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
        self._table = _table()

    def find(self, country: str, text: str) -> Division | None:
        """The division that a text names: a name, ISO's or GeoNames' code; None where there is no such division."""
        codes = self._codes.get(country, {})
        table = self._table.get(country, _NONE)
        key = folded(text)
        core = without_kind(key, table.kinds)
        named = (table.names.get(key) if key != core else None, True), (table.cores.get(core), True)
        present = set(codes.values())
        for found, sure in (*named, (table.iso.get(key), not key[-1:].isdigit())):
            if found and (there := found & present):
                return Division(there, sure)
        code = codes.get(_plain(text))
        return None if code is None else Division(frozenset({code}), code.isalpha())

    def is_area(self, country: str, name: str) -> bool:
        """Whether a folded name is that of a division of the country."""
        return name in self._table.get(country, _NONE).areas

    def is_named_after(self, country: str, name: str, city: str) -> bool:
        """Whether the division of this name is also called as the city is: Lisboa after Lisbon, not Kanagawa after Yokohama."""
        others = self._table.get(country, _NONE).areas.get(name, ())
        return any(other == city or other.startswith(f"{city} ") for other in others)


def _plain(code: str) -> str:
    """A code without leading zeros, which spreadsheets drop."""
    code = code.strip().upper()
    return code.lstrip("0") or code if code.isdigit() else code


def without_kind(name: str, kinds: Collection[str]) -> str:
    """A folded name without the words at its ends that say what kind of division it is of; not a mere number ("Province 1").

    Examples
    --------
    >>> without_kind("state of new york", {"state"}), without_kind("kiev oblast", {"oblast"}), without_kind("state", {"state"})
    ('new york', 'kiev', 'state')
    """
    words = name.split()
    while len(words) > 1 and words[-1] in kinds:
        words.pop()
    if len(words) > 1 and words[0] in kinds:
        while len(words) > 1 and words[0] in {*kinds, *_OF}:
            words.pop(0)
    core = " ".join(words)
    return name if core.isdigit() else core


class _Names(NamedTuple):
    """What names the divisions of a country, folded; a name that is also that of an area without a code has none."""

    names: dict[str, frozenset[str]]
    cores: dict[str, frozenset[str]]
    """By the name without words for a kind."""
    iso: dict[str, frozenset[str]]
    """By ISO 3166-2's code: ``us il``, and ``il`` where it is letters."""
    areas: dict[str, set[str]]
    """All names of a division, by each of them."""
    kinds: set[str]
    """Words for a kind of division that names of the country may have."""


_NONE = _Names({}, {}, {}, {}, _KINDS)


@cache
def _table() -> dict[str, _Names]:
    """What names divisions, by country."""
    lines: dict[str, list[list[str]]] = defaultdict(list)
    for country, *line in _lines():
        lines[country].append(line)
    return {country: _country(country, found) for country, found in lines.items()}


def _country(country: str, lines: list[list[str]]) -> _Names:
    """What names the divisions of a country, from its lines of the table: code, level, ISO's code, names."""
    names: dict[str, set[str]] = defaultdict(set)
    iso: dict[str, set[str]] = defaultdict(set)
    called: dict[str, set[str]] = defaultdict(set)
    for number, (code, level, iso_code, given) in enumerate(lines):
        keys = {key for key in map(folded, given.split("|")) if key}
        if level == FIRST:
            called[code or f"line {number}"] |= keys
        for key in keys:
            names[key].add(code)
        if iso_code:
            iso[folded(f"{country}-{iso_code}")].add(code)
            if level != DISTRICT and iso_code.isalpha():
                iso[folded(iso_code)].add(code)
    used = {word for name in names for word in name.split()}
    kinds = _KINDS | (_KINDS_OF_SOME & used) | _KINDS_IN.get(country, set())
    cores: dict[str, set[str]] = defaultdict(set)
    for name, codes in names.items():
        cores[without_kind(name, kinds)] |= codes
    areas: dict[str, set[str]] = defaultdict(set)
    for keys in called.values():
        for key in keys:
            areas[key] |= keys
    return _Names(_known(names), _known(cores), _known(iso), areas, kinds)


def _known(codes: dict[str, set[str]]) -> dict[str, frozenset[str]]:
    """Without what may also be an area that has no code."""
    return {name: frozenset(found) for name, found in codes.items() if "" not in found}


def _lines() -> list[list[str]]:
    """Country, code, level, ISO's code, names (see tools/make_admin1.py)."""
    text = files("gpu_clusters.geocoding").joinpath("admin1.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines()]
