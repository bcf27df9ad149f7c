"""Applicants, organizations and partners of clusters, against slow references."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest

import gpu_clusters
from gpu_clusters.io.model import Addresses
from gpu_clusters.steps.count import PairSums
from gpu_clusters.steps.label import largest
from gpu_clusters.steps.organizations import first_places
from gpu_clusters.steps.partners import partners_table


def documents(rng, clusters, count):
    """Where documents start, and the cluster of each of their addresses; some have very many."""
    sizes = rng.choice([1, 1, 2, 3, 5, 400], count)
    start = np.concatenate(([0], np.cumsum(sizes)))
    cluster = rng.integers(0, clusters + 1, start[-1])
    return start, np.where(cluster == 0, -1, cluster)


def addresses(start):
    none = np.empty(0)
    return Addresses("patents", none, none, start, none, (), none, (), None)


@pytest.mark.parametrize("seed", range(6))
def test_partners_are_those_counted_one_by_one(seed):
    rng = np.random.default_rng(seed)
    clusters = int(rng.integers(1, 40))
    tables = [documents(rng, clusters, int(rng.integers(0, 60))) for _ in range(2)]
    expected = {}
    for column, (start, cluster) in enumerate(tables):
        for first, last in pairwise(start):
            for pair in combinations(sorted(set(cluster[first:last]) - {-1}), 2):
                expected.setdefault(tuple(map(int, pair)), [0, 0])[column] += 1
    (one, one_cluster), (other, other_cluster) = tables
    found = partners_table(addresses(one), addresses(other), one_cluster, other_cluster, clusters)
    assert found.columns.tolist() == ["cluster_id", "partner_id", "patents", "publications"]
    assert found.values.tolist() == [[*pair, *numbers] for pair, numbers in sorted(expected.items())]
    assert all(kind == np.int64 for kind in found.dtypes)
    alone = partners_table(addresses(one), None, one_cluster, None, clusters)
    assert (
        alone["publications"].sum() == 0
        and alone["patents"].tolist() == found["patents"][found["patents"] > 0].tolist()
    )


def naive_places(sums, places):
    """Places of (name, sum) pairs: one more than those that are larger by more than rounding."""
    ordered = [(1 + sum(other > one * (1 + 1e-11) for other in sums), name) for name, one in enumerate(sums)]
    return [(name, place) for place, name in sorted(ordered) if place <= places]


@pytest.mark.parametrize("seed", range(8))
def test_first_places_with_ties_and_rounding(seed):
    rng = np.random.default_rng(seed)
    group, category, sums, expected = [], [], [], []
    for number in range(seed % 3, 30):  # the first cluster may have none
        size = int(rng.integers(0, 40))
        values = rng.choice([1 / 3, 0.1 + 0.2, 0.3, 1.0, 2.5, 7.0, 0.0], size) * (
            1 + rng.choice([0, 1e-16, 3e-16], size)
        )
        expected += [(number, *found) for found in naive_places(values.tolist(), 10)]
        group += [number] * size
        category += range(size)
        sums += values.tolist()
    pairs = PairSums(np.array(group), np.array(category), np.array(sums))
    pair, place = first_places(pairs, 10)
    assert list(zip(pairs.group[pair], pairs.category[pair], place, strict=True)) == expected
    winners = {int(g): int(c) for g, c in zip(pairs.group[pair][::-1], pairs.category[pair][::-1], strict=True)}
    names = [f"{i:02d}" for i in range(40)]
    told = largest(pairs, names, 30)
    assert [None if name is None else int(name) for name in told] == [winners.get(g) for g in range(30)]


def test_of_a_ranking_whatever_the_order_of_rows():
    rng = np.random.default_rng(3)
    rows = 3000
    table = pd.DataFrame(
        {
            "doc_id": rng.integers(0, 1100, rows),
            "lon": rng.choice([2.35, 12.5, 139.7, -70.0], rows),
            "lat": 40.0,
            "organization": rng.choice(["Åå", "b & b", "<c>", "d", None, *map(str, range(20))], rows),
        }
    )
    table["lat"] += table["lon"] / 50
    one = gpu_clusters.rank(table, table.iloc[::2], density=50)
    other = gpu_clusters.rank(
        table.sample(frac=1, random_state=1), table.iloc[::2].sample(frac=1, random_state=2), density=50
    )
    pd.testing.assert_frame_equal(one.organizations, other.organizations)
    pd.testing.assert_frame_equal(one.partners, other.partners)
    first = one.organizations[one.organizations["place"] == 1].drop_duplicates(["cluster_id", "table"])
    assert first[first["table"] == "patents"]["organization"].tolist() == one.ranking["top_applicant"].tolist()
    assert first[first["table"] == "publications"]["organization"].tolist() == one.ranking["top_organization"].tolist()

    fraction = 1 / table.groupby("doc_id")["lon"].transform("size")
    at = table.merge(one.locations[["lon", "lat", "cluster_id"]], on=["lon", "lat"])["cluster_id"]
    sums = fraction.groupby([at, table["organization"]]).sum()
    listed = one.organizations[one.organizations["table"] == "patents"]
    assert len(listed) >= 40 and listed["place"].max() <= 10
    for row in listed.itertuples():
        assert row.count == pytest.approx(sums[row.cluster_id, row.organization], rel=1e-12)
        assert (sums[row.cluster_id] > row.count * (1 + 1e-9)).sum() == row.place - 1

    sets = at.groupby(table["doc_id"]).agg(set)
    for row in one.partners.itertuples():
        assert row.patents == sum({row.cluster_id, row.partner_id} <= found for found in sets)
    assert len(one.partners) == len(one.ranking) * (len(one.ranking) - 1) / 2


def test_no_cluster_has_none():
    table = pd.DataFrame({"doc_id": [1, 2], "lon": [0.0, 1.0], "lat": [0.0, 1.0], "organization": ["a", "b"]})
    result = gpu_clusters.rank(table, density=100)
    assert result.organizations.empty and result.partners.empty
    assert result.organizations.columns.tolist() == ["cluster_id", "table", "place", "organization", "count"]
