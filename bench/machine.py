"""What a benchmark says about the machine it ran on, and how it keeps to a number of cores."""

from __future__ import annotations

import contextlib
import os
import platform
from importlib import metadata
from pathlib import Path

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "PARLAY_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
GIB = 2**30


def keep_to(cores: int) -> dict[str, str]:
    """Bind this process, and whatever it starts, to `cores` cores.

    Returns
    -------
    environment : dict
        The environment for subprocesses, with the thread counts of numba, parlay (used by `dbscan`) and OpenMP set.
    """
    usable = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, usable[:cores])
    return os.environ | dict.fromkeys(THREAD_VARIABLES, str(min(cores, len(usable))))


def describe(packages: tuple[str, ...]) -> dict[str, object]:
    """Processor, cores, memory, load and versions, for the head of a result.

    Parameters
    ----------
    packages : tuple of str
        Names of the distributions whose versions matter; those not installed are left out.
    """
    versions = {}
    for package in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
        "load_average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": versions,
    }


def headline(machine: dict) -> str:
    """One line for the top of a printed result."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, load "
        f"{machine['load_average']} at the start; Python {machine['python']}, {versions}"
    )


def _field(path: str, name: str) -> str:
    """Value of the first `name : value` line of a file in /proc, or "" without one."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
