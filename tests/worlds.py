"""Small random worlds, as nasty as the method allows: `random_world(seed)` is the same for a seed every time.

A kind of scene lays out the sites (and may fix documents and settings); the rest is drawn alike for all kinds: which
tables there are, documents of 1-8 addresses, fractions, spellings of longitudes, rows that cannot be placed, and deals
on the edges of areas or half way between two sites.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scenes import EARTH_RADIUS_KM, KINDS, Scene

import gpu_clusters

COUNTRIES = np.array(["NA", "CN", "CH", "DE", "US", "XX", None], dtype=object)
ORGANIZATIONS = np.array(["Zeta AG", "alpha", "Beta", "Ökonomie", "Alpha, Inc.", "O'Neill & Co", None], dtype=object)
FRACTIONS = [0.0, 0.25, 1 / 3, 0.5, 1.0, 1.0, 1.75, 3.0]
COUNTS = [0.0, 0.5, 1.0, 1.0, 2.0, 7.25, np.nan]
WEIGHTINGS = ["inventor-equivalent", "inventor-equivalent", "total-preserving", "raw"]


@dataclass
class World:
    """Input tables (None where one is missing) and keyword arguments for `reference_rank`."""

    patents: pd.DataFrame | None
    publications: pd.DataFrame | None
    deals: pd.DataFrame | None
    settings: dict
    kind: str


def random_documents(rng, count, rows) -> list[list[int]]:
    """Documents of 1-8 addresses at sites near each other or anywhere, some sites being far more popular."""
    popular = rng.pareto(1.2, count) + 0.05
    popular /= popular.sum()
    docs = []
    for size in rng.choice(8, rows // 2, p=[0.45, 0.2, 0.12, 0.08, 0.05, 0.04, 0.03, 0.03]) + 1:
        home = rng.choice(count, p=popular)
        near = (home + rng.integers(-4, 5, size)) % count
        anywhere = rng.choice(count, size)
        docs.append([home, *np.where(rng.random(size) < 0.75, near, anywhere)][:size])
    return docs


def density(rng, scene, docs, weighting) -> float:
    """A density between none and all of the sites' own densities, in the units of the weighting."""
    count = len(scene.sites)
    a, b = (np.bincount(np.concatenate(d), minlength=count) if d else np.zeros(count) for d in docs)
    if a.any() and b.any() and weighting != "raw":
        a, b = a / a.sum(), b / b.sum()
        scale = sum(map(len, docs[0])), sum(map(len, docs[1]))
        unit = scale[0] if weighting == "inventor-equivalent" else sum(scale) / 2
        a, b = a * unit, b * unit
    lon, lat = np.radians(scene.sites).T
    u = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    near = u.T @ u >= math.cos(min(scene.radius_km / EARTH_RADIUS_KM, math.pi)) - 1e-15
    at = near @ (a + b)
    if scene.cores:
        return math.floor(100 * at[scene.cores].min()) / 100
    at = at[a + b > 0]
    digits = int(rng.choice([0, 1, 3]))
    return max(round(float(np.quantile(at, rng.uniform(0.3, 0.97))), digits), 0.5)


def spell(rng, lon, lat, everywhere: bool) -> tuple[np.ndarray, np.ndarray]:
    """Other spellings of the same longitudes (a turn more or less, 180 and -180), and -0.0 for some zeros."""
    turned = np.where(lon < 0, lon + 360, lon - 360)
    lon = np.where(rng.random(len(lon)) < (0.4 if everywhere else 0.0), turned, lon)
    negative = rng.random((2, len(lon))) < 0.5
    return np.where(negative[0] & (lon == 0), -0.0, lon), np.where(negative[1] & (lat == 0), -0.0, lat)


def spoil(rng, rows: pd.DataFrame, new_ids: bool) -> pd.DataFrame:
    """The rows shuffled among copies of a few that cannot be placed, some of them of documents of their own."""
    bad = rng.choice(len(rows), rng.integers(0, 2 + len(rows) // 10))
    order = rng.permutation(len(rows) + len(bad))
    spoilt = (order >= len(rows)).nonzero()[0]
    rows = rows.iloc[np.concatenate([np.arange(len(rows)), bad])[order]].reset_index(drop=True)
    lon, lat = rows["lon"].to_numpy().copy(), rows["lat"].to_numpy().copy()
    ids = rows["doc_id"].tolist() if new_ids else None
    for i in spoilt:
        which = rng.integers(8)
        lon[i] = [np.nan, lon[i], np.nan, 360.5, -400.0, np.inf, lon[i], lon[i]][which]
        lat[i] = [lat[i], np.nan, np.nan, lat[i], lat[i], lat[i], 90.001, -np.inf][which]
        if new_ids and rng.random() < 0.5:
            ids[i] = ids[i] * 2 if isinstance(ids[i], str) else -1 - ids[i]
    return rows.assign(lon=lon, lat=lat) if ids is None else rows.assign(lon=lon, lat=lat, doc_id=ids)


def document_table(rng, scene: Scene, docs, options) -> pd.DataFrame:
    """Patents or publications: one row for each address of each document."""
    owner, site = np.repeat(np.arange(len(docs)), [len(doc) for doc in docs]), np.concatenate(docs)
    lon, lat = spell(rng, *scene.sites[site].T, options["respell"])
    ids = owner + 1000 if options["integer_ids"] else [f"D{k:04d}" for k in owner]
    rows = pd.DataFrame({"doc_id": ids, "lon": lon, "lat": lat})
    if rng.random() < 0.9:
        home = rng.choice(COUNTRIES, len(scene.sites))[site]
        rows["country"] = np.where(rng.random(len(rows)) < 0.8, home, rng.choice(COUNTRIES, len(rows)))
    if rng.random() < 0.9:
        rows["organization"] = rng.choice(ORGANIZATIONS, len(rows))
    if rng.random() < 0.25 and not scene.copies:
        rows["fraction"] = rng.choice(FRACTIONS if rng.random() < 0.9 else [0.0], len(rows))
    elif scene.copies and rng.random() < 0.5:  # the shares of the copies go up by 6e-10 percent from one to the next
        rows["fraction"] = 1 / np.bincount(owner)[owner]
        step = 6e-12 * len(docs)
        firsts = np.arange(0, len(docs), len(docs) // (scene.copies + 1))
        rows.loc[np.searchsorted(owner, firsts), "fraction"] += step * np.arange(len(firsts))
    if options["float32"]:
        rows = rows.astype({"lon": "float32", "lat": "float32"})
    return spoil(rng, rows, new_ids=True)


def deal_table(rng, scene: Scene, options) -> pd.DataFrame:
    """Deals at sites, about them, at the edge of their areas, half way between two sites, and anywhere."""
    sites, area = scene.sites, options["area_degrees"]
    points = []
    for _ in range(options["deals"]):
        lon, lat = sites[rng.integers(len(sites))]
        dx = (sites[:, 0] - lon + 180) % 360 - 180
        dy = sites[:, 1] - lat
        near = np.flatnonzero((dx * dx + dy * dy <= 4 * area * area) & ((dx != 0) | (dy != 0)))
        how = rng.integers(6)
        if how == 1:
            lon, lat = np.array([lon, lat]) + rng.normal(scale=0.7 * area, size=2)
        elif how == 2:
            edges = [(area, 0), (-area, 0), (0, area), (0, -area), (0.6 * area, 0.8 * area), (-0.8 * area, 0.6 * area)]
            lon, lat = np.array([lon, lat]) + edges[rng.integers(6)]
        elif how == 3:
            lon, lat = rng.uniform([-180, -90], [180, 90])
        elif len(near) and how > 3:
            other = rng.choice(near)
            lon, lat = lon + dx[other] / 2, lat + dy[other] / 2
        points.append((lon, min(max(lat, -90.0), 90.0)))
    lon, lat = np.array(points).T
    lon = np.where(np.abs(lon) > 360, lon % 360, lon)
    lon, lat = spell(rng, np.where(lon < -180, lon + 360, np.where(lon >= 180, lon - 360, lon)), lat, True)
    rows = pd.DataFrame({"lon": lon, "lat": lat})
    if rng.random() < 0.7:
        rows["deals"] = rng.choice(COUNTS, len(rows))
    if rng.random() < 0.8:
        rows["country"] = rng.choice(COUNTRIES, len(rows))
    return spoil(rng, rows, new_ids=False)


def random_world(seed: int) -> World:
    """The world of a seed; the kinds take turns, everything else is drawn."""
    rng = np.random.default_rng(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    scene = KINDS[kind](rng)
    options = {
        "weighting": rng.choice(WEIGHTINGS),
        "merge_km": rng.choice([5.0, 5.0, 5.0, 10.0, 20.0, 0.0, rng.uniform(0, 20), None]),
        "area_degrees": rng.choice([0.05, 0.05, 0.0625, 0.25, 1.0, 200.0]),
        "border": rng.choice(["densest", "densest", "lowest"]),
        "rows": int(rng.integers(40, 650)),
        "deals": int(rng.choice([0, 5, 20, 60])),
        "respell": rng.random() < 0.3,
        "integer_ids": rng.random() < 0.5,
        "float32": rng.random() < 0.08,
    } | scene.settings
    missing = rng.choice(["patents", "publications", "none"], p=[0.1, 0.1, 0.8])
    docs = scene.docs or [random_documents(rng, len(scene.sites), max(options["rows"], 2)) for _ in range(2)]
    docs = [[] if missing == table else found for table, found in zip(("patents", "publications"), docs, strict=True)]
    if scene.copies:
        size, number = len(scene.sites), scene.copies + 1
        shifted = [scene.sites + np.array([3.0 * k, 0.0]) for k in range(number)]
        scene.sites = np.concatenate(shifted)
        docs = [[[i + k * size for i in doc] for k in range(number) for doc in found] for found in docs]
    wanted = options.get("density") or density(rng, scene, docs, options["weighting"])
    patents, publications = (document_table(rng, scene, found, options) if found else None for found in docs)
    deals = deal_table(rng, scene, options) if options["deals"] else None
    settings = {"radius_km": scene.radius_km, "density": wanted}
    settings |= {name: options[name] for name in ("weighting", "merge_km", "area_degrees", "border")}
    settings |= {"crs": options["crs"]} if "crs" in options else {}
    settings = {name: value.item() if isinstance(value, np.generic) else value for name, value in settings.items()}
    return World(patents, publications, deals, settings, kind)


def world_of_three(**more):
    """A ranking of three clusters on the equator, at longitudes 0, 2 and 4: 10, 9 and 8 addresses."""
    places = [(0.0, 0.0)] * 6 + [(0.1, 0.0)] * 4 + [(2.0, 0.0)] * 9 + [(4.0, 0.0)] * 8
    lon, lat = np.array(places).T
    patents = pd.DataFrame({"doc_id": range(len(places)), "lon": lon, "lat": lat})
    return gpu_clusters.rank(patents, radius_km=15, density=5, **more)
