"""Numbers in options, with errors that show what was given."""

from __future__ import annotations

from collections.abc import Callable

import typer


def number(text: str) -> float:
    """The number that a text is; a ``parser`` for options."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number; write digits and a point, as in 4500 or 0.5") from None


def whole(least: int) -> Callable[[str], int]:
    """A ``parser`` for options that are whole numbers, ``least`` or more."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise typer.BadParameter(f"{text!r} is not a whole number, {least} or more")
        return value

    return parse
