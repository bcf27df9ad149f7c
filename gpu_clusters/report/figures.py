"""Figures of a result; each function returns its Figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpu_clusters.report import style
from gpu_clusters.report.contents import Contents
from gpu_clusters.report.numbers import count as count_text
from gpu_clusters.report.numbers import share as share_text
from gpu_clusters.report.tables import EVERY_CLUSTER, INDICATORS, SHARE_OF, economies, with_ranges

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 7.2  # inches
ROW = 0.235


def all_figures(contents: Contents) -> dict[str, Callable[[Contents], Figure]]:
    """The figures that this result has numbers for, by the names of their files."""
    made: dict[str, Callable[[Contents], Figure]] = {}
    if len(contents.ranking):
        made |= {"shares": shares, "leaders": leaders}
    if (economies(contents).frame["leading"] >= 2).any():
        made["economies"] = clusters_by_economy
    if contents.has("population"):
        made["per-capita"] = per_capita
    if len(with_ranges(contents)):
        made["rank-ranges"] = rank_ranges
    return made


def shares(contents: Contents, count: int = 10) -> Figure:
    """Shares of the world of the first clusters, by indicator."""
    rows = contents.clusters.head(count).iloc[::-1]
    with style.look():
        fig, ax = _bars(len(rows))
        left = pd.Series(0.0, index=rows.index)
        for name, title in INDICATORS.items():
            width = rows[SHARE_OF[name]]
            ax.barh(range(len(rows)), width, left=left, height=0.68, color=style.INDICATOR[name], label=title)
            left = left + width
        for place, total in enumerate(left):
            ax.text(total, place, f"  {share_text(total)}", va="center", fontsize=8.5)
        ax.set_yticks(range(len(rows)), _labels(rows, 34), va="center")
        ax.set_xlim(0, max(left.max(), 1e-9) * 1.09)
        _grid(ax)
        style.head(
            fig,
            f"The first {len(rows)} clusters",
            "Shares of the world's patents, publications and deals, in percent, and their sum",
        )
        _legend(ax)
    return fig


def leaders(contents: Contents, count: int = 10) -> Figure:
    """The first clusters of each indicator, with their counts."""
    columns = [(name, title, name, count_text) for name, title in INDICATORS.items()]
    return _panels(
        contents.clusters,
        columns,
        count,
        f"The first {count} clusters of each indicator",
        "Fractional counts; in brackets the overall rank",
    )


def per_capita(contents: Contents, count: int = 15) -> Figure:
    """The first clusters of each indicator per million people."""
    columns = [(f"{name}_per_million", title, name, count_text) for name, title in INDICATORS.items()]
    return _panels(
        contents.leading,
        columns,
        count,
        f"The first {count} clusters of each indicator per million people",
        f"Of the first {min(contents.top, len(contents.ranking))} clusters; in brackets the overall rank",
    )


def clusters_by_economy(contents: Contents) -> Figure:
    """Economies with two or more clusters in the main ranking."""
    frame = economies(contents).frame
    rows = frame[frame["leading"] >= 2].iloc[::-1]
    with style.look():
        fig, ax = _bars(len(rows))
        beyond = rows["clusters"] - rows["leading"]
        ax.barh(
            range(len(rows)),
            rows["leading"],
            height=0.68,
            color=style.INDICATOR["patents"],
            label=f"In the top {contents.top}",
        )
        if beyond.any():
            ax.barh(range(len(rows)), beyond, left=rows["leading"], height=0.68, color="#a9c9de", label="Beyond")
        for place, (leading, total) in enumerate(zip(rows["leading"], rows["clusters"], strict=True)):
            ax.text(
                total,
                place,
                f"  {leading}" + (f" + {total - leading}" if total > leading else ""),
                va="center",
                fontsize=8.5,
            )
        ax.set_yticks(range(len(rows)), [style.shortened(name, 34) for name in rows["economy"]], va="center")
        ax.set_xlim(0, rows["clusters"].max() * 1.16)
        _grid(ax)
        style.head(fig, "Economies with two or more clusters", f"Number of clusters. {EVERY_CLUSTER}")
        _legend(ax)
    return fig


def rank_ranges(contents: Contents, count: int = 30) -> Figure:
    """Best, median and worst rank of the first clusters over the settings of a sweep."""
    rows = with_ranges(contents).head(count).iloc[::-1]
    with style.look():
        fig, ax = _bars(len(rows))
        place = range(len(rows))
        ax.hlines(
            place, rows["best_rank"].astype(float), rows["worst_rank"].astype(float), color="#9cc3da", linewidth=5
        )
        ax.plot(
            rows["median_rank"].astype(float),
            place,
            "o",
            color=style.INDICATOR["patents"],
            markersize=4.5,
            label="Median",
        )
        ax.plot(
            rows["rank"].astype(float),
            place,
            "|",
            color=style.INK,
            markersize=10,
            markeredgewidth=1.6,
            label="This result",
        )
        ax.set_yticks(place, _labels(rows, 34), va="center")
        ax.set_xlim(left=0)
        _grid(ax)
        style.head(
            fig,
            "Ranks over the settings of the sweep",
            "Best to worst rank of the first clusters at other radii and densities",
        )
        _legend(ax)
    return fig


def _panels(
    clusters: pd.DataFrame,
    columns: Sequence[tuple[str, str, str, Callable[[Any], str]]],
    count: int,
    title: str,
    subtitle: str,
) -> Figure:
    with style.look():
        fig = style.figure(10.4, 0.95 + count * 0.225)
        top = 1 - 0.78 / fig.get_figheight()
        axes = [fig.add_axes((0.012 + i * 0.331, 0.03, 0.322, top - 0.03)) for i in range(3)]
        for ax, (column, heading, indicator, text) in zip(axes, columns, strict=True):
            rows = (
                clusters[clusters[column].fillna(0) > 0].sort_values(column, ascending=False, kind="stable").head(count)
            )
            most = float(rows[column].max()) if len(rows) else 1.0
            for place, row in enumerate(rows.itertuples(index=False)):
                value = float(getattr(row, column))
                ax.barh(place, value, height=0.68, color=style.INDICATOR[indicator])
                ax.text(value + most * 0.03, place, text(value), va="center", fontsize=8)
                ax.text(
                    -most * 0.04,
                    place,
                    f"{style.shortened(str(row.label), 26)} ({row.rank})",
                    va="center",
                    ha="right",
                    fontsize=8,
                )
            ax.set_xlim(-most * 1.72, most * 1.42)
            ax.set_ylim(count - 0.4, -0.6)
            ax.axis("off")
            ax.set_title(heading, x=0, color=style.INK, pad=4)
        style.head(fig, title, subtitle)
    return fig


def _bars(rows: int) -> tuple[Figure, Axes]:
    """A figure for so many horizontal bars, with room for names."""
    fig = style.figure(WIDTH, 1.15 + max(rows, 3) * ROW)
    height = fig.get_figheight()
    ax = fig.add_axes((0.335, 0.3 / height, 0.645, 1 - 1.15 / height))
    ax.set_ylim(-0.6, max(rows, 3) - 0.4)
    return fig, ax


def _labels(rows: pd.DataFrame, length: int) -> list[str]:
    return [
        f"{style.shortened(str(label), length)}  {rank}"
        for label, rank in zip(rows["label"], rows["rank"], strict=True)
    ]


def _grid(ax: Axes) -> None:
    ax.grid(axis="x", color=style.RULE, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines["bottom"].set_visible(False)


def _legend(ax: Axes) -> None:
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=3,
        frameon=False,
        fontsize=8.5,
        handlelength=1,
        borderpad=0.1,
        columnspacing=1.4,
    )
