"""One setting from its labels on: what becomes of an engine's labels in any order, against a run of its own."""

from __future__ import annotations

from dataclasses import replace

import hierarchies
import numpy as np
import pytest
from test_sweep import prepared

import gpu_clusters
from gpu_clusters.steps.single import evaluate


@pytest.mark.parametrize("merge_km", [None, 20.0])
@pytest.mark.parametrize("seed", [1, 4, 5])
def test_labels_in_any_order_are_those_of_a_single_run(seed, merge_km):
    world, given, radii, densities = prepared(seed)
    tables = (world.patents, world.publications, world.deals)
    study = gpu_clusters.sweep(*tables, radius_km=radii[:1], density=densities, **given)._study
    weighting, most = given["weighting"], 0
    weight, tree = study.weights(weighting), study.radius(weighting, radii[0]).tree
    settings = replace(study.settings, weighting=weighting, radius_km=radii[0], merge_km=merge_km)
    for threshold, density in dict(zip(study.thresholds(weighting), densities, strict=True)).items():
        expected = gpu_clusters.rank(*tables, radius_km=radii[0], density=density, merge_km=merge_km, **given)
        ranking, places = expected.ranking, expected.locations
        clustering = hierarchies.clustering(tree, 1 + int(np.searchsorted(tree.thresholds, threshold)))
        np.testing.assert_array_equal(clustering.core, places["core"])
        assert (np.diff(np.unique(clustering.labels[clustering.labels >= 0], return_index=True)[1]) > 0).all()
        rng, names = np.random.default_rng(seed), np.arange(-1, clustering.labels.max(initial=-1) + 1)
        for _ in range(3):
            mixed = clustering._replace(labels=np.append(names[1:], -1)[clustering.labels])
            clusters, number = evaluate(study.inputs, mixed, weight, settings)
            np.testing.assert_array_equal(number, np.where(places["cluster_id"] > 0, places["cluster_id"] - 1, -1))
            for name, found in zip(("rank", "patents", "publications", "deals"), clusters, strict=False):
                assert found.tolist() == ranking[name].tolist(), name
            assert clusters.size.tolist() == ranking["locations"].tolist()
            assert clusters.weight.tolist() == [
                places.loc[places["cluster_id"] == one, "weight"].sum() for one in ranking["cluster_id"]
            ]
            at = places.loc[clusters.densest, ["lon", "lat"]].to_numpy()
            np.testing.assert_array_equal(at, ranking[["lon", "lat"]])
            rng.shuffle(names[1:])
        most = max(most, len(ranking))
    assert most > 2
