"""``gpu-clusters doctor``: what is installed here and what would do the work."""

from __future__ import annotations

import os
from typing import Any

from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app


@app.command(cls=Command)
def doctor(json: o.Json = False) -> None:
    """Show versions, devices, and which engine each step would use."""
    from gpu_clusters_cli.output import emit, emit_json

    found = diagnosis()
    if json:
        emit_json(found)
        return
    lines = []
    for part, entries in found.items():
        lines += [part, *(f"  {name:<24} {value}" for name, value in entries.items())]
    emit("\n".join(lines) + "\n")


def diagnosis() -> dict[str, dict[str, Any]]:
    """Versions, devices, engines and the engine of each step."""
    import numba

    from gpu_clusters.backend import ELSEWHERE, NOT_RUN, ON_GPU, cuml_missing, gpu_that_compiles, pick
    from gpu_clusters.manifest import versions
    from gpu_clusters.settings import Settings

    chosen, found, without_cuml = pick(Settings()), gpu_that_compiles(), cuml_missing()
    steps = {
        "read tables": "pyarrow (cpu)",
        "locate, count, rank": "numba, numpy (cpu)",
        "cluster": f"{chosen.engine} ({chosen.device})",
        "merge neighbours": "numba (cpu)",
        "assign deals": "numba (cpu)",
        "count people": "rioxarray, numba (cpu)",
    }
    return {
        "versions": versions(),
        "devices": {
            "cpu": f"{os.cpu_count()} cores, {numba.get_num_threads()} threads for the kernels",
            "gpu": f"not used: {found.missing}"
            if found.missing
            else f"{found.name}, with --device gpu alone: {ON_GPU}; {ELSEWHERE}; {NOT_RUN}",
        },
        "engines": {
            "native": f"available ({'cpu' if found.missing else 'cpu, gpu'})",
            "sklearn": "available (cpu)",
            "cuml": f"not available: {without_cuml}" if without_cuml else f"available (gpu); {NOT_RUN}",
        },
        "steps with --device auto": steps,
    }
