"""Figures and maps of reports: what they show, and that their texts keep apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from reports import NAMES

from gpu_clusters import UsageError
from gpu_clusters.io import land
from gpu_clusters.report import figures, maps, style


def test_figures_have_what_they_show(contents):
    made = {name: draw(contents) for name, draw in figures.all_figures(contents).items()}
    assert set(made) == {"shares", "leaders", "economies", "per-capita", "rank-ranges"}
    texts = {text.get_text() for ax in made["shares"].axes for text in [*ax.get_yticklabels(), *ax.texts]}
    assert "São Paulo  1" in texts and f"  {contents.ranking['total_share'][0]:.2f}" in texts
    bars = made["shares"].axes[0].patches
    assert sum(bar.get_width() for bar in bars) == pytest.approx(contents.ranking["total_share"][:10].sum())
    for figure in made.values():
        inside_and_apart(figure)


@pytest.mark.parametrize("width", [figures.NARROW, 5.0, 12.0])
def test_figures_of_any_width(contents, width):
    for name, draw in figures.all_figures(contents).items():
        figure = draw(contents, width=width)
        assert figure.get_figwidth() == width, name
        inside_and_apart(figure)
        sizes = [text.get_fontsize() for ax in figure.axes for text in ax.texts] + [
            t.get_fontsize() for t in figure.texts
        ]
        assert min(sizes) >= 8, name


def test_numbers_stay_on_their_side_of_names_from_right_to_left(contents):
    assert style.in_line("Cairo 7") == "Cairo 7"
    for name in ("القاهرة", "Haifa חיפה", "שבע…"):
        marked = f"\N{LEFT-TO-RIGHT MARK}{name}\N{RIGHT-TO-LEFT MARK}\N{LEFT-TO-RIGHT MARK}"
        assert style.in_line(name) == marked
        made = replace(contents, ranking=contents.ranking.assign(name=name))
        wide, narrow = figures.shares(made), figures.shares(made, width=figures.NARROW)
        assert f"{marked}  1" in [label.get_text() for label in wide.axes[0].get_yticklabels()]
        assert f"1  {marked}" in [text.get_text() for text in narrow.axes[0].texts]
        assert f"{marked} (1)" in [text.get_text() for text in figures.leaders(made).axes[0].texts]
        assert f"1  {marked}" in [text.get_text() for text in maps.world(made).axes[0].texts]


@pytest.mark.parametrize("title", ["W" * 60, "大灣區" * 20, "Wide " * 12], ids=["W", "Chinese", "words"])
def test_titles_of_maps_are_not_cut(contents, title):
    made = maps.region(contents, (100, 18, 103, 22), title)  # as narrow as a map may be
    inside_and_apart(made)
    assert "".join(made.texts[0].get_text().split()) == "".join(title.split())


def test_maps_name_clusters_without_collisions(contents):
    named = inside_and_apart(maps.world(contents))
    assert [name.split("  ")[1] for name in named][:4] == [style.shortened(name, 34) for name in NAMES[:4]]
    assert len(inside_and_apart(maps.region(contents, maps.REGIONS["Europe"], "Europe", "intensity_rank"))) >= 3


def inside_and_apart(figure):
    """Assert that no text is cut and none overlaps another; the texts of the axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.look():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        drawn = [
            text for ax in figure.axes for text in [*ax.texts, *(ax.get_yticklabels() if ax.axison else ()), ax.title]
        ] + figure.texts
        drawn = [text for text in drawn if text.get_text() and text.get_visible()]
        boxes = [text.get_window_extent(renderer) for text in drawn]
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in zip(drawn, boxes, strict=True):
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, text.get_text()
    for i, one in enumerate(boxes):
        for j in range(i):
            other = boxes[j]
            apart = one.x0 >= other.x1 - 1 or other.x0 >= one.x1 - 1 or one.y0 >= other.y1 - 3 or other.y0 >= one.y1 - 3
            assert apart, (drawn[i].get_text(), drawn[j].get_text())
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_land_is_where_land_is():
    import shapely

    rings = shapely.polygons(land.land().land[:1])
    assert len(rings) == 1
    shapes = shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in land.land().land])
    inside = shapely.contains_xy(shapes, [2.35, -100.0, 139.0, 178.0, 25.0], [47.0, 40.0, 36.0, -17.8, -29.0])
    outside = shapely.contains_xy(shapes, [-40.0, -150.0, 80.0, 179.0], [30.0, 10.0, -20.0, 30.0])
    assert inside.all() and not outside.any()
    for ring in land.land().land:
        assert np.abs(ring[:, 0]).max() <= 180 and np.abs(np.diff(ring[:, 0])).max() < 180
    assert any(np.ptp(ring[:, 0]) < 90 for ring in land.within(maps.REGIONS["India"]).land)


@pytest.mark.parametrize("box", [(0, 0, 0, 10), (0, 10, 10, 0), (-170, -10, 60, 10), (0, 0, 10), (0, 0, 10, 91), "abc"])
def test_boxes_that_are_none(contents, box):
    with pytest.raises(UsageError, match=r"region.* west, south, east, north in degrees"):
        maps.region(contents, box, "x")
