"""A small gazetteer worked out by hand, and the names that clusters of a few points get by it."""

import numpy as np
import pandas as pd

from gpu_clusters.io.gazetteer import COLUMNS
from gpu_clusters.io.overrides import read_overrides
from gpu_clusters.steps.describe import Points
from gpu_clusters.steps.name import name_clusters
from gpu_clusters.steps.places import places_from


def frame(*rows) -> pd.DataFrame:
    """Gazetteer of (name, country, admin1, lon, lat, population[, alternates])."""
    full = [(i + 1, *row[:6], row[6] if len(row) > 6 else "") for i, row in enumerate(rows)]
    return pd.DataFrame(full, columns=list(COLUMNS)).astype({"lon": float, "lat": float, "population": "int64"})


def named(points: pd.DataFrame, gazetteer: pd.DataFrame, overrides=None, everything=None, order=None) -> list[str]:
    """Names of clusters of points (lon, lat, cluster, output)."""
    return whole(points, gazetteer, overrides, everything, order).names


def whole(points, gazetteer, overrides=None, everything=None, order=None):
    """Names of clusters of points, and the warnings about them."""
    points = pd.DataFrame(points, columns=["lon", "lat", "cluster", "output"])
    columns = [points[c].to_numpy(t) for c, t in zip(points, (float, float, np.int64, np.int64), strict=True)]
    clusters = int(points["cluster"].max()) + 1 if len(points) else 0

    def smaller():
        assert everything is not None, "small places were not expected to be asked for"
        return places_from(everything)

    return name_clusters(
        *(Points(*columns), clusters, range(clusters) if order is None else order),
        None if overrides is None else read_overrides(overrides),
        towns=lambda: places_from(gazetteer),
        smaller=smaller,
    )


GAZETTEER = frame(
    ("Cambridge", "GB", "ENG", 0.12, 52.2, 145_000, "Cantabrigia"),
    ("Cambridge", "US", "MA", -71.1, 42.37, 110_000),
    ("Boston", "US", "MA", -70.9, 42.36, 650_000),
    ("Portland", "US", "OR", -122.68, 45.52, 650_000),
    ("Portland", "US", "ME", -70.26, 43.66, 68_000),
    ("München", "DE", "02", 11.57, 48.14, 1_500_000, "Munich,Monaco di Baviera"),
    ("Schwabing", "DE", "02", 11.58, 48.17, 60_000),
    ("Köln", "DE", "07", 6.95, 50.93, 1_000_000, "Cologne"),
    ("Xi’an", "CN", "26", 108.93, 34.26, 9_000_000),
)
