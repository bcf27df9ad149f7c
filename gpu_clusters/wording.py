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
