"""``gpu-clusters demo``: the main job on a world with a known answer."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app
from gpu_clusters_cli.numbers import number, whole

from gpu_clusters.errors import UsageError

if TYPE_CHECKING:
    from gpu_clusters.result import Result
    from gpu_clusters.world import World

SHOWN = 20
LISTED = 10
TITLES = {
    "rank": "rank",
    "cluster": "cluster",
    "total_share": "share %",
    "rank_without_deals": "without\ndeals",
    "previous_rank": "previous",
    "intensity": "intensity",
    "intensity_rank": "by\nintensity",
}


@app.command(cls=Command)
def demo(
    scale: Annotated[
        float,
        typer.Option(
            metavar="PART",
            parser=number,
            show_default=False,
            help="Size of the world, 0.005 to 1: 1 has as many addresses as WIPO's data, 33 million. [dim](default 0.02)[/dim]",
        ),
    ] = 0.02,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole(0),
            show_default=False,
            help="Another number gives other addresses; the clusters stay the same. [dim](default 0)[/dim]",
        ),
    ] = 0,
    inputs_only: Annotated[
        bool,
        typer.Option(
            "--inputs-only", metavar="", help="Write the files that would be ranked to --out, and say how to rank them."
        ),
    ] = False,
    out: o.Out = None,
    force: o.Force = False,
    json: o.Json = False,
    device: o.Device = None,
    engine: o.Engine = None,
) -> None:
    """Reproduce the published ranking of 2025 from a synthetic world.

    WIPO's inputs are not public, its results are. So this makes a synthetic world with the published totals planted in it, ranks
    it as it would rank any files, and shows the result beside the published tables.

    The result goes to --out, or to the folder "demo" here. The inputs are temporary; --inputs-only keeps them instead, in the
    folder "demo-inputs" unless --out names another. The density threshold is the method's 4,500 times --scale.
    """
    from gpu_clusters.staging import check_out

    if inputs_only and (device is not None or engine is not None or json):
        raise UsageError("--inputs-only ranks nothing: leave out --device, --engine and --json")
    folder = out or ("demo-inputs" if inputs_only else "demo")
    check_out(folder, force=force)
    if inputs_only:
        _write_inputs(folder, scale, seed, force=force)
        return
    machine: dict[str, Any] = {
        name: value for name, value in (("device", device), ("engine", engine)) if value is not None
    }
    _reproduce(folder, scale, seed, machine, force=force, json=json)


def _write_inputs(folder: str, scale: float, seed: int, *, force: bool) -> None:
    from gpu_clusters_cli.errors import say
    from gpu_clusters_cli.output import emit, progress

    from gpu_clusters.staging import new_folder
    from gpu_clusters.world import make_world

    with new_folder(folder, force=force) as place, progress() as tell:
        world = make_world(place, scale, seed, tell=tell)
    say(f"{_about(world)} -> {folder}")
    here = Path(folder)
    before = str(here / "previous")
    emit(_command(world, here, "previous_", "--out", before))
    emit(_command(world, here, "", "--previous", before, "--out", "demo"))


def _command(world: World, folder: Path, prefix: str, *more: str) -> str:
    """A line for the shell that ranks an edition."""
    inputs = world.previous_inputs if prefix else world.inputs
    files = [word for option, path in inputs.items() for word in (f"--{option}", str(folder / Path(path).name))]
    return shlex.join(["gpu-clusters", "rank", *files, "--density", f"{world.density:.15g}", *more]) + "\n"


def _reproduce(folder: str, scale: float, seed: int, machine: dict[str, Any], *, force: bool, json: bool) -> None:
    from gpu_clusters_cli.errors import say
    from gpu_clusters_cli.output import progress
    from gpu_clusters_cli.rank import run_and_write

    from gpu_clusters import Settings, rank
    from gpu_clusters.backend import pick
    from gpu_clusters.scratch import scratch_folder
    from gpu_clusters.world import make_world

    pick(Settings(**machine))  # what is wrong with it shall not take a minute to be told
    with scratch_folder("gpu-clusters-demo") as scratch:
        with progress() as tell:
            world = make_world(scratch, scale, seed, tell=tell)
        say(_about(world))
        with progress() as tell:
            settings = Settings(density=world.density, **machine)
            before = rank(**world.previous_inputs, names=False, settings=settings, progress=tell)
        chosen = {**world.inputs, "previous": before, "out": folder, "density": world.density, **machine}
        made_of = {"scale": scale, "seed": seed}
        run_and_write(chosen, force=force, json=json, show=None if json else _show, scratch=scratch, world=made_of)


def _about(world: World) -> str:
    rows = world.rows
    return (
        f"synthetic world: {rows['patents']:,} inventor and {rows['publications']:,} author addresses, "
        f"{rows['deals']:,} places of deals; only the totals are real"
    )


def _show(result: Result) -> None:
    """The first clusters beside what is published, and whatever differs."""
    from gpu_clusters_cli.errors import say
    from gpu_clusters_cli.output import emit_table, plain_table

    from gpu_clusters.wording import counted
    from gpu_clusters.world import coverage_differences, differences, side_by_side

    table = side_by_side(result.ranking, SHOWN).rename(columns=TITLES)
    emit_table(plain_table(table, "published | reproduced"))
    wrong, lost = differences(result.ranking), coverage_differences(result.coverage)
    found = f"{result.manifest['initial_clusters']} clusters, {len(result.ranking)} after merging (published: 246, 237)"
    if len(wrong) + len(lost):
        figures = counted(len(wrong) + len(lost), "published figure is", "published figures are")
        say(f"{found}; {figures} not reproduced:")
        for row in [*wrong.to_dict("records"), *lost.to_dict("records")][:LISTED]:
            say("  " + ", ".join(f"{key} {value}" for key, value in row.items()))
    else:
        say(f"{found}; every published figure of the 100 clusters is reproduced, to its last digit")
    say(
        "The inputs are synthetic: addresses, documents, deals and people are invented so that the published totals come out."
    )
