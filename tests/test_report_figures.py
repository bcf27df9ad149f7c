"""What the figures of reports say: lengths, order and places of bars, marks, names and numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from gpu_clusters.report import figures, style

INDICATORS = {"Patents": "patents", "Publications": "publications", "Deals": "deals"}


def bars(axes) -> dict[str, list]:
    """The bars of each part of a figure, the topmost one first."""
    topmost = 1 if axes.yaxis_inverted() else -1
    return {
        part.get_label(): sorted(part.patches, key=lambda bar: topmost * (bar.get_y() + bar.get_height() / 2))
        for part in axes.containers
    }


def names(axes) -> list[str]:
    """The names beside the bars, the topmost one first."""
    return [label.get_text() for label in axes.get_yticklabels()][::-1]


@pytest.mark.parametrize("width", [figures.WIDTH, figures.NARROW])
def test_shares_are_stacked_by_rank(contents, width):
    first = contents.clusters.head(10)
    axes = figures.shares(contents, width=width).axes[0]
    parts = bars(axes)
    assert list(parts) == list(INDICATORS)
    end = np.zeros(10)
    for title, name in INDICATORS.items():
        share = first[f"{name.removesuffix('s')}_share"].to_numpy()
        np.testing.assert_allclose([bar.get_x() for bar in parts[title]], end, atol=1e-12)
        np.testing.assert_allclose([bar.get_width() for bar in parts[title]], share)
        assert {to_hex(bar.get_facecolor()) for bar in parts[title]} == {style.INDICATOR[name]}
        end += share
    totals = [text for text in axes.texts if text.get_text().startswith("  ")]
    np.testing.assert_allclose([text.get_position()[0] for text in totals], end[::-1])
    assert [text.get_text() for text in totals] == [f"  {total:.2f}" for total in first["total_share"]][::-1]
    middle = [bar.get_y() + bar.get_height() / 2 for bar in parts["Deals"]]
    np.testing.assert_allclose([text.get_position()[1] for text in totals], middle[::-1])
    if width == figures.WIDTH:
        assert [name.split("  ")[-1] for name in names(axes)] == [f"{rank}" for rank in range(1, 11)]
        np.testing.assert_allclose(middle, axes.get_yticks()[::-1])
    else:  # each name above its own bar, nearer to it than to the one before
        above = [text for text in axes.texts if not text.get_text().startswith("  ")][::-1]
        assert [text.get_text().split("  ")[0] for text in above] == [f"{rank}" for rank in range(1, 11)]
        gap = np.array([text.get_position()[1] for text in above]) - middle
        assert ((gap > 0.4) & (gap < 0.5)).all()


@pytest.mark.parametrize(("draw", "ending"), [(figures.leaders, ""), (figures.per_capita, "_per_million")])
def test_panels_show_the_first_of_each_indicator(contents, draw, ending):
    """The one with most on top, as long as its number says; ranks of the overall ranking."""
    of = contents.clusters if not ending else contents.leading
    figure = draw(contents, count=7)
    assert [axes.get_title("left") or axes.get_title() for axes in figure.axes] == list(INDICATORS)
    for axes, name in zip(figure.axes, INDICATORS.values(), strict=True):
        first = sorted(zip(of[name + ending], of["rank"], strict=True), key=lambda pair: -pair[0])[:7]
        bar = axes.patches
        assert axes.yaxis_inverted() and [round(one.get_y() + one.get_height() / 2) for one in bar] == list(range(7))
        np.testing.assert_allclose([one.get_width() for one in bar], [value for value, _ in first])
        assert {one.get_x() for one in bar} == {0} and {to_hex(one.get_facecolor()) for one in bar} == {
            style.INDICATOR[name]
        }
        left = [text for text in axes.texts if text.get_position()[0] < 0]
        right = [text for text in axes.texts if text.get_position()[0] > 0]
        assert [text.get_text().rsplit(" ", 1)[1] for text in left] == [f"({rank})" for _, rank in first]
        for text, (value, _) in zip(right, first, strict=True):
            assert float(text.get_text().replace(",", "")) == pytest.approx(value, abs=0.51 if value >= 99.95 else 0.06)
        assert [text.get_position()[1] for text in left] == [text.get_position()[1] for text in right] == list(range(7))


def test_panels_stand_in_the_order_of_the_indicators(contents):
    beside = [axes.get_position() for axes in figures.leaders(contents).axes]
    assert beside[0].x1 <= beside[1].x0 and beside[1].x1 <= beside[2].x0 and len({box.y0 for box in beside}) == 1
    below = [axes.get_position() for axes in figures.leaders(contents, width=figures.NARROW).axes]
    assert below[0].y0 >= below[1].y1 and below[1].y0 >= below[2].y1 and len({box.x0 for box in below}) == 1


def test_economies_are_ordered_by_their_clusters_in_the_main_ranking(contents):
    """Two of France in the first five, three of Brazil and one beyond; of Chile only one, and another beyond: left out."""
    codes = ["FR", "BR", "BR", "FR / BR", "CL", "BR", "CL", None]
    made = replace(contents, ranking=contents.ranking.head(8).assign(economies=codes), top=5)
    axes = figures.clusters_by_economy(made).axes[0]
    parts = bars(axes)
    assert names(axes) == ["Brazil", "France"] and list(parts) == ["In the top 5", "Beyond"]
    assert [(bar.get_x(), bar.get_width()) for bar in parts["In the top 5"]] == [(0, 3), (0, 2)]
    assert [(bar.get_x(), bar.get_width()) for bar in parts["Beyond"]] == [(3, 1), (2, 0)]
    assert [(text.get_text(), text.get_position()[0]) for text in axes.texts] == [("  2", 2), ("  3 + 1", 4)]
    assert list(bars(figures.clusters_by_economy(replace(made, top=8)).axes[0])) == ["In the top 8"]


def test_rank_ranges_are_those_of_the_sweep(contents):
    best, median, worst = np.array([1, 1, 2]), np.array([1.5, 3.0, 4.0]), np.array([2, 9, 5])
    stability = contents.ranking[["rank", "lon", "lat"]].head(3)
    stability = stability.assign(best_rank=best, median_rank=median, worst_rank=worst, matched=1)
    figure = figures.rank_ranges(replace(contents, stability=stability))
    axes = figure.axes[0]
    (lines,) = axes.collections
    marks = {line.get_label(): line.get_xydata()[np.argsort(-line.get_ydata())] for line in axes.lines}
    place = axes.get_yticks()[::-1]
    found = sorted((segment.tolist() for segment in lines.get_segments()), key=lambda ends: -ends[0][1])
    assert found == [[[a, y], [b, y]] for a, b, y in zip(best, worst, place, strict=True)]
    np.testing.assert_array_equal(marks["Median"], np.column_stack((median, place)))
    np.testing.assert_array_equal(marks["This result"], np.column_stack(([1, 2, 3], place)))
    assert [name.split("  ")[-1] for name in names(axes)] == ["1", "2", "3"]
    low, high = axes.get_xlim()
    assert low == 0.5 and 9 < high < 10
    alone = figures.rank_ranges(replace(contents, stability=stability), count=1)
    tenfold = contents.ranking.assign(rank=10 * contents.ranking["rank"])
    beyond = figures.rank_ranges(replace(contents, ranking=tenfold, stability=stability))
    assert 30 < beyond.axes[0].get_xlim()[1] < 33
    assert len(alone.axes[0].get_yticks()) == 1 and 2 < alone.axes[0].get_xlim()[1] < 3


def test_rank_ranges_without_a_sweep_are_an_empty_figure(contents):
    axes = figures.rank_ranges(replace(contents, stability=None)).axes[0]
    assert names(axes) == [] and axes.get_xlim()[0] == 0.5


@pytest.mark.parametrize("draw", [figures.shares, figures.leaders, figures.rank_ranges, figures.per_capita])
def test_so_many_clusters_are_shown(contents, draw):
    longer = pd.concat([contents.ranking] * 4, ignore_index=True)
    longer["cluster_id"] = longer["rank"] = np.arange(1, 49)
    longer["lon"], longer["lat"] = np.arange(48.0), 0.0
    places = longer[["lon", "lat", "cluster_id"]]
    stability = longer[["rank", "lon", "lat"]].assign(best_rank=1, median_rank=1.0, worst_rank=2, matched=1)
    made = replace(contents, ranking=longer, locations=places, stability=stability, top=48)
    shown = {figures.shares: 10, figures.leaders: 10, figures.rank_ranges: 30, figures.per_capita: 15}[draw]
    axes = draw(made).axes[0]
    assert len(axes.get_yticks() if axes.axison else axes.patches) == shown
