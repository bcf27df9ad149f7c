"""The native engine's kernels for GPUs; run by test_portability.py in a process of its own.

cuda_shell.py simulate SEEDS       in numba's simulator, against all pairs and the CPU's kernels (NUMBA_ENABLE_CUDASIM=1)
cuda_shell.py emulate SEEDS        the same with the kernels' PTX for an H100, by `cuda_machine`: needs numba-cuda but no GPU
cuda_shell.py compile              show that PTX
"""

import sys
from types import FunctionType, SimpleNamespace

import cupy_double
import naive
import numpy as np
import shapely
from hierarchies import random_places
from numba import cuda as numba_cuda
from test_inside import points_about, random_polygons

from gpu_clusters.engines import cuda, device, inside, native
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels import linking
from gpu_clusters.kernels.spaces import on_sphere, sphere_reach
from gpu_clusters.steps.inside import points_inside


def problem(seed, kind):
    """A few places, many of them twice, of the kinds that the engines are tested with."""
    rng, lon, lat, points, reach, weight = random_places(seed, kind, 60)
    density = (naive.neighbours(points, reach) * weight).sum(axis=1)
    threshold = max(1, int(np.quantile(density, rng.random())))
    return Problem(points, lon, lat, weight, reach, threshold, ("densest", "lowest")[seed // 2 % 2])


def crowded(n=2000):
    """Enough places for many blocks, wide bands and intervals that surely are within reach."""
    rng = np.random.default_rng(4)
    lon, lat = rng.normal(size=(2, n)) * 0.3
    return Problem(on_sphere(lon, lat), lon, lat, rng.integers(1, 5, n), sphere_reach(20.0), 1000, "densest")


def unite_at_once(seeds):
    """Threads unite the ends of one edge each, of paths in random order: trees are deep, and threads want the same roots."""

    def unite(parent, one, other):
        p = cuda.grid(1)
        if p < one.shape[0]:
            linking.unite(parent, one[p], other[p])

    # the simulator lends its own `cuda` to the module of a kernel alone, so this must be a kernel of that module
    kernel = numba_cuda.jit(FunctionType(unite.__code__, vars(cuda)))
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        path = rng.permutation(200)
        one, other = path[:-1], path[1:]
        kept = rng.permutation(199)[: 199 - seed % 4]
        one, other = one[kept], other[kept]
        parent, root = cupy_double.arange(200), cupy_double.empty(200, np.int64)
        cuda.launch(kernel, len(one), parent, *map(cupy_double.asarray, (one, other)))
        cuda.launch(cuda.find_roots, 200, parent, root)
        np.testing.assert_array_equal(root.get(), first_of_each(one, other, 200), err_msg=str(seed))
    print("unions at once lose nothing")


def unite_with_old_looks(seeds):
    """Whatever a thread reads may be what any other has written there before; an atomic operation alone knows the latest."""

    class Parents:
        def __init__(self, count, rng):
            self.written, self.rng = [[i] for i in range(count)], rng

        def __getitem__(self, i):
            return self.written[i][self.rng.integers(len(self.written[i]))]

        def __setitem__(self, i, value):
            self.written[i].append(value)

    def swap(parents, i, old, new):
        latest = parents.written[i][-1]
        if latest == old:
            parents[i] = new
        return latest

    find = getattr(linking.find, "py_func", linking.find)  # in the simulator it is plain already
    known = {"find": find, "cuda": SimpleNamespace(atomic=SimpleNamespace(cas=swap))}
    unite = FunctionType(cuda.unite_among_threads.__code__, known)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        parents = Parents(200, rng)
        one, other = rng.integers(0, 200, (2, 150))
        for i, j in zip(one.tolist(), other.tolist(), strict=True):
            unite(parents, i, j)
        root = [written[-1] for written in parents.written]
        for i in range(200):
            assert root[i] <= i, (seed, i)
            root[i] = root[root[i]]
        np.testing.assert_array_equal(root, first_of_each(one, other, 200), err_msg=str(seed))
    print("unions that see what has been lose nothing")


def first_of_each(one, other, count):
    """The first point of the component of each, by SciPy."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(one)), (one, other)), shape=(count, count))
    component = connected_components(graph, directed=False)[1]
    return np.unique(component, return_index=True)[1][component]


def simulated():
    """The kernels in the simulator, which runs the plain functions: what GPUs have instead must take their place."""
    linking.unite = cuda.unite_among_threads
    sys.setswitchinterval(1e-6)  # so that threads meet
    cuda.launch = cupy_double.taken_by(cuda.launch)


def check(seeds, crowd):
    on_gpu = device.kernels(cupy_double)
    for kind in naive.KINDS:
        for seed in range(seeds):
            given = problem(seed, kind)
            for found, expected in zip(native.cluster(given, on_gpu), naive.cluster(given), strict=True):
                np.testing.assert_array_equal(found, expected, err_msg=f"{kind} {seed}")
    print("random worlds equal all pairs")
    given = crowded(crowd)
    for found, expected in zip(native.cluster(given, on_gpu), naive.cluster(given), strict=True):
        np.testing.assert_array_equal(found, expected)
    print("a crowd equals all pairs")
    for seed in range(3 * seeds):
        rng = np.random.default_rng(seed)
        shapes = np.append(random_polygons(rng, 1), [shapely.box(170, -3, 180, 3)])
        points = points_about(rng, shapes, 1)[:: 1 + seed % 5]
        points[::9, 0] = -180
        found = inside.by_kernel(cupy_double, shapes, *points.T.copy())
        for mine, expected in zip(found, points_inside(shapes, *points.T.copy()), strict=True):
            np.testing.assert_array_equal(mine, expected, err_msg=str(seed))
    print("points in polygons equal shapely")
    unite_at_once(5 * seeds)
    unite_with_old_looks(5 * seeds)


def compiled():
    """PTX of every kernel, and of kernels that hold no more than a distance test."""
    from cuda_ptx import show

    calls = {}

    def launch(kernel, _, *args):
        """Keep the first arguments of each kernel instead of running it."""
        calls.setdefault(kernel, args)
        if kernel is cuda.begin_runs:
            args[-1][:] = 1

    cuda.launch = launch
    given = crowded()
    on_gpu = device.kernels(np)
    bands = index.build(given.points, given.reach)
    on_gpu.build(given.points, given.reach)
    core, _ = on_gpu.select(bands, given.points.kind, np.ones(len(given.lon), bool))
    on_gpu.densities(bands, given.weight, given.reach)
    on_gpu.components(core, given.reach)
    on_gpu.preferred_core(core, core, given.reach, given.weight, given.lon, given.lat)
    on_gpu.number(np.zeros(5, np.int64))
    inside.by_kernel(np, np.array([shapely.box(0, 0, 1, 1)]), np.zeros(1), np.zeros(1))

    for kernel, args in calls.items():
        show(kernel, *args)

    from gpu_clusters.kernels.areas import squared_degrees
    from gpu_clusters.kernels.density import weight_in_run

    def only_weigh(points, weight, limit, result):
        p = numba_cuda.grid(1)
        result[p] = weight_in_run(points, weight, limit, points[1, p], points[2, p], points[3, p], 0, result.shape[0])

    def only_within(points, limit, result):
        p = numba_cuda.grid(1)
        result[p] = linking.within(points, limit, 0, points[1, p], points[2, p], points[3, p])

    def only_degrees(lon, lat, result):
        p = numba_cuda.grid(1)
        result[p] = squared_degrees(lon[p], lat[p], lon[0], lat[0])

    whole = np.zeros(5, np.int64)
    show(only_weigh, bands.points, given.weight, 1.0, whole)
    show(only_within, bands.points, 1.0, whole)
    show(only_degrees, given.lon, given.lat, given.lon)


match sys.argv[1:]:
    case ["compile"]:
        compiled()
    case ["simulate", seeds]:
        simulated()
        check(int(seeds), crowd=400)
    case ["emulate", seeds]:
        from cuda_machine import launch

        cuda.launch = launch
        cuda.check_compiler(cupy_double)
        check(int(seeds), crowd=2000)
