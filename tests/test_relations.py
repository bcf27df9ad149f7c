"""What must hold between rankings whatever the formulas: the Earth turned, all data twice, tables exchanged, settings changed."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from worlds import random_world

import gpu_clusters
from gpu_clusters import WeightedDBSCAN

SHARES = ["patent_share", "publication_share", "deal_share", "total_share"]
COUNTS = ["patents", "publications", "deals"]
WORDS = ["rank", "rank_without_deals", "economies", "top_applicant", "locations", "core_locations", "lon", "lat"]


def ranked(world, **changes):
    tables = {name: changes.pop(name, getattr(world, name)) for name in ("patents", "publications", "deals")}
    return gpu_clusters.rank(**tables, names=False, **world.settings | changes)


def assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    columns = [*COUNTS, *SHARES, *WORDS]
    pd.testing.assert_frame_equal(one[columns], other[columns], check_exact=False, rtol=1e-9, atol=1e-9)


def twice(table):
    """Each row twice; documents are copied to ones of other names."""
    if table is None:
        return None
    if "doc_id" not in table:  # deals
        return pd.concat([table, table])
    ids = table["doc_id"].astype(str)
    return pd.concat([table.assign(doc_id=ids), table.assign(doc_id="copy of " + ids)])


@pytest.mark.parametrize("seed", range(23))  # each kind of world once
def test_all_data_twice_and_twice_the_density(seed):
    world = random_world(seed)
    once = ranked(world).ranking
    tables = {name: twice(getattr(world, name)) for name in ("patents", "publications", "deals")}
    double = ranked(world, **tables, density=float(2 * Decimal(str(world.settings["density"])))).ranking
    assert_same(once.assign(**{name: 2 * once[name] for name in COUNTS}), double)


@pytest.mark.parametrize("seed", range(23, 46))
def test_patents_and_publications_exchanged(seed):
    """By weightings that treat both alike; what is named after one of them is named after the other."""
    world = random_world(seed)
    world.settings["weighting"] = ["raw", "total-preserving"][seed % 2]
    one = ranked(world).ranking
    other = ranked(world, patents=world.publications, publications=world.patents).ranking
    pairs = [("patents", "publications"), ("patent_share", "publication_share"), ("top_applicant", "top_organization")]
    assert_same(one, other.rename(columns=dict(pairs) | {b: a for a, b in pairs}))
    pd.testing.assert_series_equal(one["top_organization"], other["top_applicant"], check_names=False)


def places(seed: int):
    """Unit vectors of places about a few towns, their weights, a radius and a threshold."""
    rng = np.random.default_rng(seed)
    towns = rng.normal(size=(rng.integers(2, 12), 3))
    if seed % 2:  # near each other
        towns = towns[0] / np.linalg.norm(towns[0]) + rng.normal(scale=0.01, size=towns.shape)
    towns /= np.linalg.norm(towns, axis=1)[:, None]
    at = towns[rng.integers(0, len(towns), 600)] + rng.normal(scale=10 ** rng.uniform(-3.5, -1.5), size=(600, 3))
    at /= np.linalg.norm(at, axis=1)[:, None]
    weight, radius_km = rng.integers(1, 50, 600), 10 ** rng.uniform(0, 2)
    density = (at @ at.T > np.cos(radius_km / 6371)) @ weight
    return at, weight, radius_km, float(np.quantile(density, rng.uniform(0.2, 0.9)))


def fitted(at, weight, radius_km, threshold):
    lon, lat = np.arctan2(at[:, 1], at[:, 0]), np.arcsin(np.clip(at[:, 2], -1, 1))
    model = WeightedDBSCAN(radius_km=radius_km, threshold=threshold)
    model.fit(np.degrees(np.column_stack([lon, lat])), sample_weight=weight)
    core = np.zeros(len(at), np.bool_)
    core[model.core_sample_indices_] = True
    return model.density_at_, core, model.labels_


def assert_inside(labels, others, of) -> None:
    """Of the places ``of``, those with the same one of ``labels`` have the same one of ``others``."""
    pairs = np.unique(np.column_stack([labels, others])[of], axis=0)
    assert len(pairs) == len(np.unique(pairs[:, 0])) and (pairs >= 0).all()


@pytest.mark.parametrize("seed", range(40))
def test_the_earth_turned_about_any_axis_and_in_a_mirror(seed):
    at, *given = places(seed)
    density, core, labels = fitted(at, *given)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    for matrix in (turn, -turn, np.diag([-1, 1, 1]), np.diag([1, 1, -1])):
        found, found_core, found_labels = fitted(at @ matrix, *given)
        np.testing.assert_array_equal(found, density)
        np.testing.assert_array_equal(found_core, core)
        np.testing.assert_array_equal(found_labels < 0, labels < 0)
        assert_inside(labels, found_labels, core)
        assert_inside(found_labels, labels, core)


@pytest.mark.parametrize("seed", range(40))
def test_clusters_lie_within_those_of_less_density_and_of_more_radius(seed):
    at, weight, radius_km, threshold = places(seed)
    density, core, labels = fitted(at, weight, radius_km, threshold)
    less_density, less_core, less_labels = fitted(at, weight, radius_km, threshold / 1.5)
    more_density, more_core, more_labels = fitted(at, weight, radius_km * 1.3, threshold)
    np.testing.assert_array_equal(less_density, density)
    assert (more_density >= density).all()
    assert not (core & ~less_core).any() and not (core & ~more_core).any()
    assert not ((labels >= 0) & (less_labels < 0)).any() and not ((labels >= 0) & (more_labels < 0)).any()
    assert_inside(labels, less_labels, labels >= 0)  # by border="densest" the border is nested, too
    assert_inside(labels, more_labels, core)
