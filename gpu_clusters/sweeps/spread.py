"""Radii dealt out to the workers of a Dask cluster: they do not depend on each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from gpu_clusters import workers
from gpu_clusters.backend import nothing_swallowed
from gpu_clusters.compiled import one_thread_at_a_time
from gpu_clusters.sweeps.study import Part, Study


def compute(study: Study, keys: list[tuple[str, float]], where: Any) -> Iterator[tuple[tuple[str, float], Part]]:
    """Parts by weighting and radius, as they are finished.

    Parameters
    ----------
    study : Study
    keys : list of (weighting, radius_km)
    where : str or distributed.Client
        A scheduler's address, ``"local"`` or ``"local:N"`` (N workers on this machine), or a client.
    """
    with ExitStack() as stack:
        client = workers.client(where, stack)
        from distributed import as_completed

        shared = client.scatter(study, broadcast=True)
        futures = [client.submit(part_of, shared, *key, pure=False) for key in keys]
        place = {future.key: key for future, key in zip(futures, keys, strict=True)}
        for future, part in as_completed(futures, with_results=True):
            yield place[future.key], part


def part_of(study: Study, weighting: str, radius_km: float) -> Part:
    """A radius, computed where this is called."""
    with one_thread_at_a_time, nothing_swallowed():
        return study.part(weighting, radius_km)
