"""``gpu-clusters rank``: the main job."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from gpu_clusters_cli import config as configuration
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import app
from gpu_clusters_cli.many import ManyValues

from gpu_clusters.errors import UsageError

if TYPE_CHECKING:
    from gpu_clusters.result import Result

SHOWN = 20


@app.command(cls=ManyValues)
def rank(
    patents: o.Patents = None,
    publications: o.Publications = None,
    deals: o.Deals = None,
    population: o.Population = None,
    column: o.Columns = None,
    years: o.Years = None,
    config: o.Config = None,
    radius_km: o.RadiusKm = None,
    density: o.Density = None,
    weighting: o.Weighting = None,
    merge_km: o.MergeKm = None,
    no_merge: o.NoMerge = False,
    area_degrees: o.AreaDegrees = None,
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

    [bold]Example:[/bold] gpu-clusters rank --patents inventors.parquet --publications authors.csv.gz --deals deals.csv
    --column patents.organization=applicant --density 4500 --out result

    Writes ranking.csv and .parquet, locations.parquet, deals.parquet, coverage.csv and manifest.json into --out, and prints
    the first twenty clusters.
    """
    if no_merge and merge_km is not None:
        raise UsageError("--merge-km and --no-merge exclude each other")
    given = {
        "patents": patents,
        "publications": publications,
        "deals": deals,
        "population": population,
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
        "columns": _columns(column or []),
        "years": dict(configuration.years(text) for text in years or []),
    }
    chosen = configuration.merged(configuration.load(config) if config else {}, given)
    if no_merge:
        chosen["merge_km"] = None
    if not chosen.get("out"):
        raise UsageError("--out DIR is missing: the folder that the result goes to")
    if not chosen.get("patents") and not chosen.get("publications"):
        raise UsageError("there is nothing to cluster: give --patents, --publications or both")
    run_and_write(chosen, force=force, json=json)


def run_and_write(chosen: dict[str, Any], *, force: bool, json: bool) -> None:
    """Rank what ``chosen`` names (inputs, ``out`` and settings), write the result and show it."""
    from gpu_clusters_cli.output import progress

    from gpu_clusters.io.results import check_out
    from gpu_clusters.pipeline import rank as compute
    from gpu_clusters.settings import Settings

    started = perf_counter()
    inputs = {table: chosen.pop(table, None) for table in ("patents", "publications", "deals", "population")}
    out = chosen.pop("out")
    settings = Settings(**chosen)
    check_out(out, force=force)
    with progress() as tell:
        result = compute(**inputs, settings=settings, progress=tell)
        if tell:
            tell("write", None)
        result.write(out, force=force)
    _show(result, str(out), perf_counter() - started, json=json)


def _columns(texts: list[str]) -> dict[str, dict[str, str]]:
    mapping: dict[str, dict[str, str]] = {}
    for text in texts:
        table, name, column = configuration.column(text)
        mapping.setdefault(table, {})[name] = column
    return mapping


def _show(result: Result, out: str, seconds: float, *, json: bool) -> None:
    from gpu_clusters_cli.output import console, print_json, ranking_table, say

    record = result.manifest
    for warning in record["warnings"]:
        say(f"warning: {warning}")
    if json:
        first = result.ranking.head(SHOWN).astype(object)
        summary = {
            name: record[name]
            for name in ("clusters", "initial_clusters", "locations", "threshold", "device", "engine")
        }
        ranking = first.where(first.notna(), None).to_dict("records")
        print_json(
            {"out": out, **summary, "totals": record["totals"], "warnings": record["warnings"], "ranking": ranking}
        )
        return
    if record["clusters"]:
        console().print(ranking_table(result.ranking, SHOWN))
    addresses = record["totals"]["inventor_addresses"] + record["totals"]["author_addresses"]
    say(
        f"{record['clusters']:,} clusters ({record['initial_clusters']:,} before merging) of {addresses:,} addresses at "
        f"{record['locations']:,} places, on {record['device']} with engine {record['engine']}, {seconds:.1f} s -> {out}"
    )
