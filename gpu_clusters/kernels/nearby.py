"""Deals at every level: the nearest locations of a place, and the clusters that it passes through."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.arrays import namespace, to_host
from gpu_clusters.compiled import cached
from gpu_clusters.kernels.areas import squared_degrees
from gpu_clusters.kernels.bands import Bands, index_of, near, segments
from gpu_clusters.kernels.nodes import Nodes
from gpu_clusters.kernels.search import HIGH_Z, KEY, LOW_Z, X, Z, around, maybe_width, piece, point_function
from gpu_clusters.kernels.spaces import Reach

ROOM = 32  # locations of a place that are written at the first attempt


class Nearby(NamedTuple):
    """The nearest location of each place at each level, nearest first: those of place ``i`` are ``start[i]:start[i + 1]``.

    A location that is exactly as near as the one before it is given as ``-1 - location``.
    """

    start: NDArray[np.int64]
    location: NDArray[np.int32]


def nearest_by_level(queries: Bands, targets: Bands, reach: Reach, level: NDArray[np.int16], levels: int) -> Nearby:
    """Find, for each place, the locations within reach that are nearest at some level; of equally near ones all.

    A location is a member at the levels up to its own, so that of two locations the farther one matters only if its level is
    higher. Few are left.

    Parameters
    ----------
    queries, targets : Bands
        Places and locations; results are in the orders in which they were given.
    reach : Reach
    level : (n,) int16
        The highest level at which a location is a member, up to ``levels``; 0 for none.
    """
    first, last = near(queries, targets, reach)
    places = queries.points.shape[1]
    count = np.zeros(places, np.int64)
    given = (queries.points, queries.order, *index_of(targets), targets.order, level[targets.order], levels, reach)
    args = (*given, first, last, *segments(queries), count)
    slot = np.arange(places) * ROOM
    location, square = np.empty(places * ROOM, np.int32), np.empty(places * ROOM)
    _near(*args, slot, ROOM, location, square)
    start = np.concatenate((np.zeros(1, np.int64), np.cumsum(count)))
    if count.max(initial=0) > ROOM:
        location, square = np.empty(start[-1], np.int32), np.empty(start[-1])
        _near(*args, start[:-1], np.iinfo(np.int64).max, location, square)
    else:
        taken = np.arange(start[-1]) + np.repeat(slot - start[:-1], count)
        location, square = location[taken], square[taken]
    sort_by_distance(start, location, square)
    return Nearby(start, location)


def passages(
    nearby: Nearby, nodes: Nodes, arrival: NDArray[np.int32], first: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Where each place comes into (1) and leaves (-1) clusters, from the highest level down: node, place, sign; (e,) each.

    A place is with the nearest member (of equally near ones that of the cluster whose first member comes first). Lower levels
    have more members: a nearer one may come to be, and take the place over. ``arrival`` (n,) may be on either device, the others
    and the result are on the host.
    """
    xp = namespace(arrival)
    location = xp.asarray(np.where(nearby.location < 0, -1 - nearby.location, nearby.location))
    count = np.zeros(len(nearby.start), np.int64)
    args = (*nearby, nodes.level, nodes.parent, to_host(arrival[location]), first)
    _pass(*args, count[1:], np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int8))
    slot = np.cumsum(count)
    node, place = np.empty((2, slot[-1]), np.int32)
    sign = np.empty(slot[-1], np.int8)
    _pass(*args, slot[:-1].copy(), node, place, sign)
    return node, place, sign


@cached(njit, parallel=True)
def _near(
    queries,
    query_order,
    points,
    start,
    edges,
    table,
    order,
    level,
    levels,
    reach,
    first,
    last,
    band,
    begin,
    end,
    count,
    slot,
    room,
    location,
    square,
):
    """Count the locations of each place, and write them from its slot on if there is room."""
    for task in prange(len(band)):
        for q in range(begin[task], end[task]):
            place = query_order[q]
            held, mine, far = _nearest_of(
                queries,
                points,
                start,
                edges,
                table,
                order,
                level,
                levels,
                reach,
                first[band[task]],
                last[band[task]],
                q,
            )
            count[place] = held
            if held <= room:
                location[slot[place] : slot[place] + held] = mine[:held]
                square[slot[place] : slot[place] + held] = far[:held]


@cached(njit)
def _nearest_of(queries, points, start, edges, table, order, level, levels, reach, first, last, q):
    """The locations of one place, in no order: how many, their numbers and squared distances."""
    best = np.full(levels + 1, np.inf)  # of the members at each level; it only falls with the level
    mine, far, at = np.empty(ROOM, np.int32), np.empty(ROOM), np.empty(ROOM, np.int16)
    held = 0
    lon, lat = queries[X, q], queries[Z, q]
    middle = first
    while middle < last and edges[HIGH_Z, middle] < lat:
        middle += 1
    for step in range(last - first):  # nearest bands first: from the middle up, then from there down
        other = middle + step if step < last - middle else last - 1 - step
        rise = max(edges[LOW_Z, other] - lat, lat - edges[HIGH_Z, other], 0.0)
        width = maybe_width(reach, edges, other, lat, math.fabs(lon))
        nearer = best[levels] * (1 + 1e-9) - rise * rise  # nothing beyond the nearest of the highest level matters
        if width < 0 or nearer < 0:
            continue
        width = min(width, math.sqrt(nearer))
        a, d = around(reach, points, start, edges, table, other, queries[KEY, q], width)
        offset = start[other]
        size = start[other + 1] - offset
        for turn in range(-1, 2):
            low, high = piece(a, d, size, turn)
            for i in range(offset + low, offset + high):
                own = level[i]
                distance = squared_degrees(lon, lat, points[X, i], points[Z, i])
                if own > 0 and distance <= best[own] and distance <= reach.limit:
                    if distance < best[own]:
                        for below in range(own, 0, -1):
                            if best[below] <= distance:
                                break
                            best[below] = distance
                    if held == len(mine):
                        held = _drop_farther(best, mine, far, at, held)
                        if 2 * held > len(mine):
                            more = np.zeros(len(mine), np.int32)
                            mine, far = np.append(mine, more), np.append(far, more)
                            at = np.append(at, more.astype(np.int16))
                    mine[held], far[held], at[held] = order[i], distance, own
                    held += 1
    return _drop_farther(best, mine, far, at, held), mine, far


@cached(njit)
def _drop_farther(best, mine, far, at, held):
    """Keep the locations that are nearest at their own level; how many."""
    kept = 0
    for k in range(held):
        if far[k] == best[at[k]]:
            mine[kept], far[kept], at[kept] = mine[k], far[k], at[k]
            kept += 1
    return kept


@cached(njit, parallel=True)
def sort_by_distance(start, location, square):
    """Sort the locations of each place, and mark those that are as near as the one before."""
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
def best_of_tie(low, high, level, parent, arrival, first, wanted):
    """Of equally near locations that are members at a level, the node whose first member comes first; -1 for none."""
    best = -1
    for k in range(low, high):
        at = arrival[k]
        if at >= 0 and level[at] >= wanted:
            node = holder(level, parent, at, wanted)
            if best < 0 or first[node] < first[best]:
                best = node
    return best


@cached(njit, parallel=True)
def _pass(start, location, level, parent, arrival, first, slot, node_list, place_list, sign_list):
    for place in prange(len(start) - 1):
        reached, low, stop = 0, start[place], start[place + 1]
        while low < stop:
            high = low + 1
            while high < stop and location[high] < 0:
                high += 1
            most = reached
            for k in range(low, high):
                at = arrival[k]
                most = max(most, level[at]) if at >= 0 else most
            with_node = -1  # the cluster one level further up, as it is at this level
            for wanted in range(most, reached, -1):
                node = best_of_tie(low, high, level, parent, arrival, first, wanted)
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
