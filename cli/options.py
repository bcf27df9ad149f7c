"""The options that commands share, each in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from gpu_clusters_cli.numbers import number, whole

_INPUT, _METHOD, _MACHINE, _OUTPUT = "Input", "Method", "Device and engine", "Output"


def option(
    flag: str, metavar: str, words: str, panel: str | None = None, parser: Callable[[str], Any] | None = None
) -> Any:
    """An option with a value, whose help says itself what it is when left out."""
    return typer.Option(flag, metavar=metavar, parser=parser, rich_help_panel=panel, show_default=False, help=words)


def _default(value: str) -> str:
    return f"[dim](default {value})[/dim]"


Patents = Annotated[
    list[str] | None,
    option(
        "--patents",
        "FILE...",
        "Inventors' addresses, one a row. Columns doc_id (which patent), lon, lat (degrees); may have country, "
        "organization, year, fraction. Files or folders of Parquet, GeoParquet, GeoJSON, CSV or TSV (also .gz, .zst).",
        _INPUT,
    ),
]
Publications = Annotated[
    list[str] | None,
    option(
        "--publications",
        "FILE...",
        "Authors' addresses, in the same columns. Patents or publications may be left out, not both.",
        _INPUT,
    ),
]
Deals = Annotated[
    list[str] | None,
    option(
        "--deals",
        "FILE...",
        "Venture-capital deals. Columns lon, lat; may have deals (how many; 1 if absent), country, year.",
        _INPUT,
    ),
]
Population = Annotated[
    list[str] | None,
    option(
        "--population",
        "FILE...",
        "Rasters of people per cell (GHS-POP, WorldPop, ...): GeoTIFF, COG or NetCDF in any CRS; files, folders or "
        "patterns. Gives population, intensity and its ranking.",
        _INPUT,
    ),
]
Names = Annotated[
    str | None,
    option(
        "--names",
        "FILE.csv",
        "Your own names for clusters: columns place (a place in the cluster, or its automatic name) and name; may have "
        "country, or lon and lat.",
        _INPUT,
    ),
]
Previous = Annotated[
    str | None,
    option(
        "--previous",
        "DIR",
        "Folder of an earlier result: gives previous ranks and their changes. May be the folder --out, with --force.",
        _INPUT,
    ),
]
Regions = Annotated[
    str | None,
    option(
        "--regions",
        "FILE",
        "Rank the polygons of this file (cities, provinces) and cluster nothing: GeoParquet, GeoJSON, GeoPackage, "
        "Shapefile, ...",
        _INPUT,
    ),
]
RegionName = Annotated[
    str | None,
    option(
        "--region-name",
        "COLUMN",
        f"Column of --regions that names them. {_default('name, if there is one')}",
        _INPUT,
    ),
]
Columns = Annotated[
    list[str] | None,
    option(
        "--column",
        "TABLE.NAME=COLUMN",
        "What your files call a column, as in patents.organization=applicant. May be given several times.",
        _INPUT,
    ),
]
Years = Annotated[
    list[str] | None,
    option(
        "--years",
        "TABLE=FROM:TO",
        "Only rows of these years, both included, as in patents=2019:2023 or deals=2020: (from 2020 on); none "
        "without a year. May be given for each table.",
        _INPUT,
    ),
]
Config = Annotated[
    Path | None,
    option(
        "--config",
        "FILE.toml",
        'Options from a TOML file: radius_km = 13, patents = ["a.parquet"], out = "result" and so on. '
        "Its paths are relative to its folder. What is given here as an option wins.",
        _INPUT,
    ),
]
RadiusKm = Annotated[
    float | None,
    option(
        "--radius-km",
        "KM",
        f"How far around a place its neighbours are counted. {_default('15')}",
        _METHOD,
        number,
    ),
]
Density = Annotated[
    float | None,
    option(
        "--density",
        "N",
        "How many addresses within the radius make a place the core of a cluster. Lower it for less data than WIPO's "
        f"4 million inventors. {_default('4500')}",
        _METHOD,
        number,
    ),
]
Weighting = Annotated[
    str | None,
    option(
        "--weighting",
        "NAME",
        "What an address counts for the density. raw: each 1. inventor-equivalent and total-preserving: all inventors "
        "together as much as all authors, in units of an inventor or of an average address. "
        f"{_default('inventor-equivalent')}",
        _METHOD,
    ),
]
MergeKm = Annotated[
    float | None,
    option(
        "--merge-km",
        "KM",
        "A cluster joins another if the gap is at most this and it shares more patents and publications with it than "
        f"with any other. {_default('5')}",
        _METHOD,
        number,
    ),
]
NoMerge = Annotated[
    bool, typer.Option("--no-merge", metavar="", rich_help_panel=_METHOD, help="Let no cluster join another.")
]
AreaDegrees = Annotated[
    float | None,
    option(
        "--area-degrees",
        "DEGREES",
        f"A deal belongs to a cluster if it is at most this far from one of its places, in degrees. {_default('0.05')}",
        _METHOD,
        number,
    ),
]
Boundary = Annotated[
    str | None,
    option(
        "--boundary",
        "area|hull|concave|FILE",
        "What deals and people must lie in to count: a cluster's area (see --area-degrees), the convex or concave hull of "
        f"its places, or a polygon of a file, which is that cluster's whose places in it weigh most. {_default('area')}",
        _METHOD,
    ),
]
Border = Annotated[
    str | None,
    option(
        "--border",
        "densest|lowest",
        "A place at the edge of several clusters joins that of its densest core neighbour, or the one with the lowest "
        f"number, as in scikit-learn. {_default('densest')}",
        _METHOD,
    ),
]
Crs = Annotated[
    str | None,
    option(
        "--crs",
        "EPSG:N",
        "Measure distances in this projected coordinate system (in metres), as in EPSG:3035 for Europe, not on the sphere. "
        "Tables are in degrees all the same.",
        _METHOD,
    ),
]
Device = Annotated[
    str | None,
    option(
        "--device",
        "auto|cpu|gpu",
        f"Where to find clusters. gpu fails (exit code 4) where there is none; auto stays on the CPU. {_default('auto')}",
        _MACHINE,
    ),
]
Engine = Annotated[
    str | None,
    option(
        "--engine",
        "auto|native|cuml|sklearn",
        f"Which program finds the clusters; the result is the same. {_default('auto')}",
        _MACHINE,
    ),
]
Out = Annotated[
    str | None,
    option(
        "--out",
        "DIR",
        "Folder for the result; made if it is missing. Its files appear together when all is done.",
        _OUTPUT,
    ),
]
Top = Annotated[
    int | None,
    option(
        "--top",
        "N",
        f"How many clusters enter the intensity ranking, which needs a population. {_default('100')}",
        _OUTPUT,
        whole(1),
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        metavar="",
        rich_help_panel=_OUTPUT,
        help="Replace the result that is in --out; other files there stay.",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", metavar="", rich_help_panel=_OUTPUT, help="Print JSON instead of a table."),
]
