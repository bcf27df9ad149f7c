"""The cuML engine with a double of cuML: exact islands, guards, repairs."""

from __future__ import annotations

from functools import partial

import doubles
import naive
import numpy as np
import pytest
from problems import random_problem, towns

from gpu_clusters.engines import cuml, native
from gpu_clusters.engines.islands import islands
from gpu_clusters.engines.native import ON_CPU
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.errors import GpuClustersError
from gpu_clusters.kernels.spaces import in_plane, on_sphere, plane_reach, sphere_reach


@pytest.fixture
def engine(monkeypatch):
    """The engine on the double, and the remarks that it makes."""
    monkeypatch.setattr(doubles.DBSCAN, "calls", [])
    remarks = []
    run = partial(cuml.cluster, kernels=ON_CPU, dbscan=doubles.DBSCAN, remark=remarks.append, most_rows=np.inf)
    return run, remarks


def assert_exact(found, problem):
    for mine, expected in zip(found, naive.cluster(problem), strict=True):
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("kind", naive.KINDS)
def test_random_worlds_equal_all_pairs(engine, kind):
    run, _ = engine
    for seed in range(40):
        problem = random_problem(seed, kind)
        assert_exact(run(problem), problem)


@pytest.mark.parametrize("weight", [1, 10**8, 2**44])
def test_cuml_does_the_work_where_nothing_is_tied(engine, weight):
    run, remarks = engine
    problem = towns(weight)
    assert_exact(run(problem), problem)
    assert remarks == [] and len(doubles.DBSCAN.calls) > 2
    assert {call[1:] for call in doubles.DBSCAN.calls} == {
        (1.0, 150 if weight == 1 else 1)
    }  # a 32-bit count, or scaled


def test_thresholds_at_a_sum_are_exact_at_any_size(engine):
    """The densest place's own density as the threshold, and one more: scaled sums must fall on the right side."""
    run, remarks = engine
    for weight in (1, 2**33 + 1, 10**14 + 3):
        problem = towns(weight)
        density = native.cluster(problem).density_at
        for threshold in (int(np.sort(density)[-5]), int(np.sort(density)[-5]) + 1):
            assert_exact(run(problem._replace(threshold=threshold)), problem._replace(threshold=threshold))
    assert all("native kernels" in remark for remark in remarks)


def test_lost_core_points_are_noticed(engine, monkeypatch):
    run, remarks = engine
    monkeypatch.setattr(doubles.DBSCAN, "lost", 3)
    problem = towns()
    assert_exact(run(problem), problem)
    assert len(remarks) == 1 and remarks[0].startswith(f"{len(doubles.DBSCAN.calls)} of cuML's islands")


def test_ties_at_the_radius_are_left_to_the_kernels(engine):
    run, remarks = engine
    x, y = np.meshgrid(np.arange(12) * 0.1, np.arange(12) * 0.1)
    x, y = x.ravel() + 3e6, y.ravel() + 5e6
    points = in_plane(x, y)
    problem = Problem(points, x, y, np.ones(144, np.int64), plane_reach(0.1, 5e6), 3, "densest")
    assert_exact(run(problem), problem)
    assert remarks and not doubles.DBSCAN.calls


def test_an_island_too_large_for_this_cuml(engine):
    run, _ = engine
    with pytest.raises(GpuClustersError, match=r"island of .* locations is more than this cuML can cluster"):
        run(towns(), most_rows=50)


def test_islands_hold_every_core_with_all_its_neighbours():
    for kind in naive.KINDS:
        for seed in range(40):
            problem = random_problem(seed, kind)
            near = naive.neighbours(problem.points, problem.reach)
            core = near @ problem.weight >= problem.threshold
            found = islands(problem)
            home = np.full(len(core), -1)
            for number, rows in enumerate(found):
                assert (home[rows[core[rows]]] == -1).all()
                home[rows[core[rows]]] = number
                assert np.isin(np.flatnonzero(near[rows[core[rows]]].any(axis=0)), rows).all()
            assert (home[core] >= 0).all()
            i, j = np.nonzero(near & core & core[:, None])
            assert (home[i] == home[j]).all()


def test_islands_are_apart_and_leave_out_what_cannot_be_core():
    lon = np.array([0.0, 0.01, 0.02, 50.0, 50.01, 120.0])
    lat = np.zeros(6)
    problem = Problem(on_sphere(lon, lat), lon, lat, np.array([2, 2, 2, 3, 3, 4]), sphere_reach(5.0), 5, "densest")
    assert [rows.tolist() for rows in islands(problem)] in ([[0, 1, 2], [3, 4]], [[3, 4], [0, 1, 2]])
