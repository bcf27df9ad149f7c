"""Sweeps on a GPU, without one: the way through the command and the back end, with doubles, gives the CPU's results."""

from __future__ import annotations

import json
import sys

import cuda_loops
import cupy_double
import doubles
import numpy as np
import pandas as pd
import pytest
from test_sweep import prepared

from gpu_clusters import DeviceError, UsageError, backend, sweep
from gpu_clusters.engines import cuda, device, hierarchy, levels, native
from gpu_clusters.errors import DeviceMemoryError
from gpu_clusters.settings import Settings
from gpu_clusters.sweeps import run, spread

PACKAGES = ("cupy", "numba_cuda", "cuml")


@pytest.fixture
def machine(monkeypatch):
    """One with a GPU: loops on the double's arrays for the kernels of sweeps, the CPU's for single runs."""
    here = {"cupy": doubles.cupy_with(1), "numba_cuda": doubles.numba_cuda()}
    find_spec = backend.find_spec
    monkeypatch.setattr(backend, "find_spec", lambda name: here.get(name) if name in PACKAGES else find_spec(name))
    monkeypatch.setitem(sys.modules, "cupy", here["cupy"])
    monkeypatch.setattr(cuda, "launch", cuda_loops.launch)
    monkeypatch.setattr(cuda, "check_compiler", lambda _: None)
    on_gpu = hierarchy.kernels(cupy_double)
    for module, kernels in ((device, native.ON_CPU), (hierarchy, on_gpu)):
        monkeypatch.setattr(module, "kernels", lambda xp, kernels=kernels: kernels if xp is here["cupy"] else None)
    cuda_loops.launched.clear()


def assert_same(one, other):
    for name in ("settings", "clusters", "stability"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert one.cube.identical(other.cube)


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("seed", range(12))
def test_worlds_on_either_device(seed):
    world, given, radii, densities = prepared(seed)
    tables = (world.patents, world.publications, world.deals)
    if seed % 3 == 0:
        given |= {"merge": True, "merge_km": 20.0}
    given |= {"radius_km": radii, "density": densities, "check": 3}
    expected = sweep(*tables, **given)
    assert "link_level" not in cuda_loops.launched
    found = sweep(*tables, device="gpu", **given)
    assert "link_level" in cuda_loops.launched
    assert_same(found, expected)
    record = json.loads(json.dumps(found.manifest))
    assert (record["device"], record["engine"], len(record["checked"])) == ("gpu", "native", 3)
    for words in ("on the Double H100", backend.SWEPT_ON_GPU, backend.NOT_RUN):
        assert words in record["note"]
    np.testing.assert_array_equal(
        found.labels(radii[0], densities[2])["cluster_id"], expected.labels(radii[0], densities[2])["cluster_id"]
    )


@pytest.mark.usefixtures("machine")
def test_several_weightings():
    world, given, radii, densities = prepared(2)
    given |= {"weighting": ["raw", "total-preserving"], "radius_km": radii, "density": densities}
    assert_same(sweep(world.patents, device="gpu", **given), sweep(world.patents, **given))


@pytest.mark.usefixtures("machine")
def test_workers_of_dask_get_the_kernels(monkeypatch):
    pickling = pytest.importorskip("distributed.protocol.pickle")
    world, given, radii, densities = prepared(1)
    given |= {"radius_km": radii, "density": densities}
    expected = sweep(world.patents, deals=world.deals, **given)

    def compute(study, keys, _):
        for key in keys:
            cuda_loops.launched.clear()
            yield key, pickling.loads(pickling.dumps(study)).part(*key)
            assert "link_level" in cuda_loops.launched

    monkeypatch.setattr(run, "compute", compute)
    assert_same(sweep(world.patents, deals=world.deals, device="gpu", dask="local", **given), expected)


def test_a_worker_fails_where_a_library_swallows_a_lack_of_memory():
    class Full:
        def part(self, *_):
            doubles.Swallowed(MemoryError("Out of memory allocating 512 bytes"))

    with pytest.raises(MemoryError, match="512 bytes"):
        spread.part_of(Full(), "raw", 5.0)


@pytest.mark.usefixtures("machine")
def test_sums_have_the_bits_of_the_cpu_also_with_very_many_different_fractions():
    rng = np.random.default_rng(0)
    lon, lat = rng.normal(size=(2, 6000)).round(2)
    table = pd.DataFrame({"doc_id": np.arange(6000), "lon": lon, "lat": lat, "fraction": rng.random(6000)})
    few = table.assign(fraction=rng.integers(1, 900, 6000) / 7)
    deals = table[["lon", "lat"]].assign(deals=rng.random(6000))
    given = {"radius_km": [5, 8], "density": [3, 9], "baseline": (5, 3)}
    assert_same(sweep(table, few, deals, device="gpu", **given), sweep(table, few, deals, **given))


TABLE = pd.DataFrame({"doc_id": [1, 2], "lon": 2.35, "lat": 48.86})


@pytest.mark.usefixtures("machine")
def test_what_a_sweep_still_refuses():
    with pytest.raises(UsageError, match="native"):
        sweep(TABLE, radius_km=[5], density=[2], engine="cuml", device="gpu")
    with pytest.raises(UsageError, match="native"):
        sweep(TABLE, radius_km=[5], density=[2], engine="sklearn")


@pytest.mark.usefixtures("machine")
def test_a_full_device_names_the_step(monkeypatch):
    def full(*_):
        raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(hierarchy, "_ranked", full)
    with pytest.raises(DeviceMemoryError, match="full in step 'baseline'"):
        sweep(TABLE, radius_km=[5], density=[2], device="gpu")


def test_without_a_gpu(program, tmp_path, monkeypatch):
    monkeypatch.setattr(backend, "find_spec", lambda _: None)
    TABLE.to_parquet(tmp_path / "patents.parquet")
    given = ["--patents", tmp_path / "patents.parquet", "--radius-km", "5", "--density", "2", "--device", "gpu"]
    program.refused(4, "sweep", *given, "--out", tmp_path / "out", says="CuPy is not installed")
    with pytest.raises(DeviceError, match="not available"):
        sweep(TABLE, radius_km=[5], density=[2], device="gpu")
    assert backend.pick(Settings()).hierarchy is levels.ON_CPU


@pytest.mark.usefixtures("machine")
def test_the_command_writes_the_files_of_the_cpu(program, tmp_path):
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {"doc_id": np.arange(300) // 2, "lon": rng.normal(0, 0.1, 300), "lat": rng.normal(0, 0.1, 300)}
    )
    table.to_parquet(tmp_path / "patents.parquet")
    table[::9][["lon", "lat"]].to_csv(tmp_path / "deals.csv", index=False)
    given = ["--patents", tmp_path / "patents.parquet", "--deals", tmp_path / "deals.csv", "--no-pictures", "--labels"]
    for where in ("cpu", "gpu"):
        out = ["--radius-km", "2:6:2", "--density", "5:45:10", "--out", tmp_path / where]
        assert program("sweep", *given, *out, "--device", where).code == 0
    names = {path.name for path in (tmp_path / "cpu").iterdir()}
    assert names == {path.name for path in (tmp_path / "gpu").iterdir()}
    for name in names - {"manifest.json", "sweep.nc"}:
        assert (tmp_path / "gpu" / name).read_bytes() == (tmp_path / "cpu" / name).read_bytes(), name
