"""Documents: which addresses belong together, so that the right clusters are each other's strongest partners.

A document has addresses of one unit (a cluster before merging, or a country's noise) and at most a few guests from another.
How many guests a unit lends to which other is planned: a little to everybody, most at home, and much where `LINKS` says so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.io.grouping import group
from gpu_clusters.world import sites as geometry
from gpu_clusters.world.plan import SECOND_PARTS, Base, Counts, whole
from gpu_clusters.world.sites import Sites

LENT = 0.05  # of a unit's addresses that are guests anywhere, half of them at home in the country
PAIRED = 0.12  # of the smaller one's addresses that are guests of its partner, and as many the other way round
LINKS = (
    ("nanjing", "zhenjiang", 1.0),
    ("frankfurt-am-main", "heidelberg-mannheim", 1.0),
    ("seoul", "busan", 1.0),
    ("seoul", "ulsan", 1.2),
    ("busan", "ulsan", 0.3),
    ("chicago", "detroit", 1.5),
    ("ann-arbor", "detroit", 0.4),
    ("ann-arbor", "", 3.0),
)
"""Ties by strength, besides those of the two parts of a cluster (1.0); "" is the city of noise next door."""


class Units(NamedTuple):
    """Numbers of the units: the parts, then each country's noise, then the one city; by site, and their first sites."""

    of_site: NDArray[np.int64]
    first: NDArray[np.int64]
    country: NDArray[np.object_]
    ties: list[tuple[int, int, float]]


class Rows(NamedTuple):
    """Rows in the order of the documents, (r,) each: site (-1 without a place), row within the site, document, country code.

    ``home`` is the unit of each document, (d,), -1 for those without any place.
    """

    site: NDArray[np.int16]
    within: NDArray[np.int32]
    document: NDArray[np.int32]
    country: NDArray[np.int16]
    home: NDArray[np.int32]


def units(base: Base) -> Units:
    """Number the units and name the ties between them."""
    sites, parts = base.sites, len(base.parts)
    noise = sites.part < 0
    city = sites.kind == geometry.NOISE_CITY
    countries, code = np.unique(sites.country[noise & ~city].astype(str), return_inverse=True)
    of_site = sites.part.copy()
    of_site[noise & ~city] = parts + code
    of_site[city] = parts + len(countries)
    first = np.flatnonzero(np.diff(of_site, prepend=-1))
    ids = base.clusters["cluster_id"].tolist()
    number = {ids[part.cluster]: i for i, part in reversed(list(enumerate(base.parts)))}
    number[""] = parts + len(countries)
    ties = [(number[one], number[other], strength) for one, other, strength in LINKS]
    ties += [(number[name], number[name] + 1, 1.0) for name in SECOND_PARTS]
    return Units(of_site, first, sites.country[first], ties)


def lent(about: Units, size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Planned guests, (u, u) int64: how many addresses of each unit are guests in documents of each other."""
    share = size / size.sum()
    home = about.country[:, None] == about.country[None, :]
    at_home = home * share
    at_home /= np.maximum(at_home.sum(axis=1, keepdims=True), 1e-300)
    expected = LENT * size[:, None] * (0.5 * at_home + 0.5 * share)
    np.fill_diagonal(expected, 0)
    plan = np.array([whole(row) for row in expected])
    for one, other, strength in about.ties:
        number = np.ceil(PAIRED * strength * min(size[one], size[other]))
        plan[one, other] = max(plan[one, other], min(number, size[one] // 4))
        plan[other, one] = max(plan[other, one], min(number, size[other] // 4))
    return plan


def draw(base: Base, counts: Counts, about: Units, rng: np.random.Generator) -> Rows:
    """Put the planned addresses into documents."""
    sites = base.sites
    size = np.add.reduceat(counts.rows, about.first)
    start = np.cumsum(size) - size
    plan = lent(about, size)
    lending = plan.sum(axis=1)
    local = size - lending
    documents = _documents(local, counts.documents)
    first = np.cumsum(documents) - documents
    document = np.empty(int(size.sum()), np.int32)
    hosted = np.zeros(len(size), np.int64)
    for u in range(len(size)):
        own = start[u] + rng.permutation(size[u])
        host = np.repeat(np.arange(len(size)), plan[u])
        turn = np.arange(len(host)) - np.repeat(np.cumsum(plan[u]) - plan[u], plan[u]) + hosted[host]
        document[own[: lending[u]]] = first[host] + turn % np.maximum(documents[host], 1)
        hosted += plan[u]
        if documents[u]:
            more = rng.integers(0, documents[u], local[u] - documents[u])
            sizes = 1 + np.bincount(more, minlength=documents[u])
            document[own[lending[u] :]] = first[u] + np.repeat(np.arange(documents[u]), sizes)
    home = np.repeat(np.arange(len(size), dtype=np.int32), documents)
    site = np.repeat(np.arange(len(sites.lon), dtype=np.int16), counts.rows)
    within = np.arange(len(site), dtype=np.int32)
    within -= np.repeat((np.cumsum(counts.rows) - counts.rows).astype(np.int32), counts.rows)
    return _with_lost(sites, counts, Rows(site, within, document, _code(sites)[site], home), rng)


def countries(sites: Sites) -> list[str]:
    """Codes of all countries, in the order of `Rows.country`."""
    return sorted(set(sites.country.tolist()))


def _code(sites: Sites) -> NDArray[np.int16]:
    return np.searchsorted(countries(sites), sites.country.astype(str)).astype(np.int16)


def _documents(local: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Number of documents of each unit: ``total`` together, one at least where there is an address."""
    number = np.clip(whole(local * (total / local.sum())), np.minimum(local, 1), local)
    number[np.argmax(number)] += total - number.sum()
    return number


def _with_lost(sites: Sites, counts: Counts, rows: Rows, rng: np.random.Generator) -> Rows:
    """Add the rows without a place; documents that have no other; and put all in a random order of documents."""
    codes, code_of = countries(sites), _code(sites)
    number = len(rows.home)
    pair = np.unique(rows.document.astype(np.int64) * len(codes) + rows.country)
    covered = np.bincount(pair % len(codes), minlength=len(codes))
    uncovered = _uncovered(counts, codes, covered, number)
    start = np.cumsum(counts.rows) - counts.rows
    document, country = [rows.document], [rows.country]
    for code, name in enumerate(codes):
        lost, alone = counts.lost.get(name, 0), uncovered[name]
        own = np.flatnonzero((code_of == code) & (counts.rows > 0))
        site = own[rng.integers(0, len(own), lost - alone)] if lost > alone else own[:0]
        beside = rows.document[start[site] + rng.integers(0, counts.rows[site])]
        document += [np.arange(number, number + alone, dtype=np.int32), beside.astype(np.int32)]
        country.append(np.full(lost, code, np.int16))
        number += alone
    added = sum(len(part) for part in country[1:])
    all_documents = rng.permutation(number).astype(np.int32)[np.concatenate(document)]
    home = np.full(number, -1, np.int32)
    home[all_documents[: len(rows.document)]] = rows.home[rows.document]
    _, order = group(all_documents, number)
    order = np.arange(len(all_documents)) if order is None else order
    site = np.concatenate([rows.site, np.full(added, -1, np.int16)])
    within = np.concatenate([rows.within, np.arange(added, dtype=np.int32)])
    return Rows(
        site[order].astype(np.int16),
        within[order],
        all_documents[order],
        np.concatenate(country)[order].astype(np.int16),
        home,
    )


def _uncovered(counts: Counts, codes: list[str], covered: NDArray[np.int64], documents: int) -> dict[str, int]:
    """Documents of each country that have no place there: as many as make the published percentage."""
    listed = counts.covered_pct
    result = {}
    for code, name in enumerate(codes):
        if name in listed:
            result[name] = min(counts.lost[name], round(covered[code] * (100 / listed[name] - 1)))
    rest = [name for name in codes if name not in listed]
    wanted = max(0, round(documents * (100 / listed["World"] - 1)) - sum(result.values()))
    most = np.array([counts.lost.get(name, 0) for name in rest])
    shares = whole(most * min(1.0, wanted / max(most.sum(), 1)))
    return result | dict(zip(rest, np.minimum(shares, most).tolist(), strict=True))
