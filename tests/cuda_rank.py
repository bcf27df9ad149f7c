"""Whole rankings on the GPU's path, with doubles of the GPU's packages; run by test_portability.py.

cuda_rank.py simulate WORLDS    in numba's simulator (NUMBA_ENABLE_CUDASIM=1 NUMBA_DISABLE_JIT=1)
cuda_rank.py emulate WORLDS     with the kernels' PTX for an H100, by `cuda_machine`: needs numba-cuda but no GPU
cuda_rank.py emulate sweeps WORLDS      sweeps that way
cuda_rank.py emulate FOLDER DENSITY     a ranking and a sweep of the tables of bench/world.py
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
from test_sweep import prepared
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


def use_doubles():
    sys.modules |= {"cupy": cupy_double, "cudf": cudf_double, "numba_cuda": doubles.numba_cuda()}
    cuda.check_compiler = lambda _: None


def assert_same(found, expected, names, about=""):
    assert (found.manifest["device"], expected.manifest["device"]) == ("gpu", "cpu")
    for name in names:
        tables = (pd.DataFrame(getattr(result, name)) for result in (found, expected))
        pd.testing.assert_frame_equal(*tables, check_exact=True, obj=f"{about} {name}")


def assert_same_sweeps(found, expected, about=""):
    assert_same(found, expected, ("settings", "clusters", "stability"), about)
    assert found.cube.identical(expected.cube), about


def compare_worlds(worlds, unite):
    """Random worlds on both devices; ``unite`` takes the place of the CPU's function on the GPU's."""
    use_doubles()
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
        assert_same(found, expected, TABLES, seed)
        said |= {part for part in found.manifest["note"].split("; ") if "read by" in part}
        merged += found.manifest["clusters"] < found.manifest["initial_clusters"]
        assigned += bool((found.deals["cluster_id"] > 0).any())
    assert merged > worlds // 20 and assigned > worlds // 4, (merged, assigned)
    print("rankings equal the CPU's", *sorted(said), sep="\n")


def compare_sweeps(worlds):
    """Sweeps of random worlds, some of them merging, on both devices."""
    use_doubles()
    for seed in range(worlds):
        world, given, radii, densities = prepared(seed)
        given |= {"radius_km": radii, "density": densities} | ({"merge": True} if seed % 3 == 0 else {})
        tables = (world.patents, world.publications, world.deals)
        found, expected = (gpu_clusters.sweep(*tables, device=device, **given) for device in ("gpu", "cpu"))
        assert_same_sweeps(found, expected, seed)
    print("sweeps equal the CPU's")


def compare_files(folder, density):
    """One ranking, and one sweep of three radii and fifty densities, on both devices."""
    use_doubles()
    tables = [folder / f"{name}.parquet" for name in ("patents", "publications", "deals")]
    with cupy_double.Held() as held:
        found = gpu_clusters.rank(*tables, density=density, device="gpu")
    assert_same(found, gpu_clusters.rank(*tables, density=density, device="cpu"), TABLES)
    print(f"{len(found.ranking):,} clusters of {len(found.locations):,} places: the ranking equals the CPU's")
    print(f"arrays of CuPy held at most {held.most / 1e9:.3g} GB", flush=True)
    grid = {"radius_km": (10, 15, 20), "density": np.arange(15, 65) * density / 45, "baseline": (15, density)}
    found, expected = (gpu_clusters.sweep(*tables, **grid, device=device) for device in ("gpu", "cpu"))
    assert_same_sweeps(found, expected)
    print(f"{len(found.clusters):,} clusters of {len(found.settings)} settings: the sweep equals the CPU's")


match sys.argv[1:]:
    case ["simulate", count]:
        cuda.launch = cupy_double.taken_by(cuda.launch)
        compare_worlds(int(count), cuda.unite_among_threads)  # the simulator runs the plain functions
    case ["emulate", *about]:
        from cuda_machine import launch

        cuda.launch = launch
        match about:
            case [count]:
                compare_worlds(int(count), linking.unite)
            case ["sweeps", count]:
                compare_sweeps(int(count))
            case [folder, density]:
                compare_files(Path(folder), float(density))
