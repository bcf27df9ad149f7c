"""Radii dealt out to the workers of a Dask cluster: they do not depend on each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from gpu_clusters.compiled import keep_to_one_thread
from gpu_clusters.errors import DeviceError, UsageError
from gpu_clusters.sweeps.study import Part, Study

LOCAL = "local"
WORKERS = 2
PATIENCE = "20s"


def compute(study: Study, keys: list[tuple[str, float]], where: Any) -> Iterator[tuple[tuple[str, float], Part]]:
    """Parts by weighting and radius, as they are finished.

    Parameters
    ----------
    study : Study
    keys : list of (weighting, radius_km)
    where : str or distributed.Client
        A scheduler's address, ``"local"`` or ``"local:N"`` (N workers on this machine), or a client.
    """
    try:
        from distributed import as_completed
    except ImportError:
        raise UsageError("sweeping with Dask needs it: pip install 'gpu-clusters[dask]'") from None
    with ExitStack() as stack:
        client = _client(where, stack)
        shared = client.scatter(study, broadcast=True)
        futures = [client.submit(_part, shared, *key, pure=False) for key in keys]
        place = {future.key: key for future, key in zip(futures, keys, strict=True)}
        for future, part in as_completed(futures, with_results=True):
            yield place[future.key], part


def _part(study: Study, weighting: str, radius_km: float) -> Part:
    with keep_to_one_thread():
        return study.part(weighting, radius_km)


def _client(where: Any, stack: ExitStack) -> Any:
    from distributed import Client, LocalCluster

    if not isinstance(where, str):
        return where
    if where == LOCAL or where.startswith(LOCAL + ":"):
        number = where.partition(":")[2] or str(WORKERS)
        if not number.isdigit() or not int(number):
            raise UsageError(f"dask {where!r}: give local:N with N workers, 1 or more")
        cluster = stack.enter_context(LocalCluster(n_workers=int(number), threads_per_worker=1, dashboard_address=":0"))
        return stack.enter_context(Client(cluster))
    try:
        return stack.enter_context(Client(where, timeout=PATIENCE))
    except (OSError, ValueError, TimeoutError) as error:
        raise DeviceError(f"no Dask scheduler answers at {where}: {error}") from None
