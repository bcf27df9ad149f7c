"""What the chapter publishes, and what is invented where it says nothing: the package's data files as frames.

Published (Global Innovation Index 2025, chapter on innovation clusters, Appendix IV): ``top100.csv`` (Table 2), ``intensity.csv``
(Table 3), ``geocoding.csv`` (Table 1), ``leaders.csv`` (main text, Tables 1 and 3), names and some ranks in ``beyond.csv``.
Invented: the counts in ``beyond.csv``, within the bounds that the published ranks leave. ``places.csv`` is GeoNames
(geonames.org, CC BY 4.0).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd

PATENTS, PUBLICATIONS, DEALS = 1_309_770.0, 8_199_200.0, 235_220.0
"""World totals of geocoded items: those that reproduce every printed share (the chapter prints rounded ones only)."""

ADDRESSES = {"patents": 4_271_953, "publications": 28_625_102, "deals": 66_755}
"""Rows of each table, geocoded or not (Table 1, World Total)."""

MISPRINTS = {"toronto": 40, "atlanta": 41}
"""Intensity ranks that Table 3 misprints as 39 and 40: its own figures and rank changes say otherwise."""

NEW = ("lahore", "ulsan", "oulu", "urumqi", "ljubljana", "quebec-city", "guilin")
"""Clusters that the chapter calls new: they were none in the previous edition."""

COUNTRIES = {
    "China": "CN",
    "United States of America": "US",
    "Japan": "JP",
    "Germany": "DE",
    "Republic of Korea": "KR",
    "United Kingdom": "GB",
    "France": "FR",
    "Italy": "IT",
    "India": "IN",
    "Canada": "CA",
    "Spain": "ES",
    "Netherlands": "NL",
    "Australia": "AU",
    "Brazil": "BR",
    "Switzerland": "CH",
    "Sweden": "SE",
    "Russian Federation": "RU",
    "Türkiye": "TR",
    "Israel": "IL",
    "Poland": "PL",
    "World Total": "World",
}
_PREFIX = {"patents": "pct", "publications": "publication", "deals": "vc"}
_PER_MILLION = {"patents": "pct_per_million", "publications": "publications_per_million"}
_COVERED = {
    "patents": "pct_applications_covered_pct",
    "publications": "publications_covered_pct",
    "deals": "vc_deals_covered_pct",
}


class Published(NamedTuple):
    """The 237 clusters by rank, and what is known of the countries.

    ``clusters`` has ``cluster_id``, ``name``, ``economy``, ``rank``, ``patents``, ``publications``, ``deals``, ``population``,
    ``previous_rank``, ``rank_without_deals``, ``intensity_rank``, ``previous_intensity_rank``, ``top_applicant`` and
    ``top_organization``; NaN and None where nothing is published. ``coverage`` has, by ``table`` and ``country``, ``rows``,
    ``rows_pct`` and ``documents_pct``.
    """

    clusters: pd.DataFrame
    coverage: pd.DataFrame


def read(name: str) -> pd.DataFrame:
    """A data file with its cells as they are printed; empty is missing."""
    with files("gpu_clusters.world").joinpath("data", name).open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""])


@cache
def published() -> Published:
    """Read the data files, once a process; not to be changed."""
    return Published(_clusters(), _coverage())


def _clusters() -> pd.DataFrame:
    top = read("top100.csv").rename(
        columns={
            "pct_applications": "patents",
            "vc_deals": "deals",
            "rank_old_methodology": "rank_without_deals",
        }
    )
    people = read("intensity.csv").rename(columns={"rank": "intensity_rank", "rank_change": "intensity_rank_change"})
    columns = ["cluster_id", "population", "intensity_rank", "intensity_rank_change", *_PER_MILLION.values()]
    table = pd.concat([top.merge(people[columns], on="cluster_id", validate="1:1"), read("beyond.csv")])
    table = table.merge(read("leaders.csv"), on="cluster_id", how="left", validate="1:1").reset_index(drop=True)
    numbers = ["rank", "patents", "publications", "deals", "previous_rank", "rank_without_deals", "population"]
    for column in [*numbers, "intensity_rank", "intensity_rank_change"]:
        table[column] = table[column].astype(float)
    table["rank"] = table["rank"].astype(int)
    for count, per_million in _PER_MILLION.items():
        table[count] = _unrounded(table[count], table.pop(per_million).astype(float) * table["population"] / 1e6, table)
    corrected = table["cluster_id"].map(MISPRINTS)
    table["intensity_rank"] = corrected.where(corrected.notna(), table["intensity_rank"])
    table["previous_intensity_rank"] = table["intensity_rank"] + table["intensity_rank_change"]
    table["economy"] = table["economy"].str.rstrip("*")
    return table


def _unrounded(count: pd.Series, implied: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Counts, or where the figure per million is printed of a count that was not yet rounded (Dalian's), one that gives both."""
    half = 0.005 * table["population"] / 1e6
    return count.where(~((count - implied).abs() > half), count.clip(implied - 0.9 * half, implied + 0.9 * half))


def _coverage() -> pd.DataFrame:
    printed = read("geocoding.csv")
    frames = []
    for table, prefix in _PREFIX.items():
        rows = printed[f"{prefix}_addresses"].astype(float)
        if table == "publications":  # the countries' rows exceed the world's: they are made 90 % of it
            countries = printed["country"] != "World Total"
            rows = rows.where(~countries, rows * 0.9 * ADDRESSES[table] / rows[countries].sum())
        frame = {
            "table": table,
            "country": printed["country"].map(COUNTRIES),
            "rows": rows,
            "rows_pct": printed[f"{prefix}_city_level_accuracy_pct"].astype(float),
            "documents_pct": printed[_COVERED[table]].astype(float),
        }
        frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)
