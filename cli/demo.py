"""``gpu-clusters demo``: the main job on an embedded example."""

from __future__ import annotations

from typing import Annotated

import typer
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app


@app.command(cls=Command)
def demo(
    scale: Annotated[
        float,
        typer.Option(
            metavar="PART",
            show_default=False,
            help="Size of the example: 1 has as many addresses as WIPO's data, 33 million. [dim](default 0.02)[/dim]",
        ),
    ] = 0.02,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            show_default=False,
            help="Another number gives another example. [dim](default 0)[/dim]",
        ),
    ] = 0,
    out: o.Out = None,
    force: o.Force = False,
    json: o.Json = False,
    device: o.Device = None,
    engine: o.Engine = None,
) -> None:
    """Rank an example that needs no files: invented addresses around real cities.

    The result goes to --out, or to the folder "demo" here, and its first twenty clusters to the screen. The density threshold is
    the method's 4,500 times --scale.
    """
    from gpu_clusters_cli.errors import say
    from gpu_clusters_cli.rank import run_and_write

    from gpu_clusters.example import tables
    from gpu_clusters.staging import check_out

    folder = "demo" if out is None else out
    check_out(folder, force=force)
    patents, publications, deals = tables(scale, seed)
    say(f"example: {len(patents):,} inventor and {len(publications):,} author addresses, invented, around real cities")
    chosen = {
        "patents": patents,
        "publications": publications,
        "deals": deals,
        "out": folder,
        "density": 4500 * scale,
        **{name: value for name, value in (("device", device), ("engine", engine)) if value is not None},
    }
    run_and_write(chosen, force=force, json=json)
