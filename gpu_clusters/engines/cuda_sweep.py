"""CUDA kernels for the clusters of all thresholds, around the functions for one point or one cell of `gpu_clusters.kernels`."""

from __future__ import annotations

import math
from typing import Any

from gpu_clusters.compiled import cached
from gpu_clusters.engines.cuda import cuda
from gpu_clusters.kernels.cells import width_around
from gpu_clusters.kernels.closest import look_around
from gpu_clusters.kernels.levels import hang_in_band, link_at
from gpu_clusters.kernels.linking import find
from gpu_clusters.kernels.nodes import first_node, raise_nodes
from gpu_clusters.kernels.search import KEY
from gpu_clusters.kernels.sums import count_member, scatter, worth


def held(*args: Any) -> list[Any]:
    """Arguments for many launches of a row: arrays of CuPy are taken once, and not waited for, as both use one stream."""
    return [cuda.as_cuda_array(arg, sync=False) if hasattr(arg, "__cuda_array_interface__") else arg for arg in args]


@cached(cuda.jit)
def measure_widths(points, edges, reach, band, width):
    """`cells.width_around` of each point."""
    p = cuda.grid(1)
    if p < width.shape[0]:
        width[p] = width_around(points, edges, reach, band[p], p)


@cached(cuda.jit)
def open_cells(points, start, band, width, opens):
    """Whether a point opens a cell: cells are parts of a band of equal ``width``, (m,); of none where that is not positive."""
    p = cuda.grid(1)
    if p < opens.shape[0]:
        own = band[p]
        begin, wide = start[own], width[own]
        opens[p] = p == begin or wide <= 0
        if p > begin and wide > 0:
            first = points[KEY, begin]
            before, here = (points[KEY, p - 1] - first) / wide, (points[KEY, p] - first) / wide
            opens[p] = math.floor(here) > math.floor(before)


@cached(cuda.jit)
def link_level(
    begin, wanted, by_level, points, start, edges, table, reach, first, last, band,
    cell_start, number, ranked, top, level, root_of, end,
):  # fmt: skip
    """Link the cells of the points ``by_level[begin:end]``, which become core at a level."""
    p = begin + cuda.grid(1)
    if p < end:
        i = by_level[p]
        for other in range(first[band[i]], last[band[i]]):
            link_at(
                reach, points, start, edges, table, cell_start, number, ranked, top, level, root_of, i, wanted, other
            )


@cached(cuda.jit)
def end_level(wanted, root_of, parent, link):
    """Note for the roots that have been hung on others at a level where they are now."""
    cell = cuda.grid(1)
    if cell < parent.shape[0] and link[cell] == 0 and root_of[cell] != cell:
        parent[cell], link[cell] = find(root_of, cell), wanted


@cached(cuda.jit)
def hang_points(
    points, start, edges, table, order, reach, first, last, band, cell_start, number, ranked, density, level, most, best
):
    """The point that each hangs on; no level is above ``most[0]``."""
    p = cuda.grid(1)
    if p < best.shape[0]:
        found = -1
        if level[p] < most[0]:
            top = ranked[cell_start[number[p]]]
            found = top if level[top] > level[p] else -1
            for other in range(first[band[p]], last[band[p]]):
                found = hang_in_band(
                    *(reach, points, start, edges, table, order, cell_start, number, ranked),
                    *(density, level, p, other, found),
                )
        best[p] = found if found >= 0 else p


@cached(cuda.jit)
def grow_nodes(parent, link, top, base, node_level, node_parent):
    """Level and parent of the nodes of each cell."""
    cell = cuda.grid(1)
    if cell < top.shape[0]:
        raise_nodes(cell, parent, link, top, base, node_level, node_parent)


@cached(cuda.jit)
def arrive(order, number, parent, link, base, level, hangs_on, arrival, core):
    """The nodes where each location arrives and where it is first core."""
    p = cuda.grid(1)
    if p < order.shape[0]:
        on = hangs_on[p]
        arrival[order[p]] = first_node(number[on], parent, link, base, level[on])
        core[order[p]] = first_node(number[p], parent, link, base, level[p])


@cached(cuda.jit)
def lower(parent, node, value, least):
    """Bring each value to its node and to all above; the least stays.

    A value that meets one that is as small goes no further: that one has been, or is on its way, to all above.
    """
    i = cuda.grid(1)
    if i < node.shape[0]:
        at = node[i]
        while at >= 0 and value[i] < least[at]:
            cuda.atomic.min(least, at, value[i])
            at = parent[at]


@cached(cuda.jit)
def add_to_parents(begin, order, parent, values, end):
    """Add the values, (m, k), of the nodes ``order[begin:end]``, which are of one level, to those of their parents."""
    i = cuda.grid(1)
    node = begin + i // values.shape[1]
    if node < end:
        node, column = order[node], i % values.shape[1]
        if parent[node] >= 0 and values[node, column] != 0:
            cuda.atomic.add(values, (parent[node], column), values[node, column])


@cached(cuda.jit)
def count_members(arrival, core, weight, sums):
    """Locations, weight and core locations that come into each node."""
    i = cuda.grid(1)
    if i < arrival.shape[0]:
        count_member(i, arrival, core, weight, sums)


@cached(cuda.jit)
def scatter_rows(node, place, sign, start, code, rows, low, sums):
    """Rows by value that come into each node."""
    e = cuda.grid(1)
    if e < node.shape[0]:
        scatter(e, node, place, sign, start, code, rows, low, sums)


@cached(cuda.jit)
def add_worths(rows, values, parts, result):
    """Add what the rows of each node are worth."""
    node = cuda.grid(1)
    if node < result.shape[0]:
        result[node] = worth(result[node], node, rows, values, parts)


@cached(cuda.jit)
def add_to_groups(group, value, sums):
    """Sum of the whole numbers of each group."""
    i = cuda.grid(1)
    if i < group.shape[0]:
        cuda.atomic.add(sums, group[i], value[i])


@cached(cuda.jit)
def find_nearest(
    begin, known, queries, points, start, edges, table, order, level, levels, reach, first, last, band,
    best, slot, location, square,
):  # fmt: skip
    """The places from ``begin`` on, one for each row of ``best``: see `closest.look_around`."""
    row = cuda.grid(1)
    if row < best.shape[0]:
        q = begin + row
        look_around(
            *(queries, points, start, edges, table, order, level, levels, reach, first[band[q]], last[band[q]]),
            *(q, row, best, known, slot, location, square),
        )
