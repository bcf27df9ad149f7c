"""The kernels for GPUs that count people; run by test_totals_gpu.py in a process of its own.

cuda_totals.py simulate SEEDS      in numba's simulator on a double of CuPy, against the CPU (NUMBA_ENABLE_CUDASIM=1)
cuda_totals.py emulate SEEDS       the same with the kernels' PTX for an H100, by `cuda_machine`: needs numba-cuda but no GPU
cuda_totals.py compile             show that PTX
"""

import sys

import cupy_double
import numpy as np
import shapely
from numba import cuda as numba_cuda
from rasters import random_members, random_raster
from test_discs import assert_all_pairs, random_world

from gpu_clusters.engines import cuda, totals
from gpu_clusters.engines.counting import ON_CPU
from gpu_clusters.io.cells import cells_in, cells_near
from gpu_clusters.io.folding import fold
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import open_rasters
from gpu_clusters.kernels import exact
from gpu_clusters.kernels.spaces import Reach
from gpu_clusters.kernels.totals import Totals
from gpu_clusters.steps.population import count_people, count_people_in

ON_GPU = totals.counting(cupy_double)


def on_double(launch):
    """A launch that takes arrays of the double, and refuses those of the host."""

    def run(kernel, count, *args):
        launch(kernel, count, *(arg if isinstance(arg, Reach) else cupy_double.unwrapped(arg) for arg in args))

    return run


def gathered(counting, world):
    """Totals of a world, window by window, on the device."""
    found, areas = counting.nothing(world.members[3]), counting.areas(*world.members)
    for part in world.windows:
        counting.gather(areas, found, *(values[part] for values in world.places))
    return found


def assert_equal(found, expected, message):
    for mine, other in zip(found, expected, strict=True):
        assert isinstance(mine, np.ndarray) and mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other, err_msg=message)


def simulate_areas(seeds):
    """Totals equal all pairs, and their limbs the CPU's, however small the parts that are on the device together."""
    most, terms = totals.AT_A_TIME, exact.TERMS
    for seed in range(seeds):
        world = random_world(seed)
        expected = gathered(ON_CPU, world)
        one_is_left = max(1, len(world.windows[0]) - 1)
        for totals.AT_A_TIME, exact.TERMS in ((most, terms), (most, 50 + seed % 90), (one_is_left, terms)):
            found = ON_GPU.finish(gathered(ON_GPU, world))
            assert_all_pairs(found, world)
            assert_equal(found, expected, str(seed))
    totals.AT_A_TIME, exact.TERMS = most, terms
    print("people in areas equal all pairs")


def simulate_values(seeds):
    """Values of any size, added to groups: limbs equal the CPU's."""
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        count, groups = int(rng.integers(0, 400)), int(rng.integers(1, 9))
        value = np.ldexp(rng.random(count), rng.integers(-1074, 1024, count))
        few = rng.random(count) < 0.3  # have two bits: of what falls on a limb there may be but one
        value[few] = np.ldexp(1 + np.ldexp(1.0, -rng.integers(1, 53, few.sum())), rng.integers(-1022, 1023, few.sum()))
        value[rng.random(count) < 0.2] = rng.choice([np.nan, 0.0, 5e-324, 1.7e308])
        group = rng.integers(0, groups, count)
        found, expected = ON_GPU.nothing(groups), ON_CPU.nothing(groups)
        for part in np.array_split(rng.permutation(count), 3):
            ON_GPU.add(found, group[part], value[part])
            ON_CPU.add(expected, group[part], value[part])
        assert_equal(ON_GPU.finish(found), expected, str(seed))
    print("sums of values equal the CPU's")


def simulate_full_limbs():
    """Limbs that are as full as they may become are carried before anything is lost."""
    rng = np.random.default_rng(0)
    full = rng.integers(2**62, 2**62 + 2**33, (50, exact.LIMBS))
    full[:, -1] = 0
    expected = Totals(full.copy(), np.zeros(50, np.int64), np.zeros(50, np.int64))
    found = Totals(*(cupy_double.asarray(array) for array in expected))
    group, value = np.arange(50), np.ldexp(1 + rng.random(50), rng.integers(-1000, 1000, 50))
    ON_GPU.add(found, group, value)
    ON_CPU.add(expected, group, value)
    assert_equal(ON_GPU.finish(found), expected, "full")
    assert (expected.limbs[:, :-1] < 2**32).all()
    print("full limbs are carried")


def simulate_rasters(seeds):
    """People in areas and in polygons, from rasters of all kinds, are the CPU's."""
    for seed in range(seeds):
        raster, rng = random_raster(seed), np.random.default_rng(seed)
        members, area = random_members(raster, seed)
        lon, lat = members.T.copy()
        cluster = np.arange(len(lon)) % 3
        clusters = int(cluster.max()) + 1
        discs = shapely.buffer(shapely.points(members), rng.uniform(0.1, 2))
        on_earth = shapely.intersection(shapely.union_all(discs), shapely.box(-360, -90, 360, 90))
        polygons = fold(np.array([on_earth, shapely.Polygon(), shapely.envelope(on_earth)], object))
        with open_rasters(raster.array()) as (rasters, _):
            grids, mosaic = [one.grid for one in rasters], Mosaic(rasters)
            for about in ({}, {"counting": ON_GPU}):
                near = cells_near(mosaic, lon, lat, area)
                people = count_people(near, grids, lon, lat, cluster, clusters, area, **about)
                inside = count_people_in(cells_in(mosaic, polygons), grids, polygons, **about)
                if not about:
                    expected = people, inside
        for found, other in zip((people, inside), expected, strict=True):
            assert_equal(found, other, str(seed))
    print("people from rasters equal the CPU's")


def simulate_copies():
    """Members are copied once, a window once, totals at the end; nothing else crosses."""
    world = next(
        world for seed in range(99) if len((world := random_world(seed)).windows) == 4 and world.members[4] > 99
    )
    cupy_double.log.clear()
    areas, found = ON_GPU.areas(*world.members), ON_GPU.nothing(world.members[3])
    assert [what for what, _ in cupy_double.log] == ["asarray"] * 6
    for part in world.windows:
        cupy_double.log.clear()
        ON_GPU.gather(areas, found, *(values[part] for values in world.places))
        assert cupy_double.log == [("asarray", part.nbytes)] * 3 + [("asarray", 8 * world.members[3])]
    cupy_double.log.clear()
    ON_GPU.gather(areas, found, np.zeros(0), np.zeros(0), np.zeros(0))
    ON_GPU.add(found, np.zeros(0, np.int64), np.zeros(0))
    far = ON_GPU.areas(np.zeros(1), np.zeros(1), np.zeros(1, np.int64), 1, 1.0)
    cupy_double.log.clear()
    ON_GPU.gather(far, ON_GPU.nothing(1), np.full(9, 90.0), np.zeros(9), np.ones(9))  # no area is near
    assert not cupy_double.log
    ON_GPU.finish(found)
    assert [what for what, _ in cupy_double.log] == ["get"] * 3
    print("nothing is copied twice")


def check(seeds):
    simulate_areas(seeds)
    simulate_values(seeds)
    simulate_full_limbs()
    simulate_rasters(2 * seeds)
    simulate_copies()


def compiled():
    """PTX of every kernel, and of one that holds no more than the distance test."""
    from cuda_ptx import show

    calls = {}
    cuda.launch = on_double(lambda kernel, _, *args: calls.setdefault(kernel, args))
    world = random_world(0)
    found = gathered(ON_GPU, world)
    ON_GPU.add(found, np.zeros(5, np.int64), np.zeros(5))

    for kernel, args in calls.items():
        show(kernel, *args)

    from gpu_clusters.kernels.discs import any_within

    def only_any_within(points, limit, lon, lat, result):
        p = numba_cuda.grid(1)
        result[p] = any_within(points, limit, lon[p], lat[p], 0, points.shape[1])

    lon, lat, _ = world.places
    show(only_any_within, np.zeros((4, 9)), 1.0, lon, lat, np.zeros(len(lon), np.bool_))


match sys.argv[1:]:
    case ["compile"]:
        compiled()
    case ["simulate", seeds]:
        sys.setswitchinterval(1e-6)  # so that threads meet
        cuda.launch = on_double(cuda.launch)
        check(int(seeds))
    case ["emulate", seeds]:
        from cuda_machine import launch

        cuda.launch = launch
        check(int(seeds))
