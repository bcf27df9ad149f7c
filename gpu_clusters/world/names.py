"""A file of names, as a user would bring one: for clusters of several centres, which the gazetteer alone may call otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gpu_clusters.world import sites as geometry
from gpu_clusters.world.plan import Base


def table(base: Base) -> pd.DataFrame:
    """Names of the clusters among the first 100 that have several hubs: ``name``, and ``lon`` and ``lat`` of the first hub."""
    sites = base.sites
    hubs = np.flatnonzero(sites.kind == geometry.HUB)
    cluster, first, count = np.unique(base.cluster[hubs], return_index=True, return_counts=True)
    chosen = (count > 1) & (base.clusters["rank"].to_numpy()[cluster] <= 100)
    name = base.clusters["name"].str.replace("-", "–")[cluster[chosen]].to_numpy()
    at = hubs[first[chosen]]
    return pd.DataFrame({"name": name, "lon": sites.lon[at], "lat": sites.lat[at]})


def write(base: Base, path: Path) -> None:
    """Write the file."""
    table(base).to_csv(path, index=False)
