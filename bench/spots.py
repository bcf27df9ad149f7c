"""Point clouds for the clustering benchmark: distinct locations around normally distributed spots."""

from __future__ import annotations

import numpy as np

KM_PER_DEGREE = np.pi / 180 * 6371.0088
BOX = (5.0, 11.0, 47.0, 53.0)
"""West, east, south, north of the box that holds the spots' centres, degrees."""

N_SPOTS = 400
SIGMA_KM = (2.0, 28.0)
N_HEAVY = 5
HEAVY_SIGMA_KM = 1.0


def spots(n: int, seed: int, heavy: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Make `n` distinct locations in and around a box of 6 x 6 degrees.

    400 centres lie uniformly in the box; each has a spread drawn uniformly from 2 to 28 km and every location belongs
    to a centre drawn uniformly. Nothing is clipped: what falls outside the box stays.

    Parameters
    ----------
    n : int
        Number of locations.
    seed : int
        Seed of the random generator; the same arguments give the same locations.
    heavy : float
        Share of the locations, in [0, 1], that lies in five tight spots instead (a spread of 1 km each, at the centres
        of the first five of the 400), a fifth of it in each.

    Returns
    -------
    lon, lat : (n,) float64
        Degrees. No two pairs are equal; the order is random.
    """
    if not 0 <= heavy <= 1:
        raise ValueError(f"heavy must lie in [0, 1], not {heavy}")
    rng = np.random.default_rng(seed)
    west, east, south, north = BOX
    centres = np.column_stack([rng.uniform(west, east, N_SPOTS), rng.uniform(south, north, N_SPOTS)])
    sigma = rng.uniform(*SIGMA_KM, N_SPOTS)
    spot = rng.integers(0, N_SPOTS, n)
    spread = sigma[spot]
    n_heavy = round(heavy * n)
    spot[:n_heavy] = np.arange(n_heavy) % N_HEAVY
    spread[:n_heavy] = HEAVY_SIGMA_KM
    order = rng.permutation(n)
    spot, spread = spot[order], spread[order]

    lon, lat = _scatter(rng, centres[spot], spread)
    while (again := _repeated(lon, lat)).size:
        lon[again], lat[again] = _scatter(rng, centres[spot[again]], spread[again])
    return lon, lat


def _scatter(rng: np.random.Generator, centre: np.ndarray, spread_km: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Displace each centre (lon, lat in degrees) by a normal step of `spread_km` in both directions."""
    step = rng.standard_normal((len(centre), 2)) * spread_km[:, None] / KM_PER_DEGREE
    return centre[:, 0] + step[:, 0] / np.cos(np.radians(centre[:, 1])), centre[:, 1] + step[:, 1]


def _repeated(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Indices of all locations but the first of every group of equal pairs."""
    pairs = np.empty(len(lon), dtype=np.complex128)
    pairs.real, pairs.imag = lon, lat
    first = np.unique(pairs, return_index=True)[1]
    return np.setdiff1d(np.arange(len(lon)), first, assume_unique=True) if len(first) < len(lon) else first[:0]
