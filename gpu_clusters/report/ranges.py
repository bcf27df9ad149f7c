"""What a sweep tells about the clusters of a result: the range of their ranks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gpu_clusters.io.editions import differing_settings
from gpu_clusters.report.contents import Contents
from gpu_clusters.schema import TABLES
from gpu_clusters.texts import setting
from gpu_clusters.wording import counted

LISTED = 5  # clusters that a line names at most
_COUNTED = {"columns": "names of columns", "years": "years", "crs": "coordinates (crs)", "border": "border locations"}


def with_ranges(contents: Contents) -> pd.DataFrame:
    """The clusters that a sweep tells about, with ``best_rank``, ``median_rank``, ``worst_rank`` and ``matched``.

    A sweep merges no neighbours and may have another baseline, so its clusters are numbered in another way: meant is the one
    whose densest place is in the cluster, the first by rank of several.
    """
    wanted = ["best_rank", "median_rank", "worst_rank", "matched"]
    given = contents.stability
    if given is None:
        return contents.clusters.iloc[:0].assign(**dict.fromkeys(wanted, 0))
    places = contents.locations.loc[contents.locations["cluster_id"] > 0, ["lon", "lat", "cluster_id"]]
    inside = given.sort_values("rank", kind="stable")[["lon", "lat", *wanted]].merge(places, on=["lon", "lat"])
    first = inside[inside["best_rank"].notna()].drop_duplicates("cluster_id")
    return contents.clusters.merge(first[["cluster_id", *wanted]], on="cluster_id")


def without_ranges(contents: Contents) -> list[str]:
    """Which clusters a sweep tells nothing about, in a line for the reader; nothing where there is no sweep."""
    lacking = contents.clusters[~contents.clusters["cluster_id"].isin(with_ranges(contents)["cluster_id"])]
    if contents.stability is None or not len(lacking):
        return []
    listed = ", ".join(f"{one.rank} {one.label}" for one in lacking.head(LISTED).itertuples())
    return [
        f"the sweep tells nothing about {len(lacking):,} of {counted(len(contents.clusters), 'cluster')}, whose ranks have no "
        f"range ({listed}{', ...' if len(lacking) > LISTED else ''}): no cluster of its baseline has its densest place there; "
        "the baseline should have the settings of the result"
    ]


def unlike(contents: Contents) -> list[str]:
    """In what a sweep differs from the result, so that its ranges may be of something else; a line each."""
    one, other = contents.manifest, contents.sweep
    if not (one.get("settings") and other):
        return []
    settings = differing_settings(one, other, but=())
    differing = _tables(one, other) + [said for name, said in _COUNTED.items() if name in settings]
    return _other_baseline(one["settings"], contents.grid) + [
        f"the sweep has other {name} than the result: ranges of ranks may be of other data" for name in differing
    ]


def _other_baseline(settings: Mapping[str, Any], grid: Mapping[str, Any]) -> list[str]:
    own = [settings["radius_km"], settings["density"], settings.get("weighting")]
    baseline = [*grid["baseline"], next(iter(grid.get("weightings", ())), own[2])] if grid else own
    if baseline == own:
        return []
    there, here = (
        f"{setting(radius)} km and {setting(density)}" + (f", {weighting}" if baseline[2] != own[2] else "")
        for radius, density, weighting in (baseline, own)
    )
    return [
        f"the sweep's baseline is {there}, the result's setting {here}: ranges of ranks are those of the baseline's "
        "clusters, which may be larger or smaller"
    ]


def _tables(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Tables that are not the same: files are known by their content, tables in memory by their number of rows."""
    if not other.get("inputs"):
        return []
    return [table for table in TABLES if not _alike(_files(one, table), _files(other, table))]


def _files(record: Mapping[str, Any], table: str) -> list[tuple[str, int]]:
    named = (file for file in record.get("inputs", ()) if file.get("table") == table)
    return [(file.get("sha256") or "", file.get("rows") or 0) for file in named]


def _alike(one: list[tuple[str, int]], other: list[tuple[str, int]]) -> bool:
    if all(content for content, _ in one + other):
        return sorted(one) == sorted(other)
    return sum(rows for _, rows in one) == sum(rows for _, rows in other)
