"""Pictures of a sweep for print: maps of the grid, and the rank intervals of the leading clusters."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.style
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gpu_clusters.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from gpu_clusters.sweeps.result import SweepResult

FORMATS = ("png", "svg", "pdf")
TOP = 20  # clusters in the chart of rank intervals
LETTERS = 36  # of their names
MAPS = (
    ("clusters", "Number of clusters", "viridis", None),
    ("share", "Share covered, % (mean of the indicators)", "viridis", None),
    ("kendall_tau", "Kendall's tau-b of the baseline's leaders", "cividis", 1.0),
)
UNITS = {"inventor-equivalent": "inventor equivalents", "total-preserving": "weighted addresses"}  # of a density
WIDE = 20  # numbers of clusters that differ by more are coloured by their logarithms
LOOK = {"svg.hashsalt": "gpu-clusters"}  # on top of Matplotlib's own: without it names within the file are random
INK, QUIET, RED, BAR, MEDIAN = "#222222", "#8a8a8a", "#c1272d", "#6390c2", "#0a2540"


def draw(result: SweepResult, folder: Path) -> None:
    """Write ``grid.*`` and ``ranks.*`` in each of `FORMATS`, one grid for each weighting."""
    with matplotlib.style.context(["default", LOOK]):
        weightings = result.settings["weighting"].drop_duplicates().tolist()
        for weighting in weightings:
            some = result.settings[result.settings["weighting"] == weighting]
            ending = f"-{weighting}" if len(weightings) > 1 else ""
            marked = result.manifest["grid"]["baseline"] if weighting == weightings[0] else None
            _save(grid_maps(some, marked, weighting), folder, f"grid{ending}")
        if len(result.stability):
            _save(rank_intervals(result.stability, len(result.settings)), folder, "ranks")


def grid_maps(settings: pd.DataFrame, baseline: tuple[float, float] | None, weighting: str) -> Figure:
    """Heat maps over radius and density of the numbers of clusters, the share covered and Kendall's tau."""
    shares = settings[["patent_share", "publication_share", "deal_share"]]
    present = [name for name in shares if shares[name].any()] or ["patent_share"]
    both = {"patent_share", "publication_share"} <= set(present)  # of one table alone every address weighs 1
    unit = UNITS.get(weighting, "addresses") if both else "addresses"
    table = settings.assign(share=shares[present].mean(axis=1))
    axes_of = (settings["radius_km"], settings["density"])
    shown = baseline is not None and all(
        axis.min() <= value <= axis.max() for value, axis in zip(baseline, axes_of, strict=True)
    )
    figure = _figure(10.8, 3.9)
    for place, (name, title, colours, most) in enumerate(MAPS, 1):
        axes = figure.add_subplot(1, 3, place)
        values = table.pivot(index="density", columns="radius_km", values=name)
        axes.set_xlabel("radius, km", fontsize=8)
        _heat_map(figure, axes, values, colours, most)
        if shown and baseline:
            _mark(axes, values, baseline)
        axes.set_title(title, loc="left", fontsize=9, color=INK)
        if place == 1:
            axes.set_ylabel(f"density, {unit}", fontsize=8)
    where = "the cross is the baseline" if shown else "beyond the map is the baseline"
    said = f"; {where}, {baseline[0]:,.15g} km and {baseline[1]:,.15g}" if baseline else ""
    figure.suptitle(
        f"Radius and density, weighting {weighting}{said}",
        x=0.008, ha="left", fontsize=10, color=INK,
    )  # fmt: skip
    return figure


def rank_intervals(stability: pd.DataFrame, settings: int) -> Figure:
    """Best to worst rank of the leading clusters over the grid, the quartiles as a bar and the median as a line."""
    some = stability.head(TOP)
    figure = _figure(7.2, 1.3 + 0.27 * len(some))
    axes = figure.add_subplot()
    for row, cluster in enumerate(some.itertuples(index=False)):
        if cluster.matched:
            axes.plot([int(cluster.best_rank), int(cluster.worst_rank)], [row, row], color=QUIET, lw=1.2, zorder=1)
            width = cluster.quartile_3_rank - cluster.quartile_1_rank
            axes.barh(row, width, left=cluster.quartile_1_rank, height=0.5, color=BAR, zorder=2)
            axes.plot([cluster.median_rank] * 2, [row - 0.3, row + 0.3], color=MEDIAN, lw=2, zorder=3)
        # white around the cross, so that it is seen on a bar too
        axes.plot(cluster.rank, row, marker="x", color="white", ms=6.5, mew=3.5, ls="none", zorder=4)
        axes.plot(cluster.rank, row, marker="x", color=RED, ms=5, mew=1.5, ls="none", zorder=4)
    axes.set_yticks(
        range(len(some)),
        [f"{rank}  {_short(label)}" for rank, label in zip(some["rank"], some["label"], strict=True)],
        fontsize=8,
    )
    axes.set_ylim(len(some) - 0.4, -0.6)
    worst = max([*some["worst_rank"].dropna().astype(int), int(some["rank"].max())])
    if worst > 3 * TOP:
        axes.set_xscale("log")
        ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if tick <= worst]
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.minorticks_off()
    else:
        axes.set_xlim(0.3, worst + 0.7)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for row, cluster in enumerate(some.itertuples(index=False)):
        axes.annotate(
            f"{cluster.matched / settings:.0%}",
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            color=INK,
        )
    axes.annotate("matched", (1.01, -0.75), xycoords=("axes fraction", "data"), va="bottom", fontsize=7.5, color=INK)
    axes.set_xlabel("rank over the grid: best to worst (line), quartiles (bar), median; cross: baseline", fontsize=8)
    axes.set_title(
        f"Ranks of the leading clusters in {counted(settings, 'setting')}", loc="left", fontsize=10, color=INK
    )
    axes.grid(axis="x", color="#e5e5e5", lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _heat_map(figure: Figure, axes: Any, values: pd.DataFrame, colours: str, most: float | None) -> None:
    found = np.ma.masked_invalid(values.to_numpy(float))
    least = None
    if most is not None and found.count():  # so that small differences show, but not those of rounding
        least = min(math.floor(10 * found.min()) / 10, most - 0.1)
    axes.set_facecolor("#eeeeee")
    if not found.count():
        axes.text(0.5, 0.75, "nothing to compare", transform=axes.transAxes, ha="center", fontsize=8, color=INK)
    elif np.ma.is_masked(found):
        axes.set_xlabel("radius, km; light grey: nothing to compare", fontsize=8)
    counts = values.dtypes.map(lambda kind: kind.kind == "i").all()
    wide = counts and found.min() > 0 and found.max() > WIDE * found.min()
    norm = LogNorm() if wide else Normalize(least, most)
    image = axes.imshow(found, origin="lower", aspect="auto", cmap=colours, norm=norm, interpolation="nearest")
    ticks: Any = MaxNLocator(integer=True) if counts and not wide else None
    if most is None and found.min() == found.max():  # the scale around one value has parts of clusters, and over 100 %
        ticks = [found.min()]
    figure.colorbar(image, ax=axes, shrink=0.9, pad=0.02, ticks=ticks).ax.tick_params(labelsize=7)
    for axis, labels in ((axes.xaxis, values.columns), (axes.yaxis, values.index)):
        step = -(-len(labels) // 8)
        axis.set_ticks(range(0, len(labels), step), [f"{label:,.7g}" for label in labels[::step]])
    axes.tick_params(labelsize=7)


def _mark(axes: Any, values: pd.DataFrame, baseline: tuple[float, float]) -> None:
    """A cross where the baseline is, between rows and columns if it is none of the grid's settings."""
    x, y = (
        np.interp(value, axis.to_numpy(float), np.arange(len(axis)))
        for value, axis in zip(baseline, (values.columns, values.index), strict=True)
    )
    axes.plot(x, y, marker="x", color="white", ms=9, mew=4, ls="none")
    axes.plot(x, y, marker="x", color=RED, ms=8, mew=2, ls="none")


def _short(label: str) -> str:
    return label if len(label) <= LETTERS else label[: LETTERS - 1].rstrip(" –-") + "…"


def _save(figure: Figure, folder: Path, name: str) -> None:
    for ending in FORMATS:
        about: dict[str, Any] = (
            {"Software": None} if ending == "png" else {"CreationDate": None} if ending == "pdf" else {"Date": None}
        )
        figure.savefig(folder / f"{name}.{ending}", metadata=about)
