"""What goes wrong, told once: a message on stderr and the exit code that belongs to it."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from gpu_clusters.errors import GpuClustersError

INTERRUPTED = 130
FAILED = 1
# Windows has two of them
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CLEAR_LINE, _SHOW_CURSOR = b"\r\x1b[2K", b"\x1b[?25h"
_advice: list[str] = []


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn errors into messages and exit codes; ``GPU_CLUSTERS_DEBUG=1`` in the environment shows the traceback too."""
    caught = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup ignores one
    for number in caught:
        signal.signal(number, _end)
    try:
        yield
    except KeyboardInterrupt:
        _leave("interrupted", INTERRUPTED)
    except GpuClustersError as error:
        _leave(str(error), error.exit_code)
    except MemoryError as error:
        _leave(f"out of memory ({error or 'no details'}): close other programs, or run on a machine with more", FAILED)
    except BrokenPipeError:
        discard_stdout()
        sys.exit(FAILED)
    except OSError as error:  # of output streams; those of input and output files have got a name by now
        discard_stdout()
        _leave(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", FAILED)
    except Exception as error:
        _leave(
            f"unexpected {type(error).__name__}: {error}; "
            "this is a fault of the program, not of your data: GPU_CLUSTERS_DEBUG=1 shows where it happened",
            FAILED,
        )
    finally:
        for number in caught:  # what is done is done
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def if_interrupted(advice: str) -> Iterator[None]:
    """What to tell a reader who interrupts the work within: how to go on."""
    _advice.append(advice)
    try:
        yield
    finally:
        _advice.remove(advice)


def say(message: str) -> None:
    """A line for the reader, on stderr."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(printable(message), file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """The text without what would command a terminal or break a line."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def discard_stdout() -> None:
    """Nobody reads any more: give what is still buffered somewhere to go."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(_signal: int, _frame: FrameType | None) -> None:
    """Clean up and end at once.

    An exception would get lost where Python has nobody to hand it to: in callbacks, while a module is imported.
    """
    staging = sys.modules.get("gpu_clusters.staging")
    placed = getattr(staging, "abandon", bool)()  # it may be about to be imported
    if placed is None:
        return  # done in a moment
    message = "; ".join(["error: interrupted", *([] if placed else ["nothing was written", *_advice])]) + "\n"
    with suppress(OSError):
        line = _CLEAR_LINE + _SHOW_CURSOR if os.isatty(2) and os.environ.get("TERM") != "dumb" else b""
        os.write(2, line + message.encode())
    os._exit(INTERRUPTED)


def _leave(message: str, code: int) -> NoReturn:
    if os.environ.get("GPU_CLUSTERS_DEBUG"):
        import traceback

        traceback.print_exc()
    say(f"error: {message}")
    sys.exit(code)
