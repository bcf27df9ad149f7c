"""The nearest locations of a place at each level, for a thread of its own: nothing is allocated, the room is given.

A place is looked around three times: for the least distance of a member at each level, for how many locations have it, and to
write them.
"""

from __future__ import annotations

import math

from gpu_clusters.kernels.areas import squared_degrees
from gpu_clusters.kernels.search import HIGH_Z, KEY, LOW_Z, X, Z, around, maybe_width, piece, point_function


@point_function
def look_around(
    queries, points, start, edges, table, order, level, levels, reach, first, last, q, row, best, known, slot, location,
    square,
):  # fmt: skip
    """Bring down ``best[row]``; or, where that is ``known``, count into ``slot[row]``, or write, the locations that have it."""
    lon, lat = queries[X, q], queries[Z, q]
    middle = first
    while middle < last and edges[HIGH_Z, middle] < lat:
        middle += 1
    for step in range(last - first):  # nearest bands first: from the middle up, then from there down
        other = middle + step if step < last - middle else last - 1 - step
        rise = max(edges[LOW_Z, other] - lat, lat - edges[HIGH_Z, other], 0.0)
        width = maybe_width(reach, edges, other, lat, math.fabs(lon))
        nearer = best[row, levels] * (1 + 1e-9) - rise * rise  # nothing beyond the nearest of the highest level matters
        if width < 0 or nearer < 0:
            continue
        a, d = around(reach, points, start, edges, table, other, queries[KEY, q], min(width, math.sqrt(nearer)))
        begin = start[other]
        size = start[other + 1] - begin
        for turn in range(-1, 2):
            low, high = piece(a, d, size, turn)
            for i in range(begin + low, begin + high):
                own = level[i]
                if own > 0:
                    distance = squared_degrees(lon, lat, points[X, i], points[Z, i])
                    if distance <= best[row, own] and distance <= reach.limit:
                        if known:
                            if len(location) > 0:
                                location[slot[row]], square[slot[row]] = order[i], distance
                            slot[row] += 1
                        else:
                            for below in range(own, 0, -1):
                                if best[row, below] <= distance:
                                    break
                                best[row, below] = distance
