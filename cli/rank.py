"""``gpu-clusters rank``: the main job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from gpu_clusters_cli import config as configuration
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import app
from gpu_clusters_cli.errors import say
from gpu_clusters_cli.many import ManyValues

from gpu_clusters.errors import UsageError
from gpu_clusters.schema import TABLES, WORLD
from gpu_clusters.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from gpu_clusters.result import Result

SHOWN = 20


@app.command(cls=ManyValues)
def rank(
    patents: o.Patents = None,
    publications: o.Publications = None,
    deals: o.Deals = None,
    population: o.Population = None,
    names: o.Names = None,
    previous: o.Previous = None,
    regions: o.Regions = None,
    region_name: o.RegionName = None,
    column: o.Columns = None,
    years: o.Years = None,
    config: o.Config = None,
    radius_km: o.RadiusKm = None,
    density: o.Density = None,
    weighting: o.Weighting = None,
    merge_km: o.MergeKm = None,
    no_merge: o.NoMerge = False,
    area_degrees: o.AreaDegrees = None,
    boundary: o.Boundary = None,
    border: o.Border = None,
    crs: o.Crs = None,
    device: o.Device = None,
    engine: o.Engine = None,
    out: o.Out = None,
    top: o.Top = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Find clusters in tables of addresses and rank them.

    [bold]Example:[/bold] gpu-clusters rank --patents inventors.parquet --publications authors1.csv authors2.csv --out result

    Each row of a table is an address with its place in degrees (lon, lat). Where many of them lie within --radius-km of each
    other, at least --density, there is a cluster. Clusters are ranked by their shares of all patents, publications and deals.

    Into the folder --out go ranking.csv, ranking.parquet, locations.parquet, deals.parquet, boundaries.parquet,
    boundaries.geojson, organizations.parquet, partners.parquet, coverage.csv and manifest.json; the first twenty clusters go to
    the screen. Exit codes: 0 done, 1 failed, 2 wrong options, 3 bad input data, 4 device or engine missing, 130 interrupted.
    """
    if no_merge and merge_km is not None:
        raise UsageError("--merge-km and --no-merge exclude each other")
    given = {
        "patents": patents,
        "publications": publications,
        "deals": deals,
        "population": population,
        "names": names,
        "previous": previous,
        "regions": regions,
        "region_name": region_name,
        "out": out,
        "radius_km": radius_km,
        "density": density,
        "weighting": weighting,
        "merge_km": merge_km,
        "area_degrees": area_degrees,
        "boundary": boundary,
        "border": border,
        "crs": crs,
        "device": device,
        "engine": engine,
        "top": top,
    }
    chosen = configuration.chosen("rank", config, column, years, given)
    if no_merge:
        chosen["merge_km"] = None
    run_and_write(chosen, force=force, json=json)


def run_and_write(
    chosen: dict[str, Any],
    *,
    force: bool,
    json: bool,
    show: Callable[[Result], None] | None = None,
    scratch: Path | None = None,
    world: dict[str, Any] | None = None,
) -> None:
    """Rank what ``chosen`` names (inputs, ``out`` and settings), write the result and show it, by ``show`` if that is given.

    Files in the folder ``scratch``, which will be gone, are named without it; ``world`` is noted in the manifest: what they are
    made of again.
    """
    from gpu_clusters.settings import BOUNDARIES, Settings
    from gpu_clusters.staging import check_out

    started = perf_counter()
    inputs = {name: chosen.pop(name, None) for name in (*TABLES, "population", "names", "previous", "regions")}
    out = chosen.pop("out")
    settings = Settings(**chosen)
    target = check_out(out, force=force)
    if force:
        from gpu_clusters.io.results import RESULT_FILES

        polygons = None if settings.boundary in BOUNDARIES else settings.boundary
        spare_inputs(inputs, [inputs["names"], inputs["regions"], polygons], RESULT_FILES, target)

    from gpu_clusters_cli.output import progress

    from gpu_clusters.manifest import below
    from gpu_clusters.pipeline import rank as compute  # takes a second, which wrong options need not wait for

    with progress() as tell:
        result = compute(**inputs, settings=settings, progress=tell)
        if scratch is not None:
            result = replace(result, manifest=below(result.manifest, str(scratch)) | {"world": world})
        if tell:
            tell("write", None)
        result.write(out, force=force)
    _show(result, out, perf_counter() - started, json=json, show=show)


def spare_inputs(tables: dict[str, Any], others: Sequence[str | None], names: Iterable[str], target: Path) -> None:
    """Refuse an output folder where the files ``names`` would replace an input, before the tables are read."""
    from gpu_clusters.io.sources import paths_of
    from gpu_clusters.staging import spare

    files: list[str | Path] = [path for table in TABLES for path in paths_of(tables.get(table), table)]
    spare([*files, *(name for name in others if name is not None)], names, target)


def _show(result: Result, out: str, seconds: float, *, json: bool, show: Callable[[Result], None] | None) -> None:
    from gpu_clusters_cli.output import covered, emit_json, emit_table, ranking_table

    record = result.manifest
    world = result.coverage[result.coverage["country"] == WORLD]
    for warning in record["warnings"]:
        say(f"warning: {warning}")
    if json:
        summary = {
            name: record[name]
            for name in ("clusters", "initial_clusters", "locations", "threshold", "device", "engine")
        }
        ranking = result.ranking.head(SHOWN).to_dict("records")
        about = {"totals": record["totals"], "warnings": record["warnings"], "coverage": world.to_dict("records")}
        emit_json({"out": out, **summary, **about, "ranking": ranking})
        return
    if show is not None:
        show(result)
    elif record["clusters"]:
        emit_table(ranking_table(result.ranking, SHOWN, moves="previous" in record))
    for row in world.itertuples(index=False):
        say(covered(row))
    found, addresses = record["clusters"], record["totals"]["inventor_addresses"] + record["totals"]["author_addresses"]
    regions = any(file["table"] == "regions" for file in record["inputs"])
    before = "" if regions else f" ({record['initial_clusters']:,} before merging)"
    say(
        f"{counted(found, 'region' if regions else 'cluster')}{before} of {counted(addresses, 'address', 'addresses')} "
        f"at {counted(record['locations'], 'place')}, on {record['device']} with engine {record['engine']}, "
        f"{seconds:.1f} s -> {out}"
    )
