"""What each place counts, ready to be added up over any clusters of places.

Fractional counts are kept as numbers of rows by (place, value): whole numbers, which may be added in any order. Only their few
totals by value are then multiplied and added, in the order in which `count.sums` does it, so that the sums have the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpu_clusters.arrays import to_host
from gpu_clusters.engines.levels import ON_CPU, Kernels
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.kernels.nodes import Nodes
from gpu_clusters.steps import count
from gpu_clusters.steps.count import Measure

BLOCK = 1 << 22  # whole numbers that are held at a time


class Tally(NamedTuple):
    """Numbers of rows by place and value; those of place ``i`` are ``start[i]:start[i + 1]``. ``total`` is over all places.

    Without any row ``start`` is empty.
    """

    start: NDArray[np.int64]
    code: NDArray[np.int32]
    rows: NDArray[np.int64]
    measure: Measure
    total: float


def tally(table: Addresses | Deals | None, place: NDArray[np.int32] | None, places: int) -> Tally:
    """Count the rows of a table, (n,) ``place`` of each, by place and value; an absent table counts nothing."""
    if table is None or place is None:
        nothing = Measure(np.empty(0, np.int32), np.ones(1), parts=False)
        return Tally(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int64), nothing, 0.0)
    counts = count.measure(table)
    total = count.total(counts)
    if counts.quanta:
        rows = np.zeros(places, np.int64)
        np.add.at(rows, place, counts.code)
        one = counts._replace(code=np.empty(0, np.int32))
        return Tally(np.arange(places + 1), np.zeros(places, np.int32), rows, one, total)
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(place, minlength=places))))
    code, rows, start = _by_place(place, counts.code.astype(np.int32), start)
    return Tally(start, code, rows, Measure(np.empty(0, np.int32), counts.values, counts.parts), total)


def on_device(found: Tally, xp: Any) -> Tally:
    """A tally with its arrays in those of ``xp``."""
    start, code, rows, measure, total = found
    moved = measure._replace(values=xp.asarray(measure.values))
    return Tally(xp.asarray(start), xp.asarray(code), xp.asarray(rows), moved, total)


def node_sums(
    found: Tally,
    nodes: Nodes,
    node: NDArray[np.int32],
    place: NDArray[np.int32] | None = None,
    sign: NDArray[np.int8] | None = None,
    kernels: Kernels = ON_CPU,
) -> NDArray[np.float64]:
    """Sum of what the places of each node count; (m,), on the host.

    Parameters
    ----------
    found : Tally
    nodes : Nodes
    node : (e,) int32
        Where places come in (-1: nowhere): all places in turn, or those of ``place`` (e,).
    place, sign : (e,), optional
        With ``sign`` -1 a place leaves instead.
    kernels : Kernels
        Those of the device that the arrays are on.
    """
    result = kernels.xp.zeros(len(nodes.level))
    kinds, values = len(found.measure.values), found.measure.values
    many = max(1, BLOCK // max(len(result), 1))
    for low in range(0, kinds if len(found.code) else 0, many):
        width = min(many, kinds - low)
        rows = kernels.rows_of(nodes, node, place, sign, found.start, found.code, found.rows, low, width)
        kernels.add_worth(rows, values[low : low + width], found.measure.parts, result)
    return to_host(result)


@njit(cache=True)
def _by_place(place, code, start):
    """Codes of the rows sorted by place, equal ones counted."""
    slot = start[:-1].copy()
    codes = np.empty(len(place), np.int32)
    for i in range(len(place)):
        codes[slot[place[i]]] = code[i]
        slot[place[i]] += 1
    rows = np.empty(len(place), np.int64)
    filled = 0
    first = np.empty_like(start)
    for p in range(len(start) - 1):
        mine = codes[start[p] : start[p + 1]]
        if len(mine) > 1:
            mine.sort()
        first[p] = filled
        for c in mine:
            if filled > first[p] and codes[filled - 1] == c:
                rows[filled - 1] += 1
            else:
                codes[filled], rows[filled] = c, 1
                filled += 1
    first[-1] = filled
    return codes[:filled].copy(), rows[:filled].copy(), first
