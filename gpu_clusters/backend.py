"""The one place that decides which device and which engine do the work, and that knows the packages for GPUs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from gpu_clusters.engines import counting, levels
from gpu_clusters.engines.inside import by_cuspatial, by_kernel
from gpu_clusters.engines.native import Kernels, cluster
from gpu_clusters.engines.protocol import Engine
from gpu_clusters.errors import DeviceError, DeviceMemoryError, UsageError, first_line
from gpu_clusters.io import read_addresses
from gpu_clusters.io.device import read_addresses as read_on_gpu
from gpu_clusters.io.model import Addresses, TableRead
from gpu_clusters.kernels.areas import nearest_members
from gpu_clusters.kernels.gaps import close_pairs
from gpu_clusters.settings import Settings
from gpu_clusters.steps.inside import Inside, points_inside
from gpu_clusters.steps.merge import ClosePairs
from gpu_clusters.steps.overlay import Nearest

ON_GPU = "locations, clusters, merging, areas, points in polygons, people, counts"
SWEPT_ON_GPU = "clusters of all densities, sums over them, nearest members of deals"
ELSEWHERE = "all other steps on the CPU"
NOT_RUN = "no GPU had run this version when it was made (docs/gpu.md)"
OTHERS = "use device 'auto' or 'cpu' with engine 'native' or 'sklearn'"
# CUDA's numbers; kernels run on the default stream, and would not wait for arrays of another
DEFAULT_STREAMS = (0, 1, 2)


class Backend(NamedTuple):
    """Device and engine of a run, by name, and what they do; ``note`` says why, where that is not plain.

    ``remarks`` is what the engine had to say, once it has run. ``hierarchy`` is for sweeps.
    """

    device: str
    engine: str
    read: Callable[..., TableRead[Addresses]]
    cluster: Engine
    close: ClosePairs
    nearest: Nearest
    inside: Inside
    counting: counting.Counting
    hierarchy: levels.Kernels
    note: str
    remarks: list[str]

    def said(self) -> str:
        """Note and remarks in one text, for the manifest."""
        return "; ".join([self.note, *self.remarks] if self.note else self.remarks)

    def step(self, name: str) -> AbstractContextManager[None]:
        """What a step of a run is done in: on a GPU its name is told if memory is full."""
        return on_gpu(name) if self.device == "gpu" else nullcontext()


class Gpu(NamedTuple):
    """The GPU: its name, or in words that end a sentence what is missing."""

    name: str
    missing: str


def pick(settings: Settings, on_gpu: str = ON_GPU) -> Backend:
    """Choose device and engine; a GPU would do what ``on_gpu`` says.

    ``auto`` stays on the CPU, even where there is a GPU, until the GPU's path has been run on one; a GPU must be asked for.

    Raises
    ------
    DeviceError
        A device or an engine that was asked for is not there. Only ``auto`` falls back, and says so in ``note``.
    """
    if settings.device == "gpu" or settings.engine == "cuml":
        return _on_gpu(settings, on_gpu)
    note = f"device auto: cpu, because {why_cpu()}" if settings.device == "auto" else ""
    if settings.engine == "sklearn":
        from gpu_clusters.engines.sklearn import cluster as by_sklearn

        return _on_cpu("sklearn", by_sklearn, note)
    return _on_cpu("native", cluster, note)


def _on_cpu(engine: str, run: Engine, note: str) -> Backend:
    given = (read_addresses, run, close_pairs, nearest_members, points_inside, counting.ON_CPU, levels.ON_CPU)
    return Backend("cpu", engine, *given, note, [])


def gpu() -> Gpu:
    """The GPU that would be used."""
    for package, name in (("cupy", "CuPy"), ("numba_cuda", "numba-cuda")):
        if find_spec(package) is None:
            return Gpu("", f"{name} is not installed (docs/gpu.md says how)")
    try:
        import cupy
    except Exception as error:  # what is built for other libraries fails in many ways
        return Gpu("", f"CuPy cannot be loaded ({first_line(error)})")
    runtime = cupy.cuda.runtime
    try:
        if runtime.getDeviceCount():  # of several, CuPy's current one does the work, for all packages
            return Gpu(runtime.getDeviceProperties(runtime.getDevice())["name"].decode(), "")
    except runtime.CUDARuntimeError as error:
        return Gpu("", f"CuPy finds no NVIDIA GPU ({error})")
    return Gpu("", "CuPy finds no NVIDIA GPU")


def gpu_that_compiles() -> Gpu:
    """The GPU that would be used, if kernels can be compiled for it."""
    found = gpu()
    if found.missing:
        return found
    try:
        import cupy

        int((cupy.arange(2) + 1).sum())
    except Exception as error:  # without NVRTC, without CUDA's headers, on a GPU that is too old or in use
        return Gpu("", f"CuPy cannot compute on the {found.name} ({first_line(error)})")
    try:
        from gpu_clusters.engines import cuda

        cuda.check_compiler(cupy)
    except Exception as error:
        return Gpu("", f"numba-cuda cannot be used ({first_line(error)})")
    return found


def cuml_missing() -> str:
    """Why engine ``cuml`` cannot be used, in words that end a sentence; nothing if it can."""
    return gpu_that_compiles().missing or ("" if find_spec("cuml") else "cuML is not installed (docs/gpu.md says how)")


def why_cpu() -> str:
    """Why ``auto`` takes no GPU, in words that end a sentence."""
    found = gpu()
    return found.missing or f"the {found.name} must be asked for with device 'gpu': {NOT_RUN}"


def _on_gpu(settings: Settings, work: str) -> Backend:
    asked = "engine 'cuml'" if settings.engine == "cuml" else "device 'gpu'"
    if settings.engine == "sklearn":
        missing = "engine 'sklearn' computes on the CPU"
    elif settings.device == "cpu":
        missing = "it computes on a GPU, and device 'cpu' was asked for"
    else:
        missing = cuml_missing() if settings.engine == "cuml" else gpu_that_compiles().missing
    if missing:
        raise DeviceError(f"{asked} is not available: {missing}; {OTHERS}")
    import cupy

    if cupy.cuda.get_current_stream().ptr not in DEFAULT_STREAMS:
        raise UsageError(
            f"{asked} works on CUDA's default stream, and CuPy's current one is another: call outside of its `with` block"
        )

    from gpu_clusters.engines import areas
    from gpu_clusters.engines.device import kernels
    from gpu_clusters.engines.hierarchy import kernels as of_levels
    from gpu_clusters.engines.totals import counting as on_device

    made, remarks = kernels(cupy), list[str]()
    if settings.engine == "cuml":
        engine, run = "cuml", _by_cuml(made, remarks)
    else:
        engine, run = "native", partial(cluster, kernels=made)
    inside = _by_cuspatial() if engine == "cuml" and find_spec("cuspatial") else partial(by_kernel, cupy)
    read = partial(read_on_gpu, _cudf(remarks), cupy, remark=remarks.append)
    note = f"on the {gpu().name}: {work}; {ELSEWHERE}; {NOT_RUN}"
    pool_memory()
    close, nearest = (partial(function, cupy) for function in (areas.close_pairs, areas.nearest_members))
    given = (read, run, close, nearest, inside, on_device(cupy), of_levels(cupy))
    return Backend("gpu", engine, *given, note, remarks)


def _cudf(remarks: list[str]) -> Any:
    """cuDF; None where it cannot be had, and the CPU reads."""
    try:
        return import_module("cudf")
    except Exception as error:  # a library that is missing or too old is a RuntimeError, an OSError, ...
        if not isinstance(error, ModuleNotFoundError):
            remarks.append(f"cuDF cannot be loaded ({first_line(error)})")
        return None


def pool_memory() -> None:
    """Let RMM keep the memory that is given back, if it is in use and nobody has told it where to take memory from.

    cuDF and cuML make CuPy take its memory through RMM, which by itself asks the driver for each array: that waits for the GPU.
    """
    try:
        rmm = sys.modules["rmm"]
        if type(rmm.mr.get_current_device_resource()) is rmm.mr.CudaMemoryResource:
            pool = rmm.mr.CudaAsyncMemoryResource()
            pool.deallocate(pool.allocate(256), 256)  # virtual machines may have no such pools
            rmm.mr.set_current_device_resource(pool)
    except Exception:
        pass  # slower, and no less right


def _by_cuml(kernels: Kernels, remarks: list[str]) -> Engine:
    from gpu_clusters.engines.cuml import MOST_ROWS, cluster

    try:
        cuml = import_module("cuml")
    except Exception as error:
        raise DeviceError(
            f"engine 'cuml' is not available: cuML cannot be loaded ({first_line(error)}); {OTHERS}"
        ) from error

    release = tuple(int(part) for part in cuml.__version__.split(".")[:2])
    most = float("inf") if release >= (26, 4) else MOST_ROWS
    return partial(cluster, kernels=kernels, dbscan=cuml.DBSCAN, remark=remarks.append, most_rows=most)


def _by_cuspatial() -> Inside:
    import cudf
    import cuspatial

    return partial(by_cuspatial, cuspatial, cudf.Series)


@contextmanager
def nothing_swallowed() -> Iterator[None]:
    """Raise a lack of memory that a library swallows, after what is done within.

    CuPy before 14.1 only tells of it where the space for a sort is missing, and goes on with wrong numbers.
    """
    swallowed: list[BaseException] = []
    before = sys.unraisablehook

    def keep(said: sys.UnraisableHookArgs) -> None:
        if said.exc_value is not None and _is_full(said.exc_value):
            swallowed.append(said.exc_value)
        else:
            before(said)

    sys.unraisablehook = keep
    try:
        yield
    except Exception as error:
        if swallowed:
            raise swallowed[0] from error
        raise
    finally:
        sys.unraisablehook = before
    if swallowed:
        raise swallowed[0]


@contextmanager
def on_gpu(step: str) -> Iterator[None]:
    """A step whose error says what to do when the GPU's memory is full."""
    try:
        with nothing_swallowed():
            yield
    except Exception as error:
        if not _is_full(error):
            raise
        raise DeviceMemoryError(
            f"the GPU's memory is full in step {step!r} ({error}): end other programs that use the GPU, take engine "
            "'native', or use device 'cpu'"
        ) from error


def _is_full(error: Any) -> bool:
    """CuPy and RMM raise kinds of MemoryError, the driver and raft name it; NumPy's and Arrow's are about the host's memory."""
    if isinstance(error, MemoryError):
        return not type(error).__module__.startswith(("numpy", "pyarrow"))
    return any(words in str(error).lower() for words in ("out_of_memory", "out of memory", "bad_alloc"))


def frames(device: str) -> Any:
    """The library of data frames for work that takes either: pandas, on a GPU cuDF.

    Raises
    ------
    DeviceError
        cuDF is not installed.
    """
    if device not in ("cpu", "gpu"):
        raise UsageError(f"device must be cpu or gpu here, not {device!r}")
    if device == "cpu":
        return import_module("pandas")
    try:
        found = import_module("cudf")
    except Exception as error:
        raise DeviceError(
            f"device 'gpu' needs cuDF, which cannot be used ({first_line(error)}); use device 'cpu'"
        ) from error
    pool_memory()
    return found
