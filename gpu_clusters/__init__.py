"""Find and rank the world's innovation clusters, exactly and fast, and ask how much a ranking owes to its parameters."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gpu_clusters.compiled import keep_kernels

if TYPE_CHECKING:
    from gpu_clusters.editions import Comparison, compare
    from gpu_clusters.errors import DeviceError, GpuClustersError, InputError, UsageError
    from gpu_clusters.estimator import WeightedDBSCAN
    from gpu_clusters.geocoding.table import geocode
    from gpu_clusters.people import people_in_polygons, people_within
    from gpu_clusters.pipeline import rank
    from gpu_clusters.result import Result
    from gpu_clusters.settings import Settings
    from gpu_clusters.sources.convert import convert
    from gpu_clusters.sweeps.result import SweepResult
    from gpu_clusters.sweeps.run import sweep

keep_kernels()

_HOME = {
    "Comparison": "editions",
    "DeviceError": "errors",
    "GpuClustersError": "errors",
    "InputError": "errors",
    "Result": "result",
    "Settings": "settings",
    "SweepResult": "sweeps.result",
    "UsageError": "errors",
    "WeightedDBSCAN": "estimator",
    "compare": "editions",
    "convert": "sources.convert",
    "geocode": "geocoding.table",
    "people_in_polygons": "people",
    "people_within": "people",
    "rank": "pipeline",
    "sweep": "sweeps.run",
}

__all__ = [
    "Comparison",
    "DeviceError",
    "GpuClustersError",
    "InputError",
    "Result",
    "Settings",
    "SweepResult",
    "UsageError",
    "WeightedDBSCAN",
    "compare",
    "convert",
    "geocode",
    "people_in_polygons",
    "people_within",
    "rank",
    "sweep",
]


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: the command line starts without loading all of them."""
    if name == "__version__":
        from importlib.metadata import version

        return version("gpu-clusters")
    if name in _HOME:
        return getattr(import_module(f"gpu_clusters.{_HOME[name]}"), name)
    raise AttributeError(f"module 'gpu_clusters' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
