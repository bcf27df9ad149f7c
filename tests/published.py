"""The published clusters again, from a world of addresses around their places: do they get their names?

    python tests/published.py REFERENCE_FOLDER [REAL_FOLDER]

prints each published name that comes out differently; with a folder of real tables, too, what their clusters at the published
clusters' places are called.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

import gpu_clusters
from gpu_clusters.kernels.spaces import EARTH_RADIUS_KM, unit_vectors

ROWS = 60
SPREAD_KM = 3.0
STEPS = 30


def world(places: pd.DataFrame, rest: float, by_population: bool = False, seed: int = 0) -> pd.DataFrame:
    """Addresses around the places of the published clusters.

    The members of a cluster have ``1 - rest`` of its output, each four fifths of the one before, its satellites and
    districts the rest by population; with ``by_population`` all have output by population alone. Sixty addresses a place, 3 km
    around it, and a thin line of addresses between members, so that they are one cluster.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for _, cluster in places.groupby("cluster_id", sort=False):
        cluster = cluster[(cluster["role"] == "member") | (cluster["km_to_member"] <= 25)]
        member = (cluster["role"] == "member").to_numpy()
        people = cluster["population"].to_numpy(float)
        if by_population:
            share = people / people.sum()
        else:
            falling = np.where(member, 0.8 ** (np.cumsum(member) - 1), 0.0)
            light = np.where(member, 0.0, people)
            share = falling / falling.sum()
            if light.sum() > 0:
                share = (1 - rest) * share + rest * light / light.sum()
        at = np.repeat(np.arange(len(cluster)), ROWS)
        lon, lat, fraction = cluster["lon"].to_numpy()[at], cluster["lat"].to_numpy()[at], share[at] / ROWS
        off = rng.normal(0, SPREAD_KM / 111.2, (2, len(at)))
        parts.append((lon + off[0] / np.cos(np.radians(lat)), lat + off[1], fraction))
        ends = cluster.loc[member, ["lon", "lat"]].to_numpy()
        for one, other in pairwise(ends):
            line = np.repeat(np.linspace(one, other, STEPS), ROWS, axis=0)
            parts.append((line[:, 0], line[:, 1], np.full(len(line), 1e-9)))
    table = pd.DataFrame(
        dict(zip(("lon", "lat", "fraction"), map(np.concatenate, zip(*parts, strict=True)), strict=True))
    )
    return table.assign(doc_id=np.arange(len(table)))


def compared(places: pd.DataFrame, published: pd.DataFrame, addresses: pd.DataFrame) -> pd.DataFrame:
    """Published and automatic names: that of the cluster nearest to each one's first member, in its densest place."""
    result = gpu_clusters.rank(addresses, radius_km=8, density=ROWS * 0.6, merge_km=None)
    members = places[places["role"] == "member"].groupby("cluster_id").first()
    inside = result.locations[result.locations["cluster_id"] > 0]
    names = result.ranking.set_index("cluster_id")["name"]
    rows = []
    for row in published.itertuples():
        lon, lat = members.loc[row.cluster_id, ["lon", "lat"]]
        near = ((inside["lon"] - lon) * np.cos(np.radians(lat))) ** 2 + (inside["lat"] - lat) ** 2
        found = names[inside.loc[near.idxmin(), "cluster_id"]]
        rows.append((row.rank, row.name.replace("-", "–"), found))
    return pd.DataFrame(rows, columns=["rank", "published", "found"])


def worlds(folder: Path) -> dict[str, pd.DataFrame]:
    """Comparisons by what they assume of the output."""
    places = pd.read_csv(folder / "clusters_places.csv", keep_default_na=False)
    published = pd.read_csv(folder / "gii2025_top100.csv")
    kinds = {
        "members 70 %": world(places, 0.3),
        "members 50 %": world(places, 0.5),
        "population alone": world(places, 0, by_population=True),
    }
    return {kind: compared(places, published, addresses) for kind, addresses in kinds.items()}


def real(folder: Path, tables: Path) -> pd.DataFrame:
    """Published clusters, and for each of their places the name of the real tables' cluster within 10 km, "-" for none."""
    places = pd.read_csv(folder / "clusters_places.csv", keep_default_na=False)
    published = pd.read_csv(folder / "gii2025_top100.csv")
    files = (tables / f"{table}.parquet" for table in ("patents", "publications", "deals"))
    result = gpu_clusters.rank(*files, density=100)
    inside = result.locations[result.locations["cluster_id"] > 0]
    names = result.ranking.set_index("cluster_id")["name"]
    members = places[places["role"] == "member"]
    tree = cKDTree(np.stack(unit_vectors(inside["lon"].to_numpy(), inside["lat"].to_numpy()), axis=1))
    at = np.stack(unit_vectors(*members[["lon", "lat"]].to_numpy(float).T), axis=1)
    distance, nearest = tree.query(at, distance_upper_bound=10 / EARTH_RADIUS_KM)
    found = inside["cluster_id"].to_numpy()[np.where(np.isfinite(distance), nearest, 0)]
    found = np.where(np.isfinite(distance), names[found], "-")
    called = members.assign(found=found).groupby("cluster_id")["found"].agg(list)
    rows = published[["rank", "name"]].assign(found=called[published["cluster_id"]].to_numpy())
    return rows.assign(published=rows.pop("name").str.replace("-", "–"))


if __name__ == "__main__":
    for kind, table in worlds(Path(sys.argv[1])).items():
        differs = table[table["published"] != table["found"]]
        print(f"{kind}: {len(table) - len(differs)} of {len(table)} equal", differs.to_string(index=False), sep="\n")
    if len(sys.argv) > 2:
        table = real(*map(Path, sys.argv[1:3]))
        there = table["found"].map(lambda names: set(names) != {"-"})
        equal = pd.Series([name in names for name, names in zip(table["published"], table["found"], strict=True)])
        print(f"real tables: {equal.sum()} of the {there.sum()} that have a cluster there are equal")
        print(table[~equal].to_string(index=False))
