"""Which of a service's candidates is the city that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpu_clusters.geocoding.admin1 import Divisions
from gpu_clusters.geocoding.match import BELONGING, NEAR_KM, Place, km, nowhere
from gpu_clusters.io.countries import iso2, name_of

LEAST_SCORE = 85.0
"""Candidates of a lower score (0..100) match the address in part only."""

_CITIES = {"City", "District", "Neighborhood", "Sector", "Block"}
_POSTAL = {"Postal", "PostalLoc", "PostalExt"}
_ADDRESSES = {"PointAddress", "Subaddress", "StreetAddress", "StreetAddressExt", "StreetInt", "StreetMidBlock"}
Fits = Callable[[dict[str, Any]], bool]


def query(city: str, state: str, country: str) -> str:
    """An address in one line. The country has its name, for ``CA`` is California too; states that are mere numbers are left out.

    Examples
    --------
    >>> query(" Toronto ", "ON", "CA"), query("Toronto", "08", "Canada")
    ('Toronto, ON, Canada', 'Toronto, Canada')
    """
    parts = (city, "" if state.strip().replace(".", "").isdigit() else state, name_of(iso2(country)))
    return ", ".join(part for part in (" ".join(text.split()) for text in parts) if part)


def fitting(divisions: Divisions, state: str, country: str) -> Fits:
    """Whether a candidate's attributes are of the country and the state that a row names, as far as both are known."""
    code = iso2(country)
    allowed = {code, *BELONGING.get(code, ())} if name_of(code) != code else set()
    division = divisions.find(code, state) if state.strip() else None

    def fits(attributes: dict[str, Any]) -> bool:
        there = iso2(str(attributes.get("Country", "")))
        if allowed and there and there not in allowed:
            return False
        if division is None or not division.sure or there not in ("", code):
            return True
        regions = [divisions.find(code, str(attributes.get(name, ""))) for name in ("Region", "RegionAbbr")]
        codes = {code for one in regions if one is not None for code in one.codes}
        return not codes or bool(division.codes & codes)

    return fits


def chosen(candidates: list[dict[str, Any]], fits: Fits) -> Place:
    """The place that candidates agree on.

    Parameters
    ----------
    candidates : list of dict
        ``lon``, ``lat`` (degrees), ``score`` (0..100), ``attributes``.
    fits : callable
        Whether a candidate's attributes are of the right country and state.

    Returns
    -------
    Place
        Of the candidate with the largest score among cities, their parts, postal areas and street addresses. No place: ``not
        found`` (no score of `LEAST_SCORE`), ``elsewhere`` (none fits), ``area`` (wider than a city), ``not a city`` (a street, a
        shop), ``ambiguous`` (several of the same score, more than `NEAR_KM` apart).
    """
    good = [one for one in candidates if one["score"] >= LEAST_SCORE]
    if not good:
        return nowhere("not found")
    good = [one for one in good if fits(one["attributes"])]
    if not good:
        return nowhere("elsewhere")
    cities = [one for one in good if _kind(one) == "city"]
    areas = max((one["score"] for one in good if _kind(one) == "area"), default=0.0)
    best = max((one["score"] for one in cities), default=0.0)
    if areas > best:
        return nowhere("area")
    if not cities:
        return nowhere("not a city")
    tied = sorted((one["lon"], one["lat"]) for one in cities if one["score"] == best)
    if any(km(*one, *other) > NEAR_KM for i, one in enumerate(tied) for other in tied[:i]):
        return nowhere("ambiguous")
    first = next(one for one in cities if one["score"] == best)
    return Place(first["lon"], first["lat"], "arcgis", "city")


def _kind(candidate: dict[str, Any]) -> str:
    """``city`` for what a city's name may mean or lies within one, ``area`` for what is wider, ``other``."""
    level, kind, city = (candidate["attributes"].get(name, "") for name in ("Addr_type", "Type", "City"))
    if level in _POSTAL or level in _ADDRESSES or (level == "Locality" and (kind in _CITIES or (city and not kind))):
        return "city"
    return "area" if level in ("Locality", "") else "other"
