"""Venture-capital deals: at the hubs of the clusters, and in cities of noise; whole numbers that add up."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gpu_clusters.world import sites as geometry
from gpu_clusters.world.plan import Base, whole
from gpu_clusters.world.published import ADDRESSES, DEALS, published

OFF_CENTRE = 0.02  # degrees: less than the area's 0.05, so that the hub's own centre holds every deal
CLUSTERED = 0.8  # of a country's rows
UNLISTED = 40  # rows at scale 1 of a cluster in a country whose number is not published
YEARS = (2019, 2023)


class DealRows(NamedTuple):
    """Rows: degrees (NaN without a place), country, cluster (-1 noise), whether they are without a place, (r,) each.

    ``covered_pct`` is the published percentage of deals with a place, by country.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    country: NDArray[np.object_]
    cluster: NDArray[np.int64]
    lost: NDArray[np.bool_]
    covered_pct: dict[str, float]


def draw(base: Base, scale: float, rng: np.random.Generator) -> DealRows:
    """Draw the places."""
    coverage = published().coverage
    listed = coverage[coverage["table"] == "deals"].set_index("country")
    total = round(ADDRESSES["deals"] * scale)
    rows = {str(country): round(number * scale) for country, number in listed["rows"].items() if country != "World"}
    lost = {country: round(number * (1 - listed["rows_pct"][country] / 100)) for country, number in rows.items()}
    for country in rows:  # deals without a place need a row
        lost[country] = max(lost[country], int(listed["documents_pct"][country] < 100))
    site, away = [], []
    hubs = _hubs(base)
    home = np.array([base.sites.country[own[0]] for own in hubs])
    clusters = base.clusters
    for country in sorted(set(base.sites.country.tolist())):
        own = np.flatnonzero(home == country)
        free = rows[country] - lost[country] if country in rows else scale * UNLISTED * len(own)
        count = clusters["deals"].to_numpy()[own]
        weight = count**0.8
        planned = np.clip(whole(weight * (CLUSTERED * free / max(weight.sum(), 1))), 1, count.astype(np.int64))
        for number, places in zip(own.tolist(), planned.tolist(), strict=True):
            site.append(_spread(base, hubs[number], places))
    at_home = base.sites.country[np.concatenate(site)]
    for country, number in rows.items():
        noise = np.flatnonzero((base.sites.country == country) & (base.sites.part < 0))
        left = max(number - lost[country] - int((at_home == country).sum()), 1)
        site.append(noise[(np.arange(left) * 7) % len(noise)])
        away += [country] * lost[country]
    lost_part = 1 - listed["rows_pct"]["World"] / 100
    rest = max(1, round(total * lost_part) - len(away))
    others = sorted(set(base.sites.country.tolist()) - set(rows))
    away += [others[i % len(others)] for i in range(rest)]
    at = np.concatenate(site).astype(np.int64)
    more = max(total, round(len(away) / lost_part)) - len(at) - len(away)  # more at small scales, for the percentage
    noise = np.flatnonzero((base.sites.part < 0) & ~np.isin(base.sites.country, list(rows)))
    if more > 0:
        at = np.concatenate([at, noise[np.arange(more) % len(noise)]])
    shift = rng.uniform(-OFF_CENTRE, OFF_CENTRE, (2, len(at))) * (rng.random(len(at)) < 0.8)
    lon, lat = (base.sites.lon[at] + shift[0]).round(4), (base.sites.lat[at] + shift[1]).round(4)
    cluster = base.cluster[at]
    order = rng.permutation(len(at) + len(away))
    nowhere = np.full(len(away), np.nan)
    return DealRows(
        np.concatenate([lon, nowhere])[order],
        np.concatenate([lat, nowhere])[order],
        np.concatenate([base.sites.country[at], np.array(away, dtype=object)])[order],
        np.concatenate([cluster, np.full(len(away), -1)])[order],
        np.concatenate([np.zeros(len(at), bool), np.ones(len(away), bool)])[order],
        listed["documents_pct"].to_dict(),
    )


def _hubs(base: Base) -> list[NDArray[np.int64]]:
    """Sites of each cluster that hold deals: those that are core by themselves, by weight."""
    sites = base.sites
    cluster = base.cluster
    strong = np.isin(sites.kind, (geometry.HUB, geometry.TOWN)) & (sites.weight >= geometry.STRONG)
    foreign = (sites.kind == geometry.HUB) & (sites.weight < geometry.STRONG)
    result = []
    for number in range(len(base.clusters)):
        own = np.flatnonzero((cluster == number) & (strong | foreign))
        result.append(own[np.argsort(-sites.weight[own], kind="stable")])
    return result


def _spread(base: Base, hubs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Sites of ``count`` rows, by the hubs' weights, the heaviest hub first."""
    weight = base.sites.weight[hubs]
    return np.repeat(hubs, np.diff(np.ceil(np.cumsum(weight / weight.sum() * count) - 1e-9), prepend=0).astype(int))


def numbers(drawn: DealRows, planted: pd.Series, rng: np.random.Generator) -> NDArray[np.int64]:
    """Deals of each row: every cluster's sum is as planted, the world's is the published total."""
    result = np.zeros(len(drawn.lon), np.int64)
    for number, count in enumerate(planted.fillna(0).astype(int).tolist()):
        own = np.flatnonzero(drawn.cluster == number)
        if count:
            result[own] = _shared(count, len(own), rng)
    absent = planted.isna().to_numpy()
    noise = (drawn.cluster < 0) & ~drawn.lost
    noise |= (drawn.cluster >= 0) & absent[drawn.cluster]
    result[noise] = _shared(int(DEALS) - int(result.sum()), int(noise.sum()), rng)
    wanted = round(DEALS * (100 / drawn.covered_pct["World"] - 1))
    listed = [country for country in drawn.covered_pct if country != "World"]
    for country in listed:
        own = drawn.country == country
        away = np.flatnonzero(own & drawn.lost)
        if len(away):
            count = round(int(result[own].sum()) * (100 / drawn.covered_pct[country] - 1))
            result[away] = whole(np.full(len(away), count / len(away)))
            wanted -= count
    away = np.flatnonzero(drawn.lost & ~np.isin(drawn.country, listed))
    if len(away):
        result[away] = whole(np.full(len(away), max(wanted, 0) / len(away)))
    return result


def _shared(total: int, rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``total`` deals over rows, a heavy tail; one at least where there are enough."""
    least = 1 if total >= rows else 0
    weight = rng.lognormal(0, 1.0, rows)
    return least + whole((total - least * rows) * weight / weight.sum())


def write(drawn: DealRows, number: NDArray[np.int64], path: Path, *, years_back: int) -> None:
    """Write the table."""
    year = np.random.default_rng(0).integers(YEARS[0] - years_back, YEARS[1] - years_back + 1, len(number))
    columns = {
        "deal_id": pa.array(np.arange(1, len(number) + 1)),
        "lon": pa.array(drawn.lon, from_pandas=True),
        "lat": pa.array(drawn.lat, from_pandas=True),
        "country": pa.array(drawn.country.tolist()),
        "deals": pa.array(number),
        "year": pa.array(year.astype(np.int16)),
    }
    pq.write_table(pa.table(columns), path, compression="zstd")
