"""`WeightedDBSCAN` as users of scikit-learn know such things."""

from __future__ import annotations

import pickle
from typing import get_type_hints

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import DBSCAN

from gpu_clusters import DeviceError, WeightedDBSCAN

EARTH_RADIUS_KM = 6371.0088


def towns(seed, n=400):
    rng = np.random.default_rng(seed)
    centres = rng.uniform([-180, -60], [180, 60], (6, 2))
    return centres[rng.integers(0, 6, n)] + rng.normal(size=(n, 2)) * 0.1, rng


@pytest.mark.parametrize("seed", range(20))
def test_equals_scikit_learn_with_haversine(seed):
    X, rng = towns(seed)  # noqa: N806
    weight = rng.integers(0, 4, len(X))
    ours = WeightedDBSCAN(radius_km=4, threshold=9, border="lowest").fit(X, sample_weight=weight)
    radians = np.radians(X[:, ::-1])
    theirs = DBSCAN(eps=4 / EARTH_RADIUS_KM, min_samples=9, metric="haversine").fit(radians, sample_weight=weight)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.core_sample_indices_, theirs.core_sample_indices_)


def test_density_counts_the_point_itself():
    model = WeightedDBSCAN(radius_km=5, threshold=2).fit([[13.40, 52.52], [13.41, 52.52], [2.35, 48.85]])
    assert model.density_at_.tolist() == [2, 2, 1]
    assert model.density_at_.dtype == np.int64
    assert model.labels_.tolist() == [0, 0, -1]
    assert model.core_sample_indices_.tolist() == [0, 1]
    assert model.n_features_in_ == 2


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float32, np.float64])
def test_densities_of_whole_weights_are_whole(dtype):
    weight = np.array([1, 0, 1], dtype)
    model = WeightedDBSCAN(radius_km=5, threshold=1).fit([[0, 0], [0, 0], [50, 0]], sample_weight=weight)
    assert model.density_at_.tolist() == [1, 1, 1] and model.density_at_.dtype == np.int64


def test_whole_weights_beyond_those_of_float64_are_exact():
    weight = [2**60 + 1, 2**60, 3]
    model = WeightedDBSCAN(radius_km=5, threshold=4).fit([[0, 0], [0, 0], [50, 0]], sample_weight=weight)
    assert model.density_at_.tolist() == [2**61 + 1, 2**61 + 1, 3]


def test_clone_and_parameters():
    model = WeightedDBSCAN(radius_km=3, threshold=7, border="lowest", engine="sklearn", device="cpu")
    parameters = {"radius_km": 3, "threshold": 7, "border": "lowest", "engine": "sklearn", "device": "cpu"}
    assert model.get_params() == parameters
    copy = clone(model)
    assert copy is not model and copy.get_params() == parameters
    assert clone(model).set_params(radius_km=4).radius_km == 4
    assert repr(model).startswith("WeightedDBSCAN(")


def test_fit_predict_and_pickle():
    X, _ = towns(3)  # noqa: N806
    model = WeightedDBSCAN(radius_km=4, threshold=9)
    labels = model.fit_predict(X)
    np.testing.assert_array_equal(labels, model.labels_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).labels_, labels)


def test_fit_leaves_its_inputs_alone():
    X, rng = towns(4)  # noqa: N806
    X[0], weight = [190.0, -0.0], rng.random(len(X))
    X.setflags(write=False)
    weight.setflags(write=False)
    WeightedDBSCAN(radius_km=4, threshold=2.5).fit(X, sample_weight=weight)


@pytest.mark.parametrize("scale", [1, 0.5, 0.1, 1e-3, 1e12])
def test_weights_that_are_not_whole(scale):
    X, rng = towns(5)  # noqa: N806
    whole = rng.integers(0, 9, len(X))
    by_whole = WeightedDBSCAN(radius_km=4, threshold=30.5).fit(X, sample_weight=whole)
    by_scaled = WeightedDBSCAN(radius_km=4, threshold=30.5 * scale).fit(X, sample_weight=whole * scale)
    np.testing.assert_array_equal(by_scaled.labels_, by_whole.labels_)
    np.testing.assert_allclose(by_scaled.density_at_, by_whole.density_at_ * scale, rtol=1e-13)


def test_all_weights_zero_is_all_noise():
    model = WeightedDBSCAN(radius_km=4, threshold=1e-9).fit([[0, 0], [0, 0]], sample_weight=[0, 0])
    assert model.labels_.tolist() == [-1, -1]


def test_longitudes_may_be_written_either_way():
    X = np.array([[179.999, 0], [-179.999, 0], [180.001, 0], [-180.001, 0], [10, 0]])  # noqa: N806
    assert WeightedDBSCAN(radius_km=1, threshold=4).fit(X).labels_.tolist() == [0, 0, 0, 0, -1]


@pytest.mark.parametrize(
    ("X", "weight", "message"),
    [
        ([[0, 0, 0]], None, r"\(n, 2\)"),
        ([0, 0], None, r"\(n, 2\)"),
        ([[1j, 0]], None, "complex numbers"),
        (np.empty((0, 2)), None, "no points"),
        ([[0, 0], [0, 91]], None, "row 1"),
        ([[np.nan, 0]], None, "row 0"),
        ([[361, 0]], None, "longitude and latitude"),
        ([[0, 0]], [1, 2], r"shape \(1,\)"),
        ([[0, 0]], [-1], "not negative"),
        ([[0, 0]], [np.inf], "finite"),
        ([[0, 0]], ["a"], "numbers"),
        ([[0, 0]], [2.0**63], "2\\*\\*62"),
        ([[0, 0], [0, 0]], [1e308, 1e308], "2\\*\\*62"),
    ],
)
def test_bad_input(X, weight, message):  # noqa: N803
    with pytest.raises(ValueError, match=message):
        WeightedDBSCAN(radius_km=1, threshold=1).fit(X, sample_weight=weight)


@pytest.mark.parametrize("radius", [0, -1, np.nan, np.inf, "5", True])
def test_bad_parameters(radius):
    with pytest.raises(ValueError, match="radius_km"):
        WeightedDBSCAN(radius_km=radius, threshold=1).fit([[0, 0]])


def test_a_gpu_that_is_not_there():
    with pytest.raises(DeviceError, match="gpu"):
        WeightedDBSCAN(radius_km=1, threshold=1, device="gpu").fit([[0, 0]])


@pytest.mark.parametrize("weight", [0.3, 0.7, 0.1, 1e-310])
def test_the_threshold_is_inclusive(weight):
    assert WeightedDBSCAN(radius_km=5, threshold=weight).fit([[0, 0]], sample_weight=[weight]).labels_.tolist() == [0]


@pytest.mark.parametrize("seed", range(5))
def test_core_points_are_those_whose_density_is_the_threshold_or_more(seed):
    X, rng = towns(seed)  # noqa: N806
    weight = rng.random(len(X))
    density = WeightedDBSCAN(radius_km=4, threshold=1).fit(X, sample_weight=weight).density_at_
    for threshold in (density.max(), *rng.choice(density, 5)):
        found = WeightedDBSCAN(radius_km=4, threshold=threshold).fit(X, sample_weight=weight)
        np.testing.assert_array_equal(found.core_sample_indices_, np.flatnonzero(found.density_at_ >= threshold))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_weights_of_any_precision(dtype):
    weight = np.array([0.5, 0.25, 0.25], dtype)
    model = WeightedDBSCAN(radius_km=5, threshold=0.5).fit([[0, 0], [50, 0], [50, 0]], sample_weight=weight)
    assert model.density_at_.tolist() == [0.5, 0.5, 0.5]
    assert model.labels_.tolist() == [0, 1, 1]


def test_a_threshold_that_makes_no_sense_is_named():
    with pytest.raises(ValueError, match="threshold"):
        WeightedDBSCAN(radius_km=1, threshold=0).fit([[0, 0]])


def test_what_fit_finds_has_types_for_checkers():
    """Mypy cannot tell those of a user's ``model.labels_`` from what fit assigns."""
    found = {name for name in vars(WeightedDBSCAN(5, 1).fit([[0, 0]])) if name.endswith("_")}
    assert found == set(get_type_hints(WeightedDBSCAN)) and "labels_" in found
