"""What the clusters of all thresholds hold, on a GPU: sums over the tree, and the nearest members of places.

No GPU has run this yet: see docs/gpu.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpu_clusters.arrays import count_each, to_host
from gpu_clusters.engines import cuda, cuda_sweep
from gpu_clusters.engines.device import band_of
from gpu_clusters.kernels.bands import Bands, index_of, near
from gpu_clusters.kernels.nearby import Nearby, sort_by_distance
from gpu_clusters.kernels.nodes import Nodes
from gpu_clusters.kernels.spaces import Reach
from gpu_clusters.kernels.sums import Arrivals

ROOM = 1 << 27  # distances that are held at a time: 1 GiB


def add_up(nodes: Nodes, values: Any) -> None:
    """See `nodes.add_up`; one level after the other, from the highest down."""
    begin, width = 0, values.shape[1]
    args = cuda_sweep.held(nodes.order, nodes.parent, values)
    for size in to_host(count_each(nodes.level)).tolist()[:0:-1]:
        cuda.launch(cuda_sweep.add_to_parents, size * width, begin, *args, begin + size)
        begin += size


def rows_by_place(xp: Any, place: Any, code: Any, places: int, kinds: int) -> tuple[Any, Any, Any]:
    """See `sums.rows_by_place`."""
    pair, rows = xp.unique(place.astype(np.int64) * kinds + code, return_counts=True)
    start = xp.searchsorted(pair, xp.arange(places + 1) * kinds)
    return start, (pair % kinds).astype(np.int32), rows.astype(np.int64)


def members_of(xp: Any, nodes: Nodes, arrival: Any, core: Any, weight: Any) -> Any:
    """See `sums.members_of`."""
    result = xp.zeros((len(nodes.level), 3), np.int64)
    cuda.launch(cuda_sweep.count_members, len(arrival), arrival, core, weight, result)
    add_up(nodes, result)
    return result


def rows_of(
    xp: Any, nodes: Nodes, node: Any, place: Any, sign: Any, start: Any, code: Any, rows: Any, low: int, width: int
) -> Any:
    """See `sums.rows_of`."""
    result = xp.zeros((len(nodes.level), width), np.int64)
    places = xp.empty(0, np.int32) if place is None else place
    signs = xp.empty(0, np.int8) if sign is None else sign
    cuda.launch(cuda_sweep.scatter_rows, len(node), node, places, signs, start, code, rows, low, result)
    add_up(nodes, result)
    return result


def add_worth(xp: Any, rows: Any, values: Any, parts: bool, result: Any) -> None:  # noqa: ARG001 - as the others
    """See `sums.add_worth`."""
    cuda.launch(cuda_sweep.add_worths, len(result), rows, values, parts, result)


def arrivals(xp: Any, nodes: Nodes, arrival: Any, number: Any, weight: Any, others: int) -> Arrivals:
    """See `sums.arrivals`; locations that come into one node and are in one cluster are one entry."""
    some = xp.flatnonzero((arrival >= 0) & (number >= 0))
    pair = arrival[some].astype(np.int64) * max(others, 1) + number[some]
    names, place = xp.unique(pair, return_inverse=True)
    total = xp.zeros(len(names), np.int64)
    cuda.launch(cuda_sweep.add_to_groups, len(some), place, weight[some], total)
    names, locations = to_host(names), to_host(count_each(place, len(names)))
    node, other = np.divmod(names, max(others, 1))
    start = np.searchsorted(node, np.arange(len(nodes.level) + 1))
    member = np.arange(len(names), dtype=np.int32)
    return Arrivals(start, member, other.astype(np.int32), locations.astype(np.int64), to_host(total))


def nearest_by_level(xp: Any, queries: Bands, targets: Bands, reach: Reach, level: Any, levels: int) -> Nearby:
    """See `nearby.nearest_by_level`; so many places at a time as there is room for the distances of all levels."""
    index = (queries.points, *index_of(targets), targets.order, level[targets.order], levels, reach)
    args = (*index, *near(queries, targets, reach), band_of(xp, queries.start))
    no_location, no_square = xp.empty(0, np.int32), xp.empty(0, np.float64)
    found = []
    places, most = queries.points.shape[1], max(1, ROOM // (levels + 1))
    for begin in range(0, places, most):
        rows = min(most, places - begin)
        best, slot = xp.full((rows, levels + 1), np.inf, np.float64), xp.zeros(rows + 1, np.int64)
        for known in (False, True):
            cuda.launch(cuda_sweep.find_nearest, rows, begin, known, *args, best, slot[1:], no_location, no_square)
        slot = xp.cumsum(slot)
        count = int(slot[-1])
        location, square = xp.empty(count, np.int32), xp.empty(count, np.float64)
        if count:
            cuda.launch(cuda_sweep.find_nearest, rows, begin, True, *args, best, slot[:-1].copy(), location, square)
        found.append([to_host(array) for array in (slot[1:] - slot[:-1], location, square)])
    counts, locations, squares = (np.concatenate(column) for column in zip(*found, strict=True))
    place = np.repeat(to_host(queries.order), counts)
    by_place = np.argsort(place, kind="stable")
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(place, minlength=places))))
    location, square = locations[by_place], squares[by_place]
    sort_by_distance(start, location, square)
    return Nearby(start, location)


FUNCTIONS = (rows_by_place, members_of, rows_of, add_worth, arrivals, nearest_by_level)
"""In the order of `levels.Kernels`."""
