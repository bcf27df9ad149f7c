"""The clusters of all thresholds as GPUs find them, without one: kernels as loops, in Numba's simulator, and as PTX on a CPU."""

from __future__ import annotations

import re

import cuda_loops
import cupy_double
import hierarchies
import naive
import numpy as np
import pytest
from cuda_process import ROUNDED_EACH, arithmetic, in_each_way, needs_compiler, ptx_of

from gpu_clusters.arrays import to_host
from gpu_clusters.engines import cuda, device, hierarchy, native, sums
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.errors import UsageError
from gpu_clusters.kernels import nodes
from gpu_clusters.kernels.spaces import EARTH_RADIUS_KM, on_sphere, sphere_reach
from gpu_clusters.steps.hierarchy import Neighbourhood


@in_each_way
def test_threads_find_the_clusters_of_the_cpu(way, more):
    assert way("cuda_hierarchy.py", str(6 * more)) == [
        "clusters of all thresholds, and what they hold, equal the CPU's"
    ]


@needs_compiler
def test_the_kernels_compile_to_ptx_that_rounds_like_a_cpu():
    compiled = ptx_of("cuda_hierarchy.py")
    assert {
        *("measure_widths", "open_cells", "link_level", "end_level", "hang_points", "grow_nodes", "arrive", "lower"),
        *("add_to_parents", "count_members", "scatter_rows", "add_worths", "add_to_groups", "find_nearest"),
    } < set(compiled)
    for name in ("only_reached", "only_worth"):
        assert arithmetic(compiled[name]) == ROUNDED_EACH, name
    assert set(re.findall(r"\b(?:div|fma)\S*\.f64", compiled["add_worths"])) == {"div.rn.f64"}
    assert "atom.global.cas.b64" in compiled["link_level"] and "atom.global.min.s64" in compiled["lower"]


@pytest.fixture
def on_gpu(monkeypatch):
    """The kernels for a GPU, as loops on arrays of the double."""
    monkeypatch.setattr(cuda, "launch", cuda_loops.launch)
    cupy_double.log.clear()
    return hierarchy.kernels(cupy_double)


@pytest.mark.parametrize("kind", naive.KINDS)
def test_random_points(on_gpu, kind, monkeypatch):
    for seed in range(40):
        monkeypatch.setattr(sums, "ROOM", (1 << 27, 300)[seed % 2])  # of 300 they take several turns
        points, reach, weight, thresholds = hierarchies.random_points(seed, kind, 250)
        one, other = (Neighbourhood(lambda p=points: p, weight, *k) for k in ((on_gpu,), ()))
        for stretch in (1.0, 1.2) if seed % 4 == 0 and kind not in ("plane", "one place") else (1.0,):
            radius = stretch * reach.height * 111.19
            given = reach if stretch == 1.0 else sphere_reach(radius)
            found, expected = one.hierarchy(given, thresholds), other.hierarchy(given, thresholds)
            hierarchies.assert_equal(found, expected, f"{kind} {seed}")
            hierarchies.assert_totals_equal(found, on_gpu, seed)


@pytest.mark.usefixtures("on_gpu")
def test_a_threshold_that_64_bits_do_not_hold():
    lon, lat = np.random.default_rng(0).normal(size=(2, 200)) * 0.1
    problem = Problem(on_sphere(lon, lat), lon, lat, np.ones(200, np.int64), sphere_reach(5.0), 10**30, "densest")
    for kernels in (native.ON_CPU, device.kernels(cupy_double)):
        found = native.cluster(problem, kernels)
        assert (found.labels == -1).all() and not found.core.any() and found.density_at.max() > 1


@pytest.mark.parametrize(("radius", "apart"), [(1e-4, 1 + 2e-6), (1e-5, 1 + 2e-5), (1e-11, 2.0)])
def test_places_just_out_of_reach_stay_apart_however_short_the_radius(on_gpu, radius, apart):
    """The last radius is shorter than rounding is: no cell has two places, though all are of one latitude."""
    lon = np.repeat(np.arange(9) * np.degrees(radius / EARTH_RADIUS_KM) * apart, 2)
    points, weight = on_sphere(lon, np.zeros(18)), np.ones(18, np.int64)
    found, expected = (
        Neighbourhood(lambda: points, weight, *k).hierarchy(sphere_reach(radius), np.array([1, 2]))
        for k in ((on_gpu,), ())
    )
    assert found.numbering(2)[to_host(found.arrival)].tolist() == np.repeat(np.arange(9), 2).tolist()
    hierarchies.assert_equal(found, expected)


def test_more_clusters_than_have_numbers(on_gpu, monkeypatch):
    """Two places that are clusters of their own at three thresholds: six."""
    points, weight = on_sphere(np.array([0.0, 1.0]), np.zeros(2)), np.full(2, 3)
    around = Neighbourhood(lambda: points, weight, on_gpu)
    monkeypatch.setattr(nodes, "MOST", 6)
    assert len(around.hierarchy(sphere_reach(5.0), np.array([1, 2, 3])).nodes.level) == 6
    monkeypatch.setattr(nodes, "MOST", 5)
    with pytest.raises(UsageError, match=r"are 6, more than can be numbered \(5\)"):
        around.hierarchy(sphere_reach(5.0), np.array([1, 2, 3]))


def test_many_points_cross_between_host_and_device_once(on_gpu):
    rng = np.random.default_rng(2)
    n = 60_000
    centre = rng.uniform([5, 47], [8, 50], (40, 2))
    lon, lat = (centre[rng.integers(0, 40, n)] + rng.normal(size=(n, 2)) * 0.08).T
    points, weight = on_sphere(lon, lat), rng.integers(1, 9, n)
    around = Neighbourhood(lambda: points, weight, on_gpu)
    for radius in (2.0, 2.5, 4.0):
        reach = sphere_reach(radius)
        expected = Neighbourhood(lambda: points, weight).hierarchy(reach, np.array([1]))
        thresholds = np.unique(np.quantile(expected.density_at, np.linspace(0, 1, 40)).astype(np.int64))
        cupy_double.log.clear()
        found = around.hierarchy(reach, thresholds)
        to_device = [size for name, size in cupy_double.log if name == "asarray"]
        assert sum(size >= 8 * n for size in to_device) == (5 if radius == 2.0 else 0)  # the coordinates
        to_host = [size for name, size in cupy_double.log if name != "asarray"]
        sample = 8 * n if radius != 2.5 else 0  # of places, to choose bands by
        assert max(to_host) <= max(8 * max(len(found.nodes.level), len(thresholds) + 1), sample)
        assert 8 * len(found.nodes.level) < n  # what is by node is little
        hierarchies.assert_equal(found, Neighbourhood(lambda: points, weight).hierarchy(reach, thresholds))
