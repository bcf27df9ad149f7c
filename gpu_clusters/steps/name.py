"""Names of clusters: the places that carry most of their output (method, section 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import NamedTuple

from gpu_clusters.io.overrides import Overrides
from gpu_clusters.steps.describe import DASH, MOST, Described, Points, describe
from gpu_clusters.steps.places import Places
from gpu_clusters.steps.rename import named_by


class Named(NamedTuple):
    """Names by cluster, and what the reader must know of the user's names."""

    names: list[str]
    warnings: list[str]


def name_clusters(
    points: Points,
    clusters: int,
    order: Sequence[int],
    overrides: Overrides | None,
    *,
    towns: Callable[[], Places],
    smaller: Callable[[], Places],
) -> Named:
    """Name all clusters; no two have the same name.

    Parameters
    ----------
    points : Points
        At least one of each cluster.
    clusters : int
    order : sequence of int
        The clusters by rank.
    overrides : Overrides, optional
        The user's names; they win.
    towns, smaller : callable
        Give the larger places of the world, and all; the second is asked only where the first do not do (`describe`).

    Raises
    ------
    InputError
        Names of the user that contradict each other.
    """
    described = describe(points, clusters, towns(), smaller) if clusters else []
    names = unique(described, {}, order)
    if overrides is None:
        return Named(names, [])
    given, warnings = named_by(overrides, described, names, points)
    return Named(unique(described, given, order), warnings)


def unique(described: list[Described], given: dict[int, str], order: Iterable[int]) -> list[str]:
    """Names of all clusters, no two of them equal.

    Those of one name in several countries get the country's code, those in several states of a country the state's. What is
    left has one city: there the first by rank keeps the name, the others are called after the place with most of their output
    before districts are folded, if that is not in the name already, else after more of their places, else by number.

    Parameters
    ----------
    described : list of Described
    given : dict of int to str
        Names that are fixed, by cluster.
    order : iterable of int
        The clusters by rank.
    """
    names = {c: given.get(c, described[c].name) for c in order}
    automatic = [c for c in names if c not in given]
    for label in (_country, _division):
        for group in _equal(names, automatic):
            labels = [label(described[c]) for c in group]
            if all(labels) and len(set(labels)) > 1:
                for c, text in zip(group, labels, strict=True):
                    names[c] = f"{described[c].name} ({text})"
    used = set(given.values())
    numbers: dict[str, int] = {}
    for c in automatic:
        names[c] = next(name for name in _choices(names[c], described[c], numbers) if name not in used)
        used.add(names[c])
    return [names[c] for c in range(len(described))]


def _equal(names: dict[int, str], automatic: list[int]) -> list[list[int]]:
    """Groups of clusters with the same name."""
    groups: dict[str, list[int]] = {}
    for c in automatic:
        groups.setdefault(names[c], []).append(c)
    return [group for group in groups.values() if len(group) > 1]


def _country(described: Described) -> str:
    return described.cities[0].country if described.cities else ""


def _division(described: Described) -> str:
    """ "US-OR", where a division has letters for a code."""
    first = described.cities[0] if described.cities else None
    return f"{first.country}-{first.division}" if first and first.division.isalpha() else ""


def _choices(name: str, described: Described, numbers: dict[str, int]) -> Iterable[str]:
    """Names to try until one is free; ``numbers`` keeps the last number that a name was tried with: all before are taken."""
    yield name
    parts = [place.name for place in described.named]
    for place in described.places[:1]:
        if place.name not in parts:
            yield place.name
    for place in described.cities[len(parts) : MOST]:
        parts.append(place.name)
        yield DASH.join(parts)
    for number in count(numbers.get(name, 2)):
        numbers[name] = number
        yield f"{name} ({number})"
