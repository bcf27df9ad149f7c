"""Where the benchmark's inventors, authors and deals are: cities, countryside, streets, institutions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

KM_PER_DEGREE = np.pi / 180 * 6371.0088
N_CITIES = 600
SATELLITES = 0.1
"""Share of the cities that lie 32-45 km from a larger one, so that some clusters come to be neighbours."""

COUNTRYSIDE = 0.2
"""Share of the addresses that lie anywhere in a region, outside of the cities' own spread."""

ORGANIZATIONS = 50_000
SUBURBS = 0.3
"""Share of a city's points that are spread four times as wide as the others."""

REGIONS = (
    # weight, west, east, south, north, countries
    (13, -83.0, -71.5, 38.0, 43.5, "US"),
    (5, -90.0, -81.0, 30.5, 38.0, "US"),
    (6, -96.0, -86.0, 39.0, 45.0, "US"),
    (4, -104.0, -94.5, 29.5, 39.0, "US"),
    (9, -121.5, -112.0, 33.0, 47.5, "US"),
    (3, -80.5, -72.0, 43.5, 46.5, "CA"),
    (1, -120.0, -105.0, 49.5, 54.0, "CA"),
    (2, -105.0, -97.0, 18.0, 24.0, "MX"),
    (3, -52.0, -42.0, -25.0, -15.0, "BR"),
    (1, -70.0, -59.0, -37.0, -28.0, "AR CL"),
    (1, -76.0, -72.0, 2.0, 8.0, "CO"),
    (4, -3.0, 0.0, 51.0, 54.5, "GB"),
    (6, 0.5, 7.0, 45.0, 50.5, "FR BE"),
    (9, 6.0, 14.0, 47.5, 53.5, "DE NL CH AT"),
    (3, -8.0, -1.0, 37.5, 43.0, "ES PT"),
    (3, 8.5, 12.0, 43.5, 46.5, "IT"),
    (2, 12.5, 18.0, 56.5, 60.5, "SE"),
    (1, 22.5, 28.0, 60.7, 65.0, "FI"),
    (4, 15.0, 24.0, 46.0, 53.5, "PL CZ HU"),
    (3, 31.0, 48.0, 50.0, 58.0, "RU"),
    (2, 28.0, 40.0, 37.5, 40.5, "TR"),
    (2, 46.0, 55.0, 30.0, 36.5, "IR"),
    (1, 34.9, 36.0, 31.0, 32.9, "IL"),
    (1, 30.0, 32.0, 28.0, 31.0, "EG"),
    (1, 26.0, 30.0, -28.0, -25.0, "ZA"),
    (1, 3.5, 8.0, 6.8, 12.0, "NG"),
    (8, 73.5, 85.0, 13.5, 28.5, "IN"),
    (2, 99.5, 105.0, 13.5, 17.5, "TH"),
    (1, 101.8, 103.0, 2.8, 5.5, "MY"),
    (25, 104.0, 120.0, 24.0, 40.0, "CN"),
    (3, 123.0, 129.0, 42.0, 47.0, "CN"),
    (6, 127.0, 129.2, 35.2, 37.8, "KR"),
    (13, 136.0, 140.5, 35.2, 37.0, "JP"),
    (2, 131.0, 134.5, 33.8, 35.2, "JP"),
    (2, 120.4, 121.3, 23.0, 25.0, "TW"),
    (3, 144.0, 150.5, -37.5, -28.0, "AU"),
)
"""Boxes of (mostly) land, degrees."""


class Places(NamedTuple):
    """Cities first, then one stretch of countryside for each region; P in all.

    lon, lat, sigma_km : (P,) float64; a stretch of countryside has sigma 0 and its `box` is used instead
    box : (P, 4) float64, west, east, south, north
    country : (P,) int32, index into `countries`
    patents, papers : (P,) float64, share of the addresses
    partner : (P,) int32, the nearest other place
    first_organization, organizations : (P,) int64, the place's own block of organizations
    """

    lon: np.ndarray
    lat: np.ndarray
    sigma_km: np.ndarray
    box: np.ndarray
    country: np.ndarray
    countries: list[str]
    patents: np.ndarray
    papers: np.ndarray
    partner: np.ndarray
    first_organization: np.ndarray
    organizations: np.ndarray


def make_places(rng: np.random.Generator) -> Places:
    """Draw the cities and the countryside of one world."""
    boxes = np.array([region[1:5] for region in REGIONS])
    weights = np.array([region[0] for region in REGIONS], dtype=float)
    region = rng.choice(len(REGIONS), N_CITIES, p=weights / weights.sum())
    west, east, south, north = boxes[region].T
    lon, lat = rng.uniform(west, east), rng.uniform(south, north)

    n_satellites = round(SATELLITES * N_CITIES)
    small = np.arange(N_CITIES - n_satellites, N_CITIES)
    host = rng.choice(N_CITIES // 3, n_satellites, replace=False)
    angle, away = rng.uniform(0, 2 * np.pi, n_satellites), rng.uniform(32, 45, n_satellites) / KM_PER_DEGREE
    region[small] = region[host]
    lat[small] = lat[host] + away * np.sin(angle)
    lon[small] = lon[host] + away * np.cos(angle) / np.cos(np.radians(lat[host]))

    size = (np.arange(N_CITIES) + 2.0) ** -1.0
    sigma = np.clip(2.0 + 20 * np.sqrt(size / size[0]) * rng.uniform(0.3, 1.0, N_CITIES), 2, 12)
    countries = sorted({code for entry in REGIONS for code in entry[5].split()})
    lists = [np.array([countries.index(code) for code in entry[5].split()]) for entry in REGIONS]
    at = np.concatenate([region, np.arange(len(REGIONS))])
    box = boxes[at]
    place_lon = np.concatenate([lon, boxes[:, :2].mean(axis=1)])
    place_lat = np.concatenate([lat, boxes[:, 2:].mean(axis=1)])
    return Places(
        lon=place_lon,
        lat=place_lat,
        sigma_km=np.concatenate([sigma, np.zeros(len(REGIONS))]),
        box=box,
        country=np.array([rng.choice(lists[index]) for index in at], dtype=np.int32),
        countries=countries,
        patents=_shares(size * rng.lognormal(0, 0.5, N_CITIES), weights),
        papers=_shares(size**0.8 * rng.lognormal(0, 0.4, N_CITIES), weights),
        partner=_nearest(place_lon, place_lat),
        **_organizations(np.concatenate([size, size[-1] * weights])),
    )


def _shares(cities: np.ndarray, countryside: np.ndarray) -> np.ndarray:
    """Shares of all places that sum to 1, the countryside having its fixed part."""
    return np.concatenate([(1 - COUNTRYSIDE) * cities / cities.sum(), COUNTRYSIDE * countryside / countryside.sum()])


def _nearest(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Index of the nearest other place, on the sphere."""
    lam, phi = np.radians(lon), np.radians(lat)
    points = np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    likeness = points @ points.T
    np.fill_diagonal(likeness, -2)
    return likeness.argmax(axis=1).astype(np.int32)


def _organizations(size: np.ndarray) -> dict[str, np.ndarray]:
    """Give each place a block of the organizations in proportion to its size, and at least one."""
    blocks = np.maximum(1, np.floor(size / size.sum() * (ORGANIZATIONS - len(size)))).astype(np.int64)
    return {"first_organization": np.cumsum(blocks) - blocks, "organizations": blocks}


def scatter(rng: np.random.Generator, places: Places, place: np.ndarray, digits: int) -> tuple[np.ndarray, np.ndarray]:
    """One point near each `place` (indices): normal around a city with wide suburbs, uniform in the countryside.

    Returns
    -------
    lon, lat : float64
        Degrees, rounded to `digits` decimals.
    """
    n = len(place)
    spread = places.sigma_km[place] / KM_PER_DEGREE * np.where(rng.random(n) < SUBURBS, 4.0, 1.0)
    lat = places.lat[place] + spread * rng.standard_normal(n)
    lon = places.lon[place] + spread * rng.standard_normal(n) / np.cos(np.radians(places.lat[place]))
    open_land = np.flatnonzero(spread == 0)
    west, east, south, north = places.box[place[open_land]].T
    lon[open_land], lat[open_land] = rng.uniform(west, east), rng.uniform(south, north)
    return np.round(lon, digits), np.round(lat, digits)
