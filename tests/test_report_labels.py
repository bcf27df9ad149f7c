"""Labels of maps keep apart from each other and from the symbols."""

from __future__ import annotations

import numpy as np

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
