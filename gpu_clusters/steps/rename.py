"""Which clusters the user's names are for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.errors import InputError
from gpu_clusters.io.overrides import Override, Overrides
from gpu_clusters.kernels.spaces import EARTH_RADIUS_KM, chord_limit
from gpu_clusters.steps.describe import Described, Place, Points
from gpu_clusters.steps.places import units_of
from gpu_clusters.steps.spelling import plainly

NEAR_KM = 10.0
"""Coordinates name the cluster of the nearest location, if that is at most so far away."""

BAND = math.degrees(NEAR_KM / EARTH_RADIUS_KM) + 1e-5
"""Degrees of latitude that are at least as far."""

ByName = Callable[[int], Mapping[str, Sequence[int]]]
"""The clusters by plain names, for each of the ways in which `_called` looks."""


def named_by(
    overrides: Overrides, described: Sequence[Described], automatic: Sequence[str], points: Points
) -> tuple[dict[int, str], list[str]]:
    """The user's names by cluster, and warnings of rows that are about no cluster.

    A row with coordinates is for the cluster of the nearest location. One with a place is for the cluster that has this automatic
    name, else that has the place in its name, else in which the place carries output under its main name, else under any
    other: the first of these that finds any; of several clusters of one city that in which it carries most.

    Parameters
    ----------
    overrides : Overrides
    described, automatic : sequence of Described, of str
        What each cluster may be called, and is called without the user's names.
    points : Points

    Raises
    ------
    InputError
        Two rows for one cluster, one name for two clusters, or a place of which there are several.
    """
    spelled = [plainly(row.place) for row in overrides.rows]
    by_name = _lookup(described, automatic, set(spelled))
    upward = np.argsort(points.lat) if any(row.at for row in overrides.rows) else np.empty(0, np.int64)
    rows: dict[int, Override] = {}
    warnings = []
    for row, wanted in zip(overrides.rows, spelled, strict=True):
        where = f"{overrides.source.name}: row {row.row}"
        cluster = (
            _nearest(row.at, upward, points) if row.at else _called(row, wanted, described, automatic, by_name, where)
        )
        if cluster is None:
            what = f"at {row.at[0]:g}, {row.at[1]:g} (lon, lat)" if row.at else f"of {row.place!r}"
            warnings.append(f"{where}: there is no cluster {what}: the name {row.name!r} is not used")
            continue
        if cluster in rows:
            raise InputError(
                f"{where}: names the cluster {automatic[cluster]!r} a second time, after row {rows[cluster].row}; remove one"
            )
        rows[cluster] = row
    given: dict[str, Override] = {}
    for row in rows.values():
        if row.name in given:
            rows_of = f"rows {given[row.name].row} and {row.row}"
            raise InputError(f"{overrides.source.name}: {rows_of} call two clusters {row.name!r}; names must differ")
        given[row.name] = row
    return {cluster: row.name for cluster, row in rows.items()}, warnings


def _nearest(at: tuple[float, float], upward: NDArray[np.int64], points: Points) -> int | None:
    """Cluster of the nearest point, the first of equals; ``upward`` are the points by latitude, of which few are near."""
    low, high = np.searchsorted(points.lat, (at[1] - BAND, at[1] + BAND), sorter=upward)
    near = np.sort(upward[low:high])
    if not len(near):
        return None
    there = units_of(np.array([at[0]]), np.array([at[1]]))
    squared = ((units_of(points.lon[near], points.lat[near]) - there) ** 2).sum(axis=1)
    nearest = int(np.argmin(squared))
    return int(points.cluster[near[nearest]]) if squared[nearest] <= chord_limit(NEAR_KM) else None


def _lookup(described: Sequence[Described], automatic: Sequence[str], wanted: set[str]) -> ByName:
    """Of each way the clusters that have one of the wanted names, found when they are first asked for."""
    names_of: tuple[Callable[[int], Iterable[str]], ...] = (
        lambda c: (automatic[c], described[c].name),
        lambda c: (place.name for place in described[c].named),
        lambda c: (place.name for place in described[c].cities + described[c].places),
        lambda c: (name for place in described[c].cities + described[c].places for name in _spellings(place)),
    )

    plain = cache(plainly)

    @cache
    def by_name(way: int) -> Mapping[str, Sequence[int]]:
        found: dict[str, list[int]] = {name: [] for name in wanted}
        for c in range(len(described)):
            for name in wanted.intersection(map(plain, names_of[way](c))):
                found[name].append(c)
        return found

    return by_name


def _called(
    row: Override, wanted: str, described: Sequence[Described], automatic: Sequence[str], by_name: ByName, where: str
) -> int | None:
    tests: list[Callable[[int], float]] = [
        lambda c: _whole(c, described, automatic, wanted, row.country),
        lambda c: _most(described[c].named, wanted, row.country, others=False),
        lambda c: _most(described[c].cities + described[c].places, wanted, row.country, others=False),
        lambda c: _most(described[c].cities + described[c].places, wanted, row.country, others=True),
    ]
    for way, test in enumerate(tests):
        found = {c: output for c in by_name(way)[wanted] if (output := test(c)) >= 0}
        countries = sorted({_country_of(described[c], wanted) for c in found})
        if len(found) > 1 and len(countries) > 1:
            raise InputError(
                f"{where}, column place: there are several {row.place!r}, in {', '.join(countries)}; add a column country, or "
                "lon and lat"
            )
        if found:
            return max(found, key=lambda c: (found[c], -c))
    return None


def _whole(c: int, described: Sequence[Described], automatic: Sequence[str], wanted: str, country: str) -> float:
    if wanted not in (plainly(automatic[c]), plainly(described[c].name)):
        return -1
    if country and country not in {place.country for place in described[c].named}:
        return -1
    if wanted == plainly(automatic[c]):
        return math.inf
    return described[c].named[0].output if described[c].named else 0


def _most(places: Sequence[Place], wanted: str, country: str, *, others: bool) -> float:
    """Output of the place with that name, -1 if there is none."""
    return max(
        (place.output for place in places if _is(place, wanted, others) and country in ("", place.country)), default=-1
    )


def _is(place: Place, wanted: str, others: bool) -> bool:
    return wanted in map(plainly, _spellings(place) if others else [place.name])


def _spellings(place: Place) -> list[str]:
    """All names of a place."""
    return [place.name, *place.others.split(",")]


def _country_of(described: Described, wanted: str) -> str:
    """Country of the place that is meant in a cluster."""
    every = described.cities + described.places
    return next((place.country for place in every if _is(place, wanted, True)), every[0].country if every else "")
