"""Options that take several values in a row: ``--patents a.parquet b.parquet``."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

MANY = ("--patents", "--publications", "--deals", "--population")


class ManyValues(TyperCommand):
    """A command without arguments of its own, so that what follows one of `MANY` up to the next option belongs to it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before each of its values, which is what the parser underneath understands."""
        return super().parse_args(ctx, repeated(args))


def repeated(args: list[str]) -> list[str]:
    """``--patents a b`` as ``--patents a --patents b``."""
    result: list[str] = []
    option, values = "", 0
    for arg in args:
        if arg.startswith("-") and arg != "-":
            option, values = (arg if arg in MANY else ""), 0
            result.append(arg)
            continue
        if option and values:
            result.append(option)
        values += 1
        result.append(arg)
    return result
