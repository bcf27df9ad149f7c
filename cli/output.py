"""What the program says: data on stdout, progress on stderr and only on a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from gpu_clusters_cli.errors import discard_stdout, printable
from gpu_clusters_cli.fitting import fit
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gpu_clusters import texts
from gpu_clusters.errors import GpuClustersError
from gpu_clusters.io.results import plain
from gpu_clusters.schema import WORLD
from gpu_clusters.wording import counted

PIPED_WIDTH = 160
WIDE, MIDDLING, NARROW = 120, 72, 40  # widths for all columns of a table, for all but the organizations, and for any
PEOPLE = 24  # what people and intensity take
NAMES = 34  # what the name takes
MOVES = 8  # what the change of the rank takes
STABILITY = 104  # what all columns of a sweep's table take


def emit(text: str) -> None:
    """Data for stdout.

    Raises
    ------
    GpuClustersError
        It cannot be written. A reader who leaves early is no error.
    """
    if sys.stdout is None:
        return
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_stdout()
    except OSError as error:
        discard_stdout()
        raise GpuClustersError(f"cannot write to stdout: {error.strerror or error}") from error


def emit_json(value: Any) -> None:
    """One JSON document on stdout."""
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(plain(value), indent=2, allow_nan=False)
    emit(text + "\n")


def emit_table(table: Table) -> None:
    """A table on stdout, as wide as the terminal, or `PIPED_WIDTH` where there is none."""
    screen = _console()
    fit(table, screen.width)
    with screen.capture() as captured:
        screen.print(table)
    emit("\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n")


@contextmanager
def progress() -> Iterator[Callable[[str, float | None], None] | None]:
    """A bar for the work at hand, on a terminal; else None."""
    screen = Console(stderr=True)
    if sys.stderr is None or not sys.stderr.isatty() or screen.is_dumb_terminal:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description:<18}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, redirect_stdout=False) as bars:
        stage_at_hand, task = "", None

        def tell(stage: str, part: float | None) -> None:
            nonlocal stage_at_hand, task
            if stage != stage_at_hand:
                if task is not None:
                    bars.remove_task(task)
                stage_at_hand, task = stage, bars.add_task(stage, total=None)
            if part is not None and task is not None:
                bars.update(task, total=1, completed=part)

        yield tell


def ranking_table(ranking: pd.DataFrame, count: int, *, moves: bool = False) -> Table:
    """The first clusters of a ranking, for reading, in as many columns as the screen has room for.

    ``moves``: with the change of the rank since the previous edition.
    """
    named, intense = ranking["name"].notna().any(), ranking["intensity"].notna().any()
    width = _console().width
    extra = PEOPLE * intense + MOVES * moves
    roomy = not named or width >= NAMES + NARROW + extra  # for economies and places beside names
    extra += NAMES * named
    wide, middling = WIDE + extra, MIDDLING + extra
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    if moves:
        table.add_column("change", justify="right", no_wrap=True)
    if named:
        table.add_column("cluster", max_width=32, overflow="ellipsis", no_wrap=True)
    if roomy:
        table.add_column("economies", max_width=12, overflow="ellipsis", no_wrap=True)
    amounts = ("patents", "publications", "deals", "share %") if width >= middling else ("share %",)
    for title in (*amounts, *(("people", "intensity") if intense else ()), *(("lat, lon",) if roomy else ())):
        table.add_column(title, justify="right", no_wrap=True)
    if width >= wide:
        table.add_column("top applicant", max_width=26, overflow="ellipsis", no_wrap=True)
        table.add_column("top organization", max_width=26, overflow="ellipsis", no_wrap=True)
    for row in ranking.head(count).itertuples(index=False):
        cells = [str(row.rank), *([move(row)] if moves else []), *([_text(row.name)] if named else [])]
        if roomy:
            cells.append(_text(row.economies))
        if width >= middling:
            cells += [texts.count(row.patents), texts.count(row.publications), texts.count(row.deals)]
        cells.append(texts.share(row.total_share))
        if intense:
            cells += [texts.count(row.population), _intensity(row)]
        if roomy:
            cells.append("" if pd.isna(row.lat) else f"{row.lat:.2f}, {row.lon:.2f}")
        if width >= wide:
            cells += [_text(row.top_applicant), _text(row.top_organization)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def plain_table(frame: pd.DataFrame, title: str) -> Table:
    """A table of texts, for reading."""
    table = Table(title=title, box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        table.add_column(str(name), justify="left" if name == "cluster" else "right", no_wrap=True)
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(_text(cell)) for cell in row))
    return table


def stability_table(stability: pd.DataFrame, count: int, settings: int) -> Table:
    """The first clusters of a sweep's baseline, and how they fare in all its settings, as far as the screen has room."""
    times = {"matched": "matched", "kept": "kept"}
    if _console().width >= STABILITY:
        times |= {"split": "splits", "swallowed": "swallowed"}
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("cluster", max_width=32, overflow="ellipsis", no_wrap=True)
    for title in ("best", "median", "worst", *times, "robustness"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in stability.head(count).itertuples(index=False):
        ranks = ["" if pd.isna(value) else f"{value:g}" for value in (row.best_rank, row.median_rank, row.worst_rank)]
        parts = [f"{getattr(row, column) / settings:.0%}" for column in times.values()]
        cells = [str(row.rank), _text(row.label), *ranks, *parts, f"{row.robustness:.2f}"]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def coverage_table(coverage: pd.DataFrame, count: int) -> Table:
    """How much is placed, as in the chapter's Appendix IV: the countries with most rows, and the world."""
    counted = coverage["documents"].notna().any()
    rows = coverage[coverage["country"] != WORLD].nlargest(count, "rows", keep="first")
    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    table.add_column("country", no_wrap=True)
    for title in ("addresses", "city-level %", *(("documents", "covered %") if counted else ())):
        table.add_column(title, justify="right", no_wrap=True)
    for row in pd.concat([rows, coverage[coverage["country"] == WORLD]]).itertuples(index=False):
        cells = [_text(row.country) or "(none)", f"{row.rows:,}", texts.percent(row.rows_pct)]
        if counted:
            cells += [f"{row.documents:,.0f}", texts.percent(row.documents_pct)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def covered(row: Any) -> str:
    """A World row of a coverage table, in words."""
    noun = ("deal" if row.table == "deals" else "document") + ("" if row.documents == 1 else "s")
    share = f", {texts.percent(row.documents_pct)} % covered" if pd.notna(row.documents_pct) else ""
    documents = f"; {texts.count(row.documents)} {noun}{share}"
    return f"{row.table}: {counted(row.rows, 'row')}, {texts.percent(row.rows_pct)} % geocoded{documents}"


def move(row: Any) -> str:
    """How far a cluster has moved since the previous edition: "+2", "-1", "=", "new"."""
    if pd.isna(row.previous_rank):
        return "new"
    return f"{row.rank_change:+d}" if row.rank_change else "="


def _console() -> Console:
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return Console(highlight=False, width=max(Console().width, NARROW) if terminal else PIPED_WIDTH)


def _intensity(row: Any) -> str:
    place = "" if pd.isna(row.intensity_rank) else f" ({row.intensity_rank})"
    return f"{texts.intensity(row.intensity)}{place}"


def _text(value: Any) -> str:
    return printable(value) if isinstance(value, str) else ""
