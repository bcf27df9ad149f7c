"""Where the world's inventors and authors are: sites, small discs on the globe, and the proof that they make the clusters meant.

All addresses of a site lie within ``radius_km`` of its centre, and one lies right there. So what is surely and what is possibly
within 15 km of each other is known before a single address is drawn, and `proved` checks that at any scale and with any seed
every planted cluster is found, whole and with no location more. Weights are in units of the density threshold.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.world.published import read

RADIUS_KM, EARTH_KM = 15.0, 6371.0088
STRONG = 1.16  # weight that makes a site core by itself, with room for rounding at small scales
TAIL, EDGE = 0.3, 0.08
FAINT = 0.8  # largest weight of a site that must not become core
SLACK = 0.05  # km
HUB_KM, TOWN_KM, SUBURB_KM, NOISE_KM = 3.0, 0.8, 1.5, 3.0
SUBURBS, SATELLITES = 0.12, 0.1  # parts of what weight is left when every site has what it needs
FALLING = 0.8  # weight of a member by that of the one named before
STEP_KM = 11.0  # between towns of a bridge
TO_EDGE_KM = 12.5  # from the tail, the last town, to the edge, which does not see the town before

HUB, TOWN, TAIL_END, EDGE_POINT, SUBURB, NOISE, NOISE_CITY = range(7)

MERGING_GAP_KM, WIDE_GAP_KM = 4.0, 8.0
NEAR = (
    ("nanjing", "zhenjiang", WIDE_GAP_KM),
    ("frankfurt-am-main", "heidelberg-mannheim", WIDE_GAP_KM),
    ("busan", "ulsan", MERGING_GAP_KM),
    ("ann-arbor", "detroit", MERGING_GAP_KM),
)
"""Neighbours that must not be merged: gaps that are too wide, or partners elsewhere that are stronger (see `links`)."""

NOISE_FRIEND = "ann-arbor"  # its strongest partner is a single city of noise


class Part(NamedTuple):
    """A cluster before merging: its cluster's number, the part of its output, and its addresses' weight in thresholds."""

    cluster: int
    share: float
    weight: float


class Sites(NamedTuple):
    """Discs, (n,) each, the clusters' first and by part.

    ``part`` is -1 for noise. ``weight`` is in thresholds, for noise the share within the country that the rows are spread by.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    kind: NDArray[np.int64]
    part: NDArray[np.int64]
    country: NDArray[np.object_]
    weight: NDArray[np.float64]


def unit(lon: NDArray[np.float64] | float, lat: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Unit vectors, (..., 3)."""
    x, y = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=-1)


def kilometres(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great-circle distances between unit vectors."""
    chord = np.linalg.norm(a - b, axis=-1)
    return 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1.0))


def shifted(
    lon: NDArray[np.float64] | float,
    lat: NDArray[np.float64] | float,
    km: NDArray[np.float64] | float,
    bearing: NDArray | float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places ``km`` from others, in the direction ``bearing`` (radians, clockwise from north)."""
    x, y, far = np.radians(lon), np.radians(lat), np.asarray(km) / EARTH_KM
    sine = np.clip(np.sin(y) * np.cos(far) + np.cos(y) * np.sin(far) * np.cos(bearing), -1, 1)
    east = np.arctan2(np.sin(bearing) * np.sin(far) * np.cos(y), np.cos(far) - np.sin(y) * sine)
    return (np.degrees(x + east) + 180) % 360 - 180, np.degrees(np.arcsin(sine))


class _Builder:
    """Sites as they are added; refuses those that would touch another part or be seen from an edge."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.rows: list[tuple[float, float, float, int, int, str, float]] = []
        self.at = np.empty((0, 3))
        self._radius = np.empty(0)
        self._part = np.empty(0, np.int64)
        self._kind = np.empty(0, np.int64)

    def add(self, lon: float, lat: float, radius: float, kind: int, part: int, country: str, weight: float) -> None:
        self.rows.append((lon, lat, radius, kind, part, country, weight))
        self.at = np.vstack([self.at, unit(lon, lat)])
        self._radius = np.append(self._radius, radius)
        self._part = np.append(self._part, part)
        self._kind = np.append(self._kind, kind)

    def free(self, lon: float, lat: float, radius: float, part: int) -> bool:
        """Whether a site keeps away from other parts and out of sight of every edge."""
        apart = kilometres(self.at, unit(lon, lat)) - self._radius - radius
        return bool((apart[(self._part != part) | (self._kind == EDGE_POINT)] > RADIUS_KM + 4 * SLACK).all())

    def own(self, part: int, kinds: tuple[int, ...]) -> list[int]:
        return [i for i, row in enumerate(self.rows) if row[4] == part and row[3] in kinds]

    def used(self, part: int) -> float:
        return sum(row[6] for row in self.rows if row[4] == part)


def part_table(cluster_ids: list[str], pairs: dict[str, float]) -> list[tuple[int, float]]:
    """Clusters and shares of the parts, in the order of the clusters; the second part of a pair follows the first."""
    table = []
    for number, cluster in enumerate(cluster_ids):
        second = pairs.get(cluster)
        table += [(number, 1.0)] if second is None else [(number, 1 - second), (number, second)]
    return table


def plant(cluster_ids: list[str], parts: list[Part]) -> Sites:
    """Lay out all sites.

    Parameters
    ----------
    cluster_ids : list of str
        Clusters in the order of their numbers.
    parts : list of Part
        In the order of `part_table`.
    """
    places = read("places.csv")
    for column in ("lon", "lat", "population", "part"):
        places[column] = places[column].astype(float)
    first = {cluster_ids[part.cluster]: i for i, part in reversed(list(enumerate(parts)))}
    build = _Builder(parts)
    planted = places[places["role"] != "noise"]
    planted = planted.assign(number=planted["cluster_id"].map(first) + planted["part"].astype(int) - 1)
    members = planted[planted["role"] == "member"]
    for row in members.itertuples():
        build.add(row.lon, row.lat, HUB_KM, HUB, int(row.number), row.country, STRONG)
    for number, own in members.groupby("number"):
        hubs = list(own[["lon", "lat", "country"]].itertuples(index=False))
        for start, end in pairwise(hubs):
            _bridge(build, start, end, int(number))
    pairs = [(i, i + 1, MERGING_GAP_KM) for i in range(len(parts) - 1) if parts[i].cluster == parts[i + 1].cluster]
    for one, other, gap in [*pairs, *((first[a], first[b], gap) for a, b, gap in NEAR)]:
        _face(build, one, other, gap)
    satellites = planted[planted["role"] == "satellite"]
    _abroad(build, satellites)
    _satellites(build, satellites.sort_values("population", ascending=False, kind="stable"))
    _suburbs(build)
    _spread(build)
    return _with_noise(build, places[places["role"] == "noise"], first[NOISE_FRIEND])


def _bridge(build: _Builder, start: tuple, end: tuple, part: int) -> None:
    """Towns between two hubs."""
    (lon, lat, country), (end_lon, end_lat, _) = start, end
    far = float(kilometres(unit(lon, lat), unit(end_lon, end_lat)))
    count = max(0, int(np.ceil(far / STEP_KM)) - 1)
    for k in range(1, count + 1):
        x, y = _between((lon, lat), (end_lon, end_lat), k / (count + 1))
        build.add(x, y, TOWN_KM, TOWN, part, country, STRONG if count > 1 else TAIL)


def _between(start: tuple[float, float], end: tuple[float, float], part: float) -> tuple[float, float]:
    """A place on the great circle between two others."""
    a, b = unit(*start), unit(*end)
    angle = np.arccos(np.clip(a @ b, -1, 1))
    x, y, z = (np.sin((1 - part) * angle) * a + np.sin(part * angle) * b) / np.sin(angle)
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arcsin(np.clip(z, -1, 1))))


def _face(build: _Builder, one: int, other: int, gap: float) -> None:
    """Let two parts grow towards each other until only ``gap`` km lie between their edges."""
    ends = [(i, j) for i in build.own(one, (HUB,)) for j in build.own(other, (HUB,))]
    i, j = min(ends, key=lambda pair: float(kilometres(build.at[pair[0]], build.at[pair[1]])))
    start, end = build.rows[i][:2], build.rows[j][:2]
    far = float(kilometres(build.at[i], build.at[j]))
    steps = [0, 0]
    while far - STEP_KM * sum(steps) > 2 * (TO_EDGE_KM + STEP_KM) + gap:
        steps[steps[0] > steps[1]] += 1
    to_edge = (far - STEP_KM * sum(steps) - gap) / 2
    for part, line, count, country in (
        (one, (start, end), steps[0], build.rows[i][5]),
        (other, (end, start), steps[1], build.rows[j][5]),
    ):
        reach = STEP_KM * count
        for k in range(1, count + 1):
            build.add(*_between(*line, STEP_KM * k / far), TOWN_KM, TOWN, part, country, STRONG)
        build.add(*_between(*line, (reach + to_edge - TO_EDGE_KM) / far), 0.0, TAIL_END, part, country, TAIL)
        build.add(*_between(*line, (reach + to_edge) / far), 0.0, EDGE_POINT, part, country, EDGE)


def _abroad(build: _Builder, satellites: pd.DataFrame) -> None:
    """Satellites of clusters that lie in several countries come first, with a bridge: one for each foreign country."""
    countries: dict[int, set[str]] = {}
    for row in build.rows:
        countries.setdefault(row[4], set()).add(row[5])
    for row in satellites.itertuples():
        part = int(row.number)
        if row.country not in countries[part]:
            hubs = build.own(part, (HUB,))
            i = min(hubs, key=lambda i: float(kilometres(build.at[i], unit(row.lon, row.lat))))
            lon, lat, *_ = build.rows[i]
            _bridge(build, (lon, lat, build.rows[i][5]), (row.lon, row.lat, ""), part)
            weight = (0.15 - 0.03 * len(countries[part])) * build.parts[part].weight
            build.add(row.lon, row.lat, TOWN_KM, HUB, part, row.country, weight)
            countries[part].add(row.country)


def _satellites(build: _Builder, satellites: pd.DataFrame) -> None:
    """Further centres, where a part has the weight for them and they link to what is there."""
    for part, own in satellites.groupby("number"):
        part = int(part)
        for row in own.itertuples():
            spare = build.parts[part].weight - build.used(part)
            hubs = build.own(part, (HUB, TOWN))
            far = kilometres(build.at[hubs], unit(row.lon, row.lat))
            if (
                spare > 25 * STRONG
                and 5 < far.min() <= RADIUS_KM - 2 * SLACK
                and build.free(row.lon, row.lat, 2.0, part)
            ):
                build.add(row.lon, row.lat, 2.0, HUB, part, row.country, STRONG)


def _suburbs(build: _Builder) -> None:
    """Light discs around the hubs, in directions that differ from hub to hub; they carry a part of what is left over."""
    for part, about in enumerate(build.parts):
        spare = about.weight - build.used(part)
        hubs = build.own(part, (HUB,))
        planned: list[tuple[int, float, float]] = []
        for i in hubs:
            lon, lat = build.rows[i][:2]
            for k in range(int(np.clip(20 * spare / len(hubs), 2, 7))):
                km, bearing = 6.0 + 5.5 * ((0.618 * (k + i)) % 1), 2.4 * k + i
                x, y = (float(value) for value in shifted(lon, lat, km, bearing))
                if build.free(x, y, SUBURB_KM, part):
                    planned.append((i, x, y))
        for i, x, y in planned:
            weight = SUBURBS * max(spare, 0.0) / len(planned)
            build.add(x, y, SUBURB_KM, SUBURB, part, build.rows[i][5], weight)


def _spread(build: _Builder) -> None:
    """Give what weight is left to the hubs: to members in the order of the cluster's name, and little to satellites."""
    for part, about in enumerate(build.parts):
        spare = about.weight - build.used(part)
        hubs = [i for i in build.own(part, (HUB,)) if build.rows[i][6] >= STRONG]
        members = [i for i in hubs if build.rows[i][2] == HUB_KM]
        if spare > 0:
            few = SATELLITES * spare / len(hubs)
            for i in set(hubs) - set(members):
                _weigh(build, i, build.rows[i][6] + few)
            total = about.weight - build.used(part) + sum(build.rows[i][6] for i in members)
            for k, i in reversed(list(enumerate(members))):
                behind = sum(FALLING**n for n in range(k + 1))
                own = max(STRONG, total * FALLING**k / behind) if k else total
                _weigh(build, i, own)
                total -= own


def _weigh(build: _Builder, site: int, weight: float) -> None:
    build.rows[site] = (*build.rows[site][:6], weight)


def _with_noise(build: _Builder, cities: pd.DataFrame, friend: int) -> Sites:
    """All sites by part, then noise: cities out of sight of every cluster, by country, the cluster's friend last."""
    lon, lat, radius, kind, part, country, weight = (np.array(column) for column in zip(*build.rows, strict=True))
    order = np.argsort(part, kind="stable")
    at = build.at
    places = unit(cities["lon"].to_numpy(), cities["lat"].to_numpy())
    clear = np.array([(kilometres(at, one) - radius).min() > RADIUS_KM + NOISE_KM + 4 * SLACK for one in places])
    cities = cities[clear]
    far = kilometres(places[clear], at[build.own(friend, (HUB,))[0]])
    home = cities["country"].to_numpy() == build.rows[build.own(friend, (HUB,))[0]][5]
    city = int(np.where(home, far, np.inf).argmin())
    noise_kind = np.full(len(cities), NOISE)
    noise_kind[city] = NOISE_CITY
    by_country = np.lexsort((cities["country"], noise_kind))
    cities, noise_kind = cities.iloc[by_country], noise_kind[by_country]
    size = cities["population"].to_numpy() ** 0.3
    size[noise_kind == NOISE_CITY] = size.sum()  # as heavy as noise may be
    return Sites(
        np.concatenate([lon[order].round(6), cities["lon"].to_numpy()]),
        np.concatenate([lat[order].round(6), cities["lat"].to_numpy()]),
        np.concatenate([radius[order], np.where(noise_kind == NOISE, NOISE_KM, 0.0)]),
        np.concatenate([kind[order], noise_kind]).astype(np.int64),
        np.concatenate([part[order], np.full(len(cities), -1)]).astype(np.int64),
        np.concatenate([country[order], cities["country"].to_numpy()]).astype(object),
        np.concatenate([weight[order], size]),
    )


def proved(sites: Sites, weight: NDArray[np.float64]) -> list[str]:
    """What is wrong with a layout; nothing if every planted cluster is sure to be found, and nothing else.

    Parameters
    ----------
    sites : Sites
    weight : (n,) float64
        Weight of each site's addresses, in thresholds.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    at = unit(sites.lon, sites.lat)
    reach = 2 * np.sin((RADIUS_KM + 2 * HUB_KM + 1) / 2 / EARTH_KM)
    pairs = cKDTree(at).query_pairs(reach, output_type="ndarray")
    i = np.concatenate([pairs[:, 0], pairs[:, 1], np.arange(len(at))])
    j = np.concatenate([pairs[:, 1], pairs[:, 0], np.arange(len(at))])
    far, radius = kilometres(at[i], at[j]), sites.radius_km
    n, cluster = len(at), sites.part >= 0
    centre_sees = far + radius[j] <= RADIUS_KM - SLACK
    may_see = far - radius[i] - radius[j] <= RADIUS_KM + SLACK
    surely = np.bincount(i[centre_sees], weights=weight[j[centre_sees]], minlength=n)
    possibly = np.bincount(i[may_see], weights=weight[j[may_see]], minlength=n)
    core = cluster & (surely >= 1.0)
    edge = sites.kind == EDGE_POINT
    wrong = []

    def report(bad: NDArray[np.bool_], what: str) -> None:
        for k in np.flatnonzero(bad)[:5].tolist():
            wrong.append(
                f"{what}: site {k} of part {sites.part[k]} at {sites.lon[k]:.3f}, {sites.lat[k]:.3f}, "
                f"weight {weight[k]:.3f}, sure {surely[k]:.3f}, possible {possibly[k]:.3f}"
            )

    report((edge | ~cluster) & (possibly >= 1.0), "may become core")
    held = np.zeros(n, bool)
    holds = core[j] & (sites.part[i] == sites.part[j]) & (far + radius[i] <= RADIUS_KM - SLACK)
    held[i[holds]] = True
    report(cluster & ~held, "is not sure to belong to its part")
    touches = (sites.part[i] != sites.part[j]) & cluster[j] & may_see & ~edge[j]
    touched = np.zeros(n, bool)
    touched[i[touches]] = True
    report(touched, "may touch another part")
    links = core[i] & core[j] & (sites.part[i] == sites.part[j]) & (far <= RADIUS_KM - SLACK)
    graph = coo_array((np.ones(links.sum()), (i[links], j[links])), shape=(n, n))
    label = connected_components(graph, directed=False)[1]
    for part in np.unique(sites.part[cluster]).tolist():
        if len(set(label[core & (sites.part == part)].tolist())) != 1:
            wrong.append(f"part {part} is in pieces or has no core")
    return wrong
