"""Whole rankings on the GPU's path in numba's simulator, with doubles of the GPU's packages; run by test_portability.py.

cuda_rank.py WORLDS     (NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1)
"""

import sys

import cupy_double
import doubles
import pandas as pd
from worlds import random_world

import gpu_clusters
from gpu_clusters.engines import cuda
from gpu_clusters.kernels import linking

TABLES = ("ranking", "locations", "deals", "boundaries", "coverage", "organizations", "partners")


def main(worlds):
    sys.modules["cupy"], sys.modules["numba_cuda"] = cupy_double, doubles.numba_cuda()
    cuda.launch = cupy_double.taken_by(cuda.launch)
    on_cpu = linking.unite
    for seed in range(worlds):
        world = random_world(seed)
        tables = (world.patents, world.publications, world.deals)
        expected = gpu_clusters.rank(*tables, device="cpu", **world.settings)
        linking.unite = cuda.unite_among_threads  # the simulator runs the plain functions
        found = gpu_clusters.rank(*tables, device="gpu", **world.settings)
        linking.unite = on_cpu
        assert found.manifest["device"] == "gpu"
        for name in TABLES:
            pd.testing.assert_frame_equal(
                *(pd.DataFrame(getattr(result, name)) for result in (found, expected)), check_exact=True
            )
    print("rankings equal the CPU's")


main(int(sys.argv[1]))
