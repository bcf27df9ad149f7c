"""Places of distinct addresses: first in GeoNames, then from a service where there is one."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gpu_clusters.errors import UsageError
from gpu_clusters.geocoding.admin1 import Divisions
from gpu_clusters.geocoding.choose import chosen, fitting, query
from gpu_clusters.geocoding.match import Matcher, Place, nowhere
from gpu_clusters.geocoding.triples import Triple
from gpu_clusters.io.gazetteer import gazetteer as read_gazetteer

if TYPE_CHECKING:
    from gpu_clusters.geocoding.arcgis import ArcGIS

ASKED = ("not found", "elsewhere")
"""The service is asked for what GeoNames does not have; names of areas and names of several places stay what they are."""

Progress = Callable[[str, float | None], None]


@contextmanager
def service(fallback: ArcGIS | str | None, **options: Any) -> Iterator[ArcGIS | None]:
    """A service by its name, made with ``options`` and closed afterwards, or the one that is given."""
    if fallback in (None, "none"):
        yield None
    elif fallback == "arcgis":
        from gpu_clusters.geocoding.arcgis import ArcGIS

        with ArcGIS(**options) as opened:
            yield opened
    elif isinstance(fallback, str):
        raise UsageError(f"fallback must be none or arcgis, not {fallback!r}")
    else:
        yield fallback


def find_places(
    triples: Sequence[Triple],
    gazetteer: str | os.PathLike[str] | None = None,
    fallback: ArcGIS | None = None,
    progress: Progress | None = None,
) -> list[Place]:
    """The place of each distinct address.

    Parameters
    ----------
    triples : sequence of (city, state, country)
    gazetteer : path, optional
        A GeoNames export.
    fallback : ArcGIS, optional
    progress : callable, optional
        Told the name of the work at hand and the part of it that is done.

    Raises
    ------
    InputError
        The gazetteer cannot be read.
    ServiceError
        The service refuses, or does not answer.
    """
    tell = progress or (lambda _name, _part: None)
    tell("find in GeoNames", None)
    matcher = Matcher(read_gazetteer(gazetteer), ((city, country) for city, _, country in triples))
    places = []
    for i, triple in enumerate(triples):
        places.append(matcher.find(*triple))
        if i % 1000 == 0:
            tell("find in GeoNames", i / len(triples))
    if fallback is not None:
        _ask(triples, places, matcher.divisions, fallback, tell)
    return places


def _ask(triples: Sequence[Triple], places: list[Place], divisions: Divisions, service: ArcGIS, tell: Progress) -> None:
    """Put in what the service knows. Questions come in the order of their texts, whatever that of the rows."""
    wanted: dict[str, list[int]] = defaultdict(list)
    for i, place in enumerate(places):
        if place.geocode is None and place.accuracy in ASKED:
            wanted[query(*triples[i]).casefold()].append(i)
    for done, key in enumerate(sorted(wanted)):
        tell("ask ArcGIS", done / len(wanted))
        candidates = service.candidates(min(query(*triples[i]) for i in wanted[key]))
        for i in wanted[key]:
            _, state, country = triples[i]
            found = nowhere("refused") if candidates is None else chosen(candidates, fitting(divisions, state, country))
            if found.accuracy != "not found":  # else GeoNames's reason says as much or more
                places[i] = found
