"""Which place a point is counted to, and which city a place is part of: against a slow, obvious reference."""

import math

import numpy as np
import pandas as pd
import pytest
from named import frame

from gpu_clusters.io.gazetteer import towns
from gpu_clusters.steps.describe import Points, describe
from gpu_clusters.steps.places import CROWD, far_from_all, places_from, strongest_place

R = 6371.0088


def unit(lon, lat) -> np.ndarray:
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def slow_place(lon, lat, table) -> list[set[int]]:
    """geonameids of the places that pull each point most, by looking at all; several where rounding decides."""
    chord = ((unit(lon, lat)[:, None] - unit(table["lon"], table["lat"])[None]) ** 2).sum(axis=2)
    reach = (2 * math.sin(50 / (2 * R))) ** 2
    rest = np.where(chord <= reach, chord / np.maximum(table["population"].to_numpy(), 1), np.inf)
    ids = table["geonameid"].to_numpy()
    return [
        {-1} if not np.isfinite(row.min()) else set(ids[row <= row.min() * (1 + 1e-9) + 1e-30].tolist()) for row in rest
    ]


def slow_city(table) -> dict[int, int]:
    """geonameid of the city that each place is part of: pair by pair."""
    rows = table.to_dict("records")
    order = {r["geonameid"]: i for i, r in enumerate(sorted(rows, key=lambda r: (r["lat"], r["lon"], r["geonameid"])))}
    host = {}
    for guest in rows:
        best = None
        for other in rows:
            size, mine = max(other["population"], 1), max(guest["population"], 1)
            key = (-size, order[other["geonameid"]])
            if key >= (-mine, order[guest["geonameid"]]) or other["country"] != guest["country"]:
                continue
            if other["admin1"] not in ("", "00", guest["admin1"]):
                continue
            apart = np.linalg.norm(unit(other["lon"], other["lat"]) - unit(guest["lon"], guest["lat"]))
            if 2 * R * math.asin(apart / 2) <= math.sqrt(size / (math.pi * CROWD)) and (best is None or key < best[0]):
                best = key, other["geonameid"]
        host[guest["geonameid"]] = guest["geonameid"] if best is None else best[1]

    def root(i):
        return i if host[i] == i else root(host[i])

    return {i: root(i) for i in host}


def random_gazetteer(rng) -> pd.DataFrame:
    middle = rng.choice([(0, 0), (180, -18), (25, 89.8), (-70, -89.9), (10, 50)])
    count = int(rng.integers(1, 60))
    lat = np.clip(middle[1] + rng.normal(0, 0.3, count), -90, 90).round(2)
    lon = (middle[0] + rng.normal(0, 0.3, count) / max(math.cos(math.radians(middle[1])), 0.01)).round(2)
    lon = (lon + 180) % 360 - 180
    size = rng.choice([0, 1, 500, 500, 20_000, 20_000, 300_000, 9_000_000, 9_000_000], count)
    rows = zip(
        *([f"P{i}" for i in range(count)], rng.choice(["AA", "BB"], count), rng.choice(["", "00", "1", "2"], count)),
        *(lon, lat, size),
        strict=True,
    )
    return frame(*rows)


@pytest.mark.parametrize("seed", range(40))
def test_random_worlds_against_a_plain_reference(seed):
    rng = np.random.default_rng(seed)
    table = random_gazetteer(rng)
    places = places_from(table)
    expected = slow_city(table)
    ids = places.table["geonameid"].to_numpy()
    assert dict(zip(ids.tolist(), ids[places.city].tolist(), strict=True)) == expected
    at = rng.integers(0, len(table), 300)  # some on places, some around, some far away
    spread = rng.choice([0, 0.05, 0.5], 300)
    lat = np.clip(table["lat"].to_numpy()[at] + rng.normal(0, 1, 300) * spread, -90, 90)
    lon = (table["lon"].to_numpy()[at] + rng.normal(0, 3, 300) * spread + 180) % 360 - 180
    found = strongest_place(lon, lat, places)
    for i, allowed in zip(found.tolist(), slow_place(lon, lat, table), strict=True):
        assert (-1 if i < 0 else int(ids[i])) in allowed
    # sums by cluster, the order of the rows, and the choice of at most three
    cluster, output = rng.integers(0, 3, 300), rng.integers(0, 50, 300)
    cluster[:3] = [0, 1, 2]
    points = Points(lon, lat, cluster, output)
    got = describe(points, 3, places, lambda: places)
    shuffled = rng.permutation(300)
    again = describe(Points(*(c[shuffled] for c in points)), 3, places, lambda: places)
    assert got == again
    city = np.where(found >= 0, ids[places.city[found]], -1)
    for c in range(3):
        sums = pd.Series(output[cluster == c]).groupby(city[cluster == c]).sum().drop(-1, errors="ignore")
        assert [p.output for p in got[c].cities] == sorted(sums, reverse=True)
        names = dict(zip(table["geonameid"], table["name"], strict=True))
        assert {p.name: p.output for p in got[c].cities} == {names[i]: s for i, s in sums.items()}
        enough = [p for p in got[c].cities if p.output >= 0.45 * got[c].cities[0].output]
        assert len(got[c].named) == min(len(enough) if got[c].cities[0].output else 1, 3) if len(sums) else True


@pytest.mark.parametrize("seed", range(5))
def test_the_real_gazetteer_against_a_plain_reference(seed):
    rng = np.random.default_rng(seed)
    table = towns()
    places = places_from(table)
    ids = places.table["geonameid"].to_numpy()
    at = rng.integers(0, len(table), 60)
    lat = table["lat"].to_numpy()[at] + rng.normal(0, 0.1, 60)
    lon = (table["lon"].to_numpy()[at] + rng.normal(0, 0.1, 60) + 180) % 360 - 180
    for i, allowed in zip(strongest_place(lon, lat, places).tolist(), slow_place(lon, lat, table), strict=True):
        assert (-1 if i < 0 else int(ids[i])) in allowed


def test_a_place_counts_up_to_its_reach():
    """To the north too, where a place that far is the last one that is looked at."""
    for km, reached in ((49.9995, True), (50.0005, False)):
        north = math.degrees(km / R)
        places = places_from(frame(("Alone", "DE", "", 0, north, 1_000)))
        assert strongest_place(np.zeros(1), np.array([0.0]), places).tolist() == [0 if reached else -1]
        assert far_from_all(np.zeros(1), np.array([0.0]), places, 50).tolist() == [not reached]


def test_a_place_without_people_counts_as_one_with_one():
    """Against a place of four the border is where that one is twice as far."""
    places = places_from(frame(("Empty", "DE", "", 0, 0, 0), ("Four", "DE", "", 0.3, 0, 4)))
    assert strongest_place(np.array([0.099, 0.101]), np.zeros(2), places).tolist() == [0, 1]


def test_districts_are_part_of_their_city():
    table = towns()
    places = places_from(table)
    city = pd.Series(places.table["geonameid"].to_numpy()[places.city], places.table["geonameid"])
    name = table.set_index("geonameid")["name"]
    for district, whose in (
        ("Brooklyn", "New York City"),
        ("Manhattan", "New York City"),
        ("Shinjuku", "Tokyo"),
        ("Pudong", "Shanghai"),
        ("Paris 15 Vaugirard", "Paris"),
        ("Kreuzberg", "Berlin"),
        ("Cambridge", "Cambridge"),
        ("Yokohama", "Yokohama"),
        ("Oakland", "Oakland"),
    ):
        ids = name.index[name == district]
        biggest = table[table["geonameid"].isin(ids)].sort_values("population")["geonameid"].iloc[-1]
        assert name[city[biggest]] == whose
