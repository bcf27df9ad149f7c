"""Which device and engine a run gets, and what it says about it, with doubles of the GPU's packages."""

from __future__ import annotations

import json
import re
import sys
from types import SimpleNamespace

import doubles
import geopandas as gpd
import naive
import numpy as np
import pandas as pd
import pytest
import shapely
from problems import towns
from rasters import Plain
from reference import reference_rank
from test_rank import assert_same
from worlds import random_world

import gpu_clusters
from gpu_clusters import backend
from gpu_clusters.engines import areas, cuda, device, hierarchy, levels, totals
from gpu_clusters.engines.counting import ON_CPU as COUNTING
from gpu_clusters.engines.native import ON_CPU
from gpu_clusters.errors import DeviceError, DeviceMemoryError, UsageError
from gpu_clusters.kernels.areas import nearest_members
from gpu_clusters.kernels.gaps import close_pairs
from gpu_clusters.settings import Settings
from gpu_clusters.steps.inside import points_inside

GPU_PACKAGES = ("cupy", "numba_cuda", "cuml", "cudf", "cuspatial", "rmm")


@pytest.fixture
def machine(monkeypatch):
    """A function that makes this machine one with the given packages, whose GPU kernels are the CPU's."""

    def make(**packages):
        for name in GPU_PACKAGES:
            monkeypatch.setitem(sys.modules, name, packages.get(name))
        find_spec = backend.find_spec
        monkeypatch.setattr(
            backend, "find_spec", lambda name: packages.get(name) if name in GPU_PACKAGES else find_spec(name)
        )
        for module, name, kernels in (
            (device, "kernels", ON_CPU),
            (hierarchy, "kernels", levels.ON_CPU),
            (totals, "counting", COUNTING),
        ):
            monkeypatch.setattr(module, name, lambda xp, kernels=kernels: kernels if xp is packages["cupy"] else None)
        monkeypatch.setattr(cuda, "check_compiler", lambda _: None)
        monkeypatch.setattr(areas, "close_pairs", lambda _, *args: close_pairs(*args))
        monkeypatch.setattr(areas, "nearest_members", lambda _, *args: nearest_members(*args))

    return make


def full(cuml_version="26.10.00"):
    return {
        "cupy": doubles.cupy_with(1),
        "numba_cuda": doubles.numba_cuda(),
        "cuml": doubles.cuml_of(cuml_version),
    }


def assert_doctor_says(missing):
    from gpu_clusters_cli.doctor import diagnosis

    found = diagnosis()
    assert found["devices"]["gpu"].startswith(f"not used: {missing}")
    assert found["engines"]["native"] == "available (cpu)"
    assert found["engines"]["cuml"].startswith(f"not available: {missing}")


def fails_to_link(*_):
    raise RuntimeError("ERROR_OUTDATED_LIBRARY (14)\nnvJitLink error log: may need newer version of nvJitLink\n")


def without(name):
    return {key: value for key, value in full().items() if key != name}


@pytest.mark.parametrize(
    ("packages", "says"),
    [
        ({}, "CuPy is not installed"),
        (without("numba_cuda"), "numba-cuda is not installed"),
        (full() | {"cupy": doubles.cupy_with(0)}, "CuPy finds no NVIDIA GPU"),
        (full() | {"cupy": doubles.cupy_with(doubles.CUDARuntimeError("no driver"))}, "no NVIDIA GPU (no driver)"),
    ],
)
def test_what_is_missing_is_named(machine, packages, says):
    machine(**packages)
    for asked in ({"device": "gpu"}, {"engine": "cuml"}, {"device": "gpu", "engine": "cuml"}):
        with pytest.raises(DeviceError) as failed:
            backend.pick(Settings(**asked))
        assert says in str(failed.value) and "not available" in str(failed.value) and failed.value.exit_code == 4
    chosen = backend.pick(Settings())
    assert (chosen.device, chosen.engine) == ("cpu", "native")
    assert chosen.said().startswith("device auto: cpu, because ") and says in chosen.said()


def test_no_compiler_for_kernels(machine, monkeypatch):
    def check(_):
        raise RuntimeError("libNVVM is not available\n")

    machine(**full())
    monkeypatch.setattr(cuda, "check_compiler", check)
    with pytest.raises(
        DeviceError, match=r"'gpu' is not available: numba-cuda cannot be used \(libNVVM is not available\); use device"
    ):
        backend.pick(Settings(device="gpu"))


def test_cupy_that_cannot_compile(machine):
    def arange(_):
        raise RuntimeError("CuPy failed to load libnvrtc.so.13: cannot open shared object file\n")

    packages = full()
    packages["cupy"].arange = arange
    machine(**packages)
    with pytest.raises(
        DeviceError, match=r"CuPy cannot compute on the Double H100 \(CuPy failed to load libnvrtc"
    ) as it:
        backend.pick(Settings(device="gpu"))
    assert it.value.exit_code == 4
    assert_doctor_says("CuPy cannot compute on the Double H100 (CuPy failed to load")


@pytest.mark.parametrize(
    ("launch", "says"),
    [
        (fails_to_link, "ERROR_OUTDATED_LIBRARY (14) nvJitLink error log: may need newer version of nvJitLink"),
        (lambda *_: None, "a kernel that was to write a number has not"),
    ],
)
def test_a_compiler_whose_kernels_do_not_run(machine, monkeypatch, launch, says):
    """As where PyTorch asks for an nvJitLink of its own that is older than libNVVM: found before a run begins."""
    check = cuda.check_compiler
    machine(**full())
    monkeypatch.setattr(cuda, "check_compiler", check)
    monkeypatch.setattr(cuda.cuda, "implementation", "NVIDIA", raising=False)
    monkeypatch.setattr(cuda, "launch", launch)
    with pytest.raises(DeviceError) as failed:
        backend.pick(Settings(device="gpu"))
    assert f"numba-cuda cannot be used ({says}); use device" in str(failed.value) and failed.value.exit_code == 4
    assert_doctor_says(f"numba-cuda cannot be used ({says})")


def test_a_compiler_whose_kernels_run(machine, monkeypatch):
    check = cuda.check_compiler
    machine(**full())
    monkeypatch.setattr(cuda, "check_compiler", check)
    monkeypatch.setattr(cuda.cuda, "implementation", "NVIDIA", raising=False)
    monkeypatch.setattr(cuda, "launch", lambda *args: args[-1].fill(1))
    assert backend.pick(Settings(device="gpu")).device == "gpu"


def test_numba_cuda_that_is_not_in_use(machine, monkeypatch):
    """As in a folder of PYTHONPATH, where its .pth file is not read."""
    check = cuda.check_compiler
    machine(**full())
    monkeypatch.setattr(cuda, "check_compiler", check)
    monkeypatch.setattr(cuda.cuda, "implementation", "Built-in", raising=False)
    with pytest.raises(
        DeviceError, match=r"numba-cuda cannot be used \(numba.cuda is Numba's own; .* site-packages\); use"
    ):
        backend.pick(Settings(device="gpu"))
    assert_doctor_says("numba-cuda cannot be used (numba.cuda is Numba's own")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            {"device": "gpu", "engine": "sklearn"},
            "device 'gpu' is not available: engine 'sklearn' computes on the CPU; ",
        ),
        (
            {"device": "cpu", "engine": "cuml"},
            "engine 'cuml' is not available: it computes on a GPU, and device 'cpu' was ",
        ),
    ],
)
def test_no_gpu_is_looked_for_where_none_would_do(machine, asked, says, monkeypatch):
    machine(**full())
    for name in ("gpu", "gpu_that_compiles", "cuml_missing"):
        monkeypatch.setattr(backend, name, None)
    with pytest.raises(DeviceError) as failed:
        backend.pick(Settings(**asked))
    assert str(failed.value).startswith(says)


@pytest.mark.parametrize("asked", [{"device": "gpu"}, {"engine": "cuml"}])
def test_another_stream_than_the_default_one_is_refused(machine, asked):
    """Kernels would run beside the arrays of that stream, not after them."""
    packages = full()
    machine(**packages)
    for number in (0, 1, 2):  # the default one, and by their own names the legacy one and a thread's
        packages["cupy"].cuda.get_current_stream = lambda number=number: SimpleNamespace(ptr=number)
        assert backend.pick(Settings(**asked)).device == "gpu"
    packages["cupy"].cuda.get_current_stream = lambda: SimpleNamespace(ptr=0x55D0)
    with pytest.raises(UsageError, match=r"works on CUDA's default stream, .* outside of its `with` block"):
        backend.pick(Settings(**asked))


def test_the_gpu_that_is_named_is_the_one_that_works(machine):
    packages = full() | {"cupy": doubles.cupy_with(2)}
    machine(**packages)
    for number, name in enumerate(("Double H100", "Double L4")):  # as within `with cupy.cuda.Device(1)`
        packages["cupy"].cuda.runtime.getDevice = lambda number=number: number
        assert f"on the {name}" in backend.pick(Settings(device="gpu")).note


def test_cuml_alone_is_missing(machine):
    machine(**without("cuml"))
    with pytest.raises(DeviceError, match="engine 'cuml' is not available: cuML is not installed"):
        backend.pick(Settings(engine="cuml"))
    assert backend.pick(Settings(device="gpu")).engine == "native"


UNLOADABLE = [
    ImportError("libcudf.so"),
    RuntimeError("libcufile.so.0\n  looked in:\n  /usr/lib"),
    OSError("libnvJitLink"),
]


@pytest.mark.parametrize("error", UNLOADABLE)
def test_what_cannot_be_loaded(machine, monkeypatch, error):
    def load(name):
        if name in ("cudf", "cuml"):
            raise error
        return __import__(name)

    machine(**full())
    monkeypatch.setattr(backend, "import_module", load)
    world = random_world(0)
    result = gpu_clusters.rank(world.patents, device="gpu", **world.settings)
    said = str(error).splitlines()[0]
    assert f"cuDF cannot be loaded ({said}); patents read by the CPU" in result.manifest["note"]
    with pytest.raises(DeviceError, match=re.escape(f"cuML cannot be loaded ({said}); use device")) as failed:
        backend.pick(Settings(engine="cuml"))
    assert failed.value.exit_code == 4
    with pytest.raises(DeviceError, match="needs cuDF"):
        backend.frames("gpu")


def test_auto_takes_no_gpu_that_was_not_asked_for(machine):
    machine(**full())
    chosen = backend.pick(Settings())
    assert (chosen.device, chosen.engine) == ("cpu", "native")
    assert (
        chosen.note
        == f"device auto: cpu, because the Double H100 must be asked for with device 'gpu': {backend.NOT_RUN}"
    )
    assert backend.pick(Settings(device="cpu")).note == ""


@pytest.mark.parametrize(
    ("asked", "engine"),
    [({"device": "gpu"}, "native"), ({"engine": "cuml"}, "cuml"), ({"device": "gpu", "engine": "cuml"}, "cuml")],
)
def test_a_gpu_that_is_asked_for(machine, asked, engine):
    machine(**full())
    chosen = backend.pick(Settings(**asked))
    assert (chosen.device, chosen.engine) == ("gpu", engine)
    for words in ("on the Double H100", backend.ON_GPU, backend.ELSEWHERE, backend.NOT_RUN):
        assert words in chosen.note
    problem = towns()
    for found, expected in zip(chosen.cluster(problem), naive.cluster(problem), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("engine", ["native", "cuml"])
def test_worlds_through_the_dispatch(machine, engine):
    machine(**full())
    for seed in range(20):
        world = random_world(seed)
        tables = (world.patents, world.publications, world.deals)
        result = gpu_clusters.rank(*tables, device="gpu", engine=engine, **world.settings)
        assert_same(result, reference_rank(*tables, **world.settings))
        record = json.loads(json.dumps(result.manifest))
        assert (record["device"], record["engine"]) == ("gpu", engine) and backend.NOT_RUN in record["note"]


@pytest.mark.parametrize("more", [{}, {"cudf": doubles.cudf(), "cuspatial": doubles.cuspatial()}])
@pytest.mark.parametrize("engine", ["native", "cuml"])
def test_points_in_polygons_through_the_dispatch(machine, monkeypatch, engine, more):
    asked = []
    double = doubles.point_in_polygon
    monkeypatch.setattr(
        more.get("cuspatial"), "point_in_polygon", lambda *a: asked.append(1) or double(*a)
    ) if more else None
    machine(**full(), **more)
    monkeypatch.setattr(backend, "by_kernel", lambda xp, *args: (asked.append(xp.__name__), points_inside(*args))[1])
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(0, 4, (2, 300)).round(1)
    patents = pd.DataFrame({"doc_id": np.arange(300) // 2, "lon": lon, "lat": lat})
    deals = pd.DataFrame({"lon": lon[:50], "lat": lat[:50]})
    boxes = [shapely.box(0, 0, 1, 1), shapely.MultiPolygon([shapely.box(1, 0, 2, 4), shapely.box(3, 3, 4, 4)])]
    given = {"regions": gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=boxes, crs=4326), "names": None}
    expected = gpu_clusters.rank(patents, deals=deals, **given)
    found = gpu_clusters.rank(patents, deals=deals, device="gpu", engine=engine, **given)
    pd.testing.assert_frame_equal(found.ranking, expected.ranking, check_exact=True)
    assert set(asked) == ({1} if more and engine == "cuml" else {"cupy"})


def test_people_through_the_dispatch(machine, monkeypatch):
    raster = Plain(np.full((40, 40), 5.0), (0.1, 0, 0, 0, -0.1, 4)).array()
    places = {"members": [(1.0, 1.0), (2.5, 3.1)], "raster": raster, "area_degrees": 0.33}
    machine()
    expected = gpu_clusters.people_within(**places, device="cpu")
    assert gpu_clusters.people_within(**places) == expected > 0
    with pytest.raises(DeviceError, match="device 'gpu' is not available: CuPy is not installed"):
        gpu_clusters.people_within(**places, device="gpu")
    machine(**full())
    asked = []

    def gather(*args):
        asked.append(1)
        COUNTING.gather(*args)

    monkeypatch.setattr(totals, "counting", lambda _: COUNTING._replace(gather=gather))
    for where, times in (("auto", 0), ("cpu", 0), ("gpu", 1)):
        assert gpu_clusters.people_within(**places, device=where) == expected and len(asked) == times
    with pytest.raises(UsageError, match="hulls are summed on the CPU"):
        gpu_clusters.people_within(**places, boundary="hull", device="gpu")
    with pytest.raises(UsageError, match="device must be one of auto, cpu, gpu"):
        gpu_clusters.people_within(**places, device="cuda")


def test_people_on_a_full_device(machine, monkeypatch):
    machine(**full())

    def nothing(_):
        raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(totals, "counting", lambda _: COUNTING._replace(nothing=nothing))
    raster = Plain(np.ones((4, 4)), (1, 0, 0, 0, -1, 4)).array()
    with pytest.raises(DeviceMemoryError, match="full in step 'population'"):
        gpu_clusters.people_within([(1.0, 1.0)], raster, device="gpu")


def test_memory_is_kept_unless_the_user_has_said_how(machine, monkeypatch):
    for given, then in (
        ("CudaMemoryResource", "CudaAsyncMemoryResource"),
        ("PoolMemoryResource", "PoolMemoryResource"),
    ):
        rmm = doubles.rmm(given)
        machine(**full(), rmm=rmm)
        backend.pick(Settings())
        assert type(rmm.mr.get_current_device_resource()).__name__ == given
        for _ in range(2):
            backend.pick(Settings(device="gpu"))
            assert type(rmm.mr.get_current_device_resource()).__name__ == then

    def refuse(*_):
        raise MemoryError("std::bad_alloc: operation not supported")

    for name in ("__init__", "allocate"):  # an old driver, and a virtual machine
        rmm = doubles.rmm()
        monkeypatch.setattr(rmm.mr.CudaAsyncMemoryResource, name, refuse)
        machine(**full(), rmm=rmm)
        assert backend.pick(Settings(device="gpu")).device == "gpu"
        assert type(rmm.mr.get_current_device_resource()).__name__ == "CudaMemoryResource"


def test_old_cuml_and_a_large_island(machine):
    for version, most in (("25.04.00", 4_194_240), ("26.02.01", 4_194_240), ("26.04.00", float("inf"))):
        machine(**full(version))
        chosen = backend._by_cuml(ON_CPU, [])
        assert chosen.keywords["most_rows"] == most


def test_every_step_of_a_run_is_named(machine, monkeypatch):
    def full_memory(*_):
        raise MemoryError("std::bad_alloc")

    machine(**full())
    patents = random_world(0).patents
    monkeypatch.setattr("gpu_clusters.pipeline.score_clusters", full_memory)
    with pytest.raises(DeviceMemoryError, match="full in step 'score'"):
        gpu_clusters.rank(patents, device="gpu")
    with pytest.raises(MemoryError, match=r"^std::bad_alloc$"):
        gpu_clusters.rank(patents, device="cpu")


def test_doctor_says_what_would_run_where(machine):
    from gpu_clusters_cli.doctor import diagnosis

    machine(**full())
    found = diagnosis()
    assert "Double H100" in found["devices"]["gpu"] and backend.NOT_RUN in found["devices"]["gpu"]
    assert found["engines"]["native"] == "available (cpu, gpu)" and backend.NOT_RUN in found["engines"]["cuml"]
    machine()
    assert_doctor_says("CuPy is not installed")
