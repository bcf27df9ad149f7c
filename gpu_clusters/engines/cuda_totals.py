"""CUDA kernels that add to totals, one thread for each place or value: whole numbers, so that their order does not matter."""

from __future__ import annotations

import math

from gpu_clusters.compiled import cached
from gpu_clusters.engines.cuda import cuda
from gpu_clusters.kernels.discs import in_area
from gpu_clusters.kernels.exact import carry_in, parts


@cuda.jit(device=True)
def count(limbs, held, empty, group, value):
    """Add a value, or NaN, to the totals of its group while other threads do."""
    if math.isnan(value):
        cuda.atomic.add(empty, group, 1)
        return
    cuda.atomic.add(held, group, 1)
    limb, low, middle, high = parts(value)
    if low:  # of most values two parts are 0
        cuda.atomic.add(limbs, (group, limb), low)
    if middle:
        cuda.atomic.add(limbs, (group, limb + 1), middle)
    if high:
        cuda.atomic.add(limbs, (group, limb + 2), high)


@cached(cuda.jit)
def gather(lon, lat, value, points, start, edges, table, first_band, box, reach, groups, limbs, held, empty):
    """Add each place to the totals of those of ``groups`` whose area holds it."""
    p = cuda.grid(1)
    if p < value.shape[0]:
        for g in range(groups.shape[0]):
            if in_area(points, start, edges, table, first_band, box, reach, groups[g], lon[p], lat[p]):
                count(limbs, held, empty, groups[g], value[p])


@cached(cuda.jit)
def add(group, value, limbs, held, empty):
    """Add each value to the totals of its group."""
    i = cuda.grid(1)
    if i < value.shape[0]:
        count(limbs, held, empty, group[i], value[i])


@cached(cuda.jit)
def carry(limbs):
    """See `exact.carry`."""
    total = cuda.grid(1)
    if total < limbs.shape[0]:
        carry_in(limbs, total)
