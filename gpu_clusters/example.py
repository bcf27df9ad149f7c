"""An embedded example: invented addresses and deals around real cities."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.errors import UsageError

INVENTORS, AUTHORS, DEALS = 4_270_000, 28_600_000, 66_755  # addresses and places of deals at scale 1

# city, country, lon, lat, weight for patents, publications and deals (invented); applicant and university (invented)
CITIES = (
    ("Shenzhen", "CN", 114.06, 22.54, 22, 12, 10, "Pearl Electronics", "Pearl River University"),
    ("Tokyo", "JP", 139.69, 35.69, 24, 11, 6, "Kanto Optics", "Musashino University"),
    ("San Francisco", "US", -122.27, 37.60, 16, 9, 26, "Bayshore Semiconductors", "Redwood University"),
    ("Beijing", "CN", 116.38, 39.92, 9, 22, 9, "Northern Displays", "Yanshan University"),
    ("Seoul", "KR", 126.98, 37.57, 12, 10, 9, "Hangang Electronics", "Namsan University"),
    ("Shanghai", "CN", 121.47, 31.23, 8, 17, 11, "Huangpu Biotech", "Pudong University"),
    ("New York", "US", -73.98, 40.74, 5, 11, 15, "Hudson Pharma", "Battery Park University"),
    ("London", "GB", -0.12, 51.51, 3, 11, 12, "Thames Therapeutics", "Southwark University"),
    ("Boston", "US", -71.08, 42.36, 6, 9, 11, "Charles River Genomics", "Back Bay University"),
    ("Paris", "FR", 2.35, 48.86, 5, 9, 7, "Seine Aerospace", "Université du Marais"),
    ("Bengaluru", "IN", 77.59, 12.97, 2, 4, 8, "Deccan Software", "Cubbon University"),
    ("München", "DE", 11.57, 48.14, 5, 4, 4, "Isar Motoren", "Universität an der Isar"),
    ("Stuttgart", "DE", 9.18, 48.78, 6, 2, 1, "Neckar Antriebe", "Universität am Neckar"),
    ("São Paulo", "BR", -46.63, -23.55, 1, 7, 4, "Paulista Cosméticos", "Universidade do Ipiranga"),
    ("Cambridge", "GB", 0.12, 52.21, 2, 4, 3, "Fenland Chips", "Fenland University"),
    ("Zürich", "CH", 8.54, 47.37, 2, 3, 2, "Limmat Sensors", "Universität am Zürichberg"),
    ("Suva", "FJ", 178.44, -18.14, 0.2, 1.0, 0.1, "Viti Marine", "Rewa University"),
)
KINDS = ("Institute", "Laboratory", "Works", "Research", "Systems")
SHARE_IN_CITIES = 0.6
UNPLACED = 0.03


def tables(scale: float = 0.02, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Patents, publications and deals of the example.

    Parameters
    ----------
    scale : float
        Share of the number of addresses in WIPO's data; in (0, 1].
    seed : int
        Of the random numbers.

    Returns
    -------
    patents, publications, deals : DataFrame
        In the columns of the method, section 1.
    """
    if not (0 < scale <= 1):
        raise UsageError(f"scale must be above 0 and at most 1, not {scale!r}")
    rng = np.random.default_rng(seed)
    patents = _addresses(rng, "P", math.ceil(INVENTORS * scale), column=4, owner=7, digits=4)
    publications = _addresses(rng, "W", math.ceil(AUTHORS * scale), column=5, owner=8, digits=2)
    city = _cities(rng, math.ceil(DEALS * scale), column=6)
    lon, lat = _around(rng, city, spread_km=6)
    deals = pd.DataFrame(
        {"lon": lon.round(3), "lat": lat.round(3), "country": _text(city, 1), "deals": rng.integers(1, 6, len(city))}
    )
    return patents, publications, deals


def _addresses(rng: np.random.Generator, prefix: str, rows: int, column: int, owner: int, digits: int) -> pd.DataFrame:
    """Documents of one to eight addresses, most in one city, rounded to ``digits`` decimals as geocoders do."""
    sizes = rng.choice(np.arange(1, 9), rows, p=[0.28, 0.24, 0.17, 0.11, 0.08, 0.05, 0.04, 0.03])
    document = np.repeat(np.arange(rows), sizes)[:rows]
    home = _cities(rng, rows, column)[document]
    city = np.where(rng.random(rows) < 0.85, home, _cities(rng, rows, column))
    lon, lat = _around(rng, city, spread_km=9)
    lon, lat = lon.round(digits), lat.round(digits)
    lost = rng.random(rows) < UNPLACED
    lon[lost] = lat[lost] = np.nan
    ids = pd.Series(document).astype(str).str.zfill(8)
    other = (
        _text(home, 0)
        + " "
        + np.array([f"{kind} {i}" for i in range(1, 13) for kind in KINDS], object)[
            rng.integers(0, 12 * len(KINDS), rows)
        ]
    )
    organization = np.where(rng.random(rows) < 0.1, _text(home, owner), other)
    return pd.DataFrame(
        {
            "doc_id": prefix + ids,
            "lon": lon,
            "lat": lat,
            "country": _text(city, 1),
            "organization": organization,
            "year": rng.integers(2019, 2024, rows),
        }
    )


def _cities(rng: np.random.Generator, count: int, column: int) -> NDArray[np.int64]:
    """Random cities, weighted by a column of `CITIES`."""
    weight = np.array([city[column] for city in CITIES], dtype=float)
    return rng.choice(len(CITIES), count, p=weight / weight.sum())


def _around(
    rng: np.random.Generator, city: NDArray[np.int64], spread_km: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places about cities, and the rest thinly over the land around them."""
    centre = np.array([(c[2], c[3]) for c in CITIES])[city]
    spread = np.where(rng.random(len(city)) < SHARE_IN_CITIES, spread_km, 400.0) / 111.2
    offset = rng.normal(size=(len(city), 2)) * spread[:, None]
    lat = centre[:, 1] + offset[:, 1]
    lon = centre[:, 0] + offset[:, 0] / np.cos(np.radians(lat))
    return (lon + 180) % 360 - 180, lat


def _text(city: NDArray[np.int64], column: int) -> NDArray[np.object_]:
    return np.array([c[column] for c in CITIES], dtype=object)[city]
