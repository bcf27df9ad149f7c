"""Sweeps: every setting as the plain reference has it, the comparison with the baseline, files and the command."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pandas as pd
import pytest
import reference
from scipy.stats import kendalltau
from sklearn.metrics import adjusted_rand_score
from worlds import random_world

import gpu_clusters
from gpu_clusters import UsageError, sweep
from gpu_clusters.steps.compare import Baseline, Shared, compare, kendall_tau
from gpu_clusters.steps.hierarchy import Neighbourhood
from gpu_clusters.sweeps import run

WORLDS, BLOCKS = 96, 8
FACTORS = (0.15, 0.4, 0.7, 0.85, 1.0, 1.2, 1.6, 3.0)
STRETCHES = (1.0, 1.25, 2.5)


def prepared(seed):
    """A random world with the settings that a sweep shares, and its grid."""
    world = random_world(seed)
    given = dict(world.settings)
    given.pop("merge_km"), given.pop("border")
    radius, density = given.pop("radius_km"), given.pop("density")
    radii = [radius * stretch for stretch in STRETCHES]
    densities = sorted({max(round(density * factor, 2), 0.01) for factor in FACTORS})
    return world, given, radii, densities


class Expected:
    """The reference's settings of one world; what does not depend on the density is found once for a radius."""

    def __init__(self, world, given):
        tables = (world.patents, world.publications, world.deals)
        self.rows = [reference.rows_of(table, kind) for table, kind in zip(tables, reference.COUNTS, strict=True)]
        self.totals = [math.fsum(row.count for row in rows) for rows in self.rows]
        self.places = reference.number_places(self.rows[0], self.rows[1])
        self.deal_places = reference.number_places(self.rows[2])
        number = range(len(self.places))
        self.addresses = [[sum(row.location == i for row in rows) for i in number] for rows in self.rows[:2]]
        self.given = given

    def at_radius(self, radius):
        crs = self.given.get("crs")
        limit = reference.squared_chord(radius) if crs is None else (radius * 1000) * (radius * 1000)
        self.near = reference.within(reference.coordinates(self.places, crs), limit)
        weight, _ = reference.weights_and_threshold(*self.addresses, 1.0, self.given["weighting"])
        self.density_at = np.array([weight[near].sum() for near in self.near], dtype=np.int64)

    def at_density(self, density):
        """Label of each location by rank, number of core locations, and a table of the clusters by rank."""
        _, threshold = reference.weights_and_threshold(*self.addresses, density, self.given["weighting"])
        core, label = reference.find_clusters(self.near, self.density_at, threshold, "densest")
        label = reference.by_first_member(label)
        deals = reference.assign_deals(self.deal_places, self.places, label, self.given["area_degrees"])
        counts = np.zeros((label.max(initial=-1) + 1, 3))
        for column, (rows, of) in enumerate(zip(self.rows, (label, label, deals), strict=True)):
            found = reference.sums((int(of[row.location]), row.count) for row in rows)
            for cluster, count in found.items():
                if cluster >= 0:
                    counts[cluster, column] = count
        shares = [100 * counts[:, i] / total if total > 0 else 0 * counts[:, i] for i, total in enumerate(self.totals)]
        rank = reference.ranks(list(sum(shares)))
        order = sorted(range(len(rank)), key=lambda k: (rank[k], k))
        densest = [min(np.flatnonzero(label == k).tolist(), key=lambda i: (-self.density_at[i], i)) for k in order]
        table = pd.DataFrame(counts[order], columns=list(reference.COUNTS))
        table["rank"] = [rank[k] for k in order]
        table["lat"], table["lon"] = np.array(self.places)[densest].reshape(-1, 2).T
        place = {k: i for i, k in enumerate(order)} | {-1: -1}
        return np.array([place[k] for k in label.tolist()]), int(core.sum()), table


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_setting_equals_the_reference(block):
    settings = 0
    for seed in range(block, WORLDS, BLOCKS):
        world, given, radii, densities = prepared(seed)
        result = sweep(world.patents, world.publications, world.deals, radius_km=radii, density=densities, **given)
        expected = Expected(world, given)
        for i, radius in enumerate(sorted(radii)):
            expected.at_radius(radius)
            for j, density in enumerate(densities):
                label, core, table = expected.at_density(density)
                row = result.settings.iloc[i * len(densities) + j]
                where = (result.clusters["radius_km"] == radius) & (result.clusters["density"] == density)
                found = result.clusters[where].reset_index(drop=True)
                assert (row["clusters"], row["core_locations"], row["locations"]) == (
                    len(table),
                    core,
                    (label >= 0).sum(),
                )
                assert found["rank"].tolist() == table["rank"].tolist()
                np.testing.assert_array_equal(found[["lon", "lat"]], table[["lon", "lat"]])
                np.testing.assert_allclose(
                    found[list(reference.COUNTS)], table[list(reference.COUNTS)], rtol=1e-12, atol=1e-12
                )
                if j % 4 == seed % 4:
                    number = result.labels(radius, density)["cluster_id"].to_numpy()
                    assert np.where(number > 0, number - 1, -1).tolist() == label.tolist()
                settings += 1
    assert settings * BLOCKS >= 2_000


MERGING = {"merge": True, "merge_km": 20.0}


@pytest.mark.parametrize(("seed", "merging"), [*((seed, {}) for seed in range(12)), (1, MERGING), (10, MERGING)])
def test_comparison_with_the_baseline(seed, merging):
    world, given, radii, densities = prepared(seed)
    tables = (world.patents, world.publications, world.deals)
    baseline, top = (radii[0], densities[3]), (100, 3)[seed % 2]
    result = sweep(*tables, radius_km=radii, density=densities, baseline=baseline, top=top, **merging, **given)
    weight = gpu_clusters.rank(*tables, radius_km=radii[0], density=densities[3], merge_km=None, **given).locations[
        "weight"
    ]
    weight = weight.to_numpy()
    base = result.labels(*baseline)["cluster_id"].to_numpy()
    assert (
        result.cube["likeness"].sel(radius_km=baseline[0], density=baseline[1]).values.tolist()
        == [1.0] * base.max(initial=0)
        or (base < 0).all()
    )
    for place, row in result.settings.iterrows():
        label = result.labels(row["radius_km"], row["density"])["cluster_id"].to_numpy()
        assert row["adjusted_rand"] == pytest.approx(adjusted_rand_score(base, label), abs=1e-12)
        some = result.clusters[
            (result.clusters["radius_km"] == row["radius_km"]) & (result.clusters["density"] == row["density"])
        ]
        shared = {
            (c, b): int(weight[(label == c) & (base == b)].sum()) for c in set(label) - {-1} for b in set(base) - {-1}
        }
        shared = {pair: both for pair, both in shared.items() if both}
        match = {}
        for c, b in sorted(shared, key=lambda pair: (-shared[pair], *pair)):
            if c not in match and b not in match.values():
                match[c] = b
        assert some["baseline_cluster_id"].tolist() == [match.get(c, -1) for c in range(1, len(some) + 1)]
        assert row["matched"] == len(match)
        at = result.cube.sel(radius_km=row["radius_km"], density=row["density"])
        ranks = some["rank"].tolist()
        for b in range(1, base.max(initial=0) + 1):
            mine = at.sel(cluster=b)
            back = {value: key for key, value in match.items()}
            assert mine["rank"].item() == (ranks[back[b] - 1] if b in back else 0)
            total = weight[base == b].sum()
            assert mine["split"].item() == (sum(shared.get((c, b), 0) >= 0.1 * total for c in set(label) - {-1}) >= 2)
            holders = sorted((-both, c) for (c, k), both in shared.items() if k == b)
            assert mine["swallowed"].item() == bool(holders and match.get(holders[0][1], b) != b)
            if b in back:
                union = weight[(base == b) | (label == back[b])].sum()
                assert mine["likeness"].item() == pytest.approx(shared[back[b], b] / union)
        leaders = [b for b in range(1, min(base.max(initial=0), top) + 1) if b in match.values()]
        one = [result.stability["rank"][b - 1] for b in leaders]
        two = [at.sel(cluster=b)["rank"].item() for b in leaders]
        tau = kendalltau(one, two).statistic if len(set(one)) > 1 and len(set(two)) > 1 else math.nan
        assert row["kendall_tau"] == pytest.approx(tau, nan_ok=True)
        assert place == result.settings.index[place]


def test_stability_counts_over_the_grid():
    world, given, radii, densities = prepared(3)
    result = sweep(world.patents, world.publications, world.deals, radius_km=radii, density=densities, **given)
    assert len(result.stability)
    for cluster in result.stability.itertuples(index=False):
        mine = result.cube.sel(cluster=cluster.cluster_id)
        ranks = mine["rank"].values[mine["rank"].values > 0]
        assert cluster.matched == len(ranks)
        assert (cluster.best_rank, cluster.median_rank, cluster.worst_rank) == (
            ranks.min(),
            np.median(ranks),
            ranks.max(),
        )
        assert cluster.robustness == pytest.approx(mine["likeness"].values.mean())
        assert cluster.kept == (mine["likeness"].values >= 0.5).sum()
        assert (cluster.splits, cluster.swallowed) == (mine["split"].values.sum(), mine["swallowed"].values.sum())


@pytest.mark.parametrize("seed", [1, 5, 6, 10, 14, 23])
def test_merging_at_every_setting_is_that_of_single_runs(seed):
    world, given, radii, densities = prepared(seed)
    tables = (world.patents, world.publications, world.deals)
    result = sweep(*tables, radius_km=radii[:2], density=densities[::3], merge=True, merge_km=20.0, **given)
    for (radius, density), found in result.clusters.groupby(["radius_km", "density"]):
        whole = gpu_clusters.rank(*tables, radius_km=radius, density=density, merge_km=20.0, **given)
        label, single = result.labels(radius, density), whole.ranking
        pd.testing.assert_series_equal(label["cluster_id"], whole.locations["cluster_id"])
        for name in ("rank", "patents", "publications", "deals", "patent_share", "total_share", "lon", "lat"):
            assert found[name].tolist() == single[name].tolist(), name
        shares = ["patent_share", "publication_share", "deal_share"]
        at = (result.settings["radius_km"] == radius) & (result.settings["density"] == density)
        np.testing.assert_allclose(result.settings.loc[at, shares], [single[shares].sum()], rtol=1e-9)


def test_merging_further_than_the_radius_where_the_baseline_has_a_larger_one():
    """Core places 8 km apart: two clusters at 5 km, which are next door within 10 km."""
    table = pd.DataFrame({"doc_id": [1, 1, 2, 3], "lon": [0.0, 0.072, 0.0, 0.072], "lat": 0.0})
    grid = {"radius_km": [5, 15], "density": [1, 2], "merge": True, "merge_km": 10}
    found = sweep(table, baseline=(15, 1), **grid)
    assert found.settings["clusters"].tolist() == [1] * 4
    assert found.labels(5, 1)["cluster_id"].tolist() == found.labels(5, 2)["cluster_id"].tolist() == [1, 1]
    other = sweep(table, baseline=(5, 1), **grid)  # its clusters merge too
    assert other.stability["matched"].tolist() == [4]
    assert sweep(table, baseline=(5, 50), **grid).settings["matched"].tolist() == [0] * 4  # a baseline without clusters


def test_sums_have_the_bits_of_single_runs_also_with_very_many_different_fractions():
    rng = np.random.default_rng(0)
    lon, lat = rng.normal(size=(2, 9000)).round(2)
    table = pd.DataFrame({"doc_id": np.arange(9000), "lon": lon, "lat": lat})
    found = sweep(table, radius_km=[5, 8], density=[3, 9], baseline=(5, 3))
    single = gpu_clusters.rank(table, radius_km=5, density=3, merge_km=None).ranking
    assert found.clusters["patents"].tolist()[: len(single)] == single["patents"].tolist()
    table["fraction"] = rng.random(9000)  # more values than are told apart
    deals = table[["lon", "lat"]].assign(deals=rng.random(9000))
    found = sweep(table, deals=deals, radius_km=[5, 8], density=[3, 9], baseline=(5, 3), check=4)
    single = gpu_clusters.rank(table, deals=deals, radius_km=5, density=3, merge_km=None).ranking
    for column in ("patents", "deals"):
        assert found.clusters[column].tolist()[: len(single)] == single[column].tolist()


@pytest.mark.parametrize("quanta", [False, True])
def test_values_are_added_a_few_at_a_time(quanta, monkeypatch):
    """Documents of one to seven addresses, so that rows have seven values; and values too many to be told apart."""
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 8, 300)
    lon, lat = rng.normal(scale=0.1, size=(2, sizes.sum())).round(2)
    lon[:60], lat[:60] = 0, 0.7 + np.arange(60) % 3 / 1000  # the last places are in a cluster
    table = pd.DataFrame({"doc_id": np.repeat(np.arange(300), sizes), "lon": lon, "lat": lat})
    grid = {"radius_km": [1, 2], "density": [3, 4, 5], "baseline": (2, 4)}
    monkeypatch.setattr("gpu_clusters.steps.count.MOST_VALUES", 3 if quanta else 4096)
    whole = sweep(table, check=6, **grid)
    monkeypatch.setattr("gpu_clusters.steps.tally.BLOCK", 1)
    one_by_one = sweep(table, check=6, **grid)
    pd.testing.assert_frame_equal(one_by_one.clusters, whole.clusters, check_exact=True)
    assert whole.settings["clusters"].min() > 1


def test_several_weightings_share_a_baseline():
    world, given, radii, densities = prepared(2)
    given.pop("weighting")
    tables = (world.patents, world.publications, world.deals)
    both = sweep(*tables, radius_km=radii, density=densities, weighting=["raw", "total-preserving"], **given)
    assert both.cube["clusters"].dims == ("weighting", "radius_km", "density")
    for name in ("raw", "total-preserving"):
        one = sweep(*tables, radius_km=radii, density=densities, weighting=name, **given)
        mine = both.settings[both.settings["weighting"] == name].reset_index(drop=True)
        same = ["radius_km", "density", "clusters", "core_locations", "locations", "patent_share", "deal_share"]
        pd.testing.assert_frame_equal(mine[same], one.settings[same])
        if name == "raw":
            pd.testing.assert_frame_equal(mine, one.settings)


def test_results_do_not_depend_on_the_order_of_rows_and_radii():
    world, given, radii, densities = prepared(4)
    one = sweep(world.patents, world.publications, world.deals, radius_km=radii, density=densities, **given)
    turned = [
        table if table is None else table.iloc[::-1] for table in (world.patents, world.publications, world.deals)
    ]
    two = sweep(*turned, radius_km=radii[::-1], density=densities[::-1], **given)
    pd.testing.assert_frame_equal(one.settings, two.settings, check_exact=True)
    pd.testing.assert_frame_equal(one.clusters, two.clusters, check_exact=True)
    pd.testing.assert_frame_equal(one.stability, two.stability, check_exact=True)


LARGE = 2**61  # a tenth of it is not whole


@pytest.mark.parametrize(
    ("parts", "split"),
    [
        ((9, 1), True),
        ((91, 9), False),
        ((1, 8, 1), True),
        ((LARGE - LARGE // 10 - 1, LARGE // 10 + 1), True),
        ((LARGE - LARGE // 10, LARGE // 10), False),
    ],
)
def test_a_cluster_is_split_by_two_that_hold_a_tenth_of_its_weight_each(parts, split):
    k, weight = len(parts), np.array(parts)
    ones, number = np.ones(k, np.int64), np.arange(k)
    baseline = Baseline(np.zeros(k, np.int32), np.array([1]), np.array([k]))
    found = Shared(number, np.zeros(k, np.int64), ones, weight)
    assert compare(found, number + 1, ones, weight, baseline, weight.sum(keepdims=True), 9).split.tolist() == [split]


@pytest.mark.parametrize(("seed", "count"), [*((seed, 30) for seed in range(5)), (5, 20_000)])
def test_kendall_tau(seed, count):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, max(12, count // 9), (2, count))
    assert kendall_tau(one, other) == pytest.approx(kendalltau(one, other).statistic)
    assert math.isnan(kendall_tau(one, np.ones(count, int)))
    assert math.isnan(kendall_tau(one[:0], other[:0]))


@pytest.mark.parametrize("count", range(2, 30))
def test_kendall_tau_of_equal_ranks_is_one(count):
    rank = np.arange(1, count + 1)
    assert kendall_tau(rank, rank) == 1 and kendall_tau(rank, -rank) == -1


TABLE = pd.DataFrame(
    {"doc_id": range(30), "lon": np.repeat([2.35, 2.4, 17.08], 10), "lat": np.repeat([48.86, 48.9, -22.56], 10)}
)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"border": "lowest"}, "densest"),
        ({"engine": "sklearn"}, "native"),
        ({"boundary": "hull"}, "area"),
        ({"merge_km": 3.0}, "merge=True"),
        ({"check": -1}, "check"),
        ({"check": True}, "check"),
        ({"check": 1, "seed": -1}, "seed"),
        ({"check": 1, "seed": "a"}, "seed"),
        ({"dask": "local:none"}, "local:N"),
        ({"dask": "local:²"}, "local:N"),
        ({"rubbish": 1}, "rubbish"),
        ({"density": range(1, 9_000)}, ""),
    ],
)
def test_what_a_sweep_refuses(given, said):
    if not said:
        assert len(sweep(TABLE, **{"radius_km": [5], "density": [1]} | given).settings) == 8_999
        return
    with pytest.raises(UsageError, match=said):
        sweep(TABLE, **{"radius_km": [5], "density": [1]} | given)


def test_labels_are_of_the_grid():
    result = sweep(TABLE, radius_km=[5, 10], density=[5, 15])
    assert result.labels(5, 5)["cluster_id"].tolist() == [1, 2, 3]
    assert result.labels(10, 15)["cluster_id"].tolist() == [-1, 1, 1]
    with pytest.raises(UsageError, match="density 7 is not on the grid"):
        result.labels(5, 7)


def test_what_the_radii_needed_is_given_back_before_their_results_are_put_together(monkeypatch):
    needed, left = [], []

    def watched(self, *args):
        tree = hierarchy(self, *args)
        needed.extend(map(weakref.ref, (tree.arrival, tree.core, tree.density_at, self.weight, self._bands.order)))
        return tree

    def put_together(*args):
        gc.collect()
        left.append(sum(one() is not None for one in needed))
        return collect(*args)

    hierarchy, collect = Neighbourhood.hierarchy, run.collect
    monkeypatch.setattr(Neighbourhood, "hierarchy", watched)
    monkeypatch.setattr(run, "collect", put_together)
    result = sweep(TABLE, radius_km=[5, 10], density=[5, 15])
    assert len(needed) == 3 * 5 and left == [0]  # the baseline and two radii
    assert result.labels(10, 15)["cluster_id"].tolist() == [-1, 1, 1]


def test_thresholds_beyond_64_bits():
    result = sweep(TABLE, radius_km=5, density=[5, 1e30, 1e300], baseline=(5, 1e40), check=3)
    assert result.settings["clusters"].tolist() == [3, 0, 0] and result.stability.empty


def test_no_cluster_anywhere_is_a_result():
    result = sweep(TABLE, radius_km=[5, 10], density=[50, 60])
    assert result.settings["clusters"].tolist() == [0] * 4
    assert result.settings["adjusted_rand"].tolist() == [1.0] * 4
    assert len(result.clusters) == len(result.stability) == 0
    assert len(result.manifest["warnings"]) == 2
