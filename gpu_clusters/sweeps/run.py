"""The public function, top to bottom."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np

from gpu_clusters import backend, manifest
from gpu_clusters.clock import Clock, Progress
from gpu_clusters.compiled import one_thread_at_a_time
from gpu_clusters.errors import GpuClustersError, UsageError
from gpu_clusters.io import read_addresses
from gpu_clusters.paths import spelled
from gpu_clusters.pipeline import changed
from gpu_clusters.settings import Settings
from gpu_clusters.steps import count, plane
from gpu_clusters.steps.locate import Located, distinct_places
from gpu_clusters.steps.single import Inputs
from gpu_clusters.sweeps.grid import Grid, grid_of, unmet
from gpu_clusters.sweeps.parts import Store
from gpu_clusters.sweeps.result import SweepResult, collect
from gpu_clusters.sweeps.spread import compute, part_of
from gpu_clusters.sweeps.study import Part, Study
from gpu_clusters.tables import Tables, locate_rows, read_tables


def sweep(
    patents: Any = None,
    publications: Any = None,
    deals: Any = None,
    settings: Settings | None = None,
    *,
    radius_km: Any,
    density: Any,
    weighting: Any = None,
    baseline: Any = None,
    merge: bool = False,
    check: int = 0,
    seed: int = 0,
    keep: Any = None,
    resume: bool = False,
    dask: Any = None,
    progress: Progress | None = None,
    **changes: Any,
) -> SweepResult:
    """Cluster and rank at every setting of a grid of radii and densities; each as a single run would.

    Parameters
    ----------
    patents, publications, deals : path, data frame, or list of these, optional
        As in `rank`.
    settings : Settings, optional
        What all settings of the grid share; the method's defaults where left out.
    radius_km, density : number, sequence of numbers, or str
        Values of the two axes: ``range(10, 21)``, ``"10:20:1"`` (stop included if a step meets it),
        ``"10,15,20"``.
    weighting : str or sequence of str, optional
        One or more weightings; ``settings.weighting`` where left out.
    baseline : (float, float) or str, optional
        Radius and density that the others are compared with, on the grid or not, in the first weighting. Where left out
        (15, 4500) if that is on the grid, else the setting in the grid's middle.
    merge : bool
        Merge neighbouring clusters at every setting, within ``merge_km``.
    check : int
        So many random settings are computed again by a single run and compared.
    seed : int
        Of the choice of settings to check.
    keep : path, optional
        Folder for finished radii. It stays; remove it when the result is where it should be.
    resume : bool
        Take the finished radii in ``keep``, which must be given, that belong to the same inputs and settings.
    dask : str or distributed.Client, optional
        A scheduler's address, ``"local"`` or ``"local:N"`` for a cluster of N workers on this machine, or a client: radii
        are then dealt out to its workers.
    progress : callable, optional
        Told the name of the work at hand and the part of it that is done.
    **changes
        Single settings by name.

    Returns
    -------
    SweepResult

    Raises
    ------
    UsageError
        A grid or settings that make no sense; ``border="lowest"``, whose clusters are not nested; an engine that is not
        ``native``.
    InputError
        Data that cannot be used; the message names file, column and row.
    DeviceError
        A device or an engine that was asked for is not there.
    GpuClustersError
        A checked setting differs from the single run.

    Examples
    --------
    >>> import pandas as pd
    >>> from gpu_clusters import sweep
    >>> patents = pd.DataFrame({"doc_id": [1, 1, 2, 3], "lon": [2.35, 2.36, 2.35, 12.5], "lat": [48.85, 48.86, 48.85, 41.9]})
    >>> result = sweep(patents, radius_km=[5, 15], density="1:3:1", baseline=(15, 3))
    >>> result.settings[["radius_km", "density", "clusters", "locations"]].values.tolist()[:3]
    [[5.0, 1.0, 2.0, 3.0], [5.0, 2.0, 1.0, 2.0], [5.0, 3.0, 1.0, 2.0]]
    """
    settings = _shared(settings, merge, changes)
    grid = grid_of(radius_km, density, settings.weighting if weighting is None else weighting, baseline)
    settings = replace(settings, weighting=grid.weightings[0], radius_km=grid.baseline[0], density=grid.baseline[1])
    if patents is None and publications is None:
        raise UsageError("there is nothing to cluster: give patents, publications or both")
    for name, value, what in (("check", check, "number of settings"), ("seed", seed, "whole number")):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
            raise UsageError(f"{name} must be a {what}, 0 or more, not {value!r}")
    if resume and keep is None:
        raise UsageError("resume takes finished radii from the folder keep: give keep too")
    keep = None if keep is None else spelled(keep, "keep")
    chosen = backend.pick(settings, backend.SWEPT_ON_GPU)
    if settings.crs is not None:
        plane.system(settings.crs)  # what is wrong with it is told before the tables are read
    clock = Clock(progress, chosen.step)
    tables = read_tables(read_addresses, patents, publications, deals, settings, clock)
    with clock.stage("locate"), one_thread_at_a_time:
        located, tables = locate_rows(tables, settings)
        inputs = _inputs(tables, located)
    with clock.stage("baseline"), one_thread_at_a_time:
        study = Study(inputs, settings, grid.densities, engine=chosen.cluster, kernels=chosen.hierarchy)
        clusters = study.compare_with(grid.weightings[0], *grid.baseline)
    record = manifest.of_sweep(settings, chosen, tables.reads, inputs.located, grid._asdict())
    ends = unmet("radius_km", radius_km) + unmet("density", density)
    record["warnings"] = [*ends, *record["warnings"], *tables.warnings]
    if settings.crs is not None:
        record["warnings"] += plane.warnings_of(
            inputs.located.locations.lon, inputs.located.locations.lat, settings.crs
        )
    with clock.stage("sweep"):
        parts = _parts(study, grid, Store(keep, inputs, record, resume), dask, clock)
        study.forget()
    if check:
        with clock.stage("check"), one_thread_at_a_time:
            record["checked"] = _check(study, grid, parts, check, seed, clock)
    with clock.stage("collect"), one_thread_at_a_time:
        result = collect(study, grid, parts, clusters, record)
    record["timings"] = clock.seconds
    return result


def _shared(settings: Settings | None, merge: bool, changes: dict[str, Any]) -> Settings:
    if not isinstance(merge, (bool, np.bool_)):
        raise UsageError(f"merge must be True or False, not {merge!r}")
    if "merge_km" in changes and not merge:
        raise UsageError("merge_km is for sweeps that merge: give merge=True (--merge) too")
    settings = changed(settings, changes)
    if settings.border != "densest":
        raise UsageError(
            "a sweep needs border 'densest': with 'lowest' the clusters of one density are not nested in those of another"
        )
    if settings.boundary != "area":
        raise UsageError("a sweep assigns deals by area: boundary must be 'area'; rank single settings with others")
    if settings.engine not in ("auto", "native"):
        raise UsageError(
            f"a sweep runs on engine 'native', not {settings.engine!r}; check compares it with single runs"
        )
    return settings if merge else replace(settings, merge_km=None)


def _inputs(tables: Tables, located: Located) -> Inputs:
    lon, lat, place = np.empty(0), np.empty(0), None
    if tables.deals is not None:
        lon, lat, (place,) = distinct_places([(tables.deals.lon, tables.deals.lat)])
    patents, publications, deals = (
        0.0 if table is None else count.total(count.measure(table))
        for table in (tables.patents, tables.publications, tables.deals)
    )
    totals = patents, publications, deals
    return Inputs(tables.patents, tables.publications, tables.deals, located, lon, lat, place, totals)


def _parts(study: Study, grid: Grid, store: Store, dask: Any, clock: Clock) -> dict[tuple[str, float], Part]:
    """All radii of all weightings; those that are kept from an earlier run are not computed again."""
    wanted = [(weighting, radius) for weighting in grid.weightings for radius in grid.radii]
    parts = {key: part for key in wanted if (part := store.load(*key)) is not None}
    missing = [key for key in wanted if key not in parts]
    here = ((key, part_of(study, *key)) for key in missing)
    found = here if dask is None or not missing else compute(study, missing, dask)
    started = perf_counter()
    for done, (key, part) in enumerate(found, 1):
        parts[key] = part
        store.save(*key, part)
        left = (perf_counter() - started) / done * (len(missing) - done)
        clock.tell(f"sweep, {left:.0f} s left" if left >= 10 else "sweep", len(parts) / len(wanted))
    return parts


def _check(
    study: Study, grid: Grid, parts: dict[tuple[str, float], Part], wanted: int, seed: int, clock: Clock
) -> list[dict[str, Any]]:
    """Compute random settings by single runs and compare every number."""
    rng = np.random.default_rng(seed)
    every = [(w, r, d) for w in grid.weightings for r in grid.radii for d in grid.densities]
    some = rng.choice(len(every), min(wanted, len(every)), replace=False)
    checked = []
    for done, (weighting, radius, density) in enumerate(every[i] for i in sorted(some.tolist())):
        clock.tell("check", done / len(some))
        clusters, _, core = study.single(weighting, radius, density)
        part, place = parts[weighting, radius], grid.densities.index(density)
        rows = slice(part.start[place], part.start[place + 1])
        same = core == part.core[place] and clusters.size.sum() == part.member[place]
        same = same and all(
            np.array_equal(getattr(clusters, name), getattr(part, name)[rows])
            for name in ("rank", "patents", "publications", "deals", "densest")
        )
        if not same:
            raise GpuClustersError(
                f"radius {radius:.15g} km, density {density:.15g}, weighting {weighting}: the sweep and a single run differ; "
                "this is a fault of the program: please report it with these inputs"
            )
        checked.append(
            {"weighting": weighting, "radius_km": radius, "density": density, "clusters": len(clusters.rank)}
        )
    return checked
