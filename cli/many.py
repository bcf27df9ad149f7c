"""Options that take several values in a row: ``--patents a.parquet b.parquet``."""

from __future__ import annotations

from typing import Any

from gpu_clusters_cli.app import Command

from gpu_clusters.errors import UsageError

MANY = ("--patents", "--publications", "--deals", "--population")


class ManyValues(Command):
    """A command without arguments of its own, so that what follows one of `MANY` up to the next option belongs to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, which is what the parser underneath understands."""
        return super().parse_args(ctx, repeated(args))


def repeated(args: list[str]) -> list[str]:
    """``--patents a b`` as ``--patents=a --patents=b``.

    All options begin with two dashes: a name that begins with one is a value, and one with two as ``--patents=--name``.
    """
    result: list[str] = []
    option, wanting = "", False
    for arg in [*args, "--"]:
        name, equals, _ = arg.partition("=")
        if arg.startswith("--"):
            if wanting:
                raise UsageError(f"{option} needs the name of a file or folder behind it")
            option = name if name in MANY else ""
            wanting = bool(option) and not equals
            if not wanting:
                result.append(arg)
        elif option:
            result.append(f"{option}={arg}")
            wanting = False
        else:
            result.append(arg)
    return result[:-1]
