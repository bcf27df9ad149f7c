"""Real tables placed again from their city, state and country: how many rows, and where do the two placements differ?

    python tests/placement.py REAL_FOLDER

prints, for patents and deals, the shares placed and in agreement, why rows are unplaced, and each place at which the two are more
than 5 km apart, with both candidates as GeoNames has them. docs/geocoding.md judges them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import gpu_clusters
from gpu_clusters.geocoding.match import NEAR_KM
from gpu_clusters.io.gazetteer import gazetteer
from gpu_clusters.kernels.spaces import EARTH_RADIUS_KM, unit_vectors

KEY = ["city", "state", "country"]


def compared(given: pd.DataFrame) -> pd.DataFrame:
    """Both placements of a table: ``lon``, ``lat`` as given, ``our_lon``, ``our_lat``, ``accuracy``, and ``km`` between them."""
    found = gpu_clusters.geocode(given[KEY], admin="state")
    table = given[[*KEY, "lon", "lat", *(["region"] if "region" in given else [])]].astype({"lon": float, "lat": float})
    table = table.assign(our_lon=found["lon"], our_lat=found["lat"], accuracy=found["accuracy"], km=np.nan)
    both = (table["lon"].notna() & table["our_lon"].notna()).to_numpy()
    points = [
        np.stack(unit_vectors(table[lon].to_numpy()[both], table[lat].to_numpy()[both]))
        for lon, lat in (("lon", "lat"), ("our_lon", "our_lat"))
    ]
    chord = np.linalg.norm(points[0] - points[1], axis=0)
    table.loc[both, "km"] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))
    return table


def candidate(places: pd.DataFrame, lon: float, lat: float) -> str:
    """The places of the gazetteer at a point: name, admin-1 code, people."""
    here = places[(places["lon"] - lon).abs().lt(1e-4) & (places["lat"] - lat).abs().lt(1e-4)]
    return " or ".join(f"{one.name} {one.admin1} ({one.population:,})" for one in here.itertuples(index=False)) or "-"


def report(name: str, table: pd.DataFrame, places: pd.DataFrame) -> None:
    """Print the figures of a table."""
    rows, ours, theirs = len(table), table["our_lon"].notna(), table["lon"].notna()
    both, far = ours & theirs, table["km"] > NEAR_KM
    print(f"\n{name}: {rows:,} rows; placed {100 * ours.mean():.2f} % (there {100 * theirs.mean():.2f} %)")
    print(f"  both {both.sum():,}, within {NEAR_KM:g} km {100 * (1 - far.sum() / both.sum()):.3f} %")
    print(f"  only here {(ours & ~theirs).sum():,}, only there {(~ours & theirs).sum():,}:", end=" ")
    print(table.loc[~ours & theirs, "accuracy"].value_counts().to_dict())
    print("  unplaced:", table.loc[~ours, "accuracy"].value_counts().to_dict())
    columns = [*KEY, *(["region"] if "region" in table else []), "our_lon", "our_lat", "lon", "lat", "km"]
    apart = table[far].astype(dict.fromkeys(columns[: len(columns) - 5], "object"))
    apart = apart.groupby(columns, dropna=False, observed=True).size().rename("rows").reset_index()
    print(f"  more than {NEAR_KM:g} km apart: {far.sum()} rows, {len(apart.drop_duplicates(KEY))} addresses")
    for one in apart.sort_values(["rows", "city"], ascending=[False, True]).itertuples(index=False):
        here, there = candidate(places, one.our_lon, one.our_lat), candidate(places, one.lon, one.lat)
        region = getattr(one, "region", "")
        print(
            f"  {one.rows:3} {one.city}, {one.state}, {one.country} [{region}] {one.km:,.0f} km: here {here}; there {there}"
        )


def main(folder: Path) -> None:
    places = gazetteer()
    for name in ("patents", "deals"):
        report(name, compared(pd.read_parquet(folder / f"{name}.parquet")), places)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
