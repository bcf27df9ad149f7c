"""How places are written: as in English text, with their diacritics."""

from __future__ import annotations

import unicodedata

USUAL = {
    ("Köln", "DE"): "Cologne",
    ("Gent", "BE"): "Ghent",
    ("Brugge", "BE"): "Bruges",
    ("Luzern", "CH"): "Lucerne",
    ("Sevilla", "ES"): "Seville",
    ("Donostia / San Sebastián", "ES"): "San Sebastián",
    ("Gasteiz / Vitoria", "ES"): "Vitoria-Gasteiz",
    ("Pátra", "GR"): "Patras",
    ("Irákleion", "GR"): "Heraklion",
    ("Thessaloníki", "GR"): "Thessaloniki",
    ("Basrah", "IQ"): "Basra",
    ("Fes", "MA"): "Fez",
    ("Makkah", "SA"): "Mecca",
    ("Madinah", "SA"): "Medina",
    ("Québec", "CA"): "Québec City",  # as people there say in English, to tell it from the province
    ("Århus", "DK"): "Aarhus",  # the city's own spelling since 2011
    ("Gothenburg", "SE"): "Göteborg",  # English has both; the method's source writes this one
}
"""Where the main name of GeoNames is not the usual English one, of some 200 common English names of foreign cities."""

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bb\u02bc\u02b9\u0060\u00b4", "'"))
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def usual(name: str, country: str) -> str:
    """Usual English form of a gazetteer's main name: ``"Köln"`` as ``"Cologne"``, ``"Xi’an"`` as ``"Xi'an"``."""
    if (name, country) in USUAL:
        return USUAL[name, country]
    if country == "KR":
        name = name.removesuffix("-si")  # "city"
    return name.translate(_APOSTROPHES)


def plainly(name: str) -> str:
    """What two spellings of a name have in common: no difference of case, dashes, apostrophes, blanks or diacritics."""
    text = unicodedata.normalize("NFKD", name.translate(_DASHES).translate(_APOSTROPHES))
    return " ".join("".join(letter for letter in text if not unicodedata.combining(letter)).casefold().split())
