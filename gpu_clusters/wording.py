"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number and what it counts; ``many`` is by default ``one`` with an s.

    Examples
    --------
    >>> counted(1, "row"), counted(2_000, "row"), counted(0, "address was", "addresses were")
    ('1 row', '2,000 rows', '0 addresses were')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def with_warnings(about: str, warnings: list[str]) -> str:
    """What an object says of itself, and how many warnings its manifest has, which Python prints nowhere else.

    Examples
    --------
    >>> with_warnings("Result: 2 clusters", []), with_warnings("Result: no cluster", ["no place is dense enough"])
    ('<Result: 2 clusters>', "<Result: no cluster; 1 warning in manifest['warnings']>")
    """
    return f"<{about}; {counted(len(warnings), 'warning')} in manifest['warnings']>" if warnings else f"<{about}>"
