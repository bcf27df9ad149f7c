"""The random worlds: what they exercise, and their initial clusters against scikit-learn's."""

from collections import Counter

import numpy as np
import pytest
import reference
from reference import reference_rank
from scenes import KINDS
from sklearn.cluster import DBSCAN
from worlds import random_world


@pytest.mark.parametrize("kind", KINDS)
def test_initial_clusters_are_those_of_scikit_learn(kind):
    for seed in range(list(KINDS).index(kind), 4 * len(KINDS), len(KINDS)):
        world = random_world(seed)
        settings = world.settings | {"border": "lowest"}
        found = reference_rank(world.patents, world.publications, world.deals, **settings)
        places = list(found.locations[["lat", "lon"]].itertuples(index=False, name=None))
        crs, radius = settings.get("crs"), settings["radius_km"]
        limit = reference.squared_chord(radius) if crs is None else (1000 * radius) ** 2
        distance = np.ones((len(places), len(places)))
        for row, near in zip(distance, reference.within(reference.coordinates(places, crs), limit), strict=True):
            row[near] = 0
        dbscan = DBSCAN(eps=0.5, min_samples=found.threshold, metric="precomputed")
        dbscan.fit(distance, sample_weight=found.locations["weight"].to_numpy())
        assert dbscan.labels_.tolist() == found.locations["initial_cluster_id"].tolist()
        assert dbscan.core_sample_indices_.tolist() == np.flatnonzero(found.locations["core"]).tolist()


def test_worlds_are_the_same_every_time():
    for seed in (3, 7, 19):
        one, two = random_world(seed), random_world(seed)
        assert (one.settings, one.kind) == (two.settings, two.kind)
        for name in ("patents", "publications", "deals"):
            table, again = getattr(one, name), getattr(two, name)
            assert again is None if table is None else table.equals(again), name


def facts_about(seed: int) -> set[str]:
    """What there is to see in a world and in its result."""
    world = random_world(seed)
    tables = {"patents": world.patents, "publications": world.publications, "deals": world.deals}
    given = [table for table in tables.values() if table is not None]
    found = reference_rank(*tables.values(), **world.settings)
    locations, ranking = found.locations, found.ranking
    member = locations["cluster_id"] > 0
    assert len(locations) <= 450
    assert sum(map(len, given)) <= 4000
    assert ranking["cluster_id"].tolist() == list(range(1, len(ranking) + 1))
    holds = {
        "border locations": (member & ~locations["core"]).any(),
        "noise beside clusters": member.any() and not member.all(),
        "merged": locations["initial_cluster_id"].max() + 1 > len(ranking),
        "merging off": world.settings["merge_km"] is None,
        "equal ranks": ranking["rank"].duplicated().any(),
        "deals in and out": {-1, 1} <= set(found.deals["cluster_id"]),
        "rows not placed": any(len(table) > len(reference.geocoded(table)) for table in given),
        "fraction column": any("fraction" in table for table in given),
        "integer doc_id": any("doc_id" in table and isinstance(table["doc_id"].iloc[0], np.integer) for table in given),
    }
    facts = {name for name, true in holds.items() if true} | {f"no {name}" for name in tables if tables[name] is None}
    return facts | {
        world.kind,
        world.settings["weighting"],
        world.settings["border"],
        f"{min(len(ranking), 2)} clusters",
    }


def test_worlds_exercise_the_method():
    many = 200
    count = Counter(fact for seed in range(many) for fact in facts_about(seed))
    assert set(KINDS) <= set(count)
    assert count["2 clusters"] >= many / 2  # two or more
    assert min(count[name] for name in ("border locations", "noise beside clusters", "deals in and out")) >= many / 4
    assert min(count[name] for name in ("inventor-equivalent", "total-preserving", "raw")) >= many / 8
    assert min(count[name] for name in ("densest", "lowest", "rows not placed", "integer doc_id")) >= many / 4
    assert min(count[name] for name in ("merged", "merging off", "fraction column", "no deals")) >= many / 10
    assert min(count[name] for name in ("no patents", "no publications", "1 clusters")) >= many / 20
    assert min(count[name] for name in ("equal ranks", "0 clusters")) >= 5
