"""Editions compared on cases worked out by hand: matches, splits, mergers, what moved; files, warnings and refusals."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from plain_editions import SHARES, none

import gpu_clusters
from gpu_clusters import InputError, Result, UsageError, compare
from gpu_clusters.editions import moved_by
from gpu_clusters.schema import COMPARISON, LOCATIONS, RANKING


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


@pytest.mark.parametrize(("weight", "cluster"), [(19, 2), (20, 1), (21, 1)])
def test_where_most_weight_came_from_and_went_to(weight, cluster):
    """By the weights of the edition that the cluster is in; of equals the cluster that is first."""
    then, now = [{1: 50, 2: 40}, {3: 50, 4: 30}], [{1: 500}, {3: 500}, {2: weight, 4: 20}]
    came = compare(edition(then), edition(now)).entrants
    assert (came["cluster_id"].tolist(), came["came_from_id"].tolist()) == ([3], [cluster])
    assert came["overlap_pct"].tolist() == [100 * max(weight, 20) / (weight + 20)]
    went = compare(edition(now), edition(then)).leavers
    assert (went["previous_cluster_id"].tolist(), went["went_to_id"].tolist()) == ([3], [cluster])


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


def test_percent_of_very_large_weights():
    then, now = edition([{1: 2**60, 2: 2**60}]), edition([{1: 2**60}, {2: 2**60}])
    found = compare(then, now).clusters
    assert found["overlap_pct"].tolist() == [100, 100] and found["previous_overlap_pct"].tolist() == [50, 50]
    assert compare(then, now).splits["weight_pct"].tolist() == [50, 50]
    assert compare(now, then).mergers["weight_pct"].tolist() == [50, 50]


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


@pytest.mark.parametrize(("more", "told"), [(999, False), (1001, True), (-1001, True)])
def test_totals_that_differ_by_a_thousand_millionth_are_told(more, told):
    """In parts of the earlier one; a table that one of them lacks says nothing."""
    before, now = {"patents": 1e12, "deals": 0.0}, {"patents": 1e12 + more, "deals": 5.0}
    pair = [replace(edition([{1: 1}]), manifest={"totals": totals}) for totals in (before, now)]
    said = [warning for warning in compare(*pair).manifest["warnings"] if "totals" in warning]
    listed = f"patents 1,000,000,000,000 -> {1e12 + more:,.0f}"
    assert said == [f"the totals differ ({listed}): shares are percent of each edition's own"] * told


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ((2001, 2005), (2006, 2010), None),
        ((2001, 2005), (2006, 2009), "patents 2001:2005 -> 2006:2009"),
        ((None, None), (2006, 2010), "patents all -> 2006:2010"),
        ((2001, None), (None, None), "patents 2001: -> all"),
        ((2001, None), (2005, None), None),
        ((2001, None), (None, 2010), "patents 2001: -> :2010"),
    ],
)
def test_windows_of_other_lengths_are_told(tmp_path, before, now, says):
    """In memory and from folders; of a table that only one of them has the windows say nothing."""
    table = pd.DataFrame({"doc_id": range(10), "lon": 0.0, "lat": 0.0, "year": range(2001, 2011)})
    ranked = []
    for name, window in (("before", before), ("now", now)):
        years = {} if window == (None, None) else {"patents": window}
        years |= {"publications": (2001, 2001)} if name == "now" else {}
        publications = table if name == "now" else None
        ranked.append(gpu_clusters.rank(table, publications, density=1, years=years))
        ranked[-1].write(tmp_path / name)
    for pair in (ranked, [tmp_path / "before", tmp_path / "now"]):
        told = [warning for warning in compare(*pair).manifest["warnings"] if "numbers of years" in warning]
        expected = (
            f"the editions were asked for different numbers of years ({says}): ranks may have changed for that alone"
        )
        assert told == ([expected] if says else [])


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


def test_a_folder_that_cannot_be_looked_at(tmp_path, monkeypatch):
    """That is no folder that is not there, whatever `Path.exists` of Python 3.14 says."""
    monkeypatch.setattr(Path, "exists", os.path.exists)
    with pytest.raises(InputError, match=r"cannot be read as a folder .*File name too long"):
        compare(tmp_path / ("x" * 300), tmp_path)
