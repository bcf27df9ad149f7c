"""Names of clusters: against a slow, obvious reference, and the user's own names."""

import json
import math

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from conftest import SHARED
from program import Program, address_table

import gpu_clusters
from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.gazetteer import COLUMNS, towns
from gpu_clusters.io.overrides import read_overrides
from gpu_clusters.steps import name as naming
from gpu_clusters.steps import rename
from gpu_clusters.steps.describe import Points, describe
from gpu_clusters.steps.name import name_clusters
from gpu_clusters.steps.output import WHOLE, output_of
from gpu_clusters.steps.places import CROWD, places_from, strongest_place
from gpu_clusters.steps.spelling import USUAL, plainly, usual

R = 6371.0088


def frame(*rows) -> pd.DataFrame:
    """Gazetteer of (name, country, admin1, lon, lat, population[, alternates])."""
    full = [(i + 1, *row[:6], row[6] if len(row) > 6 else "") for i, row in enumerate(rows)]
    return pd.DataFrame(full, columns=list(COLUMNS)).astype({"lon": float, "lat": float, "population": "int64"})


def named(points: pd.DataFrame, gazetteer: pd.DataFrame, overrides=None, everything=None, order=None) -> list[str]:
    """Names of clusters of points (lon, lat, cluster, output)."""
    return whole(points, gazetteer, overrides, everything, order).names


def whole(points, gazetteer, overrides=None, everything=None, order=None):
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


def test_homonyms_get_a_country_or_a_state():
    assert named([(0.12, 52.2, 0, 5), (-71.1, 42.37, 1, 9)], GAZETTEER) == ["Cambridge (GB)", "Cambridge (US)"]
    assert named([(-122.68, 45.52, 0, 5), (-70.26, 43.66, 1, 9)], GAZETTEER) == ["Portland (US-OR)", "Portland (US-ME)"]
    assert named([(0.12, 52.2, 0, 5), (-71.1, 42.37, 1, 9), (-70.9, 42.36, 1, 10)], GAZETTEER) == [
        "Cambridge",
        "Boston–Cambridge",
    ]


def test_clusters_of_one_city():
    points = [(11.57, 48.14, 0, 5), (11.58, 48.17, 1, 5), (11.56, 48.13, 2, 5)]
    assert named(points, GAZETTEER) == ["München", "Schwabing", "München (2)"]
    assert named(points, GAZETTEER, order=[2, 1, 0]) == ["München (2)", "Schwabing", "München"]


def test_a_district_names_a_cluster_only_if_it_is_its_largest_place():
    points = [(11.57, 48.14, 0, 5), (11.57, 48.14, 1, 5), (11.58, 48.17, 1, 4), (6.95, 50.93, 1, 1)]
    assert named(points, GAZETTEER) == ["München", "München–Cologne"]
    points[2] = (11.58, 48.17, 1, 6)
    assert named(points, GAZETTEER) == ["München", "Schwabing"]


def test_very_many_clusters_of_one_city(monkeypatch):
    tried, choices = [], naming._choices

    def told(*args):
        for choice in choices(*args):
            tried.append(choice)
            yield choice

    monkeypatch.setattr(naming, "_choices", told)
    found = named([(11.57, 48.14, c, 5) for c in range(1000)], GAZETTEER)
    assert found == ["München", *(f"München ({n})" for n in range(2, 1001))]
    assert len(tried) < 4000  # not one by one from the first


def test_usual_names_and_places_without_a_name():
    assert named([(6.95, 50.93, 0, 1), (108.93, 34.26, 1, 1)], GAZETTEER) == ["Cologne", "Xi'an"]
    nowhere = [(-170.5, -30.25, 0, 1), (-170.6, -30.25, 0, 2), (11.57, 48.14, 1, 0)]
    assert named(nowhere, GAZETTEER, everything=GAZETTEER) == ["30.25°S 170.60°W", "München"]
    assert usual("Suwon-si", "KR") == "Suwon" and usual("Suwon-si", "JP") == "Suwon-si"
    assert plainly("Xi’an – SÃO  Paulo") == "xi'an - sao paulo"


def test_small_places_count_where_there_is_no_town():
    small = frame(("Town", "AA", "1", 0, 0, 50_000), ("Lab", "AA", "1", 0.3, 0, 9_000))
    town = small[:1]
    assert named([(0.3, 0, 0, 10), (0, 0, 0, 9)], town, everything=small) == ["Lab–Town"]
    assert named([(0.3, 0, 0, 9), (0, 0, 0, 9)], town) == ["Town"]
    assert named([(0.3, 0, 0, 10), (0, 0, 1, 9)], town, everything=small) == ["Lab", "Town"]


def test_every_usual_name_is_of_a_place_in_the_gazetteer():
    table = towns()
    assert set(USUAL) <= set(zip(table["name"], table["country"], strict=True))


CAMBRIDGES = [(0.12, 52.2, 0, 5), (-71.1, 42.37, 1, 6), (-70.9, 42.36, 1, 10), (11.57, 48.14, 2, 8)]


@pytest.mark.parametrize(
    ("overrides", "names"),
    [
        ({"cambridge": "Silicon Fen"}, ["Silicon Fen", "Boston–Cambridge", "München"]),  # the whole name comes first
        ({"boston-cambridge": "Greater Boston"}, ["Cambridge", "Greater Boston", "München"]),
        ({"Boston": "Hub", "Munich": "Munich"}, ["Cambridge", "Hub", "Munich"]),  # another name of the place
        ({"Cantabrigia": "Fen"}, ["Fen", "Boston–Cambridge", "München"]),
        ({"Boston": "Cambridge"}, ["Cambridge (2)", "Cambridge", "München"]),  # the user's name wins
        (
            pd.DataFrame({"place": ["Cambridge"], "name": ["Kendall"], "country": ["us"]}),
            ["Cambridge", "Kendall", "München"],
        ),
        (
            pd.DataFrame({"lon": [-348.43, 0], "lat": [48.2, 0], "name": ["Isar", "Nowhere"]}),
            ["Cambridge", "Boston–Cambridge", "Isar"],
        ),
    ],
)
def test_names_of_the_user(overrides, names):
    assert named(CAMBRIDGES, GAZETTEER, overrides) == names


def test_rows_for_no_cluster_are_told():
    result = whole(CAMBRIDGES, GAZETTEER, {"Paris": "Paname"})
    assert result.warnings == [
        "names (data frame): row 1: there is no cluster of 'Paris': the name 'Paname' is not used"
    ]
    assert whole([], GAZETTEER, {"Paris": "Paname"}).warnings == result.warnings


def test_names_are_spelled_plainly_once(monkeypatch):
    rename._spellings.cache_clear()
    spelled = []
    monkeypatch.setattr(rename, "plainly", lambda text: spelled.append(text) or plainly(text))
    assert len(whole(CAMBRIDGES, GAZETTEER, {f"nowhere {i}": str(i) for i in range(50)}).warnings) == 50
    assert len(spelled) < 50 + 20  # the rows themselves, and the places' names


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            {"Boston": "A", "Boston–Cambridge": "B"},
            "row 2: names the cluster 'Boston–Cambridge' a second time, after row 1",
        ),
        ({"Boston": "A", "Munich": "A"}, "rows 1 and 2 call two clusters 'A'"),
    ],
)
def test_contradicting_names(overrides, said):
    with pytest.raises(InputError, match=said):
        named(CAMBRIDGES, GAZETTEER, overrides)


def test_an_ambiguous_place():
    points = [(0.12, 52.2, 0, 5), (0.5, 52.3, 0, 9), (-71.1, 42.37, 1, 9), (-70.9, 42.36, 1, 10)]
    table = pd.concat([GAZETTEER, frame(("Ely", "GB", "ENG", 0.5, 52.3, 20_000))], ignore_index=True)
    with pytest.raises(
        InputError, match="row 1, column place: there are several 'Cambridge', in GB, US; add a column country"
    ):
        named(points, table, {"Cambridge": "X"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("place;name\nParis;P\n", "unknown column 'place;name'"),
        ("place\nParis\n", "column 'name' is missing"),
        ("name\nParis\n", "column 'place' is missing"),
        ("", "column 'name' is missing"),
        ("lon,name\n1,Paris\n", "lon and lat are needed both"),
        ("place,name,name\na,b,c\n", "column 'name' is there twice"),
        ("place,name\nParis\n", "row 1 has 1 cells where the header has 2"),
        ("place,name\nA,B\n,C\n", "row 2, column place: is empty"),
        ("place,name\nA,B\nC,\n", "row 2, column name: is empty"),
        ("lon,lat,name\n1,99,C\n", "row 1, column lat: must be degrees from -90 to 90, not '99'"),
        ("lon,lat,name\n1,,C\n", "row 1, column lat: must be degrees"),
        ("lon,lat,name\nx,1,C\n", "row 1, column lon: must be degrees"),
        ('place,name\n"A,B\n', "cannot be read"),
    ],
)
def test_files_of_names_that_are_refused(tmp_path, text, said):
    (tmp_path / "names.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"names\.csv") as caught:
        read_overrides(tmp_path / "names.csv")
    assert said in str(caught.value)


def test_files_of_names(tmp_path):
    (tmp_path / "names.csv").write_bytes('\ufeffPlace , Name\n"São Paulo"," S, P "\n\n'.encode())
    (tmp_path / "names.tsv").write_text("place\tname\nSão Paulo\tS, P\n", encoding="utf-8")
    for name in ("names.csv", "names.tsv"):
        found = read_overrides(tmp_path / name)
        assert [(row.place, row.name) for row in found.rows] == [("São Paulo", "S, P")]
        assert found.source.rows == 1 and len(found.source.sha256) == 64
    (tmp_path / "names.csv").write_bytes(b"place,name\n\xff,a\n")
    for bad in ("names.csv", "missing.csv"):
        with pytest.raises(InputError, match=bad):
            read_overrides(tmp_path / bad)


@pytest.mark.parametrize("kind", [polars.DataFrame, pyarrow.table])
def test_frames_of_names(kind):
    rows = read_overrides(
        kind({"place": ["Paris", None], "name": ["P", "Q"], "lon": [None, 1.5], "lat": [None, 2.0]})
    ).rows
    assert [(row.place, row.name, row.at) for row in rows] == [("Paris", "P", None), ("", "Q", (1.5, 2.0))]


@pytest.mark.parametrize("wrong", [5, True, ["Paris"], polars.Series(["Paris"])], ids=repr)
def test_names_of_a_kind_that_is_none(wrong):
    with pytest.raises(
        UsageError, match="names: a path, a data frame, a dict of place to name, or False for none, not"
    ):
        read_overrides(wrong)


@pytest.mark.parametrize("kind", ["parts", "fraction"])
def test_output_does_not_depend_on_the_order_of_the_rows(kind):
    from gpu_clusters.io import read_addresses

    rng = np.random.default_rng(0)
    table = pd.DataFrame({"doc_id": rng.integers(0, 300, 1000), "lon": rng.integers(0, 9, 1000) * 1.0, "lat": 0.0})
    if kind == "fraction":
        table["fraction"] = rng.random(1000)
    results = []
    for shuffled in (table, table.sample(frac=1, random_state=1)):
        data = read_addresses(shuffled, "patents").data
        total = float(table["fraction"].sum()) if kind == "fraction" else float(table["doc_id"].nunique())
        results.append(output_of(data, data.lon.astype(np.int32), 9, total))
    assert np.array_equal(*results) and abs(int(results[0].sum()) - WHOLE) < 1000
    worth = table.get("fraction", 1 / table.groupby("doc_id")["lon"].transform("size"))
    expected = worth.groupby(table["lon"]).sum() / worth.sum()
    assert np.allclose(results[0] / WHOLE, expected, rtol=1e-12)


def test_a_run_has_names():
    table, deals = address_table(), pd.DataFrame({"lon": [2.35, 17.08], "lat": [48.86, -22.56]})
    result = gpu_clusters.rank(table, deals=deals, density=10, names={"Paris": "Lutetia", "Rome": "Roma"})
    assert result.ranking["name"].tolist() == ["Windhoek", "Lutetia"]
    assert result.manifest["inputs"][-1]["table"] == "names" and "'Roma' is not used" in result.manifest["warnings"][-1]
    shuffled = gpu_clusters.rank(table.sample(frac=1, random_state=2), deals=deals, density=10)
    assert shuffled.ranking["name"].tolist() == ["Windhoek", "Paris"]
    assert gpu_clusters.rank(table, density=10, names=False).ranking["name"].isna().all()


def test_names_on_the_command_line(tmp_path, monkeypatch, capsys):
    program = Program(monkeypatch, capsys, tmp_path)
    address_table().to_csv("p.csv", index=False)
    (tmp_path / "names.csv").write_text("place,name\nParis,Lutetia\n", encoding="utf-8")
    (tmp_path / "c.toml").write_text('patents = "p.csv"\nnames = "names.csv"\ndensity = 10\nout = "b"\n')
    for args in (("--patents", "p.csv", "--names", "names.csv", "--density", 10, "--out", "a"), ("--config", "c.toml")):
        assert program("rank", *args).code == 0
    for out in ("a", "b"):
        assert set(pd.read_csv(tmp_path / out / "ranking.csv")["name"]) == {"Lutetia", "Windhoek"}
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["inputs"][-1]["name"] == "names.csv"
    (tmp_path / "names.csv").write_text("place,name\nParis,\n", encoding="utf-8")
    program.refused(3, "rank", *("--patents", "p.csv", "--names", "names.csv", "--out", "x"), says="names.csv: row 1")


def test_the_published_names():
    folder = SHARED / "reference"
    if not folder.is_dir():
        pytest.skip("the published tables are not here")
    import published

    equal = {k: int((t["published"] == t["found"]).sum()) for k, t in published.worlds(folder).items()}
    assert equal["members 70 %"] >= 90 and equal["members 50 %"] >= 80 and equal["population alone"] >= 80, equal


def test_names_of_real_data(real_data):
    tables = [real_data / f"{name}.parquet" for name in ("patents", "publications", "deals")]
    names = gpu_clusters.rank(*tables, density=500).ranking["name"]
    assert names.is_unique and names.notna().all()
    assert {"San Francisco", "New York City", "Tokyo", "London", "Paris", "Beijing", "Nairobi"} <= set(names)
