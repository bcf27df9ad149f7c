"""Which clusters have members within a distance of each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from gpu_clusters.arrays import blocks
from gpu_clusters.compiled import cached
from gpu_clusters.kernels.bands import Bands, index_of, near, segments
from gpu_clusters.kernels.linking import within
from gpu_clusters.kernels.search import KEY, X, Y, Z, candidates, piece, point_function
from gpu_clusters.kernels.spaces import Reach

BLOCK = 1 << 21  # pairs that are held at a time; the same two clusters may be found many times


def close_pairs(
    queries: Bands,
    query_label: NDArray[np.int64],
    targets: Bands,
    target_label: NDArray[np.int64],
    reach: Reach,
) -> NDArray[np.int64]:
    """Pairs of different labels of which a query and a target are within reach; (p, 2) int64, smaller label first, sorted.

    ``query_label`` and ``target_label`` are in the order of the bands. Targets with negative labels are in no pair.
    """
    first, last = near(queries, targets, reach)
    tasks = segments(queries)
    run_end = _run_ends(targets.start, target_label)
    args: tuple[Any, ...] = (queries.points, query_label, *index_of(targets), target_label, run_end, reach, first, last)
    found = np.zeros(queries.points.shape[1] + 1, np.int64)
    _pairs(*[*args, *tasks, found[1:], np.empty((0, 2), np.int64)])
    place = np.cumsum(found)
    labels = 1 + max(int(query_label.max(initial=0)), int(target_label.max(initial=0)))
    keys = np.empty(0, np.int64)  # one number a pair: numbers sort many times as fast as rows
    for begin, end, low, high in blocks(place[np.append(0, tasks[2])], BLOCK):
        new = np.empty((high - low, 2), np.int64)
        _pairs(*[*args, *(column[begin:end] for column in tasks), place[:-1] - low, new])
        keys = np.sort(np.concatenate((keys, new.min(axis=1) * labels + new.max(axis=1))))
        keys = keys[np.diff(keys, prepend=-1) > 0]
    return np.stack(np.divmod(keys, labels), axis=1)


@cached(njit)
def _run_ends(start, label):
    """For each point where the run of equal labels ends that it is in; runs end with their band."""
    run_end = np.empty(len(label), np.int64)
    for band in range(len(start) - 1):
        end = start[band + 1]
        for i in range(end - 1, start[band] - 1, -1):
            if i + 1 < start[band + 1] and label[i + 1] != label[i]:
                end = i + 1
            run_end[i] = end
    return run_end


@point_function
def pairs_in_run(points, label, run_end, limit, own, x, y, z, low, high, place, pairs):
    """Note the labels other than ``own``, and not negative, of points within reach among ``low..high``; the next free place."""
    while low < high:
        if label[low] == own or label[low] < 0:
            low = run_end[low]
        elif within(points, limit, low, x, y, z):
            if len(pairs) > 0:
                pairs[place, 0], pairs[place, 1] = own, label[low]
            place += 1
            low = run_end[low]
        else:
            low += 1
    return place


@point_function
def pairs_in_band(points, start, edges, table, label, run_end, reach, band, own, key, x, y, z, place, pairs):
    """See `pairs_in_run`, of all of a band."""
    a, d = candidates(reach, points, start, edges, table, band, key, z, math.sqrt(x * x + y * y))
    begin = start[band]
    size = start[band + 1] - begin
    for turn in range(-1, 2):
        low, high = piece(a, d, size, turn)
        place = pairs_in_run(points, label, run_end, reach.limit, own, x, y, z, begin + low, begin + high, place, pairs)
    return place


@cached(njit, parallel=True)
def _pairs(
    queries,
    query_label,
    points,
    start,
    edges,
    table,
    label,
    run_end,
    reach,
    first,
    last,
    band,
    begin,
    end,
    place,
    pairs,
):
    """Count the pairs of each query into ``place`` (no ``pairs`` given), or write them from there on."""
    for task in prange(len(band)):
        for other in range(first[band[task]], last[band[task]]):
            for q in range(begin[task], end[task]):
                own, key, x, y, z = query_label[q], queries[KEY, q], queries[X, q], queries[Y, q], queries[Z, q]
                place[q] = pairs_in_band(
                    *(points, start, edges, table, label, run_end, reach, other, own, key, x, y, z, place[q], pairs)
                )
