"""``gpu-clusters convert``: exports of real data sources in the columns that ``rank`` reads."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from gpu_clusters_cli import config as configuration
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app
from gpu_clusters_cli.errors import say

from gpu_clusters.errors import UsageError
from gpu_clusters.settings import Years
from gpu_clusters.wording import counted

if TYPE_CHECKING:
    from gpu_clusters.sources.run import Converted


@app.command(cls=Command)
def convert(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="openalex, patentsview, geoc-inv, crunchbase, or table.")
    ],
    files: Annotated[list[Path], typer.Argument(metavar="IN...", help="The export: folders and files.")],
    years: Annotated[
        str | None, o.option("--years", "FROM:TO", "Only these years, both included; either may be left out.")
    ] = None,
    types: Annotated[
        str | None,
        o.option(
            "--types",
            "NAME,...",
            "Kinds that count, or all. [dim](default article,review of openalex; utility of patentsview; of crunchbase "
            "angel, seed, venture and the series)[/dim]",
        ),
    ] = None,
    retracted: Annotated[bool, typer.Option("--retracted", metavar="", help="openalex: keep retracted works.")] = False,
    mapping: Annotated[
        str | None, o.option("--mapping", "FILE.toml", "table: which column is what; see docs/sources.md.")
    ] = None,
    encoding: Annotated[
        str | None,
        o.option("--encoding", "NAME", "crunchbase: of its files, such as cp1252. [dim](default utf-8)[/dim]"),
    ] = None,
    on_error: Annotated[
        str,
        o.option(
            "--on-error",
            "fail|skip",
            "A row that cannot be read ends the run, or is counted and listed in skipped.csv. [dim](default fail)[/dim]",
        ),
    ] = "fail",
    dask: Annotated[
        str | None,
        o.option(
            "--dask",
            "SCHEDULER",
            "Deal files and parts out to Dask's workers: tcp://HOST:PORT, or local:N for N on this machine.",
        ),
    ] = None,
    device: Annotated[
        str,
        o.option(
            "--device",
            "cpu|gpu",
            "gpu: cuDF counts the rows of places; fails (exit code 4) without it. [dim](default cpu)[/dim]",
        ),
    ] = "cpu",
    out: o.Out = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Turn the export of a data source into a folder of Parquet files that rank and geocode read.

    [bold]Example:[/bold] gpu-clusters convert openalex snapshot --years 2019:2023 --out publications

    openalex: works and institutions of a snapshot, JSON lines or Parquet. patentsview: g_inventor_disambiguated,
    g_location_disambiguated, g_patent, g_assignee_disambiguated (.tsv, .tsv.zip). geoc-inv: geoc_inv.txt. crunchbase:
    funding_rounds.csv, or rounds.csv and companies.csv. table: anything else, with a file that names its columns.

    Files may be larger than memory. Beside the parts go coverage.csv, locations.parquet (rows by place), skipped.csv and
    manifest.json, which counts what was left out and why.
    """
    if not out:
        raise UsageError("--out DIR is missing: the folder that the table goes to; see gpu-clusters convert --help")
    window = _window(years)
    kinds = None if types is None else [] if types == "all" else [name for name in types.split(",") if name]
    if kinds == [] and types != "all":
        raise UsageError("--types names no kind; all stands for every one")
    started = perf_counter()

    from gpu_clusters_cli.output import progress

    from gpu_clusters.sources.convert import convert as carry_out

    with progress() as tell:
        if tell:
            tell("looking", None)
        done = carry_out(
            source,
            files,
            out,
            years=window,
            types=kinds,
            retracted=retracted,
            mapping=mapping,
            encoding=encoding,
            on_error=on_error,
            dask=dask,
            device=device,
            force=force,
            progress=tell,
        )
    _show(done, out, perf_counter() - started, json=json)


def _window(text: str | None) -> Years:
    if text is None:
        return None, None
    window = configuration.window_of(text)
    if window is None:
        raise UsageError(f"--years {text!r} is not FROM:TO, as in 2019:2023")
    first, last = window
    if first is not None and last is not None and first > last:
        raise UsageError(f"--years {text}: ends before it begins")
    return window


def _show(done: Converted, out: str, seconds: float, *, json: bool) -> None:
    from gpu_clusters_cli.output import emit_json, emit_table, plain_table

    from gpu_clusters.sources.run import largest

    record = done.manifest
    if json:
        keys = ("source", "table", "rows", "left_out", "skipped_rows", "locations", "coverage")
        emit_json({"out": out} | {key: record[key] for key in keys})
    else:
        emit_table(plain_table(_world(done), f"coverage of {record['table']}"))
    for why, count in largest(record["left_out"]).items():
        say(f"left out: {why}: {count:,}")
    if record["skipped_rows"]:
        skipped = counted(record["skipped_rows"], "row that", "rows that")
        say(f"warning: left out: {skipped} could not be read; see skipped.csv")
    hint = "" if record["locations"] else "; it has no coordinates yet: gpu-clusters geocode finds them"
    say(
        f"{counted(record['rows'], 'row')} of {record['table']} at {counted(record['locations'], 'place')}, {seconds:.1f} s "
        f"-> {out}{hint}"
    )


def _world(done: Converted) -> Any:
    """The World row of the coverage, as texts, without its table."""
    columns = done.coverage.columns[1:]
    return (
        done.coverage[columns]
        .tail(1)
        .rename(columns=lambda name: name.replace("_", "\n"))
        .apply(
            lambda column: column.map(
                lambda value: value if isinstance(value, str) else f"{value:,.2f}".removesuffix(".00")
            )
        )
    )
