"""Shared by all tests: where the real tables are, if they are there, and what needs a GPU."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from program import Program, address_table, good

if TYPE_CHECKING:
    import gpu_clusters
    from gpu_clusters.report.contents import Contents

SHARED = Path(os.environ.get("GPU_CLUSTERS_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Program:
    """The command line program, in an empty folder."""
    return Program(monkeypatch, capsys, tmp_path)


@pytest.fixture
def mixed_files(tmp_path: Path) -> None:
    """In the test's folder p.parquet, patents with a year, q.csv, publications, and d.parquet, deals."""
    address_table(year=2020).to_parquet(tmp_path / "p.parquet")
    address_table().to_csv(tmp_path / "q.csv", index=False)
    good("deals").to_parquet(tmp_path / "d.parquet")


@pytest.fixture
def good_files(tmp_path: Path) -> None:
    """In the test's folder patents.parquet, publications.parquet and deals.parquet."""
    for table in ("patents", "publications", "deals"):
        good(table).to_parquet(tmp_path / f"{table}.parquet")


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy on the way to this machine, and no token of a service from outside."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("ARCGIS_TOKEN", raising=False)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real patents, publications and deals; skips where it is missing."""
    folder = SHARED / "data" / "real"
    if not folder.is_dir():
        pytest.skip("the real tables are not here")
    return folder


@pytest.fixture(scope="session")
def some_files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options of ``rank`` that name files of addresses and deals in six cities, enough to take a moment."""
    import numpy as np
    import pandas as pd

    folder, rng = tmp_path_factory.mktemp("some"), np.random.default_rng(7)
    options = ["--density", "30"]
    for table, rows in (("patents", 3_000), ("publications", 15_000), ("deals", 200)):
        city = rng.integers(0, 6, rows)
        lon = np.array([-122.3, -0.1, 2.3, 77.6, 139.7, 178.4])[city] + rng.normal(0, 0.1, rows).round(3)
        lat = np.array([37.6, 51.5, 48.9, 13.0, 35.7, -18.1])[city] + rng.normal(0, 0.1, rows).round(3)
        columns = {
            "doc_id": np.arange(rows) // 3,
            "lon": lon,
            "lat": lat,
            "country": "GB",
            "organization": "Université",
        }
        pd.DataFrame(columns).to_parquet(folder / f"{table}.parquet")
        options += [f"--{table}", str(folder / f"{table}.parquet")]
    return options


@pytest.fixture(scope="module")
def found() -> gpu_clusters.Result:
    """The small result that reports are tried on."""
    from reports import result

    return result()


@pytest.fixture(scope="module")
def contents(found: gpu_clusters.Result, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a report on that result shows, with a sweep."""
    from reports import contents_of

    return contents_of(found, tmp_path_factory.mktemp("contents"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``-m gpu`` read the files that have such tests alone: the others need packages that a machine with a GPU may lack."""
    if config.option.markexpr != "gpu" or collection_path.suffix != ".py":
        return None
    return None if "mark.gpu" in collection_path.read_text(encoding="utf-8") else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked ``gpu`` where there is no GPU."""
    if any("gpu" in item.keywords for item in items):
        with warnings.catch_warnings(action="ignore"):  # a warning is no reason to skip
            try:
                import cupy

                missing = not cupy.cuda.is_available()
            except Exception:  # what cannot be loaded fails in many ways
                missing = True
        for item in items:
            if missing and "gpu" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no NVIDIA GPU"))
