"""Parallel kernels run in one thread at a time, whatever is called: two would end the process with one of numba's layers."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from numba.core.registry import CPUDispatcher
from rasters import Plain
from shapely import box

from gpu_clusters import WeightedDBSCAN, people_within, rank, sweep
from gpu_clusters.compiled import one_thread_at_a_time
from gpu_clusters.steps.inside import points_inside

RNG = np.random.default_rng(0)
PLACES = (np.repeat(RNG.normal(scale=0.3, size=(8, 2)), 50, axis=0) + RNG.normal(scale=0.03, size=(400, 2))).round(3)
TABLE = pd.DataFrame({"doc_id": np.arange(400) // 2, "lon": PLACES[:, 0], "lat": PLACES[:, 1]})
DEALS = TABLE[["lon", "lat"]][::20]
CELLS = Plain(np.ones((200, 200)), (0.01, 0, -1, 0, -0.01, 1)).array()
SETTING, GRID = {"radius_km": 4, "density": 4}, {"radius_km": [4, 8], "density": [4, 9]}
CALLS = {
    "rank": lambda _: rank(TABLE, TABLE, DEALS, population=CELLS, **SETTING),
    "rank with outlines": lambda _: rank(TABLE, None, DEALS, population=CELLS, boundary="concave", **SETTING),
    "rank in a plane": lambda _: rank(TABLE, crs="EPSG:6933", **SETTING),
    "rank by scikit-learn": lambda _: rank(TABLE, engine="sklearn", **SETTING),
    "sweep": lambda _: sweep(TABLE, deals=DEALS, check=1, merge=True, **GRID),
    "files of a sweep": lambda folder: sweep(TABLE, deals=DEALS, **GRID).write(folder, labels=True, pictures=False),
    "labels": lambda _: sweep(TABLE, **GRID).labels(4, 4),
    "people": lambda _: people_within(PLACES, CELLS),
    "estimator": lambda _: WeightedDBSCAN(radius_km=4, threshold=4).fit(PLACES),
}


def another_thread_may_enter() -> bool:
    if not one_thread_at_a_time.acquire(blocking=False):
        return False
    one_thread_at_a_time.release()
    return True


@pytest.mark.parametrize("name", CALLS)
def test_parallel_kernels_run_in_one_thread_at_a_time(name, tmp_path, monkeypatch):
    called, alone = [], []
    CALLS[name](tmp_path / "compiled")  # kernels cannot be compiled with others that are replaced
    with ThreadPoolExecutor(1) as other:

        def watched(kernel):
            def run(*given):
                called.append(kernel.__name__)
                if not other.submit(another_thread_may_enter).result():
                    alone.append(kernel.__name__)
                return kernel(*given)

            return run

        for module in [module for at, module in sys.modules.items() if at.startswith("gpu_clusters.")]:
            for key, value in list(vars(module).items()):
                if isinstance(value, CPUDispatcher) and value.targetoptions.get("parallel"):
                    monkeypatch.setattr(module, key, watched(value))
        CALLS[name](tmp_path / "watched")
    assert called and alone == called


@pytest.mark.parametrize("given", [{"regions": [box(-1, -1, 0, 1), box(0, -1, 1, 1)]}, {"boundary": "hull"}])
def test_points_are_looked_up_in_polygons_in_one_thread_at_a_time(given, monkeypatch):
    """Regions may be given to two threads, which would crash if both made GEOS's index of a polygon."""
    entered = []
    with ThreadPoolExecutor(1) as other:

        def watched(*polygons_and_points):
            entered.append(other.submit(another_thread_may_enter).result())
            return points_inside(*polygons_and_points)

        monkeypatch.setattr("gpu_clusters.backend.points_inside", watched)
        rank(TABLE, None, DEALS, population=CELLS, **given, **SETTING)
    assert entered and not any(entered)
