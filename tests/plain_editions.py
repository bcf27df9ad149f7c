"""Slow and obvious: two editions compared as the rules say, by dictionaries and loops."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from gpu_clusters import Result
from gpu_clusters.schema import COMPARISON, PARTS

TEXT = ("status", "name", "previous_name", "economies", "moved_by")
SHARES = ("total_share", "patent_share", "publication_share", "deal_share")


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
    """Weight of each cluster."""
    found: dict[int, int] = {}
    for cluster, weight in members(result).values():
        found[cluster] = found.get(cluster, 0) + weight
    return found


def largest(shared: dict, key: int, cluster: int) -> int | None:
    """With which cluster this one shares most weight."""
    pairs = {p[1 - key]: w for p, w in shared.items() if p[key] == cluster}
    return min(pairs, key=lambda k: (-pairs[k], k)) if pairs else None


def none(value):
    """The value, or None where a table has none."""
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
