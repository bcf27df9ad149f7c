"""What the program says: data on stdout, progress on stderr and only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 132


def console() -> Console:
    """Where data goes."""
    return Console(soft_wrap=False) if sys.stdout.isatty() else Console(width=PIPED_WIDTH)


def say(message: str) -> None:
    """A remark to the reader, on stderr."""
    Console(stderr=True, highlight=False).print(Text(message), soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


@contextmanager
def progress() -> Iterator[Callable[[str, float | None], None] | None]:
    """A bar for each stage of the work, on a terminal; else None."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description:<18}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, part: float | None) -> None:
            if stage not in tasks:
                for task in tasks.values():
                    bars.update(task, total=1, completed=1)
                    bars.stop_task(task)
                tasks[stage] = bars.add_task(stage, total=None)
            if part is not None:
                bars.update(tasks[stage], total=1, completed=part)

        yield tell


def ranking_table(ranking: pd.DataFrame, count: int) -> Table:
    """The first clusters of a ranking, for reading."""
    named, intense = ranking["name"].notna().any(), ranking["intensity"].notna().any()
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    table.add_column("rank", justify="right")
    if named:
        table.add_column("cluster", max_width=32, overflow="ellipsis", no_wrap=True)
    table.add_column("economies", max_width=12, overflow="ellipsis", no_wrap=True)
    for title in ("patents", "publications", "deals", "share %"):
        table.add_column(title, justify="right", no_wrap=True)
    if intense:
        table.add_column("people", justify="right", no_wrap=True)
        table.add_column("intensity", justify="right", no_wrap=True)
    table.add_column("near (lat, lon)", justify="right", no_wrap=True)
    table.add_column("top applicant", max_width=26, overflow="ellipsis", no_wrap=True)
    table.add_column("top organization", max_width=26, overflow="ellipsis", no_wrap=True)
    for row in ranking.head(count).itertuples(index=False):
        name = [Text(str(row.name))] if named else []
        table.add_row(
            str(row.rank),
            *name,
            row.economies or "",
            _amount(row.patents),
            _amount(row.publications),
            _amount(row.deals),
            f"{row.total_share:.2f}",
            *([_amount_or_none(row.population), _intensity(row)] if intense else []),
            f"{row.lat:.2f}, {row.lon:.2f}",
            Text(_text(row.top_applicant)),
            Text(_text(row.top_organization)),
        )
    return table


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.1f}"


def _amount_or_none(value: Any) -> str:
    return "" if pd.isna(value) else _amount(value)


def _intensity(row: Any) -> str:
    if pd.isna(row.intensity):
        return ""
    place = "" if pd.isna(row.intensity_rank) else f" ({row.intensity_rank})"
    return f"{row.intensity:.3g}{place}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
