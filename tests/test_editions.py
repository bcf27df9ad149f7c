"""Editions compared with a plain reading of the rules, on pairs of random worlds, cases worked out by hand and real tables."""

from __future__ import annotations

import doctest
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import random_world

import gpu_clusters
from gpu_clusters import InputError, Result, UsageError, compare, editions
from gpu_clusters.editions import moved_by
from gpu_clusters.schema import COMPARISON, LOCATIONS, PARTS, RANKING

TEXT = ("status", "name", "previous_name", "economies", "moved_by")
SHARES = ("total_share", "patent_share", "publication_share", "deal_share")


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


def members(result: Result) -> dict:
    """Cluster and weight by location, as Python has them."""
    rows = result.locations[["lon", "lat", "cluster_id", "weight"]].to_numpy(object)
    return {(lon, lat): (int(k), int(w)) for lon, lat, k, w in rows if k > 0}


def common(before: Result, now: Result, of: Result) -> dict:
    """Weight in one of the editions by pair of clusters (today's, the earlier)."""
    one, other, weights = members(now), members(before), members(of)
    found: dict[tuple[int, int], int] = {}
    for place in one:
        if place in other:
            pair = one[place][0], other[place][0]
            found[pair] = found.get(pair, 0) + weights[place][1]
    return found


def plain_match(before: Result, now: Result) -> dict[int, int]:
    """Today's cluster to the earlier one: the largest overlap first, of equals the smaller ranks."""
    rank, previous = (dict(r.ranking[["cluster_id", "rank"]].to_numpy(int).tolist()) for r in (now, before))
    shared, match = common(before, now, now), {}
    while shared:
        k, j = min(shared, key=lambda p: (-shared[p], rank[p[0]], p[0], previous[p[1]], p[1]))
        match[k] = j
        shared = {p: w for p, w in shared.items() if p[0] != k and p[1] != j}
    return match


def plain_parts(shared: dict, own: dict, which: int) -> list[tuple]:
    """(whole, part, weight, own weight) of what has two parts of a tenth or more."""
    parts = [(p[which], p[1 - which], w, own[p[which]]) for p, w in shared.items() if 10 * w >= own[p[which]]]
    wholes = [part[0] for part in parts]
    return sorted((p for p in parts if wholes.count(p[0]) >= 2), key=lambda p: (p[0], -p[2], p[1]))


def own_weights(result: Result) -> dict[int, int]:
    found: dict[int, int] = {}
    for cluster, weight in members(result).values():
        found[cluster] = found.get(cluster, 0) + weight
    return found


def largest(shared: dict, key: int, cluster: int) -> int | None:
    """With which cluster this one shares most weight."""
    pairs = {p[1 - key]: w for p, w in shared.items() if p[key] == cluster}
    return min(pairs, key=lambda k: (-pairs[k], k)) if pairs else None


def none(value):
    return None if value is None or value is pd.NA or value != value else value


def assert_plain(before: Result, now: Result, found) -> None:
    """Each row and column of a comparison as the rules say."""
    match = plain_match(before, now)
    today, then = common(before, now, now), common(before, now, before)
    a, b = before.ranking.set_index("cluster_id"), now.ranking.set_index("cluster_id")
    weight_a, weight_b = own_weights(before), own_weights(now)
    rows = [(k, match.get(k)) for k in b.index] + [(None, j) for j in a.index if j not in match.values()]
    assert list(found.clusters.columns) == list(COMPARISON)
    assert len(found.clusters) == len(rows)
    for row, (k, j) in zip(found.clusters.to_dict("records"), rows, strict=True):
        assert all(row[name] is None or isinstance(row[name], str) for name in TEXT)
        row = {name: none(value) for name, value in row.items()}
        assert (row["cluster_id"], row["previous_cluster_id"]) == (k, j)
        assert row["status"] == ("leaver" if k is None else "entrant" if j is None else "matched")
        came = largest(today, 0, k) if j is None else None
        went = largest(then, 1, j) if k is None else None
        assert (row["came_from_id"], row["went_to_id"]) == (came, went)
        one, other = k or went, j or came
        if one and other:
            assert row["overlap_pct"] == pytest.approx(100 * today[one, other] / weight_b[one], rel=1e-12)
            assert row["previous_overlap_pct"] == pytest.approx(100 * then[one, other] / weight_a[other], rel=1e-12)
        else:
            assert row["overlap_pct"] is row["previous_overlap_pct"] is None
        here, there = (None if k is None else b.loc[k]), (None if j is None else a.loc[j])
        for name in ("rank", "intensity_rank", *SHARES):
            value = None if here is None else none(here[name])
            previous = None if there is None else none(there[name])
            assert (row[name], row[f"previous_{name}"]) == (value, previous)
            if value is None or previous is None:
                assert row[f"{name}_change"] is None
            else:
                sign = -1 if name.endswith("rank") else 1
                assert row[f"{name}_change"] == sign * (value - previous)
        place = there if here is None else here
        assert (row["lon"], row["lat"], row["economies"]) == (place["lon"], place["lat"], place["economies"])
        if k and j:
            total, changes = row["total_share_change"], [row[f"{name}_change"] for name in SHARES[1:]]
            assert total == pytest.approx(math.fsum(changes), abs=1e-11)
            if abs(total) < 1e-9:
                assert row["moved_by"] is None
            else:
                towards = [change * math.copysign(1, total) for change in changes]
                first = next(i for i in range(3) if towards[i] > max(towards) - 1e-9)
                assert row["moved_by"] == ("patents", "publications", "deals")[first]
        else:
            assert row["moved_by"] is None
    for frame, plain, names in (
        (found.splits, plain_parts(then, weight_a, 1), ["previous_cluster_id", "cluster_id"]),
        (found.mergers, plain_parts(today, weight_b, 0), ["cluster_id", "previous_cluster_id"]),
    ):
        assert list(frame.columns) == list(PARTS)
        assert frame[names].to_numpy(int).tolist() == [[whole, part] for whole, part, *_ in plain]
        np.testing.assert_allclose(frame["weight_pct"], [100 * w / own for *_, w, own in plain], rtol=1e-12)
        assert frame["rank"].tolist() == b.loc[frame["cluster_id"], "rank"].tolist()
        assert frame["previous_rank"].tolist() == a.loc[frame["previous_cluster_id"], "rank"].tolist()


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
    assert min(seen.values()) >= 2, seen


def edition(clusters: list[dict], **more) -> Result:
    """A result by hand: for each cluster, in the order of ranks, its weight by longitude; shares as given."""
    rows = [(float(x), 0.0, w, k) for k, cluster in enumerate(clusters, 1) for x, w in cluster.items()]
    locations = pd.DataFrame(rows, columns=["lon", "lat", "weight", "cluster_id"])
    locations = locations.reindex(columns=list(LOCATIONS)).astype({"weight": "int64", "cluster_id": "int64"})
    number = np.arange(1, len(clusters) + 1)
    ranking = pd.DataFrame({name: pd.Series([None] * len(clusters), dtype=object) for name in RANKING})
    given = {"cluster_id": number, "rank": number, "lon": 0.0, "lat": 0.0} | dict.fromkeys(SHARES, 1.0)
    return Result(ranking.assign(**given | more), locations, *[pd.DataFrame()] * 5, {})


def matches(a: Result, b: Result) -> dict:
    found = compare(a, b).matched
    return dict(zip(found["cluster_id"], found["previous_cluster_id"], strict=True))


def test_ties_go_to_the_smaller_ranks():
    assert matches(edition([{1: 5}, {2: 5}]), edition([{1: 3, 2: 3}, {3: 9}])) == {1: 1}
    assert matches(edition([{1: 5, 2: 5}]), edition([{2: 3}, {1: 3}])) == {1: 1}
    assert matches(edition([{2: 5, 1: 1}, {3: 1}]), edition([{1: 3}, {2: 3, 3: 3}])) == {1: 1, 2: 2}


def test_todays_weight_counts():
    a = edition([{1: 1, 2: 100}, {3: 1}])
    assert matches(a, edition([{1: 50, 3: 51}, {2: 3}])) == {1: 2, 2: 1}


def test_each_is_taken_once():
    found = compare(edition([{1: 1, 2: 1}, {3: 1}]), edition([{1: 5}, {2: 4}, {9: 1}]))
    assert found.clusters["status"].tolist() == ["matched", "entrant", "entrant", "leaver"]
    assert found.entrants["came_from_id"].fillna(-1).tolist() == [1, -1]
    assert found.leavers["went_to_id"].isna().all()


def test_splits_by_hand():
    a = edition([{1: 60, 2: 10, 3: 9, 4: 21}, {5: 1}])
    found = compare(a, edition([{1: 1}, {2: 1}, {3: 1}, {5: 1}]))  # location 4 is no more
    assert found.splits[["previous_cluster_id", "cluster_id", "weight_pct"]].to_numpy().tolist() == [
        [1, 1, 60.0],
        [1, 2, 10.0],
    ]
    assert not len(found.mergers) and found.manifest["splits"] == 1
    assert not len(compare(edition([{1: 90, 2: 9, 3: 1}]), edition([{1: 1}, {2: 1}, {3: 1}])).splits)


def test_mergers_by_hand():
    b = edition([{5: 3}, {1: 60, 2: 10, 3: 9, 4: 21}])
    found = compare(edition([{1: 1}, {2: 1}, {3: 1}, {5: 1}]), b)
    assert found.mergers[["cluster_id", "previous_cluster_id", "weight_pct"]].to_numpy().tolist() == [
        [2, 1, 60.0],
        [2, 2, 10.0],
    ]
    assert found.leavers["previous_cluster_id"].tolist() == [2, 3]
    assert found.leavers["went_to_id"].tolist() == [2, 2]


def test_parts_of_very_large_weights():
    large = 2**61
    found = compare(edition([{1: large - large // 10 - 1, 2: large // 10 + 1}]), edition([{1: 1}, {2: 1}]))
    assert len(found.splits) == 2
    found = compare(edition([{1: large - large // 10, 2: large // 10}]), edition([{1: 1}, {2: 1}]))
    assert len(found.splits) == 0  # 2^61 / 10 is not whole: a tenth is a little more than its whole part


def test_intensity_ranks():
    a = edition([{1: 1}, {2: 1}, {3: 1}], intensity_rank=pd.array([2, 1, None], dtype="Int64"))
    b = edition([{3: 1}, {2: 1}, {1: 1}], intensity_rank=pd.array([1, 2, None], dtype="Int64"))
    found = compare(a, b).clusters
    assert [none(value) for value in found["previous_intensity_rank"]] == [None, 1, 2]
    assert [none(value) for value in found["intensity_rank_change"]] == [None, -1, None]


def test_intensity_ranks_of_a_run():
    table = pd.DataFrame({"doc_id": range(6), "lon": [0.0, 0, 0, 5, 5, 9], "lat": 0.0})
    a = edition([{5: 1}, {0: 1}, {9: 1}], intensity_rank=pd.array([3, 1, None], dtype="Int64"))
    ranking = gpu_clusters.rank(table, density=1, previous=a).ranking
    assert ranking["previous_rank"].tolist() == [2, 1, 3] and ranking["rank_change"].tolist() == [1, -1, 0]
    assert [none(value) for value in ranking["previous_intensity_rank"]] == [1, 3, None]
    assert ranking["intensity_rank_change"].isna().all()  # without people there is no intensity today


def test_moved_by():
    changes = np.array([[1, -3, 2.5], [-1, 0.5, 0], [1, 1, 0], [0, 0, 0], [2, -2, 0], [1, 1 + 1e-12, 0], [-1, -1.5, 2]])
    total = changes.sum(axis=1)
    expected = ["deals", "patents", "patents", None, None, "patents", "publications"]
    assert moved_by(changes, total).tolist() == expected
    assert moved_by(np.full((1, 3), np.nan), np.array([np.nan])).tolist() == [None]
    assert moved_by(np.empty((0, 3)), np.empty(0)).tolist() == []


def test_entered_and_left():
    a = edition([{1: 1}, {2: 1}, {3: 1}, {4: 1}])
    b = edition([{3: 1}, {9: 1}, {1: 1}, {2: 1}])
    found = compare(a, b)
    assert found.entered(2)["rank"].tolist() == [1, 2] and found.left(2)["previous_rank"].tolist() == [1, 2]
    assert found.entered(4)["rank"].tolist() == [2] and found.left(4)["previous_rank"].tolist() == [4]
    assert found.entered(1)["rank"].tolist() == [1] and found.left(1)["previous_rank"].tolist() == [1]


@pytest.mark.parametrize("a", [[], [{1: 1}]], ids=str)
@pytest.mark.parametrize("b", [[], [{2: 1}, {3: 1}]], ids=str)
def test_nothing_in_common(a, b, tmp_path):
    found = compare(edition(a), edition(b))
    assert found.clusters["status"].tolist() == ["entrant"] * len(b) + ["leaver"] * len(a)
    assert list(found.clusters.columns) == list(COMPARISON) and not len(found.splits) and not len(found.mergers)
    assert any("share no location" in warning for warning in found.manifest["warnings"]) == bool(a and b)
    found.write(tmp_path / "out")
    assert len(pd.read_parquet(tmp_path / "out" / "comparison.parquet")) == len(a) + len(b)


def test_empty_results_of_runs(tmp_path):
    table = pd.DataFrame({"doc_id": range(3), "lon": [0.0, 0, 5], "lat": 0.0})
    nothing, something = (gpu_clusters.rank(table, density=density) for density in (1e9, 1))
    nothing.write(tmp_path / "nothing")
    ranked = gpu_clusters.rank(table, density=1, previous=tmp_path / "nothing")
    assert ranked.ranking["previous_rank"].isna().all() and ranked.manifest["previous"]["matched"] == 0
    assert len(gpu_clusters.rank(table, density=1e9, previous=something).ranking) == 0
    assert [len(compare(*pair).clusters) for pair in ((nothing, something), (something, nothing))] == [2, 2]


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


def test_written_files(tmp_path):
    found = compare(edition([{1: 60, 2: 40}, {3: 1}, {4: 1}, {5: 1}]), edition([{1: 1}, {2: 1}, {3: 1, 4: 1}, {9: 1}]))
    assert min(map(len, (found.splits, found.mergers, found.entrants, found.leavers))) > 0
    found.write(tmp_path / "out")
    files = {"comparison.csv", "comparison.parquet", "splits.csv", "mergers.csv", "manifest.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == files
    table, text = pd.read_parquet(tmp_path / "out" / "comparison.parquet"), pd.read_csv(tmp_path / "out/comparison.csv")
    assert list(table.columns) == list(text.columns) == list(COMPARISON)
    for name in ("rank_change", "total_share_change", "overlap_pct", "went_to_id"):
        expected = found.clusters[name].astype(float)
        np.testing.assert_array_equal(table[name].astype(float), expected)
        np.testing.assert_array_equal(text[name], expected)
    assert len(pd.read_csv(tmp_path / "out" / "splits.csv")) == len(found.splits)
    record = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert record["entrants"] == len(found.entrants) and {o["name"] for o in record["outputs"]} == files - {
        "manifest.json"
    }
    with pytest.raises(UsageError, match="force"):
        found.write(tmp_path / "out")
    found.write(tmp_path / "out", force=True)


def test_warnings():
    table = pd.DataFrame({"doc_id": range(4), "lon": [0.0, 0, 0, 5], "lat": 0.0})
    deals = pd.DataFrame({"lon": [0.0], "lat": [0.0]})
    one = gpu_clusters.rank(table, density=1)
    other = gpu_clusters.rank(
        table, deals=deals, density=2, merge_km=None, engine="sklearn", years={"patents": (None, None)}
    )
    found = compare(one, other)
    assert found.manifest["differing_settings"] == {"density": [1, 2], "merge_km": [5.0, None]}
    said = " | ".join(found.manifest["warnings"])
    assert "density 1 -> 2, merge_km 5 -> none" in said and "only the later edition has deals" in said
    ranked = gpu_clusters.rank(table, density=1, previous=other)
    said = " | ".join(ranked.manifest["warnings"])
    assert "density 2 -> 1, merge_km none -> 5" in said and "only the earlier edition has deals" in said
    close = [gpu_clusters.rank(table, density=2, radius_km=radius) for radius in (15, 15.0000001)]
    assert "radius_km 15 -> 15.0000001" in " | ".join(compare(*close).manifest["warnings"])
    more = gpu_clusters.rank(pd.concat([table, table.assign(doc_id=9)]), density=1)
    assert "totals differ (patents 4 -> 5)" in " | ".join(compare(one, more).manifest["warnings"])
    assert gpu_clusters.rank(table, density=1, previous=more).manifest["warnings"] == []


def test_what_is_no_edition(tmp_path):
    table = pd.DataFrame({"doc_id": [1], "lon": [0.0], "lat": [0.0]})
    result = gpu_clusters.rank(table, density=1)
    for wrong in (table, 3, [result]):
        with pytest.raises(UsageError, match="an edition is"):
            compare(wrong, result)
    with pytest.raises(InputError, match="does not exist"):
        gpu_clusters.rank(table, previous=tmp_path / "no")
    bad = replace(result, ranking=result.ranking.drop(columns="rank"), manifest={})
    with pytest.raises(InputError, match="no column rank"):
        compare(result, bad)


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


def test_the_example_in_the_docstring():
    outcome = doctest.testmod(editions)
    assert outcome.attempted and not outcome.failed
