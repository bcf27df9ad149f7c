"""What a sweep tells about the clusters of a result: the range of their ranks."""

from __future__ import annotations

import pandas as pd

from gpu_clusters.report.contents import Contents
from gpu_clusters.wording import counted

LISTED = 5  # clusters that a line names at most


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
