"""What each place counts, ready to be added up over any clusters of places.

Fractional counts are kept as numbers of rows by (place, value): whole numbers, which may be added in any order. Only their few
totals by value are then multiplied and added, in the order in which `count.sums` does it, so that the sums have the same bits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by, to_host
from gpu_clusters.engines.levels import ON_CPU, Kernels
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.kernels.nodes import Nodes
from gpu_clusters.steps import count
from gpu_clusters.steps.count import Measure
from gpu_clusters.steps.pools import NO_POOLS, Pools

BLOCK = 1 << 22  # whole numbers that are held at a time


class Tally(NamedTuple):
    """Numbers of rows by place and value; those of place ``i`` are ``start[i]:start[i + 1]``.

    All arrays are on the device of the kernels that counted. Without any row ``start`` is empty.
    """

    start: NDArray[np.int64]
    code: NDArray[np.int32]
    rows: NDArray[np.int64]
    measure: Measure


def tally(
    table: Addresses | Deals | None, place: NDArray[np.int32] | None, places: int, kernels: Kernels = ON_CPU
) -> Tally:
    """Count the rows of a table, (n,) ``place`` of each, by place and value; an absent table counts nothing."""
    xp, codeless = kernels.xp, np.empty(0, np.int32)
    if table is None or place is None:
        nothing = Measure(codeless, xp.ones(1), parts=False)
        return Tally(xp.empty(0, np.int64), xp.empty(0, np.int32), xp.empty(0, np.int64), nothing)
    counts = count.measure(table)
    measure = counts._replace(code=codeless, values=xp.asarray(counts.values))
    if counts.quanta:
        rows = sum_by(place, counts.code, places)
        return Tally(xp.arange(places + 1), xp.zeros(places, np.int32), xp.asarray(rows), measure)
    given = xp.asarray(counts.code.astype(np.int32))
    start, code, rows = kernels.rows_by_place(xp.asarray(place), given, places, len(counts.values))
    return Tally(start, code, rows, measure)


def node_sums(
    found: Tally,
    nodes: Nodes,
    node: NDArray[np.int32],
    place: NDArray[np.int32] | None = None,
    sign: NDArray[np.int8] | None = None,
    kernels: Kernels = ON_CPU,
    pools: Pools = NO_POOLS,
) -> NDArray[np.float64]:
    """Sum of what the places of each node count, and after the nodes of each pool; (m + p,), on the host.

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
    pools : Pools
    """
    result, of_pools = kernels.xp.zeros(len(nodes.level)), np.zeros(pools.number)
    kinds, values = len(found.measure.values), found.measure.values
    many = max(1, BLOCK // max(len(result), 1))
    for low in range(0, kinds if len(found.code) else 0, many):
        width = min(many, kinds - low)
        rows = kernels.rows_of(nodes, node, place, sign, found.start, found.code, found.rows, low, width)
        kernels.add_worth(rows, values[low : low + width], found.measure.parts, result)
        if pools.number:
            pooled = pools.sums(to_host(rows[kernels.xp.asarray(pools.node)]))
            ON_CPU.add_worth(pooled, to_host(values[low : low + width]), found.measure.parts, of_pools)
    return np.concatenate((to_host(result), of_pools))
