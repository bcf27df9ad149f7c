"""Numbers as texts, the same on the screen and in every table, figure and page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd


def text(value: Any) -> str:
    """A text as it is; nothing for what is missing."""
    return "" if value is None or value is pd.NA or value != value else str(value)


def whole(value: Any) -> str:
    """A whole number with thousands separators."""
    return "" if pd.isna(value) else f"{round(float(value)):,}"


def count(value: Any) -> str:
    """A fractional count: one decimal below 100 unless it is whole."""
    if pd.isna(value):
        return ""
    number, tenths = float(value), round(float(value), 1)
    return f"{number:,.0f}" if tenths >= 100 or tenths == round(tenths) else f"{tenths:,.1f}"


def share(value: Any) -> str:
    """A percentage with two decimals, without its sign."""
    return "" if pd.isna(value) else f"{float(value):.2f}"


def percent(value: Any) -> str:
    """A percentage with one decimal, without its sign."""
    return "" if pd.isna(value) else f"{float(value):.1f}"


def intensity(value: Any) -> str:
    """Three significant digits."""
    return "" if pd.isna(value) else f"{float(f'{float(value):.3g}'):,.15g}"


def setting(value: float) -> str:
    """A radius, a density or another setting in full, not in powers of ten."""
    return f"{value:,.15g}"


def median(value: Any) -> str:
    """A median of ranks, which may lie between two of them."""
    return "" if pd.isna(value) else setting(value)


def change(value: Any) -> str:
    """A change of rank with its sign (a true minus), 0 if there is none."""
    if pd.isna(value):
        return ""
    number = int(value)
    return f"+{number}" if number > 0 else f"\N{MINUS SIGN}{-number}" if number < 0 else "0"


FORMATS: dict[str, Callable[[Any], str]] = {
    "text": text,
    "rank": whole,
    "whole": whole,
    "count": count,
    "share": share,
    "percent": percent,
    "intensity": intensity,
    "change": change,
    "median": median,
}
"""How each kind of column is shown."""
