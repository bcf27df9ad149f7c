"""Areas of clusters and gaps between them on a GPU: what `kernels.areas` and `kernels.gaps` do, bit for bit.

Bands are built on the host and copied; a label a query, or the few distinct pairs, come back. Arrays on the device are of the
module ``xp``: cupy. No GPU has run this yet: see docs/gpu.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import blocks, to_host
from gpu_clusters.engines import cuda, cuda_areas
from gpu_clusters.engines.device import band_of
from gpu_clusters.kernels.bands import Bands, index_of, near
from gpu_clusters.kernels.spaces import Reach

BLOCK = 1 << 23  # pairs that are held at a time; the same two clusters may be found many times


def nearest_members(
    xp: Any, queries: Bands, members: Bands, group: NDArray[np.int64], reach: Reach
) -> NDArray[np.int64]:
    """See `kernels.areas.nearest_members`."""
    first, last = (xp.asarray(band) for band in near(queries, members, reach))
    queries, members = _copied(xp, queries), _copied(xp, members)
    count = queries.points.shape[1]
    result = xp.empty(count, np.int64)
    args = (queries.points, *index_of(members), xp.asarray(group), reach, first, last, band_of(xp, queries.start))
    cuda.launch(cuda_areas.find_nearest, count, *args, result)
    return to_host(result)


def close_pairs(
    xp: Any,
    queries: Bands,
    query_label: NDArray[np.int64],
    targets: Bands,
    target_label: NDArray[np.int64],
    reach: Reach,
) -> NDArray[np.int64]:
    """See `kernels.gaps.close_pairs`; besides `BLOCK` pairs no more are held than one query finds."""
    labels = 1 + max(int(query_label.max(initial=0)), int(target_label.max(initial=0)))
    first, last = (xp.asarray(band) for band in near(queries, targets, reach))
    queries, targets = _copied(xp, queries), _copied(xp, targets)
    query_label, target_label = xp.asarray(query_label), xp.asarray(target_label)
    run_end = _run_ends(xp, target_label)
    args: tuple[Any, ...] = (queries.points, query_label, *index_of(targets), target_label, run_end, reach, first, last)
    args = (*args, band_of(xp, queries.start))
    count = queries.points.shape[1]
    found = xp.zeros(count + 1, np.int64)
    cuda.launch(cuda_areas.find_pairs, count, *args, 0, found[1:], xp.empty((0, 2), np.int64))
    place = xp.cumsum(found)
    keys = xp.empty(0, np.int64)
    for begin, end, first_pair, last_pair in blocks(place, BLOCK):
        slot, pairs = place[begin:end] - first_pair, xp.empty((last_pair - first_pair, 2), np.int64)
        cuda.launch(cuda_areas.find_pairs, end - begin, *args, begin, slot, pairs)
        new = xp.minimum(pairs[:, 0], pairs[:, 1]) * labels + xp.maximum(pairs[:, 0], pairs[:, 1])
        keys = xp.unique(xp.concatenate((keys, xp.unique(new))))
    return np.stack(np.divmod(to_host(keys), labels), axis=1)


def _copied(xp: Any, bands: Bands) -> Bands:
    """The bands on the device."""
    return Bands(*(xp.asarray(array) for array in bands))


def _run_ends(xp: Any, label: Any) -> Any:
    """For each point where the run of equal labels ends that it is in; it may go on in the next band, which harms no search."""
    begins = xp.ones(len(label), np.int64)
    begins[1:] = label[1:] != label[:-1]
    end = xp.concatenate((xp.flatnonzero(begins)[1:], xp.full(1, len(label), np.int64)))
    return end[xp.cumsum(begins) - 1]
