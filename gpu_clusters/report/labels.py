"""Labels that overlap neither each other nor what they name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Placed(NamedTuple):
    """A label: the number of its point, its lower left corner, and the line to its symbol, (2, 2), if they are apart."""

    point: int
    left: float
    bottom: float
    leader: NDArray[np.float64] | None


ASIDE = 0.3  # sine of the angle from which on a label is beside, above or below its symbol
MARGIN = 1.0  # left free around labels
DISTANCES = (0.0, 9.0, 20.0, 34.0, 50.0, 70.0, 95.0, 125.0)  # of a label from its symbol, in the order of trial
NEXT = 6.0  # a label so near to its symbol needs no line
_DIRECTIONS = [0, 180, 90, 270, 45, 315, 135, 225, *range(22, 360, 45)]  # degrees, in the order in which they are tried


def place_labels(
    points: NDArray[np.float64],
    radii: Sequence[float],
    sizes: Sequence[tuple[float, float]],
    frame: tuple[float, float, float, float],
    insist: int = 10,
) -> list[Placed]:
    """Place labels beside their points, the first ones first; those that fit nowhere are left out.

    Parameters
    ----------
    points : (n, 2) float64
        All points that no label may cover, in the unit of everything here (say, pixels).
    radii : sequence of float, n of them
        Of the points' symbols.
    sizes : sequence of (width, height), at most n
        Of the labels of the first points.
    frame : (left, bottom, right, top)
        Where labels may be.
    insist : int
        The lines to so many first labels may cross symbols, should there be no other way.
    """
    symbols = np.column_stack((points, points)) + np.outer(np.asarray(radii), (-1.0, -1.0, 1.0, 1.0))
    taken = np.empty((0, 4))  # labels and the lines to them
    placed: list[Placed] = []
    for number, (width, height) in enumerate(sizes):
        x, y = points[number]
        if not (frame[0] <= x <= frame[2] and frame[1] <= y <= frame[3]):
            continue
        boxes, others = np.vstack((symbols, taken)), np.vstack((np.delete(symbols, number, axis=0), taken))
        free = []
        for left, bottom in _candidates(x, y, radii[number], width, height):
            box = np.array([left - MARGIN, bottom - MARGIN, left + width + MARGIN, bottom + height + MARGIN])
            if box[0] < frame[0] or box[1] < frame[1] or box[2] > frame[2] or box[3] > frame[3] or _meets(boxes, box):
                continue
            leader = _leader(points[number], radii[number], (left, bottom, left + width, bottom + height))
            steps = np.empty((0, 4)) if leader is None else _steps(leader)
            free.append((Placed(number, left, bottom, leader), np.vstack((box, steps)), steps))
        chosen = next((one for one in free if not any(_meets(others, step) for step in one[2])), None)
        if chosen is None and number < insist:
            chosen = next((one for one in free if not any(_meets(taken, step) for step in one[2])), None)
        if chosen is not None:
            taken = np.vstack((taken, chosen[1]))
            placed.append(chosen[0])
    return placed


def _meets(boxes: NDArray[np.float64], box: NDArray[np.float64]) -> bool:
    apart = (boxes[:, 0] >= box[2]) | (boxes[:, 2] <= box[0]) | (boxes[:, 1] >= box[3]) | (boxes[:, 3] <= box[1])
    return not bool(apart.all())


def _leader(
    point: NDArray[np.float64], radius: float, box: tuple[float, float, float, float]
) -> NDArray[np.float64] | None:
    """From the edge of a symbol to the nearest point of a label; None where they are next to each other."""
    end = np.array([np.clip(point[0], box[0], box[2]), np.clip(point[1], box[1], box[3])])
    gap = float(np.hypot(*(end - point)))
    return None if gap < radius + NEXT else np.array([point + (end - point) * radius / gap, end])


def _steps(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Small boxes along a line."""
    parts = np.linspace(0, 1, max(int(np.hypot(*(line[1] - line[0])) / 3), 2))[:, None]
    middle = line[0] + parts * (line[1] - line[0])
    return np.hstack((middle - 0.7, middle + 0.7))


def _candidates(x: float, y: float, radius: float, width: float, height: float) -> list[tuple[float, float]]:
    found = []
    for distance in DISTANCES:
        away = radius + 2.5 + distance
        for angle in _DIRECTIONS:
            right, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            left = x + away * right - (0 if right > ASIDE else width if right < -ASIDE else width / 2)
            bottom = y + away * up - (0 if up > ASIDE else height if up < -ASIDE else height / 2)
            found.append((left, bottom))
    return found
