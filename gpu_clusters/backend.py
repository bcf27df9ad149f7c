"""The one place that decides which device and which engine do the work."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from gpu_clusters.engines.protocol import Engine
from gpu_clusters.errors import DeviceError, UsageError
from gpu_clusters.settings import Settings


class Backend(NamedTuple):
    """Device and engine of a run, by name, and the engine's function; ``note`` says why, where that is not plain."""

    device: str
    engine: str
    cluster: Engine
    note: str


def pick(settings: Settings) -> Backend:
    """Choose device and engine.

    Raises
    ------
    DeviceError
        A device or an engine that was asked for is not there. Only ``auto`` falls back, and says so in ``note``.
    """
    if settings.device == "gpu" or settings.engine == "cuml":
        asked = "device 'gpu'" if settings.device == "gpu" else "engine 'cuml'"
        raise DeviceError(
            f"{asked} is not available: {gpu_state()}; use device 'auto' or 'cpu' with engine 'native' or 'sklearn'"
        )
    note = f"device auto: cpu, because {gpu_state()}" if settings.device == "auto" else ""
    if settings.engine == "sklearn":
        from gpu_clusters.engines.sklearn import cluster as by_sklearn

        return Backend("cpu", "sklearn", by_sklearn, note)
    from gpu_clusters.engines.native import cluster as by_kernels

    return Backend("cpu", "native", by_kernels, note)


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
        return import_module("cudf")
    except ImportError as error:
        raise DeviceError(f"device 'gpu' needs cuDF, which cannot be used ({error}); use device 'cpu'") from error


def gpu_state() -> str:
    """Why no GPU is used, in words that end a sentence."""
    if find_spec("cupy") is None:
        return "this version computes on the CPU only, and CuPy is not installed either"
    return "this version computes on the CPU only"
