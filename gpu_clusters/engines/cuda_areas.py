"""CUDA kernels of areas and of gaps between clusters: one thread works for one query."""

from __future__ import annotations

import math

from gpu_clusters.compiled import cached
from gpu_clusters.engines.cuda import cuda
from gpu_clusters.kernels.areas import nearer_in_band
from gpu_clusters.kernels.gaps import pairs_in_band
from gpu_clusters.kernels.search import KEY, X, Y, Z


@cached(cuda.jit)
def find_nearest(queries, points, start, edges, table, group, reach, first, last, band, result):
    """Group of the nearest member within reach of each query, -1 for none."""
    q = cuda.grid(1)
    if q < result.shape[0]:
        key, lon, lat = queries[KEY, q], queries[X, q], queries[Z, q]
        best, nearest = -1, math.inf
        for other in range(first[band[q]], last[band[q]]):
            best, nearest = nearer_in_band(
                points, start, edges, table, group, reach, other, best, nearest, key, lon, lat
            )
        result[q] = best


@cached(cuda.jit)
def find_pairs(
    queries, query_label, points, start, edges, table, label, run_end, reach, first, last, band, begin, slot, pairs
):
    """Count into ``slot`` the pairs of the queries from ``begin`` on (no ``pairs`` given), or write them from there on."""
    p = cuda.grid(1)
    if p < slot.shape[0]:
        q, place = begin + p, slot[p]
        own, key, x, y, z = query_label[q], queries[KEY, q], queries[X, q], queries[Y, q], queries[Z, q]
        for other in range(first[band[q]], last[band[q]]):
            place = pairs_in_band(
                *(points, start, edges, table, label, run_end, reach, other, own, key, x, y, z, place, pairs)
            )
        slot[p] = place
