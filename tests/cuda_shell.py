"""A CUDA kernel around the per-point density function; run by test_portability.py in a process of its own."""

import math
import sys

import numpy as np
from numba import cuda

from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.density import weight_in_band
from gpu_clusters.kernels.search import KEY, X, Y, Z
from gpu_clusters.kernels.spaces import in_plane, on_sphere, plane_reach, sphere_reach


@cuda.jit
def densities(points, start, edges, table, weight, prefix, reach, first, last, band, result):
    p = cuda.grid(1)
    if p < result.shape[0]:
        x, y, z = points[X, p], points[Y, p], points[Z, p]
        ring = math.sqrt(x * x + y * y)
        total = 0
        for other in range(first[band[p]], last[band[p]]):
            total += weight_in_band(
                points, start, edges, table, weight, prefix, reach, other, points[KEY, p], x, y, z, ring
            )
        result[p] = total


def problem(kind, n=150):
    rng = np.random.default_rng(0)
    weight = rng.integers(0, 9, n)
    if kind == "sphere":
        points = on_sphere(rng.uniform(-180, 180, n), rng.uniform(-90, 90, n))
        reach = sphere_reach(2000.0)
    else:
        points, reach = in_plane(*rng.uniform(0, 1e5, (2, n))), plane_reach(2e4, 1e5)
    bands = index.build(points, reach, cuts=2)
    first, last = index.near(bands, bands, reach)
    weight = weight[bands.order]
    prefix = np.concatenate(([0], np.cumsum(weight)))
    band = np.repeat(np.arange(len(bands.start) - 1), np.diff(bands.start))
    args = (*index.index_of(bands), weight, prefix, reach, first, last, band, np.zeros(n, np.int64))
    dx, dy, dz = (np.subtract.outer(axis, axis) for axis in bands.points[1:])
    return args, ((dx * dx + dy * dy + dz * dz <= reach.limit) * weight).sum(axis=1)


if sys.argv[1:] == ["simulate"]:
    for kind in ("sphere", "plane"):
        args, expected = problem(kind)
        densities[2, 128](*args)
        print(kind, np.array_equal(args[-1], expected))
elif sys.argv[1:] == ["compile"]:
    import numba.cuda.dispatcher
    from numba import typeof

    class Hopper:  # the compiler asks the driver, and there is none
        compute_capability = (9, 0)

    numba.cuda.dispatcher.get_current_device = lambda: Hopper
    signature = tuple(typeof(arg) for arg in problem("sphere")[0])
    print(cuda.compile_ptx(densities.py_func, signature, cc=(9, 0))[0])
