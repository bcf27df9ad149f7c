"""``gpu-clusters demo``: the main job on an embedded example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import app


@app.command()
def demo(
    scale: Annotated[float, typer.Option(help="Size of the example: 1 has as many addresses as WIPO's data.")] = 0.02,
    seed: Annotated[int, typer.Option(help="Another seed gives another example.")] = 0,
    out: o.Out = None,
    device: o.Device = None,
    engine: o.Engine = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Rank an embedded example: invented addresses around real cities.

    The density threshold shrinks with the scale. The result goes to --out, or to the folder "demo" here.
    """
    from gpu_clusters_cli.output import say
    from gpu_clusters_cli.rank import run_and_write

    from gpu_clusters.example import tables

    patents, publications, deals = tables(scale, seed)
    say(f"example: {len(patents):,} inventor and {len(publications):,} author addresses, invented, around real cities")
    chosen = {
        "patents": patents,
        "publications": publications,
        "deals": deals,
        "out": out or Path("demo"),
        "density": 4500 * scale,
        **{name: value for name, value in (("device", device), ("engine", engine)) if value is not None},
    }
    run_and_write(chosen, force=force, json=json)
