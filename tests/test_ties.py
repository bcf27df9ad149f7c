"""Strongest partners of clusters: threads, array code, and array code on the double of a GPU against sets of documents."""

from __future__ import annotations

from itertools import pairwise

import cupy_double
import numpy as np
import pytest

from gpu_clusters.arrays import blocks
from gpu_clusters.kernels import together
from gpu_clusters.steps import ties
from gpu_clusters.steps.ties import Tie, strongest_partner, ties_at


def tie(start, place, worth, places):
    return Tie(start, place, worth, np.bincount(place, minlength=places))


def documents(start, place):
    return [place[low:high].tolist() for low, high in pairwise(start)]


def random_tie(rng, places, worth):
    """Documents at few places and at many, with repeated rows."""
    documents = int(rng.integers(1, 40))
    sizes = rng.choice([1, 1, 2, 3, 8, 3 * places], documents, p=[0.3, 0.2, 0.2, 0.15, 0.1, 0.05])
    start = np.concatenate(([0], np.cumsum(sizes)))
    return tie(start, rng.integers(0, places, start[-1]).astype(np.int32), worth, places)


def random_case(seed):
    rng = np.random.default_rng(seed)
    places, clusters = int(rng.integers(2, 60)), int(rng.integers(1, 9))
    labels = np.where(rng.random(places) < 0.6, rng.integers(0, clusters, places), -1)
    labels[0] = clusters - 1
    units = np.where(labels < 0, clusters + np.cumsum(labels < 0) - 1, labels)
    wanted = np.flatnonzero(rng.random(clusters) < 0.7) if seed % 5 else np.arange(clusters)
    worths = [1] if seed % 3 == 0 else rng.choice([1, 2, 3, 2**40 + 1], 2).tolist()
    return wanted if len(wanted) else np.zeros(1, np.int64), units, [random_tie(rng, places, w) for w in worths]


def by_sets(clusters, units, given, asked_for=True):
    strongest = np.full(clusters[-1] + 1, -1)
    for cluster in clusters:
        score = {}
        for start, place, worth, _ in given:
            for low, high in pairwise(start):
                together = set(units[place[low:high]].tolist())
                for other in together - {cluster} if cluster in together else ():
                    score[other] = score.get(other, 0) + worth
        first = [other for other, value in score.items() if value == max(score.values())]
        strongest[cluster] = first[0] if len(first) == 1 and (first[0] in clusters or not asked_for) else -1
    return strongest


def on_device(given):
    return [Tie(*map(cupy_double.asarray, tie[:2]), *tie[2:]) for tie in given]


@pytest.mark.parametrize("block", [1, 7, 100, ties.BLOCK])
def test_strongest_partners_equal_sets_of_documents(block, monkeypatch):
    monkeypatch.setattr(ties, "BLOCK", block)
    monkeypatch.setattr(together, "FEW", min(1 << block, together.FEW))
    partners, none, rivals = 0, 0, 0
    for seed in range(60 if block > 1 else 15):
        clusters, units, given = random_case(seed)
        expected = by_sets(clusters, units, given)
        partners, none = partners + (expected >= 0).sum(), none + (expected[clusters] < 0).sum()
        rivals += (expected[clusters] != by_sets(clusters, units, given, asked_for=False)[clusters]).sum()
        arrays = ties._by_arrays(clusters, units, units.max() + 1, given)
        for found in (
            strongest_partner(clusters, units, given),
            np.where(np.isin(arrays, clusters), arrays, -1),
            strongest_partner(clusters, units, on_device(given)),
        ):
            assert isinstance(found, np.ndarray) and found.dtype == np.int64
            np.testing.assert_array_equal(found, expected, err_msg=str(seed))
    assert partners > 10 and none > 3 and rivals > 3


def test_ties_at_the_locations_of_some_clusters_are_theirs():
    """Documents at other locations go, and so do locations without any that is left, a whole cluster with its last one."""
    elsewhere, gone = 0, 0
    for seed in range(200):
        clusters, units, given = random_case(seed)
        wanted = np.isin(units, clusters)
        at, kept = ties_at(wanted, given)
        places = [documents(tie.doc_start, tie.place) for tie in given]
        several = [[doc for doc in docs if len(set(doc)) > 1] for docs in places]
        expected = [[doc for doc in docs if wanted[doc].any()] for docs in several]
        elsewhere, gone = elsewhere + (expected != several), gone + (not np.isin(clusters, units[at]).all())
        assert np.flatnonzero(at).tolist() == sorted({place for docs in expected for doc in docs for place in doc})
        for docs, tie in zip(expected, kept, strict=True):
            assert documents(tie.doc_start, np.flatnonzero(at)[tie.place]) == docs
            assert (tie.place.dtype, tie.rows.dtype) == (np.int32, np.int32)
            assert tie.rows.tolist() == np.bincount(tie.place, minlength=at.sum()).tolist()
        found = strongest_partner(clusters, units[at], kept)
        np.testing.assert_array_equal(found[clusters], by_sets(clusters, units, given)[clusters], err_msg=str(seed))
    assert elsewhere > 20 and gone > 5


def test_a_location_may_be_as_strong_as_all_of_its_rows_allow():
    """Clusters 0 and 1 share a document, and cluster 0 one with a location by itself, whose only row that is."""
    units, documents = np.array([0, 0, 1, 1, 2]), np.array([0, 2, 1, 4], np.int32)
    given = [tie(np.array([0, 2, 4]), documents, 1, 5)]
    assert strongest_partner(np.arange(2), units, given).tolist() == [-1, 0]
    assert by_sets(np.arange(2), units, given).tolist() == [-1, 0]


def test_tables_stay_on_the_device(monkeypatch):
    rng = np.random.default_rng(3)
    places, clusters = 3000, 40
    units = np.concatenate((rng.integers(0, clusters, 2000), clusters + np.arange(1000)))
    units[:clusters] = np.arange(clusters)
    start = np.arange(0, 60_001, 3)
    given = [tie(start, rng.integers(0, places, 60_000).astype(np.int32), worth, places) for worth in (5, 7)]
    there = on_device(given)
    expected = strongest_partner(np.arange(clusters), units, given)
    monkeypatch.setattr(ties, "BLOCK", 1 << 14)
    cupy_double.log.clear()
    found = strongest_partner(np.arange(clusters), units, there)
    np.testing.assert_array_equal(found, expected)
    sent = [size for name, size in cupy_double.log if name == "asarray"]
    assert sent == [units.nbytes, 8 * clusters]
    assert sum(size for name, size in cupy_double.log if name != "asarray") < 2000


def test_a_document_everywhere_is_held_in_parts(monkeypatch):
    """200 clusters and 1,800 noise locations in one document: 400,000 joined pairs, 5,000 at a time."""
    units = np.arange(2000)
    given = on_device([tie(np.array([0, 2000, 2003]), np.append(units, [3, 4, 4]).astype(np.int32), 1, 2000)])
    longest = [0]

    def arange(*args):
        made = cupy_double.wrapped(np.arange(*args))
        longest[0] = max(longest[0], len(made))
        return made

    monkeypatch.setattr(ties, "BLOCK", 5000)
    monkeypatch.setattr(cupy_double, "arange", arange, raising=False)
    found = strongest_partner(np.arange(200), units, given)
    assert (np.flatnonzero(found >= 0).tolist(), found[3:5].tolist()) == ([3, 4], [4, 3])
    assert longest[0] == 5000


def test_blocks_hold_no_more_than_one_entry_too_many():
    rng = np.random.default_rng(0)
    for seed in range(200):
        counts = rng.choice([0, 0, 1, 2, 50], int(rng.integers(0, 30)))
        total, most = np.concatenate(([0], np.cumsum(counts))), int(rng.integers(1, 20))
        found = blocks(total, most)
        assert blocks(cupy_double.asarray(total), most) == found
        assert [entry for begin, end, _, _ in found for entry in np.flatnonzero(counts[begin:end]) + begin] == (
            np.flatnonzero(counts).tolist()
        ), seed
        for begin, end, first, last in found:
            assert (total[begin], total[end]) == (first, last)
            assert last - first <= most + counts[begin:end].max()
