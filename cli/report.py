"""``gpu-clusters report``: a result as tables, figures, maps and a page."""

from __future__ import annotations

from typing import Annotated

import typer
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app
from gpu_clusters_cli.numbers import whole

from gpu_clusters.errors import UsageError


@app.command(cls=Command)
def report(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a result of gpu-clusters rank or demo.")],
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            show_default=False,
            help="Folder of a result of gpu-clusters sweep: adds the range of each cluster's ranks.",
        ),
    ] = None,
    previous: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            show_default=False,
            help="Folder of the previous edition's result: rises and falls, entrants and leavers. "
            "[dim](default: as far as the result has them)[/dim]",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=W,S,E,N",
            show_default=False,
            help='A map of this box (degrees), as in "Brazil=-60,-34,-34,0"; may be given several times. Instead of '
            "[dim]East Asia, North America, Europe, India, Middle East[/dim].",
        ),
    ] = None,
    title: Annotated[
        str,
        typer.Option(
            metavar="TEXT", show_default=False, help="Title of the page. [dim](default Innovation clusters)[/dim]"
        ),
    ] = "Innovation clusters",
    top: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            parser=whole(1),
            show_default=False,
            help="Size of the main ranking. [dim](default: the result's --top)[/dim]",
        ),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            metavar="cpu|gpu",
            show_default=False,
            help="gpu: cuDF counts the points of maps; fails (exit code 4) without it. [dim](default cpu)[/dim]",
        ),
    ] = "cpu",
    out: o.Out = None,
    force: o.Force = False,
) -> None:
    """Make tables, figures, maps and a page for readers from a result.

    [bold]Example:[/bold] gpu-clusters report result --out report

    Into the folder --out (by default DIR-report beside DIR) go report.html, one file that opens anywhere without a network;
    tables as CSV, Markdown, LaTeX and in tables.xlsx; figures and maps as SVG and PNG. It reads nothing but the folders
    that are named.
    """
    from pathlib import Path

    from gpu_clusters_cli.errors import say

    from gpu_clusters.staging import check_out

    given = [_region(text) for text in region or []]
    boxes = dict(given)
    if len(boxes) < len(given):
        raise UsageError("two --region have the same name: give them different ones")
    target = out if out is not None else _beside(folder)
    check_out(target, force=force)

    from gpu_clusters_cli.output import progress

    from gpu_clusters.report.write import PAGE, write

    with progress() as tell:
        warnings = write(
            *(folder, target),
            sweep=sweep,
            previous=previous,
            top=top,
            regions=boxes or None,
            title=title,
            device=device,
            force=force,
            progress=tell,
        )
    for warning in warnings:
        say(f"warning: {warning}")
    say(f"report -> {Path(target) / PAGE}")


def _beside(folder: str) -> str:
    """The folder's name with -report behind it; where it is given without one (``.``, ``..``), the name that it has."""
    from pathlib import Path

    path = Path(folder)
    return f"{path.resolve() if path.name in ('', '..') else path}-report"


def _region(text: str) -> tuple[str, tuple[float, float, float, float]]:
    """``NAME=W,S,E,N``."""
    name, _, box = text.rpartition("=")
    try:
        west, south, east, north = (float(part) for part in box.split(","))
    except ValueError:
        name = ""
    if not name.strip():
        raise UsageError(f"--region must be NAME=WEST,SOUTH,EAST,NORTH in degrees, not {text!r}")
    return name.strip(), (west, south, east, north)
