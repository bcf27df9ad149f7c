"""Where the small random worlds of the tests lie: every kind of world lays out its sites in its own nasty way.

A kind takes a random generator and gives a `Scene`; `worlds.random_world` turns it into tables and settings.
"""

import math
from dataclasses import dataclass, field

import numpy as np

EARTH_RADIUS_KM = 6371.0088
DEGREE_KM = math.radians(1) * EARTH_RADIUS_KM  # along a meridian


@dataclass
class Scene:
    """What a kind lays out: sites (lon, lat), and what it wants other than the usual draws."""

    sites: np.ndarray
    radius_km: float = 15.0
    settings: dict = field(default_factory=dict)
    docs: list | None = None  # of patents, of publications: lists of documents, each a list of site numbers
    cores: list | None = None  # sites that must be core
    copies: int = 0  # further copies of every site and document, a few degrees to the east


def spots(rng, centres, count, spread_km, digits=3) -> np.ndarray:
    """Sites in random heaps about the centres, sorted by heap; rounding makes some of them equal."""
    home = np.sort(rng.integers(len(centres), size=count))
    lon, lat = np.array(centres, dtype=float)[home].T
    off = rng.normal(scale=spread_km / DEGREE_KM, size=(2, count))
    lat = np.clip(lat + off[1], -90, 90)
    return np.column_stack([lon + off[0] / np.cos(np.radians(np.clip(lat, -85, 85))), lat]).round(digits)


def cities(rng) -> Scene:
    centres = [(rng.uniform(-170, 170), rng.uniform(-60, 70)) for _ in range(rng.integers(2, 9))]
    centres += [(lon + 0.3, lat + 0.2) for lon, lat in centres[:3]]
    radius = rng.choice([5.0, 10.0, 15.0, 15.0, 25.5])
    return Scene(spots(rng, centres, rng.integers(60, 300), radius * rng.uniform(0.4, 1.2), rng.integers(2, 5)), radius)


def lattice(rng) -> Scene:
    """Many pairs of sites at exactly, or all but exactly, the radius."""
    step = rng.choice([0.125, 0.1, 0.0625, 0.07])
    lat, lon = np.mgrid[0 : rng.integers(5, 19), 0 : rng.integers(5, 19)].reshape(2, -1)
    corner = [(0.0, 0.0), (-0.5, -0.5), (8.0, 47.0), (-179.9, 10.0)][rng.integers(4)]
    sites = np.column_stack([corner[0] + step * lon, corner[1] + step * lat])
    radius = step * DEGREE_KM * rng.choice([1, 1, 2, 2, 3, math.sqrt(2), math.sqrt(5)])
    radius = rng.choice([radius, radius, np.nextafter(radius, 0), np.nextafter(radius, 1e9), radius * (1 + 1e-12)])
    kept = rng.random(len(sites)) < rng.uniform(0.3, 0.9)
    kept[:20] = True
    return Scene(sites[kept], radius)


def chain(rng) -> Scene:
    """Sites in a row, one radius apart, with some missing."""
    step, count = rng.choice([0.1, 0.125, 0.05]), rng.integers(30, 90)
    along = np.sort(rng.choice(count * 5 // 4, count, replace=False)) * step
    across = np.full(count, 0.0)
    sites = np.column_stack([along, across] if rng.random() < 0.5 else [across, along - 2])
    return Scene(sites, step * DEGREE_KM * rng.choice([1.0, 1 + 1e-15, 1 - 1e-15, 2.0]))


def duplicates(rng) -> Scene:
    return Scene(spots(rng, [(2.3, 48.9), (2.6, 49.0), (13.4, 52.5)], 25, 12, 1), 15.0, {"rows": 650})


def pole(rng, sign) -> Scene:
    count, radius = rng.integers(20, 150), rng.choice([15.0, 60.0, 200.0])
    lat = 90 - np.abs(rng.normal(scale=3 * radius / DEGREE_KM, size=count))
    lat[: rng.integers(1, 7)] = 90.0
    return Scene(np.column_stack([rng.uniform(-360, 360, count), sign * lat]).round(rng.integers(1, 4)), radius)


def date_line(rng) -> Scene:
    centres = [(180 + rng.uniform(-0.3, 0.3), rng.uniform(-40, 60)) for _ in range(rng.integers(2, 6))]
    sites = spots(rng, centres, rng.integers(30, 200), rng.uniform(5, 20), rng.integers(1, 4))
    sites[:3, 0] = [180.0, -180.0, 181.5]
    turn = rng.random(len(sites)) < 0.5
    sites[turn, 0] -= 360
    return Scene(sites, rng.choice([10.0, 15.0, 25.0]))


def greenwich(rng) -> Scene:
    sites = spots(rng, [(0.0, 0.0), (0.2, 0.0), (0.0, 51.5)], rng.integers(30, 200), 12, rng.integers(1, 3))
    sites[:4] = [(0.0, 0.0), (-0.0, 0.1), (0.1, -0.0), (360.0, 0.1)]
    return Scene(sites, rng.choice([8.0, 15.0]), {"respell": True})


def projected(rng) -> Scene:
    """A lattice in metres of a projected CRS."""
    from pyproj import Transformer

    y, x = np.mgrid[0 : rng.integers(4, 15), 0 : rng.integers(5, 15)].reshape(2, -1) * 5000.0
    lon, lat = Transformer.from_crs("EPSG:3035", "EPSG:4326", always_xy=True).transform(x + 4.3e6, y + 2.9e6)
    kept = np.flatnonzero(rng.random(len(lon)) < rng.uniform(0.4, 0.9)) if len(lon) > 40 else np.arange(len(lon))
    return Scene(np.column_stack([lon, lat])[kept], rng.choice([5.0, 10.0, 7.5]), {"crs": "EPSG:3035"})


def strip(rng, shared) -> Scene:
    """Four clusters in a row whose border sites are 4, 5 or 8 km apart, and three noise sites (numbers 4, 5, 6).

    `shared` gives (X, Q): (patents, publications) in both; a cluster is two core sites between two border sites.
    """
    gaps = np.concatenate([[0], rng.choice([4.0, 4.0, 4.0, 5.0, 8.0], 3)])
    middle = np.arange(4) * 18 + np.cumsum(gaps)
    along = np.concatenate([np.add.outer(middle, [-9, -3, 3, 9]).ravel(), [110, 140, 170]]) / DEGREE_KM
    lon, lat = rng.choice([0.0, 77.0, 179.8]), rng.choice([0.0, 12.0, 55.0])
    sites = [(lon + along / math.cos(math.radians(lat)), lat + 0 * along), (lon + 0 * along, lat + along)]
    homes = [[4 * k + 1, 4 * k + 2] for k in range(4)] + [[16], [17], [18]]
    docs = []
    for table in range(2):
        count = 25 + rng.choice([0, 0, 1, 25]) * table
        local = [[home] for places in homes[:4] for home in places for _ in range(count)] + [[i] for i in range(19)]
        both = [pair for pair, numbers in shared.items() for _ in range(numbers[table])]
        docs.append(local + [[rng.choice(homes[x]), rng.choice(homes[q])] for x, q in both])
    settings = {"merge_km": rng.choice([5.0, 5.0, 5.0, 4.5, 8.0001])}
    return Scene(np.column_stack(sites[rng.integers(2)]), 9.5, settings, docs, [i for x in homes[:4] for i in x])


def merge_yes(rng) -> Scene:
    return strip(rng, {(0, 1): (2, 2), (2, 3): (3, 1), (1, 2): rng.choice([(0, 1), (4, 3), (1, 0)]), (0, 4): (1, 1)})


def merge_elsewhere(rng) -> Scene:
    return strip(rng, {(0, 1): (2, 1), (0, 3): (3, 1), (1, 2): (0, 4), (1, 3): tuple(rng.integers(0, 3, 2))})


def merge_tie(rng) -> Scene:
    p, s = rng.integers(1, 4, 2)
    return strip(rng, {(0, 1): (p, s), (0, 2): (p, s), (1, 3): (s, p), (2, 3): tuple(rng.integers(0, 2, 2))})


def merge_noise(rng) -> Scene:
    other = rng.choice([(2, 2), (0, 3)])
    return strip(rng, {(0, 1): (2, 2), (0, 4): (3, 2), (1, 5): other, (2, 3): (1, 0), (2, 6): (1, 1)})


def merge_random(rng) -> Scene:
    return strip(rng, {(x, q): tuple(rng.integers(0, 4, 2)) for x in range(4) for q in range(x + 1, 7)})


def mirror(rng) -> Scene:
    """Two or four equal clusters about a border site: equal densities, equal ties, often equal shares."""
    step = 0.0625
    arm = np.array([(2, 0), (3, 0), (4, 0), (3, 1), (3, -1), (1, 0)])
    turns = [np.array([[1, 0], [0, 1]]), np.array([[-1, 0], [0, -1]]), np.array([[0, 1], [-1, 0]])]
    turns = [turns[:2], [turns[2], -turns[2]], [*turns, -turns[2]]][rng.integers(3)]
    sites = np.concatenate([arm @ turn for turn in turns] + [[(0, 0)]]) * step
    middle, cores = len(sites) - 1, [i for i in range(len(sites) - 1) if i % 6 != 5]
    docs = []
    for _ in range(2):
        links = [[i, 6 * rng.integers(len(turns))] for i in range(0, middle, 6) for _ in range(rng.integers(4))]
        docs.append([[i] for i in cores for _ in range(8)] + [[i] for i in range(5, middle + 1, 6)] + links)
        docs[-1] += [[middle]] * int(rng.integers(1, 3))
    settings = {"merge_km": rng.choice([0.0, 7.0, 14.0])}
    sites[:, 0] += rng.choice([0.0, 180.0, -60.0])
    return Scene(sites, 2.05 * step * DEGREE_KM, settings, docs, cores)


def one_location(rng) -> Scene:
    site = [rng.choice([0.0, -0.0, 180.0, 12.5]), rng.choice([-0.0, 90.0, -33.9])]
    return Scene(np.array([site]), settings={"rows": 1})


def all_equal(rng) -> Scene:
    scene = one_location(rng)
    return Scene(np.repeat(scene.sites, 20, axis=0), settings={"respell": True})


def no_cluster(rng) -> Scene:
    return Scene(rng.uniform([-180, -80], [180, 80], (rng.integers(20, 90), 2)).round(2), settings={"density": 1e6})


def one_cluster(rng) -> Scene:
    sites = spots(rng, [(rng.uniform(-180, 180), rng.uniform(-60, 60))], rng.integers(20, 200), 5)
    return Scene(sites, 60.0, {"density": rng.choice([0.5, 1.0, 2.25])})


def huge_radius(rng) -> Scene:
    z = rng.uniform(-1, 1, rng.integers(20, 120))
    sites = np.column_stack([rng.uniform(-180, 180, len(z)), np.degrees(np.arcsin(z))]).round(1)
    half = math.pi * EARTH_RADIUS_KM
    return Scene(sites, rng.choice([1500.0, 5000.0, 12000.0, 25000.0, half, np.nextafter(half, 0)]))


def tiny_radius(rng) -> Scene:
    sites = spots(rng, rng.uniform(-60, 60, (rng.integers(2, 6), 2)), rng.integers(40, 200), 0.015, 5)
    return Scene(sites, 0.01, {"area_degrees": rng.choice([0.0001, 0.05]), "merge_km": rng.choice([0.0, 0.005, 0.03])})


def deal_edges(rng) -> Scene:
    """Small clusters side by side; deals at the edge of areas, and half way between two clusters."""
    step = 0.0625
    lat, lon = np.mgrid[0:6, 0:7].reshape(2, -1)[:, rng.permutation(42)[:30]]
    lon = rng.choice([180 - 3 * step, 10.0, -3 * step]) + lon * step
    area = rng.choice([0.05, step / 2, step, 0.1])
    settings = {"area_degrees": area, "deals": 120, "respell": True, "merge_km": rng.choice([0.0, 8.0])}
    return Scene(np.column_stack([lon, 20 + lat * step]), 5.0, settings)


def twins(rng) -> Scene:
    """The same spot several times over: equal shares, or shares a hair apart."""
    sites = spots(rng, [(10.0, 45.0), (10.5, 45.0)], rng.integers(10, 45), 8, 2)
    settings = {"deals": rng.choice([0, 30]), "merge_km": None, "rows": 200}
    return Scene(sites, 15.0, settings, copies=rng.integers(1, 5))


KINDS = {
    kind.__name__: kind
    for kind in (
        *(cities, lattice, chain, duplicates, date_line, greenwich, projected, merge_yes, merge_elsewhere, merge_tie),
        *(merge_noise, merge_random, mirror, one_location, all_equal, no_cluster, one_cluster, huge_radius),
        *(tiny_radius, deal_edges, twins),
    )
} | {"north_pole": lambda rng: pole(rng, 1), "south_pole": lambda rng: pole(rng, -1)}
