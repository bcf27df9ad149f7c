"""Whole rankings on the GPU's path, with doubles of the GPU's packages; run by test_portability.py.

cuda_rank.py simulate WORLDS    in numba's simulator (NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1)
cuda_rank.py emulate WORLDS     with the kernels' PTX for an H100, by `cuda_machine`: needs numba-cuda but no GPU
"""

import sys
import tempfile
from pathlib import Path

import cudf_double
import cupy_double
import doubles
import numpy as np
import pandas as pd
from rasters import Plain
from worlds import random_world

import gpu_clusters
from gpu_clusters.engines import cuda
from gpu_clusters.kernels import linking

TABLES = ("ranking", "locations", "deals", "boundaries", "coverage", "organizations", "partners")
RASTER = Plain(np.arange(360.0 * 180).reshape(180, 360), (1, 0, -180, 0, -1, 90)).array()


def files(tables, folder):
    """The tables as Parquet files, which cuDF's double reads."""
    paths = []
    for number, table in enumerate(tables):
        path = None if table is None else folder / f"{number}.parquet"
        if path is not None:
            table.to_parquet(path)
        paths.append(path)
    return paths


def main(worlds, unite):
    """Compare the devices; ``unite`` takes the place of the CPU's function on the GPU's."""
    sys.modules |= {"cupy": cupy_double, "cudf": cudf_double, "numba_cuda": doubles.numba_cuda()}
    cuda.check_compiler = lambda: None
    on_cpu, said, merged, assigned = linking.unite, set(), 0, 0
    for seed in range(worlds):
        world = random_world(seed)
        tables = (world.patents, world.publications, world.deals)
        with tempfile.TemporaryDirectory() as folder:
            if seed % 2:
                tables = files(tables, Path(folder))
            given = world.settings | ({"population": RASTER, "area_degrees": 0.6} if seed % 3 == 0 else {})
            expected = gpu_clusters.rank(*tables, device="cpu", **given)
            linking.unite = unite
            found = gpu_clusters.rank(*tables, device="gpu", **given)
            linking.unite = on_cpu
        assert found.manifest["device"] == "gpu"
        said |= {part for part in found.manifest["note"].split("; ") if "read by" in part}
        merged += found.manifest["clusters"] < found.manifest["initial_clusters"]
        assigned += bool((found.deals["cluster_id"] > 0).any())
        for name in TABLES:
            pd.testing.assert_frame_equal(
                *(pd.DataFrame(getattr(result, name)) for result in (found, expected)),
                check_exact=True,
                obj=f"{seed} {name}",
            )
    assert merged > worlds // 20 and assigned > worlds // 4, (merged, assigned)
    print("rankings equal the CPU's", *sorted(said), sep="\n")


match sys.argv[1:]:
    case ["simulate", count]:
        cuda.launch = cupy_double.taken_by(cuda.launch)
        main(int(count), cuda.unite_among_threads)  # the simulator runs the plain functions
    case ["emulate", count]:
        from cuda_machine import launch

        cuda.launch = launch
        main(int(count), linking.unite)
