"""How many addresses each site has, at a scale: whole numbers that add up to the published ones by country and table."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.world import sites as geometry
from gpu_clusters.world.published import ADDRESSES, DEALS, PATENTS, PUBLICATIONS, published
from gpu_clusters.world.sites import Part, Sites

DENSITY = 4_500
TABLES = ("patents", "publications")
TOTALS = {"patents": PATENTS, "publications": PUBLICATIONS, "deals": DEALS}
SECOND_PARTS = {
    "shenzhen-hong-kong-guangzhou": 0.28,
    "san-jose-san-francisco": 0.45,
    "shanghai-suzhou": 0.4,
    "osaka-kobe-kyoto": 0.27,
    "washington-baltimore": 0.4,
    "tel-aviv-jerusalem": 0.4,
    "amsterdam-rotterdam": 0.4,
    "taipei-hsinchu": 0.42,
    "brussels-antwerp": 0.42,
}
"""Clusters that are two before merging, and the second's share: those with the names of cities far apart. Invented."""

ROWS_PER_DOCUMENT = 3.3  # about
REST = "rest"
CLUSTERED = 0.85  # of a country's addresses at most, before small clusters get what they need


class Base(NamedTuple):
    """The plan that all scales share: sites, and rows at scale 1 by table, (n,) float64 each."""

    clusters: pd.DataFrame
    parts: list[Part]
    sites: Sites
    rows: dict[str, NDArray[np.float64]]
    noise: NDArray[np.float64]
    """Part of its country's noise that each noise site has; countries that are not listed count as one."""

    @property
    def cluster(self) -> NDArray[np.int64]:
        """Cluster of each site, -1 for noise; (n,)."""
        return np.array([*(part.cluster for part in self.parts), -1])[self.sites.part]


class Counts(NamedTuple):
    """A table at a scale.

    ``rows`` are the geocoded ones by site, (n,) int64; ``lost`` those without a place by country; ``covered_pct`` what percentage
    of a country's documents shall have a place (``World``: of all); ``documents`` how many documents have one.
    """

    rows: NDArray[np.int64]
    lost: dict[str, int]
    covered_pct: dict[str, float]
    documents: int


@cache
def base() -> Base:
    """Lay out the world."""
    clusters = published().clusters
    part_of = geometry.part_table(clusters["cluster_id"].tolist(), SECOND_PARTS)
    cluster = np.array([number for number, _ in part_of])
    share = np.array([value for _, value in part_of])
    economy = clusters["economy"].str[:2].to_numpy()[cluster]
    per_author = geocoded("patents") / geocoded("publications")
    rows = {}
    for table in TABLES:
        count = clusters[table].to_numpy()[cluster] * share
        rows[table] = count * _rows_per_item(table, economy, count)
    weight = (rows["patents"] + rows["publications"] * per_author) / DENSITY
    parts = [Part(*row) for row in zip(cluster.tolist(), share.tolist(), weight.tolist(), strict=True)]
    sites = geometry.plant(clusters["cluster_id"].tolist(), parts)
    planted = sites.part >= 0
    total = np.bincount(sites.part[planted], weights=sites.weight[planted])
    by_site = {}
    for table in TABLES:
        raised = rows[table] * np.maximum(total / weight, 1.0)
        by_site[table] = np.zeros(len(sites.lon))
        by_site[table][planted] = (raised / total)[sites.part[planted]] * sites.weight[planted]
    return Base(clusters, parts, sites, by_site, _noise_shares(sites, by_site, per_author))


def _groups(country: NDArray[np.object_]) -> NDArray[np.object_]:
    """Countries, those that the chapter's table does not list as one."""
    listed = set(_countries("patents"))
    return np.array([one if one in listed else REST for one in country], dtype=object)


def _noise_shares(sites: Sites, rows: dict[str, NDArray[np.float64]], per_author: float) -> NDArray[np.float64]:
    """Shares by size of the cities, none so large that a city may become core."""
    group = _groups(sites.country)
    noise, result = sites.part < 0, np.zeros(len(sites.lon))
    for country in set(group.tolist()):
        weight = 0.0
        for table, worth in (("patents", 1.0), ("publications", per_author)):
            listed = _countries(table)
            here = listed.get(country)
            if here is None:
                places = geocoded(table) - sum(r * p / 100 for c, (r, p, _) in listed.items() if c != "World")
            else:
                places = here[0] * here[1] / 100
            weight += worth * (places - rows[table][(group == country) & ~noise].sum()) / DENSITY
        own = np.flatnonzero((group == country) & noise)
        result[own] = _capped(sites.weight[own], geometry.FAINT * 0.9 / weight)
    return result


def _capped(weight: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    """Shares in proportion to weights, none above ``most``."""
    share = weight / weight.sum()
    for _ in range(100):
        full = share >= most
        rest = 1 - most * full.sum()
        if (share <= most * (1 + 1e-12)).all():
            break
        assert rest > 0 and not full.all(), "there are too few noise cities"
        share = np.where(full, most, share * rest / share[~full].sum())
    return share


def counts(table: str, scale: float) -> Counts:
    """Whole numbers of rows at a scale, the same for every seed."""
    plan = base()
    sites, planted = plan.sites, plan.sites.part >= 0
    listed = _countries(table)
    total = round(ADDRESSES[table] * scale)
    all_rows = {country: round(rows * scale) for country, (rows, _, _) in listed.items() if country != "World"}
    lost = {}
    for country, rows in all_rows.items():
        _, percent, covered = listed[country]
        uncovered = round(rows / ROWS_PER_DOCUMENT * (1 - covered / 100))
        lost[country] = max(round(rows * (1 - percent / 100)), uncovered)
    all_rows[REST] = total - sum(all_rows.values())
    lost[REST] = max(0, round(total * (1 - listed["World"][1] / 100)) - sum(lost.values()))

    placed = np.zeros(len(sites.lon), np.int64)
    placed[planted] = whole(plan.rows[table][planted] * scale)
    if table == "publications":
        anchors = np.isin(sites.kind, (geometry.TAIL_END, geometry.EDGE_POINT))
        placed[anchors] = np.maximum(placed[anchors], 1)
    group = _groups(sites.country)
    for country, number in all_rows.items():
        own = group == country
        noise = own & ~planted
        left = number - lost[country] - int(placed[own & planted].sum())
        placed[noise] = whole(left * plan.noise[noise])
    rest = sorted(set(sites.country[group == REST]))
    share = np.array([placed[sites.country == country].sum() for country in rest], np.float64)
    spread = whole(lost.pop(REST) * share / share.sum())
    lost |= dict(zip(rest, spread.tolist(), strict=True))
    covered_pct = {country: values[2] for country, values in listed.items()}
    return Counts(placed, lost, covered_pct, round(TOTALS[table] * scale))


def thresholds(rows: dict[str, NDArray[np.int64]], scale: float) -> NDArray[np.float64]:
    """Weight of each site's addresses in density thresholds."""
    per_author = rows["patents"].sum() / rows["publications"].sum()
    return (rows["patents"] + rows["publications"] * per_author) / (DENSITY * scale)


def whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers near ``values``, with the sum's rounded: what is lost in one is made up for by the next."""
    return np.diff(np.round(np.cumsum(values) + 1e-6), prepend=0).astype(np.int64)


def geocoded(table: str) -> int:
    """Geocoded rows of a table at scale 1."""
    world = _countries(table)["World"]
    return ADDRESSES[table] - round(ADDRESSES[table] * (1 - world[1] / 100))


def _countries(table: str) -> dict[str, tuple[float, float, float]]:
    """Rows at scale 1, percentages of rows and of documents with a place, by country."""
    coverage = published().coverage
    own = coverage[coverage["table"] == table]
    values = zip(own["rows"], own["rows_pct"], own["documents_pct"], strict=True)
    return dict(zip(own["country"], values, strict=True))


def _rows_per_item(table: str, economy: NDArray, count: NDArray[np.float64]) -> NDArray[np.float64]:
    """Addresses of a patent or publication of each part: the world's mean, fewer where a country has too few."""
    mean = geocoded(table) / TOTALS[table]
    listed = _countries(table)
    result = np.full(len(count), mean)
    for country, (rows, percent, _) in listed.items():
        own = economy == country
        if own.any():
            result[own] = min(mean, CLUSTERED * rows * percent / 100 / count[own].sum())
    return result
