"""The result of a sweep: tables, a cube, and labels on demand."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.compiled import one_thread_at_a_time
from gpu_clusters.errors import UsageError
from gpu_clusters.schema import STABILITY, SWEEP_CLUSTERS, SWEEP_SETTINGS
from gpu_clusters.staging import new_files
from gpu_clusters.steps.score import share_of
from gpu_clusters.steps.single import Clusters
from gpu_clusters.sweeps.grid import Grid
from gpu_clusters.sweeps.names import names
from gpu_clusters.sweeps.study import Part, Study
from gpu_clusters.wording import counted, with_warnings

if TYPE_CHECKING:
    import xarray as xr

COUNTS = ("patents", "publications", "deals", "total_share")
TIMES = ("matched", "kept", "splits", "swallowed")
KEPT = 0.5  # likeness from which on a cluster counts as kept
UNITS = {
    "radius_km": "km",
    "patent_share": "percent",
    "publication_share": "percent",
    "deal_share": "percent",
    "baseline_total_share": "percent",
    "lon": "degrees_east",
    "lat": "degrees_north",
}  # of the cube, in the spelling of the CF conventions


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """Clusters, shares and ranks at every setting, and how they compare with the baseline.

    Attributes
    ----------
    settings : DataFrame
        One row a setting; columns of ``schema.SWEEP_SETTINGS``, shares in percent of the world.
    clusters : DataFrame
        One row a cluster of a setting, by rank; columns of ``schema.SWEEP_CLUSTERS``.
    stability : DataFrame
        One row a cluster of the baseline, by rank; columns of ``schema.STABILITY``. ``matched``, ``kept``, ``splits`` and
        ``swallowed`` are numbers of settings, ranks are over those in which it is matched. ``robustness`` is its mean likeness
        over all settings: the weight that it shares with its match, divided by the weight of both together (Jaccard's index),
        0 where it has none. It is *kept* where that is at least a half.
    cube : xarray.Dataset
        The same on the dimensions ``radius_km``, ``density`` and ``cluster`` (those of the baseline, by ``cluster_id``), and
        ``weighting`` if there are several.
    manifest : dict
        Settings, inputs, versions, timings in seconds, and ``warnings`` (texts, which the program prints and Python does not).
    """

    settings: pd.DataFrame
    clusters: pd.DataFrame
    stability: pd.DataFrame
    cube: xr.Dataset
    manifest: dict[str, Any]
    _study: Study
    _grid: Grid

    def __repr__(self) -> str:
        settings, clusters = counted(len(self.settings), "setting"), counted(len(self.stability), "cluster")
        return with_warnings(f"SweepResult: {settings}, {clusters} of the baseline", self.manifest.get("warnings", []))

    def labels(self, radius_km: float, density: float, weighting: str | None = None) -> pd.DataFrame:
        """The cluster of each location at a setting of the grid.

        Parameters
        ----------
        radius_km, density : float
            Values of the grid.
        weighting : str, optional
            One of the sweep's weightings; its first where left out.

        Returns
        -------
        DataFrame
            ``lon``, ``lat``, ``cluster_id``: 1, 2, ... by rank, -1 for noise; in (lat, lon) order.

        Raises
        ------
        UsageError
            The setting is not on the grid.
        """
        weighting = weighting or self._grid.weightings[0]
        axes = (self._grid.weightings, self._grid.radii, self._grid.densities)
        for name, value, axis in zip(
            ("weighting", "radius_km", "density"), (weighting, radius_km, density), axes, strict=True
        ):
            if value not in axis:
                raise UsageError(f"{name} {value!r} is not on the grid: there are {', '.join(map(str, axis))}")
        with one_thread_at_a_time:
            number = self._study.numbers(weighting, float(radius_km), float(density))
        found = self._study.inputs.located.locations
        return pd.DataFrame({"lon": found.lon, "lat": found.lat, "cluster_id": np.where(number >= 0, number + 1, -1)})

    def to_netcdf(self, path: str | PathLike[str]) -> None:
        """Write the cube to a NetCDF file, which appears whole or not at all.

        Parameters
        ----------
        path : path
            One that is there is replaced. ``xarray.open_dataset`` reads it.

        Raises
        ------
        UsageError
            It is a folder, or in a folder that is not there.
        GpuClustersError
            It cannot be written.
        """
        from gpu_clusters.sweeps.files import write_cube

        with new_files([path], force=True) as (file,):
            write_cube(self.cube, file)

    def write(
        self, out: str | PathLike[str], *, force: bool = False, labels: bool = False, pictures: bool = True
    ) -> None:
        """Write all files of the result into the folder ``out``: together, or none of them.

        Parameters
        ----------
        out : path
            Folder; made where it is missing.
        force : bool
            Replace what an earlier run left there.
        labels : bool
            Also write ``labels.parquet``: the cluster of each location at every setting, one column a setting.
        pictures : bool
            Also draw the maps of the grid, the rank intervals and the page with sliders.

        Raises
        ------
        UsageError
            The folder is not empty and ``force`` is false, or a file that the result is made from would be replaced or removed.
        GpuClustersError
            It cannot be written.
        """
        from gpu_clusters.sweeps.files import write_sweep

        write_sweep(self, out, force=force, labels=labels, pictures=pictures)


def collect(
    study: Study, grid: Grid, parts: dict[tuple[str, float], Part], clusters: Clusters, record: dict[str, Any]
) -> SweepResult:
    """Put all radii together; ``clusters`` are those of the baseline."""
    keys = [(weighting, radius) for weighting in grid.weightings for radius in grid.radii]
    ordered = [parts[key] for key in keys]
    settings = _settings_table(study, grid, keys, ordered)
    rows = _clusters_table(study, grid, keys, ordered)
    stability = _stability_table(study, ordered, clusters)
    if not settings["clusters"].any():
        record["warnings"].append("no cluster at any setting: try lower densities")
    if stability.empty:
        record["warnings"].append("no cluster at the baseline, so there is nothing to match: take another baseline")
    record["clusters"] = len(rows)
    return SweepResult(settings, rows, stability, _cube(grid, settings, stability, ordered), record, study, grid)


def _settings_table(study: Study, grid: Grid, keys: list[tuple[str, float]], parts: list[Part]) -> pd.DataFrame:
    shares = {}
    for name, total in zip(("patent", "publication", "deal"), study.inputs.totals, strict=True):
        sums = [_sums(getattr(part, f"{name}s"), part.start) for part in parts]
        shares[f"{name}_share"] = share_of(np.concatenate(sums), total)
    number = len(grid.densities)
    table = {
        "weighting": np.repeat([key[0] for key in keys], number),
        "radius_km": np.repeat([key[1] for key in keys], number),
        "density": np.tile(grid.densities, len(keys)),
        "clusters": np.concatenate([np.diff(part.start) for part in parts]),
        "core_locations": np.concatenate([part.core for part in parts]),
        "locations": np.concatenate([part.member for part in parts]),
        **shares,
        "matched": np.concatenate([part.matched for part in parts]),
        "adjusted_rand": np.concatenate([part.adjusted_rand for part in parts]),
        "kendall_tau": np.concatenate([part.kendall_tau for part in parts]),
    }
    return pd.DataFrame(table)[list(SWEEP_SETTINGS)]


def _sums(values: NDArray[np.float64], start: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum of each run of values."""
    return np.array([values[low:high].sum() for low, high in pairwise(start)])


def _clusters_table(study: Study, grid: Grid, keys: list[tuple[str, float]], parts: list[Part]) -> pd.DataFrame:
    sizes = [np.diff(part.start) for part in parts]
    each = [int(size.sum()) for size in sizes]
    counts = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("patents", "publications", "deals")
    }
    shares = [share_of(column, total) for column, total in zip(counts.values(), study.inputs.totals, strict=True)]
    match = np.concatenate([part.match for part in parts]).astype(np.int64)
    densest = np.concatenate([part.densest for part in parts])
    found = study.inputs.located.locations
    weightings = pd.Categorical.from_codes(
        np.repeat([grid.weightings.index(key[0]) for key in keys], each), list(grid.weightings)
    )
    table = {
        "weighting": weightings,
        "radius_km": np.repeat([key[1] for key in keys], each),
        "density": np.concatenate([np.repeat(grid.densities, size) for size in sizes]),
        "rank": np.concatenate([part.rank for part in parts]).astype(np.int64),
        **counts,
        "patent_share": shares[0],
        "publication_share": shares[1],
        "deal_share": shares[2],
        "total_share": shares[0] + shares[1] + shares[2],
        "baseline_cluster_id": np.where(match >= 0, match + 1, -1),
        "lon": found.lon[densest],
        "lat": found.lat[densest],
    }
    return pd.DataFrame({name: table[name] for name in SWEEP_CLUSTERS}, copy=False)  # there may be millions of rows


def _stability_table(study: Study, parts: list[Part], clusters: Clusters) -> pd.DataFrame:
    number = len(clusters.rank)
    rank = np.concatenate([part.baseline_rank for part in parts]).astype(np.float64)
    rank[rank == 0] = np.nan
    likeness = np.concatenate([part.likeness for part in parts])
    seen = ~np.isnan(rank)
    best, low, median, high, worst = np.full((5, number), np.nan)
    some = seen.any(axis=0)
    if some.any():
        best[some], low[some], median[some], high[some], worst[some] = np.nanquantile(
            rank[:, some], (0, 0.25, 0.5, 0.75, 1), axis=0
        )
    counts = (clusters.patents, clusters.publications, clusters.deals)
    shares = [share_of(column, total) for column, total in zip(counts, study.inputs.totals, strict=True)]
    found = study.inputs.located.locations
    lon, lat = found.lon[clusters.densest], found.lat[clusters.densest]
    table = {
        "cluster_id": np.arange(1, number + 1),
        "rank": clusters.rank,
        "label": names(study),
        "patents": clusters.patents,
        "publications": clusters.publications,
        "deals": clusters.deals,
        "total_share": shares[0] + shares[1] + shares[2],
        "best_rank": _whole(best),
        "quartile_1_rank": low,
        "median_rank": median,
        "quartile_3_rank": high,
        "worst_rank": _whole(worst),
        "matched": seen.sum(axis=0),
        "kept": (likeness >= KEPT).sum(axis=0),
        "splits": np.concatenate([part.split for part in parts]).sum(axis=0),
        "swallowed": np.concatenate([part.swallowed for part in parts]).sum(axis=0),
        "robustness": likeness.mean(axis=0),
        "lon": lon,
        "lat": lat,
    }
    return pd.DataFrame(table)[list(STABILITY)]


def _whole(values: NDArray[np.float64]) -> pd.Series:
    return pd.Series(values).astype("Int64")


def _cube(grid: Grid, settings: pd.DataFrame, stability: pd.DataFrame, parts: list[Part]) -> xr.Dataset:
    import xarray as xr

    shape = (len(grid.weightings), len(grid.radii), len(grid.densities))
    axes = ["weighting", "radius_km", "density"]
    data: dict[str, Any] = {
        name: (axes, settings[name].to_numpy().reshape(shape)) for name in SWEEP_SETTINGS if name not in axes
    }
    across = {"rank": "baseline_rank", "likeness": "likeness", "split": "split", "swallowed": "swallowed"}
    for name, of_part in across.items():
        values = np.concatenate([getattr(part, of_part) for part in parts]).reshape(*shape, len(stability))
        data[name] = ([*axes, "cluster"], values)
    data["kept"] = ([*axes, "cluster"], data["likeness"][1] >= KEPT)
    for name in STABILITY:
        if name not in ("cluster_id", "rank", "label", *TIMES):
            data[f"baseline_{name}" if name in COUNTS else name] = ("cluster", stability[name].astype(float).to_numpy())
    data["baseline_rank"] = ("cluster", stability["rank"].to_numpy())
    for name in TIMES:
        data[f"times_{name}"] = ("cluster", stability[name].to_numpy())
    coords = {
        "weighting": list(grid.weightings),
        "radius_km": list(grid.radii),
        "density": list(grid.densities),
        "cluster": stability["cluster_id"].to_numpy(),
        "label": ("cluster", stability["label"].to_numpy(dtype=str)),
    }
    cube = xr.Dataset(data, coords=coords)
    cube["rank"].attrs["long_name"] = "rank of the cluster that is matched to the baseline's, 0: none"
    cube["likeness"].attrs["long_name"] = "weight shared with the matched cluster in the weight of either"
    for name, units in UNITS.items():
        cube[name].attrs["units"] = units
    cube.attrs["baseline_radius_km"], cube.attrs["baseline_density"] = grid.baseline
    return cube if len(grid.weightings) > 1 else cube.isel(weighting=0)
