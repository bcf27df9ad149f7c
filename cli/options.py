"""The options that commands share, each in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_INPUT, _METHOD, _MACHINE, _OUTPUT = "Input", "Method", "Device and engine", "Output"

Patents = Annotated[
    list[str] | None,
    typer.Option(
        "--patents",
        metavar="FILE...",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Inventors' addresses: doc_id, lon, lat; may have country, organization, year, fraction. "
        "Parquet, CSV, TSV (also .gz, .zst), GeoParquet or GeoJSON; files or folders.",
    ),
]
Publications = Annotated[
    list[str] | None,
    typer.Option(
        "--publications",
        metavar="FILE...",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Authors' addresses, in the same columns. One of the two tables may be left out.",
    ),
]
Deals = Annotated[
    list[str] | None,
    typer.Option(
        "--deals",
        metavar="FILE...",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Venture-capital deals: lon, lat; may have deals (how many; 1 if absent), country, year.",
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
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="TABLE.NAME=COLUMN",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Your name for a column, as in patents.organization=applicant. May be given several times.",
    ),
]
Years = Annotated[
    list[str] | None,
    typer.Option(
        "--years",
        metavar="TABLE=FROM:TO",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Years that count, first and last included, as in patents=2019:2023 or deals=2020:.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        show_default=False,
        rich_help_panel=_INPUT,
        help="Settings and inputs from a TOML file, with the names of the options (radius_km, patents, ...); options win.",
    ),
]
RadiusKm = Annotated[
    float | None,
    typer.Option("--radius-km", rich_help_panel=_METHOD, show_default="15", help="Radius of DBSCAN in kilometres."),
]
Density = Annotated[
    float | None,
    typer.Option(
        "--density",
        rich_help_panel=_METHOD,
        show_default="4500",
        help="Addresses within the radius from which on a place is core. Lower it for data smaller than WIPO's.",
    ),
]
Weighting = Annotated[
    str | None,
    typer.Option(
        "--weighting",
        metavar="inventor-equivalent|total-preserving|raw",
        rich_help_panel=_METHOD,
        show_default="inventor-equivalent",
        help="How addresses count for the density: both kinds with the same total weight, in units of an inventor or of an "
        "average address; or each as 1.",
    ),
]
MergeKm = Annotated[
    float | None,
    typer.Option(
        "--merge-km",
        rich_help_panel=_METHOD,
        show_default="5",
        help="Clusters with a gap of at most so many kilometres merge if they are each other's strongest partner.",
    ),
]
NoMerge = Annotated[bool, typer.Option("--no-merge", rich_help_panel=_METHOD, help="Leave all clusters as they are.")]
AreaDegrees = Annotated[
    float | None,
    typer.Option(
        "--area-degrees",
        rich_help_panel=_METHOD,
        show_default="0.05",
        help="A cluster's area: what lies within so many degrees of one of its places. Deals in it are the cluster's.",
    ),
]
Border = Annotated[
    str | None,
    typer.Option(
        "--border",
        metavar="densest|lowest",
        rich_help_panel=_METHOD,
        show_default="densest",
        help="Which core neighbour a border place joins: the densest, or scikit-learn's (lowest cluster number).",
    ),
]
Crs = Annotated[
    str | None,
    typer.Option(
        "--crs",
        metavar="EPSG:N",
        show_default=False,
        rich_help_panel=_METHOD,
        help="Cluster in this projected system (metres) instead of on the sphere, as in EPSG:3035 for Europe.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="auto|cpu|gpu",
        rich_help_panel=_MACHINE,
        show_default="auto",
        help="Where to compute; gpu fails where there is none, auto does not.",
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="auto|native|cuml|sklearn",
        rich_help_panel=_MACHINE,
        show_default="auto",
        help="What does the clustering; the result is the same.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        show_default=False,
        rich_help_panel=_OUTPUT,
        help="Folder for the result; its files appear together when all is done.",
    ),
]
Top = Annotated[
    int | None,
    typer.Option(
        "--top",
        rich_help_panel=_OUTPUT,
        show_default="100",
        help="How many clusters enter the intensity ranking, which needs a population.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", rich_help_panel=_OUTPUT, help="Replace the result of an earlier run in --out.")
]
Json = Annotated[
    bool, typer.Option("--json", rich_help_panel=_OUTPUT, help="Print the summary and the first clusters as JSON.")
]
