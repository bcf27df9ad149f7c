"""What goes wrong, told once: a message on stderr and the exit code that belongs to it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gpu_clusters.errors import GpuClustersError

INTERRUPTED = 130
FAILED = 1


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn errors into messages and exit codes; ``GPU_CLUSTERS_DEBUG=1`` in the environment shows the traceback too."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        _leave("interrupted; nothing was written", INTERRUPTED)
    except GpuClustersError as error:
        _leave(str(error), error.exit_code)
    except MemoryError as error:
        _leave(f"out of memory ({error or 'no details'}): close other programs, or run on a machine with more", FAILED)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - so that the interpreter's own flush has somewhere to go
        sys.exit(FAILED)
    except Exception as error:
        _leave(
            f"unexpected {type(error).__name__}: {error}\n"
            "this is a fault of the program, not of your data; GPU_CLUSTERS_DEBUG=1 shows where it happened",
            FAILED,
        )


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _leave(message: str, code: int) -> None:
    if os.environ.get("GPU_CLUSTERS_DEBUG"):
        raise
    print(f"error: {message}", file=sys.stderr)
    sys.exit(code)
