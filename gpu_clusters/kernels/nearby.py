"""Deals at every level: the locations near a place, found once, and the clusters that the place passes through."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.kernels.areas import squared_degrees
from gpu_clusters.kernels.bands import Bands, index_of, near, segments
from gpu_clusters.kernels.nodes import Nodes
from gpu_clusters.kernels.search import KEY, X, Z, candidates, piece, point_function
from gpu_clusters.kernels.spaces import Reach


class Nearby(NamedTuple):
    """Locations within reach of each place, nearest first: those of place ``i`` are ``start[i]:start[i + 1]``.

    A location that is exactly as near as the one before it is given as ``-1 - location``.
    """

    start: NDArray[np.int64]
    location: NDArray[np.int32]


def locations_near(queries: Bands, targets: Bands, reach: Reach) -> Nearby:
    """Find them; places and locations in the orders in which they were given to the bands."""
    first, last = near(queries, targets, reach)
    count = queries.points.shape[1]
    slots = np.zeros(count + 1, np.int64)
    args = (queries.points, queries.order, *index_of(targets), targets.order, reach, first, last, *segments(queries))
    _near(*args, slots[1:], np.empty(0, np.int32), np.empty(0))
    start = np.cumsum(slots)
    location, square = np.empty(start[-1], np.int32), np.empty(start[-1])
    _near(*args, start[:-1].copy(), location, square)
    _sort(start, location, square)
    return Nearby(start, location)


def passages(
    nearby: Nearby, nodes: Nodes, arrival: NDArray[np.int32], first: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Where each place comes into (1) and leaves (-1) clusters, from the highest level down: node, place, sign; (e,) each.

    A place is with the nearest member (of equally near ones that of the cluster whose first member comes first). Lower levels
    have more members: a nearer one may come to be, and take the place over.
    """
    count = np.zeros(len(nearby.start), np.int64)
    args = (*nearby, nodes.level, nodes.parent, arrival, first)
    _pass(*args, count[1:], np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int8))
    slot = np.cumsum(count)
    node, place = np.empty((2, slot[-1]), np.int32)
    sign = np.empty(slot[-1], np.int8)
    _pass(*args, slot[:-1].copy(), node, place, sign)
    return node, place, sign


@njit(cache=True, parallel=True)
def _near(
    queries,
    query_order,
    points,
    start,
    edges,
    table,
    order,
    reach,
    first,
    last,
    band,
    begin,
    end,
    slot,
    location,
    square,
):
    """Count what is near each query into ``slot`` (no ``location`` given), or write it from there on."""
    for task in prange(len(band)):
        for other in range(first[band[task]], last[band[task]]):
            offset = start[other]
            size = start[other + 1] - offset
            for q in range(begin[task], end[task]):
                lon, lat, place = queries[X, q], queries[Z, q], query_order[q]
                a, d = candidates(reach, points, start, edges, table, other, queries[KEY, q], lat, math.fabs(lon))
                for turn in range(-1, 2):
                    low, high = piece(a, d, size, turn)
                    for i in range(offset + low, offset + high):
                        distance = squared_degrees(lon, lat, points[X, i], points[Z, i])
                        if distance <= reach.limit:
                            if len(location) > 0:
                                location[slot[place]] = order[i]
                                square[slot[place]] = distance
                            slot[place] += 1


@njit(cache=True, parallel=True)
def _sort(start, location, square):
    for place in prange(len(start) - 1):
        mine, far = location[start[place] : start[place + 1]], square[start[place] : start[place + 1]]
        if len(mine) > 1:
            order = np.argsort(far)
            mine[:], far[:] = mine[order], far[order]
            for k in range(len(mine) - 1, 0, -1):
                if far[k] == far[k - 1]:
                    mine[k] = -1 - mine[k]


@point_function
def holder(level, parent, node, wanted):
    """The node of a level that holds a node."""
    while level[node] > wanted:
        node = parent[node]
    return node


@point_function
def note(slot, node_list, place_list, sign_list, place, node, sign):
    """Count an event, or write it."""
    if len(node_list) > 0:
        node_list[slot[place]], place_list[slot[place]], sign_list[slot[place]] = node, place, sign
    slot[place] += 1


@point_function
def best_of_tie(location, low, high, level, parent, arrival, first, wanted):
    """Of equally near locations that are members at a level, the node whose first member comes first; -1 for none."""
    best = -1
    for k in range(low, high):
        at = arrival[location[k] if location[k] >= 0 else -1 - location[k]]
        if at >= 0 and level[at] >= wanted:
            node = holder(level, parent, at, wanted)
            if best < 0 or first[node] < first[best]:
                best = node
    return best


@njit(cache=True, parallel=True)
def _pass(start, location, level, parent, arrival, first, slot, node_list, place_list, sign_list):
    for place in prange(len(start) - 1):
        reached, low, stop = 0, start[place], start[place + 1]
        while low < stop:
            high = low + 1
            while high < stop and location[high] < 0:
                high += 1
            most = reached
            for k in range(low, high):
                at = arrival[location[k] if location[k] >= 0 else -1 - location[k]]
                most = max(most, level[at]) if at >= 0 else most
            with_node = -1  # the cluster one level further up, as it is at this level
            for wanted in range(most, reached, -1):
                node = best_of_tie(location, low, high, level, parent, arrival, first, wanted)
                if with_node >= 0:
                    with_node = parent[with_node]
                if node != with_node:
                    if with_node >= 0:
                        note(slot, node_list, place_list, sign_list, place, with_node, -1)
                    note(slot, node_list, place_list, sign_list, place, node, 1)
                with_node = node
                if high == low + 1:  # the same location all the way
                    with_node = holder(level, parent, node, reached + 1)
                    break
            if most > reached and reached > 0:  # there, a nearer one has it
                note(slot, node_list, place_list, sign_list, place, parent[with_node], -1)
            reached = most
            low = high
