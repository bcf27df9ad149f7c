"""The program that the commands register with."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any

import typer
from gpu_clusters_cli.errors import INTERRUPTED
from typer.core import TyperCommand, TyperGroup

from gpu_clusters.errors import UsageError


class Command(TyperCommand):
    """A command whose help runs on in paragraphs and names values by what they are, not by their type."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.help = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(self.help or ""))

    def get_params(self, ctx: Any) -> list[Any]:
        """The arguments and options, ``--help`` among them."""
        return _named(super().get_params(ctx))


class _Commands(TyperGroup):
    """The commands, with the help of `Command`."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _named(super().get_params(ctx))


def _named(params: list[Any]) -> list[Any]:
    """The parameters, flags without a <bool> behind them, arguments without a <str>, and in the usage as they are called."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
        if param.param_type_name == "argument":
            param.get_usage_pieces = lambda _ctx, name=param.metavar: [name]
            param.display_type_rich = lambda **_: None
    return params


app = typer.Typer(
    name="gpu-clusters",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Find the world's innovation clusters, places where many inventors, authors and deals are near each other, and rank "
    "them.\n\n"
    "To see it work, run [bold]gpu-clusters demo[/bold]. For data of your own, read [bold]gpu-clusters rank --help[/bold].",
)


def invoke() -> int:
    """Run the command that the arguments of the process name; its exit code.

    Raises
    ------
    UsageError
        What the parser has to say about the arguments, in one line.
    """
    try:
        code = app(prog_name="gpu-clusters", standalone_mode=False)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the help has been shown
            return UsageError.exit_code
        context: Any = getattr(error, "ctx", None)
        command = context.command_path if context else "gpu-clusters"
        said = " ".join(error.format_message().split()).rstrip(".")
        raise UsageError(f"{said}; see {command} --help") from None
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"gpu-clusters {version('gpu-clusters')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, metavar="", help="Show the version and exit.")
    ] = False,
) -> None:
    pass
