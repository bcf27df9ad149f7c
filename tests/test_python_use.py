"""The library as a notebook uses it: results that are pickled and copied, frames of any library, odd arguments."""

from __future__ import annotations

import copy
import pickle

import pytest
from pandas.testing import assert_frame_equal
from program import address_table

import gpu_clusters


@pytest.mark.parametrize("again", [lambda one: pickle.loads(pickle.dumps(one)), copy.deepcopy], ids=["pickle", "copy"])
def test_results_can_be_pickled_and_copied(again):
    found = gpu_clusters.rank(address_table(), density=1)
    assert_frame_equal(again(found).ranking, found.ranking)
    assert_frame_equal(again(gpu_clusters.compare(found, found)).matched, gpu_clusters.compare(found, found).matched)
    swept = gpu_clusters.sweep(address_table(), address_table(), radius_km=[5, 15], density=[1, 20])
    twin = again(swept)
    assert_frame_equal(twin.settings, swept.settings)
    assert_frame_equal(twin.labels(15, 20), swept.labels(15, 20))
