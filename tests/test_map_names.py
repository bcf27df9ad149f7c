"""Names on the maps of pages: where they stand, in a browser."""

from __future__ import annotations

import pytest
from browser import chromium

from gpu_clusters.io.embedded import map_names

FRAME = [0, 0, 1000, 500]


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        page = browser.new_page()
        page.add_script_tag(content=map_names())
        yield page


@pytest.fixture(scope="module")
def place(page):
    """``placeNames`` of the pages."""
    return lambda *given: page.evaluate("given => placeNames(...given)", list(given))


def meet(one, other) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def crowd(count: int) -> list[list[float]]:
    """Large circles within each other's reach, and small ones around them."""
    return [[500 + 11 * (i % 5), 230 + 9 * (i // 5), 20 - i / 3] for i in range(count)]


def test_a_single_name_stands_on_the_right(place):
    (one,) = place([[100, 100, 10]], [60], FRAME)
    assert one["left"] > 110 and one["middle"] == 100 and one["line"] is None


def test_the_first_ten_of_a_crowd_have_names_that_cover_nothing(place):
    circles = crowd(40)
    placed = place(circles, [90] * 40, FRAME)
    assert [one["number"] for one in placed[:10]] == list(range(10))
    boxes = [one["box"] for one in placed]
    assert not any(meet(one, other) for number, one in enumerate(boxes) for other in boxes[:number])
    assert not any(meet(box, [x - r, y - r, x + r, y + r]) for box in boxes for x, y, r in circles)
    assert all(west >= 0 and top >= 0 and east <= 1000 and low <= 500 for west, top, east, low in boxes)
    assert sum(one["line"] is not None for one in placed) > 5


def test_lines_cross_no_name(place):
    placed = place(crowd(40), [90] * 40, FRAME)
    for one in placed:
        others = [other["box"] for other in placed if other is not one]
        assert not any(meet(step, box) for step in one["steps"] for box in others)


def test_names_beyond_the_frame_and_without_room_are_left_out(place):
    assert place([[-5, 100, 10]], [60], FRAME) == []
    assert place([[500, 250, 10]], [2000], FRAME) == []
    (one,) = place([[100, 100, 10]], [60], FRAME, {"taken": [[105, 80, 400, 120]]})
    assert one["left"] + 60 < 100


@pytest.mark.parametrize("letter", ["a", "\N{CJK UNIFIED IDEOGRAPH-20BB7}"])
def test_long_names_are_cut_between_letters(page, letter):
    drawn = page.evaluate(
        """(name) => {
          const context = document.createElement("canvas").getContext("2d"), said = [];
          context.fillText = (text) => said.push(text);
          drawNames(context, [[9, 9, 5], [9, 99, 5]], [name, name.repeat(2)], [0, 0, 5000, 500], {});
          return said;
        }""",
        "1 " + 32 * letter,
    )
    assert drawn == ["1 " + 32 * letter, "1 " + 31 * letter + "…"]
