"""Names, regions and income groups of economies: the World Bank's country classification."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

SOURCE = "World Bank country and lending groups, fiscal year 2026 (July 2025)"
UNKNOWN = "Not classified"
SEPARATOR = " / "


class Economy(NamedTuple):
    """ISO 3166-1 alpha-2 code, English name, region, income group."""

    code: str
    name: str
    region: str
    income: str


@cache
def _all() -> dict[str, Economy]:
    text = (files("gpu_clusters.report") / "data" / "economies.csv").read_text(encoding="utf-8")
    return {row["code"]: Economy(**row) for row in csv.DictReader(text.splitlines())}


def economy(code: str) -> Economy:
    """The economy with a code; one that is unknown is named by its code and not classified."""
    return _all().get(code) or Economy(code, code or "Unknown", UNKNOWN, UNKNOWN)


def codes(economies: object) -> list[str]:
    """``"CN / HK"`` as a list."""
    return [code for code in economies.split(SEPARATOR) if code] if isinstance(economies, str) else []


def names(economies: object) -> str:
    """``"CN / HK"`` spelt out."""
    return ", ".join(economy(code).name for code in codes(economies))
