"""The kernels of sweeps for GPUs; run by test_hierarchy_gpu.py in a process of its own.

cuda_hierarchy.py simulate [SEEDS]  in numba's simulator, against the CPU's kernels (NUMBA_ENABLE_CUDASIM=1)
cuda_hierarchy.py emulate SEEDS     the same with the kernels' PTX for an H100, by `cuda_machine`: needs numba-cuda but no GPU
cuda_hierarchy.py compile           show that PTX
"""

import sys
from types import FunctionType

import cupy_double
import hierarchies
import naive
import numpy as np
from numba import cuda as numba_cuda

from gpu_clusters.engines import cuda, cuda_sweep, hierarchy
from gpu_clusters.kernels import levels, sums
from gpu_clusters.steps.hierarchy import Neighbourhood


def of_a_gpu(function):
    """A body for GPUs, for kernels of sweeps: the simulator lends its own `cuda` to the module of a kernel alone."""
    return FunctionType(function.__code__, vars(cuda_sweep))


def simulated():
    """The kernels in the simulator, which runs the plain functions: while they run, what GPUs have instead takes their place."""
    levels.unite, alone = of_a_gpu(cuda.unite_among_threads), sums.add_at
    sys.setswitchinterval(1e-6)  # so that threads meet
    run = cuda.launch

    def launch(kernel, count, *args):
        sums.add_at = of_a_gpu(cuda.add_among_threads)
        run(kernel, count, *map(cupy_double.unwrapped, args))
        sums.add_at = alone

    cuda.launch = launch


def check(seeds, count):
    on_gpu = hierarchy.kernels(cupy_double)
    for kind in naive.KINDS:
        for seed in range(seeds):
            points, reach, weight, thresholds = hierarchies.random_points(seed, kind, count)
            found = Neighbourhood(lambda: points, weight, on_gpu).hierarchy(reach, thresholds)  # noqa: B023
            expected = Neighbourhood(lambda: points, weight).hierarchy(reach, thresholds)  # noqa: B023
            hierarchies.assert_equal(found, expected, f"{kind} {seed}")
            if seed % 3 == 0:
                hierarchies.assert_totals_equal(found, on_gpu, seed)
    print("clusters of all thresholds, and what they hold, equal the CPU's")


def compiled():
    """PTX of every kernel, and of one that holds no more than the distance test."""
    import cuda_loops
    from cuda_ptx import show

    calls = {}

    def launch(kernel, count, *args):
        calls.setdefault(kernel, [cupy_double.unwrapped(arg) for arg in args])
        cuda_loops.launch(kernel, count, *args)

    cuda.launch = launch
    points, reach, weight, thresholds = hierarchies.random_points(1, "town", 200)
    on_gpu = hierarchy.kernels(cupy_double)
    found = Neighbourhood(lambda: points, weight, on_gpu).hierarchy(reach, thresholds)
    hierarchies.assert_totals_equal(found, on_gpu, 1)
    for kernel, args in calls.items():
        show(kernel, *args)

    def only_reached(points, limit, ranked, level, result):
        p = numba_cuda.grid(1)
        xyz = points[1, p], points[2, p], points[3, p]
        result[p] = levels.reached_at(points, limit, ranked, level, 0, p, 1, *xyz, 0, p)

    def only_worth(rows, values, result):
        p = numba_cuda.grid(1)
        result[p] = sums.worth(result[p], p, rows, values, False)

    show(only_worth, np.zeros((4, 5), np.int64), np.zeros(5), np.zeros(4))
    whole = np.zeros(5, np.int32)
    show(only_reached, np.zeros((4, 5)), 1.0, whole, whole.astype(np.int16), whole)


match sys.argv[1:]:
    case ["compile"]:
        compiled()
    case ["simulate", seeds]:
        simulated()
        check(int(seeds), count=50)
    case ["emulate", seeds]:
        from cuda_machine import launch

        cuda.launch = launch
        check(int(seeds), count=250)
