"""``gpu-clusters sweep``: many settings at the price of a few."""

from __future__ import annotations

from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from gpu_clusters_cli import config as configuration
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import app
from gpu_clusters_cli.errors import if_interrupted, say
from gpu_clusters_cli.many import ManyValues
from gpu_clusters_cli.numbers import whole
from gpu_clusters_cli.rank import spare_inputs

from gpu_clusters.errors import UsageError
from gpu_clusters.wording import counted

if TYPE_CHECKING:
    from gpu_clusters.sweeps.result import SweepResult

SHOWN = 20
SINGLE = ("population", "names", "previous")  # inputs that a configuration may have for single runs
_GRID, _RUN = "Grid", "Run"


@app.command(cls=ManyValues)
def sweep(
    patents: o.Patents = None,
    publications: o.Publications = None,
    deals: o.Deals = None,
    column: o.Columns = None,
    years: o.Years = None,
    config: o.Config = None,
    radius_km: Annotated[
        str | None,
        o.option(
            "--radius-km",
            "VALUES",
            "Radii: start:stop:step, with stop included if a step meets it, or a list 10,15,20.",
            _GRID,
        ),
    ] = None,
    density: Annotated[
        str | None, o.option("--density", "VALUES", "Densities, likewise, as in 2000:9000:500.", _GRID)
    ] = None,
    weighting: Annotated[
        str | None,
        o.option(
            "--weighting",
            "NAME,...",
            "One or more of inventor-equivalent, total-preserving, raw; the first has the baseline.",
            _GRID,
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        o.option(
            "--baseline",
            "KM,DENSITY",
            "The setting that the others are compared with. [dim](default 15,4500 if on the grid, else its middle)[/dim]",
            _GRID,
        ),
    ] = None,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", metavar="", rich_help_panel=_GRID, help="Merge neighbouring clusters at every setting."
        ),
    ] = False,
    top: Annotated[
        int | None,
        o.option(
            "--top",
            "N",
            "So many clusters of the baseline enter Kendall's tau. [dim](default 100)[/dim]",
            _GRID,
            whole(1),
        ),
    ] = None,
    merge_km: o.MergeKm = None,
    area_degrees: o.AreaDegrees = None,
    border: Annotated[
        str | None,
        o.option(
            "--border",
            "densest",
            "A sweep takes densest alone: with lowest the clusters of one density are not nested in those of another.",
            "Method",
        ),
    ] = None,
    crs: o.Crs = None,
    device: o.Device = None,
    engine: Annotated[
        str | None,
        o.option(
            "--engine",
            "auto|native",
            "A sweep runs on native alone; --check compares it with single runs.",
            "Device and engine",
        ),
    ] = None,
    check: Annotated[
        int,
        typer.Option(
            "--check",
            metavar="N",
            parser=whole(0),
            rich_help_panel=_RUN,
            show_default=False,
            help="Compute N random settings again by single runs and compare.",
        ),
    ] = 0,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            metavar="",
            rich_help_panel=_RUN,
            help="Keep the radii that an interrupted sweep into --out has finished.",
        ),
    ] = False,
    dask: Annotated[
        str | None,
        o.option(
            "--dask",
            "SCHEDULER",
            "Deal the radii out to Dask's workers: tcp://HOST:PORT, or local:N for N on this machine.",
            _RUN,
        ),
    ] = None,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels", metavar="", rich_help_panel=_RUN, help="Also write the cluster of each place at every setting."
        ),
    ] = False,
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", metavar="", rich_help_panel=_RUN, help="Draw no pictures and no page.")
    ] = False,
    out: o.Out = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Find and rank clusters at every radius and density of a grid.

    [bold]Example:[/bold] gpu-clusters sweep --patents inventors.parquet --radius-km 10:20:1 --density 2000:9000:500 --out sweep

    Every setting gives what a single run without merging gives; radius 15 and density 4500, if they are on the grid, are the
    baseline that the others are compared with.

    Into the folder --out go settings.csv (one row a setting), clusters.parquet (every cluster of every setting), stability.csv
    (one row a cluster of the baseline), sweep.nc (the same as a cube), pictures, sweep.html (a page with sliders, which needs no
    network) and manifest.json.
    """
    given = {
        "patents": patents,
        "publications": publications,
        "deals": deals,
        "out": out,
        "radius_km": radius_km,
        "density": density,
        "weighting": weighting,
        "merge_km": merge_km,
        "area_degrees": area_degrees,
        "border": border,
        "crs": crs,
        "device": device,
        "engine": engine,
        "top": top,
    }
    chosen = configuration.chosen("sweep", config, column, years, given)
    if merge_km is None and not merge:
        chosen.pop("merge_km", None)
    for name, example in (("radius_km", "--radius-km 10:20:1"), ("density", "--density 2000:9000:500")):
        if chosen.get(name) is None:
            raise UsageError(
                f"the grid has no values of {name}: give them, as in {example}; see gpu-clusters sweep --help"
            )
    if chosen.pop("regions", None) is not None:
        raise UsageError("a sweep finds clusters, and regions are ranked without: leave them out of its configuration")
    for name in SINGLE:
        if chosen.pop(name, None) is not None:
            say(f"warning: the configuration's {name} is for single runs: a sweep goes without")
    options = {"baseline": baseline, "merge": merge, "check": check, "resume": resume, "dask": dask}
    _sweep_and_write(chosen, options, force=force, json=json, labels=labels, pictures=not no_pictures)


def _sweep_and_write(
    chosen: dict[str, Any], options: dict[str, Any], *, force: bool, json: bool, labels: bool, pictures: bool
) -> None:
    from gpu_clusters.staging import check_out
    from gpu_clusters.sweeps.grid import grid_of, unmet

    started = perf_counter()
    out = chosen.pop("out")
    grid_of(chosen["radius_km"], chosen["density"], chosen.get("weighting", "raw"), options["baseline"])
    target = check_out(out, force=force)
    if force:
        from gpu_clusters.sweeps.files import LABELS_FILE, TABLE_FILES

        spare_inputs(chosen, (), [*TABLE_FILES, *([LABELS_FILE] if labels else [])], target)
    told = unmet("radius_km", chosen["radius_km"]) + unmet("density", chosen["density"])
    for warning in told:
        say(f"warning: {warning}")

    from gpu_clusters_cli.output import progress

    from gpu_clusters.sweeps.parts import folder_beside, forget
    from gpu_clusters.sweeps.run import sweep as compute

    kept = folder_beside(out)
    if kept is None:
        say(f"warning: no permission to write beside {out}: finished radii are not kept, there is nothing to --resume")
        options["resume"] = False
    elif not options["resume"]:
        forget(kept)
    advice = if_interrupted("--resume goes on with the radii that are finished") if kept else nullcontext()
    with advice, progress() as tell:
        result = compute(**chosen, **options, keep=kept, progress=tell)
        if tell:
            tell("write", None)
        result.write(out, force=force, labels=labels, pictures=pictures)
    if kept is not None:
        forget(kept)
    _show(result, out, perf_counter() - started, told, json=json)


def _show(result: SweepResult, out: str, seconds: float, told: list[str], *, json: bool) -> None:
    """Print what came out; the warnings ``told`` have been printed before the work."""
    from gpu_clusters_cli.output import emit_json, emit_table, stability_table

    record = result.manifest
    for warning in record["warnings"]:
        if warning not in told:
            say(f"warning: {warning}")
    settings = len(result.settings)
    if json:
        emit_json(
            {
                "out": out,
                "settings": settings,
                "clusters": record["clusters"],
                "baseline": record["grid"]["baseline"],
                "warnings": record["warnings"],
                "stability": result.stability.head(SHOWN).to_dict("records"),
            }
        )
        return
    if len(result.stability):
        emit_table(stability_table(result.stability, SHOWN, settings))
    runs = len(record.get("checked", ()))
    checked = f", {counted(runs, 'checked by a single run', 'checked by single runs')}" if "checked" in record else ""
    where = counted(record["locations"], "place")
    say(f"{counted(settings, 'setting')} at {where}{checked}, {seconds:.1f} s -> {out}")
