"""A slow and plain program of the method: brute force over all pairs, dictionaries and loops.

It follows the text of the methodology section by section and shares no code with the package, so that the two can be
checked against each other. Locations are always held in (lat, lon) order; "the first member" is the lowest index.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
from pyproj import Transformer

EARTH_RADIUS_KM = 6371.0088
EQUAL_SHARES = 1e-9  # section 8: totals less than this apart are equal
ROUNDING = 1e-12  # other sums are equal if they differ by rounding alone
FIRST_INITIAL_ID = 0  # the number of the first initial cluster; the text does not say (cluster_id starts at 1)

COUNTS = ("patents", "publications", "deals")
SHARES = ("patent_share", "publication_share", "deal_share")
RANKING = {"cluster_id": "int64", "rank": "int64", "economies": "object"}
RANKING |= dict.fromkeys((*COUNTS, *SHARES, "total_share"), "float64") | {"rank_without_deals": "int64"}
RANKING |= {"top_applicant": "object", "top_organization": "object", "locations": "int64", "core_locations": "int64"}


@dataclass
class Reference:
    """What the method gives: tables, the integer threshold, and the global totals P, S, V."""

    locations: pd.DataFrame
    deals: pd.DataFrame
    ranking: pd.DataFrame
    threshold: int
    P: float
    S: float
    V: float


@dataclass
class Row:
    """One geocoded row of a table: how much it counts, and where it lies."""

    doc_id: object
    place: tuple[float, float]  # (lat, lon), so that sorting gives the (lat, lon) order
    count: float
    country: str | None
    organization: str | None
    location: int = -1


def geocoded(table: pd.DataFrame) -> pd.DataFrame:
    """Section 1: the geocoded rows with normalised coordinates; ungeocoded and invalid rows are dropped."""
    lon = table["lon"].to_numpy(dtype="float64", na_value=np.nan)
    lat = table["lat"].to_numpy(dtype="float64", na_value=np.nan)
    good = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90) & (np.abs(lon) <= 360)
    if not good.any():
        raise ValueError("a table with no geocoded row")
    lon, lat = lon[good], lat[good]
    lon = np.where(lon >= 180, lon - 360, np.where(lon < -180, lon + 360, lon))
    return table[good].assign(lon=lon + 0.0, lat=lat + 0.0)  # -0.0 + 0.0 is 0.0; any other number stays as it is


def values(table: pd.DataFrame, column: str) -> list:
    """A column as Python objects, None where it is null or absent."""
    found = table[column].tolist() if column in table else [None] * len(table)
    return [None if pd.isna(value) else value for value in found]


def rows_of(table: pd.DataFrame | None, kind: str) -> list[Row]:
    """Section 2: the geocoded rows with their fractional counts; of deals with their number of deals, 1 if null."""
    if table is None:
        return []
    table = geocoded(table)
    ids = values(table, "doc_id")
    if kind == "deals":
        counts = [1.0 if value is None else float(value) for value in values(table, "deals")]
    elif "fraction" in table:
        counts = [float(value) for value in values(table, "fraction")]
    else:
        addresses = Counter(ids)
        counts = [1 / addresses[doc_id] for doc_id in ids]
    places = zip(table["lat"].tolist(), table["lon"].tolist(), strict=True)
    columns = zip(ids, places, counts, values(table, "country"), values(table, "organization"), strict=True)
    return [Row(*row) for row in columns]


def number_places(*tables: list[Row]) -> list[tuple[float, float]]:
    """Section 3: the distinct places in (lat, lon) order; every row learns the index of its own."""
    places = sorted({row.place for table in tables for row in table})
    index = {place: i for i, place in enumerate(places)}
    for row in (row for table in tables for row in table):
        row.location = index[row.place]
    return places


def weights_and_threshold(inventors, authors, density, weighting: str) -> tuple[np.ndarray, int]:
    """Section 3: integer weights of the locations and the integer threshold."""
    total_a, total_b = sum(inventors), sum(authors)
    wanted = Fraction(str(density))
    if total_a == 0 or total_b == 0 or weighting == "raw":
        return np.array(inventors) + np.array(authors), math.ceil(wanted)
    if 2 * total_a * total_b >= 2**62:
        raise ValueError("weights could overflow int64")
    weight = [a * total_b + b * total_a for a, b in zip(inventors, authors, strict=True)]
    unit = {"inventor-equivalent": total_b, "total-preserving": Fraction(2 * total_a * total_b, total_a + total_b)}
    return np.array(weight), math.ceil(wanted * unit[weighting])


def coordinates(places, crs: str | None = None) -> list[np.ndarray]:
    """Section 4: x, y, z of the places on the unit sphere; x, y in metres with a projected CRS."""
    lat, lon = np.array(places).T
    if crs is not None:
        return Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    lat, lon = np.radians(lat), np.radians(lon)
    return [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]


def squared_chord(distance_km: float) -> float:
    """Section 4: the limit for the squared chord; from half the circumference on, everything is near."""
    chord = 2 * math.sin(distance_km / (2 * EARTH_RADIUS_KM))
    return chord * chord if distance_km < math.pi * EARTH_RADIUS_KM else math.inf


def within(axes: list[np.ndarray], limit: float) -> list[np.ndarray]:
    """For every point the indices of all points, itself included, at a squared distance of at most `limit`."""
    near = []
    for i in range(len(axes[0])):
        squared = sum((axis - axis[i]) * (axis - axis[i]) for axis in axes)
        near.append(np.flatnonzero(squared <= limit))
    return near


def find_clusters(near, density_at, threshold: int, border: str) -> tuple[np.ndarray, np.ndarray]:
    """Section 5: which locations are core, and the initial clusters 0, 1, ... in the order of their first core."""
    core = density_at >= threshold
    label = np.full(len(near), -1, dtype=np.int64)
    for first in np.flatnonzero(core):
        if label[first] == -1:
            number = label[first] = label.max() + 1
            waiting = [first]
            while waiting:
                neighbours = near[waiting.pop()]
                new = neighbours[core[neighbours] & (label[neighbours] == -1)]
                label[new] = number
                waiting.extend(new)
    for i in np.flatnonzero(~core):
        cores = [j for j in near[i].tolist() if core[j]]
        if cores and border == "densest":
            label[i] = label[min(cores, key=lambda j: (-density_at[j], j))]
        elif cores:  # "lowest"
            label[i] = min(label[j] for j in cores)
    return core, label


def shared_documents(rows: list[Row], label: np.ndarray) -> tuple[Counter, int]:
    """Section 6: #documents with an address in both X and Q, and #documents; Q is a cluster, or -1 - i for noise i."""
    partners = defaultdict(set)
    for row in rows:
        cluster = int(label[row.location])
        partners[row.doc_id].add(cluster if cluster >= 0 else -1 - row.location)
    both = Counter()
    for found in partners.values():
        both.update((x, q) for x in found if x >= 0 for q in found if q != x)
    return both, len(partners)


def merge(patents, publications, places, label: np.ndarray, merge_km: float) -> np.ndarray:
    """Section 6: the clusters after merging, one pass on the initial ones."""
    rel: dict[int, dict[int, Fraction]] = defaultdict(dict)
    for both, total in (shared_documents(patents, label), shared_documents(publications, label)):
        for (x, q), count in both.items():
            rel[x][q] = rel[x].get(q, Fraction(0)) + Fraction(count, total)
    close = set()
    for i, neighbours in enumerate(within(coordinates(places), squared_chord(merge_km))):
        close.update((int(label[i]), int(label[j])) for j in neighbours)
    group = {int(x): int(x) for x in label if x >= 0}
    for x, y in close:
        strength = rel[x].get(y, 0) if x >= 0 and y >= 0 and x != y else 0
        if strength > 0 and all(strength > other for q, other in rel[x].items() if q != y):
            keep, lose = group[x], group[y]
            group = {z: keep if g == lose else g for z, g in group.items()}
    return np.array([group.get(int(x), -1) for x in label], dtype=np.int64)


def by_first_member(label: np.ndarray) -> np.ndarray:
    """The clusters renumbered 0, 1, ... in the order of their first members; noise stays -1."""
    number = {-1: -1}
    for x in label.tolist():
        number.setdefault(x, len(number) - 1)
    return np.array([number[x] for x in label.tolist()], dtype=np.int64)


def assign_deals(deal_places, places, label: np.ndarray, area: float) -> np.ndarray:
    """Section 7: the cluster with the nearest member within `area` degrees; ties: the one with the first member."""
    member = label >= 0
    member_lat, member_lon = np.array(places).T[:, member]
    assigned = np.full(len(deal_places), -1, dtype=np.int64)
    for i, (lat, lon) in enumerate(deal_places if member.any() else []):
        dx, dy = np.abs(lon - member_lon), np.abs(lat - member_lat)
        dx = np.where(dx > 180, 360 - dx, dx)
        squared = dx * dx + dy * dy
        nearest = squared.min()
        if nearest <= area * area:
            assigned[i] = label[member][squared == nearest].min()  # clusters are numbered by first member
    return assigned


def on_segment(point, a, b) -> bool:
    """Whether a point lies on the straight piece from a to b, in exact arithmetic."""
    (x, y), (ax, ay), (bx, by) = ([Fraction(c) for c in p] for p in (point, a, b))
    beside = (bx - ax) * (y - ay) != (by - ay) * (x - ax)
    return not beside and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)


def in_polygon(point, rings) -> bool:
    """Even-odd rule over all rings of a polygon or multipolygon, every edge included, in exact arithmetic."""
    x, y = (Fraction(c) for c in point)
    inside = False
    for ring in rings:
        for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
            if on_segment(point, a, b):
                return True
            (ax, ay), (bx, by) = ([Fraction(c) for c in p] for p in (a, b))
            if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
                inside = not inside
    return inside


def assign_regions(places, regions, areas) -> np.ndarray:
    """The smallest region (list of rings) that holds each place (lat, lon), its edge included; ties: the first; -1: none."""
    found = np.full(len(places), -1, dtype=np.int64)
    for i, (lat, lon) in enumerate(places):
        spellings = [(lon, lat), (180.0, lat)] if lon == -180 else [(lon, lat)]
        holding = [r for r, rings in enumerate(regions) if any(in_polygon(point, rings) for point in spellings)]
        found[i] = min(holding, key=lambda r: (areas[r], r), default=-1)
    return found


def reference_regions(patents, publications, deals, regions, areas) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Sections 1, 2 and 8 for regions: the ranking, the deals' cluster_id, and the region of each row of the ranking."""
    tables = [rows_of(table, kind) for table, kind in zip((patents, publications, deals), COUNTS, strict=True)]
    totals = [math.fsum(row.count for row in rows) for rows in tables]
    places, deal_places = number_places(tables[0], tables[1]), number_places(tables[2])
    label, deal_label = assign_regions(places, regions, areas), assign_regions(deal_places, regions, areas)
    order = [*dict.fromkeys(k for k in label.tolist() if k >= 0)]  # by first member, the empty ones last
    order += [r for r in range(len(regions)) if r not in order]
    number = {r: k for k, r in enumerate(order)} | {-1: -1}
    label, deal_label = (np.array([number[r] for r in one.tolist()], dtype=np.int64) for one in (label, deal_label))
    core = np.zeros(len(places), dtype=bool)
    ranking, cluster_id = rank_clusters(tables, totals, [label, label, deal_label], core, len(regions))
    region = {cluster_id[k]: r for k, r in enumerate(order)}
    deals_id = np.array([cluster_id[k] for k in deal_label.tolist()], dtype=np.int64)
    return ranking, deals_id, np.array([region[i] for i in ranking["cluster_id"].tolist()])


def ranks(totals: list[float], tie: float = EQUAL_SHARES) -> list[int]:
    """Section 8: ranks by total, largest first; in that order neighbours less than 1e-9 apart share the smallest."""
    order = sorted(range(len(totals)), key=lambda k: -totals[k])
    rank = [0] * len(totals)
    for position, k in enumerate(order):
        previous = order[position - 1]
        tied = position > 0 and totals[previous] - totals[k] < tie
        rank[k] = rank[previous] if tied else position + 1
    return rank


def sums(pairs) -> dict:
    """The exact sum of the numbers of every key; keys that are None are left out."""
    parts = defaultdict(list)
    for key, number in pairs:
        if key is not None:
            parts[key].append(number)
    return {key: math.fsum(numbers) for key, numbers in parts.items()}


def economies(parts: list[list[Row]], totals: list[float], total_share: float) -> str:
    """Section 8: countries with at least 1 % of the cluster's output, largest first; equal ones by their code."""
    parts = zip(parts, totals, strict=True)
    output = sums((row.country, 100 * row.count / total) for rows, total in parts if total > 0 for row in rows)
    part = {code: output[code] / total_share for code in sorted(output) if total_share > 0}
    rank = dict(zip(part, ranks(list(part.values()), ROUNDING), strict=True))
    listed = [code for code in part if part[code] >= 0.01 - ROUNDING]
    return " / ".join(sorted(listed, key=lambda code: (rank[code], code)))


def top(rows: list[Row]) -> str:
    """Section 8: the organization with the largest fractional count; equal ones: the alphabetically first."""
    count = sums((row.organization, row.count) for row in rows)
    largest = max(count.values(), default=0.0)
    return min((name for name in count if count[name] >= largest * (1 - ROUNDING)), default="")


def rank_clusters(
    tables: list[list[Row]], totals, labels, core, clusters: int | None = None
) -> tuple[pd.DataFrame, dict[int, int]]:
    """Section 8: the ranking, and the cluster_id of each cluster. All lists: patents, publications, deals."""
    parts_of = [[[], [], []] for _ in range(int(labels[0].max()) + 1 if clusters is None else clusters)]
    for number, (rows, label) in enumerate(zip(tables, labels, strict=True)):
        for row in rows:
            if label[row.location] >= 0:
                parts_of[label[row.location]][number].append(row)
    found = []
    for k, parts in enumerate(parts_of):
        counts = [math.fsum(row.count for row in rows) for rows in parts]
        shares = [100 * n / total if total > 0 else 0.0 for n, total in zip(counts, totals, strict=True)]
        record = dict(zip((*COUNTS, *SHARES), counts + shares, strict=True))
        record |= {"total_share": sum(shares), "economies": economies(parts, totals, sum(shares))}
        record |= {"top_applicant": top(parts[0]), "top_organization": top(parts[1])}
        record |= {"locations": (labels[0] == k).sum(), "core_locations": (core & (labels[0] == k)).sum()}
        found.append(record)
    with_deals = ranks([record["total_share"] for record in found])
    without_deals = ranks([record["patent_share"] + record["publication_share"] for record in found])
    order = sorted(range(len(found)), key=lambda k: (with_deals[k], k))
    cluster_id = {k: position + 1 for position, k in enumerate(order)}
    for k, record in enumerate(found):
        record |= {"cluster_id": cluster_id[k], "rank": with_deals[k], "rank_without_deals": without_deals[k]}
    ranking = pd.DataFrame([found[k] for k in order], columns=list(RANKING)).astype(RANKING)
    return ranking, cluster_id | {-1: -1}


def reference_rank(
    patents: pd.DataFrame | None, publications: pd.DataFrame | None, deals: pd.DataFrame | None, *,
    radius_km: float = 15.0, density: float = 4500, weighting: str = "inventor-equivalent",
    merge_km: float | None = 5.0, area_degrees: float = 0.05, border: str = "densest", crs: str | None = None,
) -> Reference:  # fmt: skip
    """Sections 1 to 8 in order; `merge_km=None` leaves the clusters unmerged."""
    tables = [rows_of(table, kind) for table, kind in zip((patents, publications, deals), COUNTS, strict=True)]
    totals = [math.fsum(row.count for row in rows) for rows in tables]
    places, deal_places = number_places(tables[0], tables[1]), number_places(tables[2])
    counters = Counter(row.location for row in tables[0]), Counter(row.location for row in tables[1])
    inventors, authors = ([counter[i] for i in range(len(places))] for counter in counters)
    weight, threshold = weights_and_threshold(inventors, authors, density, weighting)
    limit = squared_chord(radius_km) if crs is None else (radius_km * 1000) * (radius_km * 1000)
    near = within(coordinates(places, crs), limit)
    density_at = np.array([weight[neighbours].sum() for neighbours in near], dtype=np.int64)
    core, initial = find_clusters(near, density_at, threshold, border)
    label = by_first_member(initial if merge_km is None else merge(*tables[:2], places, initial, merge_km))
    deal_label = assign_deals(deal_places, places, label, area_degrees)
    ranking, cluster_id = rank_clusters(tables, totals, [label, label, deal_label], core)
    lat, lon = np.array(places).T
    locations = pd.DataFrame({"lon": lon, "lat": lat, "inventors": inventors, "authors": authors, "weight": weight})
    locations = locations.assign(density_at=density_at, core=core, cluster_id=[cluster_id[k] for k in label.tolist()])
    locations["initial_cluster_id"] = np.where(initial >= 0, initial + FIRST_INITIAL_ID, -1)
    deal_sums = sums((row.location, row.count) for row in tables[2])
    lat, lon = np.array(deal_places).reshape(-1, 2).T
    deal_table = pd.DataFrame({"lon": lon, "lat": lat})
    deal_table["deals"] = np.array([deal_sums[i] for i in range(len(lat))], dtype=np.float64)
    deal_table["cluster_id"] = np.array([cluster_id[k] for k in deal_label.tolist()], dtype=np.int64)
    return Reference(locations, deal_table, ranking, threshold, *totals)
