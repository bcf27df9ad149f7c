"""Names of clusters: of homonyms, of several clusters of one city, of runs, of published and real data."""

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from named import GAZETTEER, frame, named
from program import address_table

import gpu_clusters
from gpu_clusters.io import read_addresses, read_deals
from gpu_clusters.io.gazetteer import towns
from gpu_clusters.steps import name as naming
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.members import of_locations
from gpu_clusters.steps.output import WHOLE, output_of, points_of
from gpu_clusters.steps.overlay import Overlay
from gpu_clusters.steps.spelling import USUAL, plainly, usual


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


@pytest.mark.parametrize("kind", ["parts", "fraction"])
def test_output_does_not_depend_on_the_order_of_the_rows(kind):
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


@pytest.mark.parametrize("deals", [[1, 3, 4], [0, 0, 0]], ids=str)
def test_the_output_of_all_tables_is_where_they_have_it(deals, monkeypatch):
    """Four places, the second in no cluster and the others in clusters 1, 0 and 1; a deal near each of these, and one afar."""
    monkeypatch.setattr("gpu_clusters.steps.output._ROWS", 2)
    none, labels = np.zeros(4, np.int64), np.array([1, -1, 0, 1])
    locations = Locations(np.arange(4.0), np.zeros(4), none, none, none, 1)
    patents, publications = (
        read_addresses(pd.DataFrame({"doc_id": doc, "lon": lon, "lat": 0.0}), name).data
        for name, doc, lon in (("patents", [1, 1, 2, 3], [0, 2, 1, 3]), ("publications", [1, 2, 3, 4], [0, 0, 2, 3]))
    )
    given = read_deals(pd.DataFrame({"lon": [0.01, 2.01, 9.0], "lat": 0.0, "deals": deals})).data
    placed = Overlay(given.lon, given.lat, np.array([1, 0, -1]), np.arange(3, dtype=np.int32))
    tables = [(table, table.lon.astype(np.int32)) for table in (patents, publications)]
    totals = {"patents": 3.0, "publications": 4.0, "deals": float(sum(deals))}
    found = points_of(tables, locations, given, placed, of_locations(labels), totals)
    of_deals = [1 / 8, 3 / 8] if sum(deals) else [0, 0]
    expected = [1 / 6 + 2 / 4, 1 / 6 + 1 / 4, 1 / 3 + 1 / 4, *of_deals]
    assert np.allclose(found.output / WHOLE, expected, rtol=1e-12)
    assert found.cluster.tolist() == [0, 1, 0, 0, 1] and found.lon.tolist() == [0, 2, 3, 0.01, 2.01]


def test_a_run_has_names():
    table, deals = address_table(), pd.DataFrame({"lon": [2.35, 17.08], "lat": [48.86, -22.56]})
    result = gpu_clusters.rank(table, deals=deals, density=10, names={"Paris": "Lutetia", "Rome": "Roma"})
    assert result.ranking["name"].tolist() == ["Windhoek", "Lutetia"]
    assert result.manifest["inputs"][-1]["table"] == "names" and "'Roma' is not used" in result.manifest["warnings"][-1]
    shuffled = gpu_clusters.rank(table.sample(frac=1, random_state=2), deals=deals, density=10)
    assert shuffled.ranking["name"].tolist() == ["Windhoek", "Paris"]
    nameless = gpu_clusters.rank(table, density=10, names=False).ranking["name"]
    assert nameless.tolist() == [None, None] and nameless.dtype == result.ranking["name"].dtype == object


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
