"""Labels of maps keep apart from each other and from the symbols."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_clusters.report import labels


def test_labels_keep_apart():
    rng = np.random.default_rng(0)
    points, radii = rng.uniform(0, 400, (150, 2)), rng.uniform(1, 9, 150)
    sizes = [(rng.uniform(20, 90), 9.0) for _ in range(120)]
    placed = labels.place_labels(points, radii, sizes, (0, 0, 400, 400))
    assert 10 < len(placed) < 120 and placed[0].point < 5
    boxes = [(p.left, p.bottom, p.left + sizes[p.point][0], p.bottom + 9.0) for p in placed]
    for i, (left, bottom, right, top) in enumerate(boxes):
        assert left >= 0 and bottom >= 0 and right <= 400 and top <= 400
        for other in boxes[:i]:
            assert left >= other[2] or other[0] >= right or bottom >= other[3] or other[1] >= top
        for (x, y), radius in zip(points, radii, strict=True):
            assert x + radius <= left or x - radius >= right or y + radius <= bottom or y - radius >= top
    lines = [(i, p.leader) for i, p in enumerate(placed) if p.leader is not None]
    assert len(lines) > 5
    for i, line in lines:
        x, y = np.linspace(*line, 500).T
        for left, bottom, right, top in boxes[:i] + boxes[i + 1 :]:
            assert not ((left < x) & (x < right) & (bottom < y) & (y < top)).any()
    for p, box in zip(placed, boxes, strict=True):
        if p.leader is None:
            gap = np.hypot(max(box[0] - points[p.point][0], points[p.point][0] - box[2], 0), 0)
            assert gap < radii[p.point] + 7


def test_the_first_labels_find_a_way():
    """In a ring of symbols that no line can leave, only the first labels are placed, their lines across the ring."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = 100 + 30 * np.column_stack((np.cos(angle), np.sin(angle)))
    points, radii = np.vstack(([[100.0, 100.0]], ring)), [2.0] * 61
    for insist, expected in ((0, []), (1, [0])):
        placed = labels.place_labels(points, radii, [(70.0, 9.0)], (0, 0, 200, 200), insist=insist)
        assert [label.point for label in placed] == expected
    left, bottom = placed[0].left, placed[0].bottom
    for x, y in points:
        assert x + 2 <= left or x - 2 >= left + 70 or y + 2 <= bottom or y - 2 >= bottom + 9


def test_a_label_takes_the_first_free_side_of_its_symbol():
    """Right, left, above, below, each in the middle of the side; the margin counts against the frame and other symbols."""
    point, radius, (width, height) = (50.0, 50.0), 4.0, (30.0, 8.0)
    right, left, above, below = (56.5, 46.0), (13.5, 46.0), (35.0, 56.5), (35.0, 35.5)
    for frame, expected in (
        ((0, 0, 100, 100), right),
        ((0, 0, 87.5, 100), right),
        ((0, 0, 87.4, 100), left),
        ((12.5, 0, 87.4, 100), left),
        ((12.6, 0, 87.4, 100), above),
        ((12.6, 0, 87.4, 65.5), above),
        ((12.6, 0, 87.4, 65.4), below),
        ((12.6, 34.5, 87.4, 65.4), below),
    ):
        (placed,) = labels.place_labels(np.array([point]), [radius], [(width, height)], frame)
        assert placed.leader is None and (placed.left, placed.bottom) == expected
    assert not labels.place_labels(np.array([point]), [radius], [(width, height)], (0, 60, 100, 100))
    for x, expected in ((89.5, right), (89.4, left)):
        points = np.array([point, (x, 50.0)])
        assert labels.place_labels(points, [radius, 2.0], [(width, height)], (0, 0, 200, 100))[0][1:3] == expected


def test_a_line_leads_from_the_edge_of_a_symbol_to_its_label():
    ring = 100 + 30 * np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    points, radii, (width, height) = np.vstack(([(100.0, 100.0)], ring)), [3.0, *[18.0] * 4], (60.0, 8.0)
    (placed,) = labels.place_labels(points, radii, [(width, height)], (0, 0, 200, 200))
    start, end = placed.leader
    assert np.hypot(*(start - 100)) == pytest.approx(3)
    assert end[0] == pytest.approx(np.clip(100, placed.left, placed.left + width))
    assert end[1] == pytest.approx(np.clip(100, placed.bottom, placed.bottom + height))
    assert np.linalg.det([start - 100, end - 100]) == pytest.approx(0, abs=1e-9) and np.dot(start - 100, end - 100) > 0
