"""Figures of a result; each function returns its Figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.report import style
from gpu_clusters.report.contents import Contents, of_contents
from gpu_clusters.report.ranges import with_ranges
from gpu_clusters.report.tables import (
    EVERY_CLUSTER,
    INDICATORS,
    SHARE_OF,
    economies,
    first_clusters,
    indicators_said,
)
from gpu_clusters.texts import count as count_text
from gpu_clusters.texts import share as share_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, WIDE, NARROW = 6.2, 10.4, 3.6  # inches: of a page's column, of three panels side by side, of a phone
GUTTER = 2.45  # inches for names
ROW, TALL_ROW = 0.235, 0.37  # inches of a bar with its name beside it, and below it
PANEL = 3.4  # inches of one panel
LEFT, RIGHT, GAP = 2.0, 1.42, 0.04  # names, bars with numbers, and between them, in lengths of the longest bar
COUNTS = {name: name for name in INDICATORS}
PER_MILLION = {name: f"{name}_per_million" for name in INDICATORS}


@of_contents
def all_figures(contents: Contents) -> dict[str, Callable[..., Figure]]:
    """The figures that this result has numbers for, by the names of their files.

    Each takes the contents, ``count`` (how many clusters) where it shows the first ones, and ``width``, in inches. Where that is
    small, names stand above their bars and panels below each other: `NARROW` is legible on a phone.
    """
    made: dict[str, Callable[..., Figure]] = {}
    if _with_values(contents.clusters, SHARE_OF):
        made["shares"] = shares
    if _with_values(contents.clusters, COUNTS):
        made["leaders"] = leaders
    if (economies(contents).frame["leading"] >= 2).any():
        made["economies"] = clusters_by_economy
    if _with_values(contents.leading, PER_MILLION):
        made["per-capita"] = per_capita
    if len(with_ranges(contents)):
        made["rank-ranges"] = rank_ranges
    return made


@of_contents
def shares(contents: Contents, count: int = 10, width: float = WIDTH) -> Figure:
    """Shares of the world of the first clusters, by indicator."""
    rows, said = contents.clusters.head(count).iloc[::-1], indicators_said(contents.clusters)
    with style.look():
        bars = _bars(
            rows["label"],
            rows["rank"],
            width,
            first_clusters(len(rows)),
            f"Shares of the world's {said}, in percent{', and their sum' if ' and ' in said else ''}",
        )
        left = pd.Series(0.0, index=rows.index)
        for name, column in _with_values(contents.clusters, SHARE_OF):
            part = rows[column].fillna(0)
            bars.add(part, left, style.INDICATOR[name], INDICATORS[name])
            left = left + part
        bars.finish(left, [share_text(total) for total in rows["total_share"]])
    return bars.fig


@of_contents
def leaders(contents: Contents, count: int = 10, width: float = WIDE) -> Figure:
    """The first clusters of each indicator, with their counts."""
    return _panels(
        contents.clusters,
        COUNTS,
        count,
        width,
        f"{first_clusters(min(count, len(contents.clusters)))} of each indicator",
        "Fractional counts; in brackets the overall rank",
    )


@of_contents
def per_capita(contents: Contents, count: int = 15, width: float = WIDE) -> Figure:
    """The first clusters of each indicator per million people."""
    return _panels(
        contents.leading,
        PER_MILLION,
        count,
        width,
        f"{first_clusters(min(count, len(contents.leading)))} of each indicator per million people",
        f"Of {first_clusters(min(contents.top, len(contents.ranking))).lower()}; in brackets the overall rank",
    )


@of_contents
def clusters_by_economy(contents: Contents, width: float = WIDTH) -> Figure:
    """Economies with two or more clusters in the main ranking."""
    frame = economies(contents).frame
    rows = frame[frame["leading"] >= 2].iloc[::-1]
    beyond = rows["clusters"] - rows["leading"]
    with style.look():
        bars = _bars(
            rows["economy"],
            None,
            width,
            "Economies with two or more clusters",
            f"Number of clusters. {EVERY_CLUSTER}",
        )
        bars.add(rows["leading"], 0, style.INDICATOR["patents"], f"In the top {contents.top}")
        if beyond.any():
            bars.add(beyond, rows["leading"], style.LIGHT, "Beyond")
        texts = [f"{some}{f' + {more}' if more else ''}" for some, more in zip(rows["leading"], beyond, strict=True)]
        bars.finish(rows["clusters"], texts, whole=True)
    return bars.fig


@of_contents
def rank_ranges(contents: Contents, count: int = 30, width: float = WIDTH) -> Figure:
    """Best, median and worst rank of the first clusters over the settings of a sweep."""
    rows = with_ranges(contents).head(count).iloc[::-1]
    best, median, worst, rank = (
        rows[name].astype(float) for name in ("best_rank", "median_rank", "worst_rank", "rank")
    )
    with style.look():
        bars = _bars(
            rows["label"],
            rows["rank"],
            width,
            "Ranks over the settings of the sweep",
            "Best to worst rank of the first clusters at other radii and densities",
        )
        ax, blue = bars.ax, style.INDICATOR["patents"]
        ax.hlines(bars.place, best, worst, color=style.LIGHT, linewidth=5, label="Best to worst")
        ax.plot(
            median,
            bars.place,
            "o",
            color=blue,
            markeredgecolor=style.PAPER,
            markeredgewidth=0.6,
            markersize=5,
            label="Median",
        )
        ax.plot(rank, bars.place, "|", color=style.INK, markersize=10, markeredgewidth=1.6, label="This result")
        bars.finish(pd.concat((worst, rank)), [], whole=True)
        ax.set_xlim(left=0.5)  # no rank is 0
    return bars.fig


class _Bars(NamedTuple):
    """Axes for one horizontal bar a row, the last one on top."""

    fig: Figure
    ax: Axes
    place: NDArray[np.floating]
    thickness: float

    def add(self, length: pd.Series, left: pd.Series | int, color: str, title: str) -> None:
        """One part of all bars."""
        self.ax.barh(self.place, length, left=left, height=self.thickness, color=color, label=title)

    def finish(self, ends: pd.Series, texts: Sequence[str], *, whole: bool = False) -> None:
        """Set the scale, of ``whole`` numbers if so, put texts at the bars' ends, add grid and legend."""
        from matplotlib.ticker import MaxNLocator

        longest = max((len(text) for text in texts), default=0) * 5.2 / 72  # inches, about
        room = self.ax.get_position().width * self.fig.get_figwidth()
        self.ax.set_xlim(0, (float(max(ends, default=0)) or 1.0) * (1.03 + longest / (room - longest)))
        if whole:
            self.ax.xaxis.set_major_locator(MaxNLocator("auto", steps=(1, 2, 5, 10), integer=True, min_n_ticks=1))
        for place, end, text in zip(self.place, ends, texts, strict=False):
            self.ax.text(end, place, f"  {text}", va="center", fontsize=8.5)
        self.ax.grid(axis="x", color=style.RULE, linewidth=0.6)
        self.ax.set_axisbelow(True)
        self.ax.spines["bottom"].set_visible(False)
        self.ax.legend(
            loc="lower left",
            bbox_to_anchor=(-0.01, 1.0),
            ncols=3,
            frameon=False,
            fontsize=8.5,
            handlelength=1,
            borderpad=0.1,
            columnspacing=1.4,
        )


def _bars(names: pd.Series, ranks: pd.Series | None, width: float, title: str, subtitle: str) -> _Bars:
    """A figure for horizontal bars; their names stand beside them, or above where the figure is narrow."""
    from matplotlib.patheffects import withStroke

    narrow = width < 0.8 * WIDTH
    rows, row = max(len(names), 3), TALL_ROW if narrow else ROW
    fig = style.headed(width, 0.58 + rows * row, title, subtitle)
    left, inch = 0.03 if narrow else GUTTER / width, 1 / fig.get_figheight()
    ax = fig.add_axes((left, 0.3 * inch, 0.975 - left, rows * row * inch))
    ax.set_ylim(-0.5, rows - 0.5)
    place = np.arange(len(names)) - (0.22 if narrow else 0.0)
    beside = [""] * len(names) if ranks is None else [f"  {rank}" for rank in ranks]
    letters, room = (40, 0.945 * width) if narrow else (34, GUTTER - 0.06)
    labels = [style.fitted(str(name), letters, room, 9, rank) for name, rank in zip(names, beside, strict=True)]
    if not narrow:
        ax.set_yticks(place, [label + rank for label, rank in zip(labels, beside, strict=True)], va="center")
        return _Bars(fig, ax, place, 0.68)
    ax.set_yticks([])
    halo = [withStroke(linewidth=3, foreground=style.PAPER)]
    for number, label in enumerate(labels):
        text = label if ranks is None else f"{ranks.iat[number]}  {label}"
        ax.text(0, number + 0.24, text, va="center", transform=ax.get_yaxis_transform(), path_effects=halo)
    return _Bars(fig, ax, place, 0.4)


def _with_values(clusters: pd.DataFrame, columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """Those of the indicators' columns that have something above 0, with their indicators."""
    return [pair for pair in columns.items() if (clusters[pair[1]].fillna(0) > 0).any()]


def _panels(
    clusters: pd.DataFrame, columns: Mapping[str, str], count: int, width: float, title: str, subtitle: str
) -> Figure:
    """The first clusters by the column of each indicator that has values, side by side or below each other."""
    shown, count = _with_values(clusters, columns), min(count, len(clusters))
    across = max(min(int(width / PANEL), len(shown)), 1)
    down = max(-(-len(shown) // across), 1)
    with style.look():
        each = 0.3 + count * 0.225  # inches
        fig = style.headed(width, each * down + 0.1, title, subtitle)
        inch = 1 / fig.get_figheight()
        for number, (indicator, column) in enumerate(shown):
            right, below = number % across, number // across
            bottom = 0.1 + each * (down - 1 - below)
            box = (0.012 + right * 0.993 / across, bottom * inch, 0.967 / across, (each - 0.3) * inch)
            _panel(fig.add_axes(box), clusters, column, indicator, count, box[2] * width)
    return fig


def _panel(ax: Axes, clusters: pd.DataFrame, column: str, indicator: str, count: int, width: float) -> None:
    """The first clusters by a column: name and overall rank, bar, number; on axes of so many inches."""
    rows = clusters[clusters[column].fillna(0) > 0].sort_values(column, ascending=False, kind="stable").head(count)
    most = float(rows[column].max())
    room = width * (LEFT - GAP) / (LEFT + RIGHT)
    for place, (value, label, rank) in enumerate(zip(rows[column], rows["label"], rows["rank"], strict=True)):
        ax.barh(place, float(value), height=0.68, color=style.INDICATOR[indicator])
        ax.text(float(value) + most * 0.03, place, count_text(value), va="center", fontsize=8)
        name = style.fitted(str(label), 29, room, 8, f" ({rank})")
        ax.text(-most * GAP, place, f"{name} ({rank})", va="center", ha="right", fontsize=8)
    ax.set_xlim(-most * LEFT, most * RIGHT)
    ax.set_ylim(count - 0.4, -0.6)
    ax.axis("off")
    ax.set_title(INDICATORS[indicator], x=0, color=style.INK, pad=4)
