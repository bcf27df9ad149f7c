"""Editions compared with a plain reading of the rules, on pairs of random worlds and on real tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from plain_editions import SHARES, assert_plain, none, plain_match
from worlds import random_world

import gpu_clusters
from gpu_clusters import Result, compare
from gpu_clusters.schema import RANKING


def world_pair(seed: int) -> tuple[Result, Result]:
    """A world, and the same with other documents, moved addresses and at times another density."""
    world, rng = random_world(seed), np.random.default_rng(seed)
    tables = [world.patents, world.publications, world.deals]
    before = gpu_clusters.rank(*tables, **world.settings)
    after = []
    for table in tables:
        if table is not None:
            kept = table[rng.random(len(table)) < 0.8] if rng.random() < 0.8 and len(table) > 40 else table
            kept = kept.reset_index(drop=True)
            moved = np.flatnonzero(rng.random(len(kept)) < rng.choice([0.0, 0.2]))
            places = kept[["lon", "lat"]].to_numpy(copy=True)
            places[moved] = places[rng.permutation(moved)]
            table = kept.assign(lon=places[:, 0], lat=places[:, 1])
        after.append(table)
    density = world.settings["density"] * float(rng.choice([0.4, 0.7, 1.0, 1.5, 2.5]))
    return before, gpu_clusters.rank(*after, **world.settings | {"density": density})


@pytest.mark.parametrize("seed", range(80))
def test_pairs_of_worlds(seed, tmp_path):
    before, now = world_pair(seed)
    found = compare(before, now)
    assert_plain(before, now, found)
    assert_mirrored(found, compare(now, before))
    assert_unchanged(compare(before, before))
    if seed % 4 == 0:
        before.write(tmp_path / "before")
        now.write(tmp_path / "now")
        from_files = compare(tmp_path / "before", tmp_path / "now")
        pd.testing.assert_frame_equal(from_files.clusters, found.clusters, check_exact=True)
        assert_previous(random_world(seed), before, now, tmp_path / "now")


def assert_mirrored(found, back) -> None:
    """The splits of the one are the mergers of the other."""
    turned = {"previous_cluster_id": "cluster_id", "cluster_id": "previous_cluster_id"}
    for one, other in ((found.splits, back.mergers), (found.mergers, back.splits)):
        keys = [*turned, "weight_pct"]
        pd.testing.assert_frame_equal(one.rename(columns=turned)[keys], other[keys])


def assert_unchanged(found) -> None:
    """A world compared with itself has no change."""
    assert (found.clusters["status"] == "matched").all()
    for name in ("rank_change", *(f"{share}_change" for share in SHARES)):
        assert (found.clusters[name] == 0).all()
    assert found.clusters["moved_by"].isna().all() and not len(found.splits) and not len(found.mergers)
    assert not found.manifest["warnings"] and not found.manifest["differing_settings"]
    assert (found.clusters["cluster_id"] == found.clusters["previous_cluster_id"]).all()
    assert not len(found.entered(3)) and not len(found.left(3))


def assert_previous(world, result: Result, previous: Result, folder: Path) -> None:
    """A world's ranking with the previous edition, from memory and from its folder, differs in the previous ranks alone."""
    tables = (world.patents, world.publications, world.deals)
    ranked = [gpu_clusters.rank(*tables, **world.settings, previous=one) for one in (previous, folder)]
    pd.testing.assert_frame_equal(ranked[0].ranking, ranked[1].ranking, check_exact=True)
    match = plain_match(previous, result)
    ranks = previous.ranking.set_index("cluster_id")["rank"]
    expected = [ranks[match[k]] if k in match else None for k in result.ranking["cluster_id"]]
    assert [none(value) for value in ranked[0].ranking["previous_rank"]] == expected
    change = [None if p is None else p - r for p, r in zip(expected, result.ranking["rank"], strict=True)]
    assert [none(value) for value in ranked[0].ranking["rank_change"]] == change
    assert ranked[1].manifest["previous"]["matched"] == len(match)
    untouched = [name for name in RANKING if name not in ("previous_rank", "rank_change")]
    pd.testing.assert_frame_equal(ranked[0].ranking[untouched], result.ranking[untouched], check_exact=True)


def test_pairs_of_worlds_exercise_the_method():
    seen = {"matched": 0, "entrants": 0, "leavers": 0, "splits": 0, "mergers": 0, "rose": 0}
    for seed in range(80):
        manifest = compare(*world_pair(seed)).manifest
        seen = {name: number + manifest[name] for name, number in seen.items()}
        if min(seen.values()) >= 2:  # more pairs can only add to it
            return
    pytest.fail(str(seen))


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(0)
    for before, now in map(world_pair, range(10)):
        shuffled = [
            replace(
                one,
                ranking=one.ranking.sample(frac=1, random_state=int(rng.integers(99))),
                locations=one.locations.sample(frac=1, random_state=int(rng.integers(99))),
            )
            for one in (before, now)
        ]
        found, again = compare(before, now), compare(*shuffled)
        for name in ("clusters", "splits", "mergers"):
            pd.testing.assert_frame_equal(getattr(found, name), getattr(again, name), check_exact=True)


def test_real_tables(real_data, tmp_path):
    def of_years(first: int, last: int, **more) -> Result:
        names = ("patents", "publications", "deals")
        paths: list[Path] = [real_data / f"{name}.parquet" for name in names]
        years = {"patents": (first, last), "deals": (first, last)}
        return gpu_clusters.rank(*paths, density=100, years=years, **more)

    before = of_years(2000, 2008)
    before.write(tmp_path / "before")
    now = of_years(2009, 2015, previous=tmp_path / "before")
    found = compare(tmp_path / "before", now)
    assert found.manifest["matched"] > 30 and len(found.entrants) and len(found.leavers)
    assert_plain(before, now, found)
    pd.testing.assert_series_equal(
        now.ranking["previous_rank"], found.clusters["previous_rank"].head(len(now.ranking)), check_exact=True
    )
