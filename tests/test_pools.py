"""Merging at all densities of a radius at once, against merging one density after the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import hierarchies
import numpy as np
import pandas as pd
import pytest
from test_sweep import prepared

import gpu_clusters
from gpu_clusters import sweep
from gpu_clusters.kernels.together import documents_of
from gpu_clusters.steps.merge import merge
from gpu_clusters.steps.pools import Pools


@pytest.mark.parametrize("merge_km", [5.0, 20.0, 200.0])
def test_nodes_are_pooled_where_their_clusters_merge(merge_km):
    pooled = apart = 0
    for seed in range(12):
        world, given, radii, densities = prepared(seed)
        tables = (world.patents, world.publications, world.deals)
        grid = {"radius_km": radii[:1], "density": densities}
        study = sweep(*tables, **grid, merge=True, merge_km=merge_km, **given)._study
        found, settings = study.radius(given["weighting"], radii[0]), replace(study.settings, radius_km=radii[0])
        tree, homes = found.tree, found.homes
        for level in range(1, len(tree.thresholds) + 1):
            clustering = hierarchies.clustering(tree, level)
            expected = merge(
                study.inputs.located, clustering, study.inputs.patents, study.inputs.publications, settings
            )
            members = clustering.labels >= 0
            node = tree.at(level)[clustering.labels[members]]
            both = np.stack((expected.labels[members], homes.of[node]))
            assert [len(np.unique(of)) for of in both] == [np.unique(both, axis=1).shape[1]] * 2, (seed, level)
            assert (homes.level[homes.of[node]] == level).all()
            pooled, apart = pooled + (homes.of[node] != node).any(), apart + (homes.of[node] == node).any()
            assert found.core(level) == clustering.core.sum()
            for home in np.unique(homes.of[node]):
                place = np.flatnonzero(members)[homes.of[node] == home]
                assert homes.first[home] == place[0]
                assert homes.densest[home] == place[clustering.density_at[place].argmax()]
    assert pooled > 2 and apart > 50


def test_a_deal_between_two_clusters_goes_to_the_one_that_merging_gives_an_earlier_member():
    """Half way between A and B, of which A comes first; B is merged with C, which comes before both."""
    a, b, c = (0.0, 0.0), (0.08, 0.0), (0.08, -0.07)
    rows = [(1, *b), (1, *c), (2, *b), (2, *c), (3, *a), (4, *a)]
    patents = pd.DataFrame(rows, columns=["doc_id", "lon", "lat"])
    deals = pd.DataFrame({"lon": [0.04], "lat": [0.0], "deals": [7.0]})
    for merge_km, expected in ((1, {a: 7.0, b: 0.0, c: 0.0}), (10, {a: 0.0, c: 7.0})):
        given = {"radius_km": 5, "density": 2, "merge_km": merge_km}
        single = gpu_clusters.rank(patents, deals=deals, **given).ranking
        found = sweep(patents, deals=deals, merge=True, check=1, **given).clusters
        for table in (single, found):
            assert dict(zip(zip(table["lon"], table["lat"], strict=True), table["deals"], strict=True)) == expected


def test_a_neighbour_whose_documents_are_nowhere_else_is_no_partner():
    """A shares a document with a place far off, which is in no cluster; the documents of B, next to A, are all in B alone."""
    rows = [(1, 0.0, 0.0), (1, 50.0, 10.0), (2, 0.0, 0.0), (3, 0.08, 0.0), (4, 0.08, 0.0)]
    patents = pd.DataFrame(rows, columns=["doc_id", "lon", "lat"])
    given = {"radius_km": 5, "density": 2, "merge_km": 10}
    assert len(gpu_clusters.rank(patents, **given).ranking) == 2
    assert sweep(patents, merge=True, check=1, **given).clusters["patents"].tolist() == [2.0, 1.5]


def test_clusters_of_which_border_places_alone_are_next_door_merge():
    """Every 4.4 km a place; the two in the middle are no core places, as three more addresses are out of their reach."""
    addresses = {-0.04: 3, 0.0: 3, 0.04: 1, 0.08: 1, 0.12: 3, 0.16: 3}
    lon = np.repeat(list(addresses), list(addresses.values()))
    patents = pd.DataFrame({"doc_id": range(len(lon)), "lon": lon, "lat": 0.0})
    patents.loc[patents["lon"].isin([0.0, 0.12]), "doc_id"] = [90, 91, 92, 90, 93, 94]
    for merge_km, clusters in ((4, 2), (5, 1)):
        given = {"radius_km": 5, "merge_km": merge_km}
        singles = [len(gpu_clusters.rank(patents, density=density, **given).ranking) for density in (6, 7)]
        found = sweep(patents, density=[6, 7], merge=True, **given)
        assert singles == found.settings["clusters"].tolist() == [clusters] * 2


def test_sums_of_pools():
    pools = Pools(np.array([7, 2, 5]), np.array([1, 0, 1]), 2)
    assert pools.sums(np.array([[1, 10], [2, 20], [4, 40]])).tolist() == [[2, 20], [5, 50]]


def test_documents_at_several_locations_of_which_one_is_wanted():
    rng = np.random.default_rng(0)
    for seed in range(50):
        documents, places = int(rng.integers(1, 60)), int(rng.integers(1, 12))
        start = np.concatenate(([0], np.cumsum(rng.integers(1, 6, documents))))
        place = rng.integers(0, places, start[-1]).astype(np.int32)
        wanted = rng.random(places) < 0.3
        lists = [place[low:high].tolist() for low, high in pairwise(start)]
        expected = [some for some in lists if len(set(some)) > 1 and wanted[some].any()]
        found, rows = documents_of(start, place, wanted)
        assert [rows[low:high].tolist() for low, high in pairwise(found)] == expected, seed
