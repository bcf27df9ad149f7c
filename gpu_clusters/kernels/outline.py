"""Which members an outline needs: those whose disc is not covered by discs around, and those near another group's members.

Both questions are put to a grid of cells that each know one member per group, their representative; a cell is a small part of
the radius wide. Answers err on the side of keeping a member.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.compiled import cached

CELLS = 8  # of the grid, to a radius
SECTORS = 64  # of a circle: the bits of a whole number
ALL = np.uint64(2**64 - 1)


def uncovered(
    x: NDArray[np.float64], y: NDArray[np.float64], group: NDArray[np.int64], radius: float
) -> NDArray[np.bool_]:
    """Members whose disc may reach beyond the discs of their own group's members around them.

    A disc is covered if its edge is, by discs of centres within the radius: each of these holds the centre too, and with it the
    sector between. The discs of the members that are kept have the same outer edge as those of all, for a disc with a part in
    that edge is never covered; where many are dropped there may be a gap in the middle that the others have not.

    Parameters
    ----------
    x, y : (n,) float64
        Centres in a plane.
    group : (n,) int64
        0 and above.
    radius : float
    """
    keep = np.zeros(len(x), np.bool_)
    if len(x):
        column, row = _cells(x, radius / CELLS), _cells(y, radius / CELLS)
        slots = _slots(len(x))
        _enter(group, column, row, slots)
        _uncovered(x, y, group, column, row, slots, _offsets(), radius, keep)
    return keep


def near_others(
    x: NDArray[np.float64], y: NDArray[np.float64], group: NDArray[np.int64], distance: float
) -> NDArray[np.bool_]:
    """Members that may lie within ``distance`` of a member of another group; arguments as of `uncovered`."""
    near = np.zeros(len(x), np.bool_)
    if len(x):
        column, row = _cells(x, distance / 4), _cells(y, distance / 4)
        none, slots = np.zeros(len(x), np.int64), _slots(len(x))
        _enter(none, column, row, slots)
        first = np.sort(slots[slots >= 0])  # the cells; they are far fewer than members, in a table that caches hold
        none, columns, rows, slots = none[first], column[first], row[first], _slots(len(first))
        _enter(none, columns, rows, slots)
        span = np.arange(-5, 6)
        offsets = np.array([(i, j) for i in span for j in span])
        _near_others(group, column, row, none, columns, rows, slots, offsets, near)
    return near


def _cells(values: NDArray[np.float64], size: float) -> NDArray[np.int64]:
    return np.floor((values - values.min()) / size).astype(np.int64)


def _slots(count: int) -> NDArray[np.int64]:
    return np.full(1 << (2 * count).bit_length(), -1, np.int64)


def _offsets() -> NDArray[np.int64]:
    """Cells that may hold a centre within the radius, those first that are likely to cover much of a circle."""
    span = np.arange(-CELLS - 1, CELLS + 2)
    offsets = np.array([(i, j) for i in span for j in span])
    away = np.hypot(*offsets.T)
    offsets = offsets[np.argsort(np.abs(away - 2.5), kind="stable")]
    return offsets[np.hypot(*offsets.T) < CELLS + math.sqrt(2)]


@cached(njit)
def _start(group, column, row, mask):
    """First slot to try for a cell."""
    h = np.uint64(group) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ np.uint64(column)) * np.uint64(0xD6E8FEB86659FD93)
    h ^= h >> np.uint64(32)
    h = (h ^ np.uint64(row)) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(32)
    return np.int64(h & np.uint64(mask))


@cached(njit)
def _slot(group, column, row, groups, columns, rows, slots):
    """The slot of a cell, or the empty one where it would be."""
    mask = len(slots) - 1
    slot = _start(group, column, row, mask)
    while slots[slot] >= 0:
        other = slots[slot]
        if groups[other] == group and columns[other] == column and rows[other] == row:
            break
        slot = (slot + 1) & mask
    return slot


@cached(njit)
def _enter(group, column, row, slots):
    """Make the first member of each cell and group its representative."""
    for i in range(len(group)):
        slot = _slot(group[i], column[i], row[i], group, column, row, slots)
        if slots[slot] < 0:
            slots[slot] = i


@cached(njit)
def _arc(dx, dy, radius):
    """The sectors of a circle that lie in the disc around a centre at (dx, dy), no farther than the radius, as bits."""
    away = math.sqrt(dx * dx + dy * dy)
    half = math.acos(away / (2 * radius)) * (SECTORS / (2 * math.pi)) - 1e-6
    middle = math.atan2(dy, dx) * (SECTORS / (2 * math.pi))
    first = math.ceil(middle - half)
    count = math.floor(middle + half) - first
    bits = (np.uint64(1) << np.uint64(count)) - np.uint64(1)
    turn = np.uint64(first % SECTORS)
    return (bits << turn) | (bits >> (np.uint64(SECTORS) - turn) if turn > 0 else np.uint64(0))


@cached(njit, parallel=True)
def _uncovered(x, y, group, column, row, slots, offsets, radius, keep):
    for i in prange(len(x)):
        covered = np.uint64(0)
        for k in range(len(offsets)):
            other = slots[_slot(group[i], column[i] + offsets[k, 0], row[i] + offsets[k, 1], group, column, row, slots)]
            if other < 0:
                continue
            dx, dy = x[other] - x[i], y[other] - y[i]
            if 0 < dx * dx + dy * dy <= radius * radius:
                covered |= _arc(dx, dy, radius)
                if covered == ALL:
                    break
        keep[i] = covered != ALL


@cached(njit, parallel=True)
def _near_others(group, column, row, none, columns, rows, slots, offsets, near):
    own = np.empty(len(group), np.int64)
    lowest, highest = np.full(len(rows), np.iinfo(np.int64).max), np.full(len(rows), -1)
    for i in range(len(group)):
        own[i] = cell = slots[_slot(0, column[i], row[i], none, columns, rows, slots)]
        lowest[cell], highest[cell] = min(lowest[cell], group[i]), max(highest[cell], group[i])
    low_around, high_around = lowest.copy(), highest.copy()
    for cell in prange(len(rows)):
        for k in range(len(offsets)):
            other = slots[
                _slot(0, columns[cell] + offsets[k, 0], rows[cell] + offsets[k, 1], none, columns, rows, slots)
            ]
            if other >= 0:
                low_around[cell] = min(low_around[cell], lowest[other])
                high_around[cell] = max(high_around[cell], highest[other])
    for i in prange(len(group)):
        near[i] = low_around[own[i]] < group[i] or high_around[own[i]] > group[i]
