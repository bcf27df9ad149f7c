"""Single steps on cases worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import gpu_clusters
from gpu_clusters import Settings, UsageError
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.steps import count, label, plane
from gpu_clusters.steps.locate import distinct_places
from gpu_clusters.steps.score import Indicator, ranked


def test_distinct_places_against_pandas():
    rng = np.random.default_rng(0)
    tables = [rng.choice([0.0, -1.5, 1e-300, 7.25, 179.0], (2, n)) for n in (0, 1, 500)]
    crowd = rng.uniform(-90, 90, (2, 70_000))  # more than the table of places starts with
    tables.append(crowd)
    lon, lat, places = distinct_places([(t[0], t[1]) for t in tables])
    expected = pd.DataFrame(np.concatenate(tables, axis=1).T, columns=["lon", "lat"]).drop_duplicates()
    expected = expected.sort_values(["lat", "lon"])
    np.testing.assert_array_equal(lon, expected["lon"])
    np.testing.assert_array_equal(lat, expected["lat"])
    for table, place in zip(tables, places, strict=True):
        np.testing.assert_array_equal(lon[place], table[0])
        np.testing.assert_array_equal(lat[place], table[1])


@pytest.mark.parametrize(
    ("settings", "inventors", "authors", "weights", "threshold"),
    [
        ({}, 10, 30, (30, 10), 4500 * 30),
        ({"density": 2.5}, 10, 3, (3, 10), 8),  # 2.5 * 3 = 7.5
        ({"density": 0.1}, 7, 10, (10, 7), 1),  # a tenth of ten, in decimals
        ({"density": 7, "weighting": "total-preserving"}, 10, 30, (30, 10), 105),  # 7 * 600 / 40
        ({"density": 7, "weighting": "total-preserving"}, 10, 31, (31, 10), 106),  # 7 * 620 / 41 = 105.85
        ({"density": 7.2, "weighting": "raw"}, 10, 30, (1, 1), 8),
        ({"density": 7.2}, 10, 0, (1, 1), 8),
        ({"density": 7.2, "weighting": "total-preserving"}, 0, 10, (1, 1), 8),
    ],
)
def test_weights_and_threshold(settings, inventors, authors, weights, threshold):
    chosen = Settings(**settings)
    assert chosen.weights(inventors, authors) == weights
    assert chosen.threshold(inventors, authors) == threshold


def test_the_largest_weights_that_fit():
    assert Settings().weights(2**30, 2**30) == (2**30, 2**30)
    with pytest.raises(UsageError, match="overflow"):
        Settings().weights(2**30, 2**31)
    assert Settings(weighting="raw").weights(2**30, 2**31) == (1, 1)


def test_sums_do_not_depend_on_the_order_and_are_right():
    rng = np.random.default_rng(2)
    n, groups = 5000, 7
    group = rng.integers(-1, groups, n)
    values = rng.choice([0.1, 1 / 3, 0.7, 1e9, 0.0], n)
    exact = [float(sum((Fraction(v) for v in values[group == g]), Fraction())) for g in range(groups)]
    found = []
    for order in (np.arange(n), rng.permutation(n)):
        distinct, code = np.unique(values[order], return_inverse=True)
        found.append(count.sums(group[order], groups, count.Measure(code, distinct, parts=False)))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0], exact, rtol=1e-15)


@pytest.mark.parametrize("kind", ["fraction", "deals", "parts"])
def test_sums_of_very_many_different_values_do_not_depend_on_the_order_and_are_right(kind, monkeypatch):
    monkeypatch.setattr(count, "MOST_VALUES", 50)
    rng = np.random.default_rng(3)
    sizes = np.arange(1, 91)
    start = np.concatenate(([0], np.cumsum(sizes)))
    n = int(start[-1])
    worth = np.repeat(1 / sizes, sizes) if kind == "parts" else rng.lognormal(0, 4, n)
    group = rng.integers(-1, 5, n)
    found = []
    for documents in (np.arange(len(sizes)), rng.permutation(len(sizes))):
        rows = np.concatenate([np.arange(start[d], start[d + 1]) for d in documents])
        place, none = np.zeros(n), np.full(n, -1, np.int32)
        if kind == "deals":
            table = Deals(place, place, worth[rows], none, ())
        else:
            starts = np.concatenate(([0], np.cumsum(sizes[documents])))
            fraction = worth[rows] if kind == "fraction" else None
            table = Addresses("patents", place, place, starts, none, (), none, (), fraction)
        measured = count.measure(table)
        assert measured.quanta
        pairs = count.pair_sums(group[rows], np.zeros(n, np.int32), 1, 5, measured)
        found.append(count.sums(group[rows], 5, measured))
        assert pairs.sum.tolist() == found[-1].tolist()
    exact = [float(sum(map(Fraction, worth[group == g]), Fraction())) for g in range(5)]
    np.testing.assert_array_equal(*found)
    np.testing.assert_allclose(found[0], exact, rtol=1e-14)


def test_sums_of_very_many_of_the_smallest_numbers(monkeypatch):
    monkeypatch.setattr(count, "MOST_VALUES", 3)
    least = 5e-324
    worth = np.array([least, 2 * least, 3 * least, 5 * least])
    place = np.zeros(4)
    measured = count.measure(Deals(place, place, worth, np.full(4, -1, np.int32), ()))
    assert measured.quanta
    assert count.sums(np.array([0, 1, 1, -1]), 2, measured).tolist() == [least, 5 * least]


def test_three_thirds_are_one():
    parts = count.Measure(np.array([3, 3, 3]), np.arange(4.0), parts=True)
    assert count.sums(np.zeros(3, np.int64), 1, parts).tolist() == [1.0]


def test_pair_sums_leave_out_noise_and_unknown_categories():
    counts = count.Measure(np.zeros(5, np.int64), np.array([0.5]), parts=False)
    group = np.array([0, 0, -1, 2, 2])
    pairs = count.pair_sums(group, np.array([1, 1, 1, -1, 0], np.int32), 2, 3, counts)
    assert [list(map(float, column)) for column in pairs] == [[0, 2], [1, 0], [1.0, 0.5]]


def test_ranks_of_runs_of_equals():
    values = np.array([1.0, 3.0, 3.0 + 9e-10, 2.0, 3.0 + 1.8e-9, 0.5])
    order, rank = ranked(values)
    assert rank.tolist() == [5, 1, 1, 4, 1, 6]  # the three chain, though the ends are 1.8e-9 apart
    assert order.tolist() == [1, 2, 4, 3, 0, 5]  # equals in the order given
    assert [a.tolist() for a in ranked(np.empty(0))] == [[], []]


def test_economies_from_one_percent_on():
    pairs = count.PairSums(np.zeros(3, np.int64), np.arange(3), np.array([98.5, 1.0, 0.5]))
    patents = Indicator(np.array([100.0]), 1000.0, pairs, ("AA", "BB", "CC"), count.NO_PAIRS, ())
    assert label.economies([patents], np.array([10.0])) == ["AA / BB"]


@pytest.mark.parametrize(("more", "listed"), [(1e-7, "BB / AA"), (1e-14, "AA / BB")])
def test_economies_are_equal_only_where_rounding_alone_tells_them_apart(more, listed):
    pairs = count.PairSums(np.zeros(2, np.int64), np.arange(2), np.array([50.0, 50.0 + more]))
    patents = Indicator(np.array([100.0]), 100.0, pairs, ("AA", "BB"), count.NO_PAIRS, ())
    assert label.economies([patents], np.array([100.0])) == [listed]


def test_a_cluster_without_output_has_no_economies():
    pairs = count.PairSums(np.array([0, 1]), np.array([0, 1]), np.array([0.0, 5.0]))
    patents = Indicator(np.array([0.0, 5.0]), 5.0, pairs, ("AA", "BB"), count.NO_PAIRS, ())
    assert label.economies([patents], np.array([0.0, 100.0])) == ["", "BB"]


def test_largest_takes_the_first_in_the_alphabet_among_equals():
    pairs = count.PairSums(np.array([0, 0, 2]), np.array([1, 2, 0]), np.array([2.0, 2.0 + 1e-15, 1.0]))
    assert label.largest(pairs, ("a", "b", "c"), 3) == ["b", None, "a"]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263", "EPSG:0", "nonsense"])
def test_a_crs_that_is_not_in_metres(crs):
    with pytest.raises(UsageError, match="crs"):
        plane.project(np.zeros(1), np.zeros(1), crs)


@pytest.mark.parametrize(
    ("crs", "lon", "lat", "ground"),
    [
        ("EPSG:3035", [4.35, -25.7], [50.85, 37.7], None),  # Brussels and the Azores, both in Europe's system
        ("EPSG:3035", [4.35, 139.69], [50.85, 35.69], "lon 139.69, lat 35.69 a kilometre in it is 0.754 to 1.33 km"),
        ("EPSG:3857", [0.0, 2.35], [0.0, 60.0], "lon 2.35, lat 60 a kilometre in it is 0.5 km on the ground"),
        ("EPSG:32631", [2.35], [48.85], None),
    ],
)
def test_a_crs_for_elsewhere(crs, lon, lat, ground):
    """Told is where its lengths are off most; by formula a kilometre of Web Mercator is cos(lat) km on the ground."""
    told = plane.warnings_of(np.array(lon), np.array(lat), crs)
    assert len(told) == (ground is not None)
    assert ground is None or (told[0].startswith(f"crs {crs} (") and ground in told[0])


@pytest.mark.parametrize(
    ("crs", "lon", "lat", "twin"),
    [
        ("EPSG:5514", [14.42, 13.0], [50.09, 67.75], (17.7241, 51.1063)),
        ("EPSG:5514", [14.42, 16.6], [50.09, 49.2], None),
        ("EPSG:2056", [8.54, -175.0], [47.38, -47.5], (9.71914, 46.5986)),
        ("EPSG:27700", [-2.0, 1.9], [50.0, 60.9], None),  # whose datum is turned by grids here, by formulas there
        ("EPSG:32660", [-179.9999, 179.9999], [0.0, -17.0], None),  # the date line
    ],
)
def test_a_crs_that_has_two_places_at_one_point(crs, lon, lat, twin):
    """Krovak's projection has the Lofoten in Poland, that of the Swiss the South Pacific in Switzerland: true to length."""
    told = plane.warnings_of(np.array(lon), np.array(lat), crs)
    assert len(told) == (twin is not None)
    for line in told:
        x, y = twin
        assert line.startswith(f"crs {crs} (")
        assert f"has lon {lon[1]:g}, lat {lat[1]:g} where lon {x:g}, lat {y:g} is, too" in line
        easting, northing = plane.project(np.array([lon[1], x]), np.array([lat[1], y]), crs)
        assert np.hypot(np.diff(easting), np.diff(northing)) < 10


def test_a_crs_is_looked_at_first_and_warned_of_in_the_manifest():
    table = pd.DataFrame({"doc_id": [1, 2], "lon": [2.35, 2.36], "lat": [60.0, 60.0]})
    made = gpu_clusters.rank(table, density=1, crs="EPSG:3857").manifest["warnings"]
    swept = gpu_clusters.sweep(table, radius_km=15, density=[1, 2], crs="EPSG:3857").manifest["warnings"]
    assert made == swept and "is not true to length" in made[0]
    assert gpu_clusters.rank(table, density=1, crs="EPSG:25831").manifest["warnings"] == []
    for run in (gpu_clusters.rank, gpu_clusters.sweep):
        given = {"radius_km": 15, "density": 1, "crs": "EPSG:4326"}
        with pytest.raises(UsageError, match="not a projected system"):
            run("no-such-file.csv", **given)
        for unusable in ("EPSG:1", "+proj=merc +a=1737400 +b=1737400"):  # the Moon's
            with pytest.raises(UsageError, match="cannot be used"):
                run("no-such-file.csv", **given | {"crs": unusable})


def test_clusters_apart_in_the_plane_may_be_next_door_on_the_sphere():
    """At 60 degrees Web Mercator is twice as long: 4 km on the ground are 8 km in it; every place is core."""
    table = pd.DataFrame({"doc_id": [1, 1, 2, 3], "lon": [0.0, 0.072, 0.0, 0.072], "lat": 60.0})
    given = {"density": 1, "crs": "EPSG:3857", "merge_km": 5}
    assert len(gpu_clusters.rank(table, radius_km=9, **given).ranking) == 1
    found = gpu_clusters.rank(table, radius_km=6, **given)
    assert found.locations["core"].all() and found.locations["initial_cluster_id"].tolist() == [0, 1]
    assert found.locations["cluster_id"].tolist() == [1, 1]


@pytest.mark.parametrize("radius", [1e308, 10**308])
def test_a_radius_in_the_plane_may_be_any_finite_number(radius):
    table = pd.DataFrame({"doc_id": [1, 2], "lon": [0.0, 90.0], "lat": [0.0, 60.0]})
    assert gpu_clusters.rank(table, density=2, radius_km=radius, crs="EPSG:3857").ranking["locations"].tolist() == [2]


def test_coverage_of_a_run():
    patents = pd.DataFrame(
        {"doc_id": [1, 1, 2, 3], "lon": [0.0, None, 5.0, 400.0], "lat": [0.0] * 4, "country": ["NA", "NA", "FR", None]}
    )
    result = gpu_clusters.rank(patents, density=1)
    assert result.coverage.fillna("").values.tolist() == [
        ["patents", "", 1, 0, 1, 0.0, 1, 0, 0.0],
        ["patents", "FR", 1, 1, 0, 100.0, 1, 1, 100.0],
        ["patents", "NA", 2, 1, 0, 50.0, 1, 1, 100.0],
        ["patents", "World", 4, 2, 1, 50.0, 3, 2, pytest.approx(200 / 3)],
    ]
    assert result.ranking["economies"].tolist() == ["NA", "FR"]
    assert result.manifest["invalid_rows"] == [{"name": "patents (data frame)", "total": 1, "rows": [4]}]
    assert "(row 4)" in result.manifest["warnings"][0]


@pytest.mark.parametrize(
    "setting",
    [
        {"radius_km": float("nan")},
        {"density": 0},
        {"area_degrees": -1},
        {"merge_km": float("inf")},
        {"density": 10**400},
        {"radius_km": 10**400},
        {"merge_km": 10**400},
        {"top": 0},
        {"weighting": "x"},
        {"border": "x"},
        {"engine": "x"},
        {"device": "x"},
        {"years": {"deals": (2001, 2000)}},
        {"columns": {"deals": {"doc_id": "x"}}},
        {"columns": {"other": {}}},
        {"columns": None},
        {"years": {"deals": (2001,)}},
        {"years": {"deals": ("2001", "2002")}},
    ],
    ids=str,
)
def test_settings_that_make_no_sense(setting):
    with pytest.raises(UsageError, match=rf"\b{next(iter(setting)).removesuffix('s')}"):
        Settings(**setting)


def test_small_sums_are_told_apart():
    pairs = count.PairSums(np.zeros(2, np.int64), np.arange(2), np.array([2e-10, 9e-10]))
    assert label.largest(pairs, ("a", "z"), 1) == ["z"]


def test_more_pairs_than_one_number_can_hold():
    n = 4_000_000
    counts = count.Measure(np.array([n - 1, 7, 7]), np.arange(n, dtype=float), parts=False)
    group = np.array([n - 1, -1, 3])
    pairs = count.pair_sums(group, np.array([n - 1, 0, 5], np.int32), n, n, counts)
    assert [column.tolist() for column in pairs] == [[3, n - 1], [5, n - 1], [7.0, n - 1]]


@pytest.mark.parametrize("column", ["fraction", "deals"])
def test_sums_that_are_too_large_are_refused(column):
    patents = pd.DataFrame({"doc_id": [1, 2], "lon": [0.0, 0.0], "lat": [0.0, 0.0]})
    deals = patents[["lon", "lat"]].assign(deals=1e308 if column == "deals" else 1.0)
    if column == "fraction":
        patents["fraction"] = 1e308
    with pytest.raises(gpu_clusters.InputError, match=column):
        gpu_clusters.rank(patents, deals=deals, density=1)


def test_coverage_of_more_deals_than_whole_numbers_hold():
    patents = pd.DataFrame({"doc_id": [1], "lon": [0.0], "lat": [0.0]})
    coverage = gpu_clusters.rank(patents, deals=patents[["lon", "lat"]].assign(deals=1e20), density=1).coverage
    assert coverage["documents"].tolist()[-1] == 1e20


def test_coverage_of_parts_of_deals():
    """One country's deals are whole and one's are not."""
    deals = pd.DataFrame({"lon": [0.0, 0.0], "lat": 0.0, "country": ["DE", "FR"], "deals": [0.5, 2]})
    coverage = gpu_clusters.rank(deals.assign(doc_id=1), deals=deals, density=1).coverage
    of_deals = coverage[coverage["table"] == "deals"]
    for column in ("documents", "documents_covered"):
        assert of_deals[column].tolist() == [0.5, 2, 2.5], column


def test_pairs_of_interleaved_clusters_are_found_block_by_block(monkeypatch):
    from gpu_clusters.kernels import bands as index
    from gpu_clusters.kernels import gaps
    from gpu_clusters.kernels.spaces import on_sphere, sphere_reach

    rng = np.random.default_rng(0)
    points, reach = on_sphere(*rng.uniform(-3, 3, (2, 3000))), sphere_reach(100)
    bands = index.build(points, reach)
    names = rng.integers(0, 5, 3000)[bands.order]
    expected = [[a, b] for a in range(5) for b in range(a + 1, 5)]
    for block in (100, 1 << 21):
        monkeypatch.setattr(gaps, "BLOCK", block)
        assert gaps.close_pairs(bands, names, bands, names, reach).tolist() == expected
