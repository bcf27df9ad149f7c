"""The program that the commands register with."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    name="gpu-clusters",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Find and rank the world's innovation clusters.\n\n"
    "Start with [bold]gpu-clusters demo[/bold], then [bold]gpu-clusters rank --help[/bold].",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"gpu-clusters {version('gpu-clusters')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass
