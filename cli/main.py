"""The way into the program."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from gpu_clusters_cli.errors import exit_codes, say


def run() -> None:
    """Run the program with the arguments of the process; errors become messages and exit codes."""
    with exit_codes(), warnings.catch_warnings():
        warnings.showwarning = _say_warning
        from gpu_clusters_cli import (  # noqa: F401 - the commands register themselves
            compare,
            convert,
            demo,
            doctor,
            geocode,
            rank,
            report,
            sweep,
        )
        from gpu_clusters_cli.app import invoke

        code = invoke()
        if sys.stdout is not None:
            sys.stdout.flush()
    sys.exit(code)


def _say_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """What libraries warn of, in one line and without their source code."""
    say(f"warning: {message}")
