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

    from gpu_clusters.backend import gpu_state, pick
    from gpu_clusters.manifest import versions
    from gpu_clusters.settings import Settings

    chosen = pick(Settings())
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
            "gpu": f"not used: {gpu_state()}",
        },
        "engines": {
            "native": "available (cpu)",
            "sklearn": "available (cpu)",
            "cuml": "not available: needs the GPU path, which this version does not have",
        },
        "steps with --device auto": steps,
    }
