"""The way into the program."""

from __future__ import annotations

import sys

from gpu_clusters_cli import demo, doctor, rank
from gpu_clusters_cli.app import app
from gpu_clusters_cli.errors import exit_codes

__all__ = ["demo", "doctor", "rank", "run"]  # the commands have registered themselves


def run() -> None:
    """Run the program with the arguments of the process; errors become messages and exit codes."""
    with exit_codes():
        app(prog_name="gpu-clusters")
    sys.exit(0)
