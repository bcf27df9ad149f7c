"""Writing the files of a sweep."""

from __future__ import annotations

import io
import os
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.io.results import fingerprint, sources, write_csv, write_json, write_parquet
from gpu_clusters.schema import SWEEP_CLUSTERS
from gpu_clusters.staging import MANIFEST, new_folder

if TYPE_CHECKING:
    import xarray as xr

    from gpu_clusters.sweeps.result import SweepResult

TABLE_FILES = ("settings.csv", "clusters.parquet", "stability.csv", "sweep.nc", MANIFEST)
LABELS_FILE = "labels.parquet"
_KINDS = {"weighting": pa.dictionary(pa.int32(), pa.string()), "rank": pa.int64(), "baseline_cluster_id": pa.int64()}
CLUSTERS_TYPES = pa.schema([(name, _KINDS.get(name, pa.float64())) for name in SWEEP_CLUSTERS])


def write_sweep(result: SweepResult, out: str | os.PathLike[str], *, force: bool, labels: bool, pictures: bool) -> None:
    """Write all files of a sweep; see `SweepResult.write`."""
    started = perf_counter()
    with new_folder(out, force=force, sources=sources(result.manifest)) as folder:
        write_csv(result.settings, folder / "settings.csv")
        write_parquet(result.clusters, CLUSTERS_TYPES, folder / "clusters.parquet")
        write_csv(result.stability, folder / "stability.csv")
        write_cube(result.cube, folder / "sweep.nc")
        if labels:
            _write_labels(result, folder / LABELS_FILE)
        if pictures:
            from gpu_clusters.sweeps.page import write_page
            from gpu_clusters.sweeps.pictures import draw

            draw(result, folder)
            write_page(result, folder / "sweep.html")
        outputs = [fingerprint(path) for path in sorted(folder.iterdir())]
        timings = result.manifest["timings"] | {"write": round(perf_counter() - started, 4)}
        write_json(result.manifest | {"timings": timings, "outputs": outputs}, folder / MANIFEST)


def write_cube(cube: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a cube to a compressed NetCDF file, made in memory: HDF5 crashes where a disk is full."""
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    packed = {
        name: {"zlib": True, "complevel": 4} for name, layer in cube.data_vars.items() if layer.ndim and layer.size
    }
    made = io.BytesIO()
    with h5netcdf.File(made, "w") as file:
        cube.dump_to_store(H5NetCDFStore(file), encoding=packed)
    Path(path).write_bytes(made.getbuffer())


def _write_labels(result: SweepResult, path: Path) -> None:
    """``lon``, ``lat`` and the cluster of each location at every setting, a column each."""
    keys = list(result.settings[["weighting", "radius_km", "density"]].itertuples(index=False, name=None))
    several = len({key[0] for key in keys}) > 1
    columns: dict[str, pa.Array] = {}
    for weighting, radius, density in keys:
        found = result.labels(radius, density, weighting)
        columns.setdefault("lon", pa.array(found["lon"]))
        columns.setdefault("lat", pa.array(found["lat"]))
        name = f"radius_km={_short(radius)} density={_short(density)}" + (f" weighting={weighting}" if several else "")
        columns[name] = pa.array(found["cluster_id"].to_numpy(), pa.int32())
    pq.write_table(pa.table(columns), path, compression="zstd")


def _short(value: float) -> str:
    """A number in full, whole ones without a point."""
    return repr(value).removesuffix(".0")
