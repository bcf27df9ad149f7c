"""The workers of a Dask cluster: one that runs, or one started on this machine for a while."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from gpu_clusters.errors import DeviceError, UsageError

LOCAL = "local"
WORKERS = 2
PATIENCE = "20s"


def client(where: Any, stack: ExitStack) -> Any:
    """A client of the scheduler at an address, of ``local`` or ``local:N`` (N workers here), or the client that is given.

    Raises
    ------
    UsageError
        Dask is not installed, the number of workers makes no sense, or it is neither text nor client.
    DeviceError
        No scheduler answers.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError("working with Dask needs it: pip install 'dask[dataframe,distributed]'") from None
    if isinstance(where, Client):
        return where
    if not isinstance(where, str):
        kind = type(where).__name__
        raise UsageError(f"dask must be a scheduler's address, local:N or a distributed.Client, not {kind}")
    if where == LOCAL or where.startswith(LOCAL + ":"):
        number = where.partition(":")[2] or str(WORKERS)
        if not number.isdecimal() or not int(number):
            raise UsageError(f"dask {where!r}: give local:N with N workers, 1 or more")
        # no dashboard: nobody learns its address, and some versions of Dask end it with a traceback; the server takes any port
        server = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
        own = LocalCluster(n_workers=int(number), threads_per_worker=1, scheduler_kwargs=server)
        cluster = stack.enter_context(own)
        return stack.enter_context(Client(cluster))
    try:
        return stack.enter_context(Client(where, timeout=PATIENCE))
    except (OSError, ValueError, TimeoutError) as error:
        raise DeviceError(f"no Dask scheduler answers at {where}: {error}") from None
