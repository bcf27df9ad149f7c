"""The options that commands share, each in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gpu_clusters_cli.numbers import number, whole

_INPUT, _METHOD, _MACHINE, _OUTPUT = "Input", "Method", "Device and engine", "Output"


def _default(value: str) -> str:
    return f"[dim](default {value})[/dim]"


Patents = Annotated[
    list[str] | None,
    typer.Option(
        "--patents",
        metavar="FILE...",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Inventors' addresses, one a row. Columns doc_id (which patent), lon, lat (degrees); may have country, "
        "organization, year, fraction. Files or folders of Parquet, GeoParquet, GeoJSON, CSV or TSV (also .gz, .zst).",
    ),
]
Publications = Annotated[
    list[str] | None,
    typer.Option(
        "--publications",
        metavar="FILE...",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Authors' addresses, in the same columns. Patents or publications may be left out, not both.",
    ),
]
Deals = Annotated[
    list[str] | None,
    typer.Option(
        "--deals",
        metavar="FILE...",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Venture-capital deals. Columns lon, lat; may have deals (how many; 1 if absent), country, year.",
    ),
]
Population = Annotated[
    list[str] | None,
    typer.Option(
        "--population",
        metavar="FILE...",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Rasters of people per cell (GHS-POP, WorldPop, ...): GeoTIFF, COG or NetCDF in any CRS; files, folders or "
        "patterns. Gives population, intensity and its ranking.",
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        "--names",
        metavar="FILE.csv",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Your own names for clusters: columns place (a place in the cluster, or its automatic name) and name; may have "
        "country, or lon and lat.",
    ),
]
Previous = Annotated[
    str | None,
    typer.Option(
        "--previous",
        metavar="DIR",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Folder of an earlier result: gives previous ranks and their changes. May be the folder --out, with --force.",
    ),
]
Regions = Annotated[
    str | None,
    typer.Option(
        "--regions",
        metavar="FILE",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Rank the polygons of this file (cities, provinces) and cluster nothing: GeoParquet, GeoJSON, GeoPackage, "
        "Shapefile, ...",
    ),
]
RegionName = Annotated[
    str | None,
    typer.Option(
        "--region-name",
        metavar="COLUMN",
        show_default=False,
        rich_help_panel=_INPUT,
        help=f"Column of --regions that names them. {_default('name, if there is one')}",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="TABLE.NAME=COLUMN",
        show_default=False,
        rich_help_panel=_INPUT,
        help="What your files call a column, as in patents.organization=applicant. May be given several times.",
    ),
]
Years = Annotated[
    list[str] | None,
    typer.Option(
        "--years",
        metavar="TABLE=FROM:TO",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Only rows of these years, both included, as in patents=2019:2023 or deals=2020: (from 2020 on); none "
        "without a year. May be given for each table.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        show_default=False,
        rich_help_panel=_INPUT,
        help='Options from a TOML file: radius_km = 13, patents = ["a.parquet"], out = "result" and so on. '
        "Its paths are relative to its folder. What is given here as an option wins.",
    ),
]
RadiusKm = Annotated[
    float | None,
    typer.Option(
        "--radius-km",
        parser=number,
        metavar="KM",
        rich_help_panel=_METHOD,
        show_default=False,
        help=f"How far around a place its neighbours are counted. {_default('15')}",
    ),
]
Density = Annotated[
    float | None,
    typer.Option(
        "--density",
        parser=number,
        metavar="N",
        rich_help_panel=_METHOD,
        show_default=False,
        help="How many addresses within the radius make a place the core of a cluster. Lower it for less data than WIPO's "
        f"4 million inventors. {_default('4500')}",
    ),
]
Weighting = Annotated[
    str | None,
    typer.Option(
        "--weighting",
        metavar="NAME",
        rich_help_panel=_METHOD,
        show_default=False,
        help="What an address counts for the density. raw: each 1. inventor-equivalent and total-preserving: all inventors "
        "together as much as all authors, in units of an inventor or of an average address. "
        f"{_default('inventor-equivalent')}",
    ),
]
MergeKm = Annotated[
    float | None,
    typer.Option(
        "--merge-km",
        parser=number,
        metavar="KM",
        rich_help_panel=_METHOD,
        show_default=False,
        help="A cluster joins another if the gap is at most this and it shares more patents and publications with it than "
        f"with any other. {_default('5')}",
    ),
]
NoMerge = Annotated[
    bool, typer.Option("--no-merge", metavar="", rich_help_panel=_METHOD, help="Let no cluster join another.")
]
AreaDegrees = Annotated[
    float | None,
    typer.Option(
        "--area-degrees",
        parser=number,
        metavar="DEGREES",
        rich_help_panel=_METHOD,
        show_default=False,
        help="A deal belongs to a cluster if it is at most this far from one of its places, in degrees. "
        f"{_default('0.05')}",
    ),
]
Boundary = Annotated[
    str | None,
    typer.Option(
        "--boundary",
        metavar="area|hull|concave|FILE",
        rich_help_panel=_METHOD,
        show_default=False,
        help="What deals and people must lie in to count: a cluster's area (see --area-degrees), the convex or concave hull of "
        f"its places, or a polygon of a file, which is that cluster's whose places in it weigh most. {_default('area')}",
    ),
]
Border = Annotated[
    str | None,
    typer.Option(
        "--border",
        metavar="densest|lowest",
        rich_help_panel=_METHOD,
        show_default=False,
        help="A place at the edge of several clusters joins that of its densest core neighbour, or the one with the lowest "
        f"number, as in scikit-learn. {_default('densest')}",
    ),
]
Crs = Annotated[
    str | None,
    typer.Option(
        "--crs",
        metavar="EPSG:N",
        show_default=False,
        rich_help_panel=_METHOD,
        help="Measure distances in this projected coordinate system (in metres), as in EPSG:3035 for Europe, not on the sphere. "
        "Tables are in degrees all the same.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="auto|cpu|gpu",
        rich_help_panel=_MACHINE,
        show_default=False,
        help=f"Where to find clusters. gpu fails (exit code 4) where there is none; auto stays on the CPU. {_default('auto')}",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="auto|native|cuml|sklearn",
        rich_help_panel=_MACHINE,
        show_default=False,
        help=f"Which program finds the clusters; the result is the same. {_default('auto')}",
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        metavar="DIR",
        show_default=False,
        rich_help_panel=_OUTPUT,
        help="Folder for the result; made if it is missing. Its files appear together when all is done.",
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        parser=whole(1),
        metavar="N",
        rich_help_panel=_OUTPUT,
        show_default=False,
        help=f"How many clusters enter the intensity ranking, which needs a population. {_default('100')}",
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
