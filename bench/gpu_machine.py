"""What a check of the GPU's path runs on: the kernels, the clock, the memory."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gpu_clusters.backend import gpu, pool_memory
from gpu_clusters.engines.inside import by_cuspatial, by_kernel


class Machine:
    """The kernels to measure, how to wait for them, and how much device memory they took."""

    def __init__(self, with_cuml: bool = False) -> None:
        if gpu().missing:
            raise SystemExit(gpu().missing)
        import cupy

        from gpu_clusters.engines import device, hierarchy, totals

        self.name, self.cupy = gpu().name, cupy
        self.kernels, self.levels = device.kernels(cupy), hierarchy.kernels(cupy)
        self.counting = totals.counting(cupy)
        self.wait = cupy.cuda.runtime.deviceSynchronize
        self.dbscan: Any = None
        self.no_cuml: str | dict[str, str] = "cuML is not installed"
        if with_cuml:
            try:
                import cuml

                self.dbscan = cuml.DBSCAN
                pool_memory()
            except Exception as error:  # missing, or built for other libraries
                print(f"no cuML: {error}", flush=True)
                if not isinstance(error, ModuleNotFoundError) or error.name != "cuml":
                    self.no_cuml = {"failed": f"cuML cannot be loaded: {error}"}

    def frames(self) -> tuple[Any, Any]:
        """What reads tables, and whose arrays these then have: cuDF, None where it cannot be had, and CuPy."""
        try:
            import cudf

            pool_memory()
        except Exception as error:
            print(f"no cuDF: {error}", flush=True)
            cudf = None
        return cudf, self.cupy

    def areas(self) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
        """What finds nearest members and close pairs of clusters, and what moves an array to the device."""
        from gpu_clusters.engines import areas

        return partial(areas.nearest_members, self.cupy), partial(areas.close_pairs, self.cupy), self.cupy.asarray

    def insides(self) -> dict[str, Callable[..., Any]]:
        """What finds points in polygons."""
        found: dict[str, Callable[..., Any]] = {"native": partial(by_kernel, self.cupy)}
        with contextlib.suppress(Exception):
            import cudf
            import cuspatial

            found["cuspatial"] = partial(by_cuspatial, cuspatial, cudf.Series)
        return found

    def peak_gib(self, work: Callable[[], Any]) -> tuple[Any, float]:
        """What ``work`` returns, and the most device memory that it held besides what was held before.

        RMM counts, where cuDF or cuML make CuPy use it; else the device's used memory is looked at every 2 ms.
        """
        if "rmm" in sys.modules:
            from rmm.statistics import get_statistics, statistics

            with statistics():
                return work(), get_statistics().peak_bytes / 2**30
        self.cupy.get_default_memory_pool().free_all_blocks()
        free = self.cupy.cuda.runtime.memGetInfo
        before, least, done = free()[0], [free()[0]], threading.Event()

        def watch() -> None:
            while not done.wait(0.002):
                least[0] = min(least[0], free()[0])

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return work(), (before - min(least[0], free()[0])) / 2**30
        finally:
            done.set()
            watcher.join()

    def timed(self, work: Callable[[], Any], repeat: int) -> list[float]:
        """Seconds of each run; the first is cold."""
        seconds = []
        for _ in range(repeat):
            self.wait()
            started = time.perf_counter()
            work()
            self.wait()
            seconds.append(round(time.perf_counter() - started, 6))
        return seconds
