"""How compiled kernels are kept between runs, and apart from each other."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

one_thread_at_a_time = threading.RLock()
"""Held where parallel kernels run: one of numba's threading layers aborts the process when two threads enter it at once."""


def keep_kernels() -> None:
    """Name a folder of this user's for them if there is no other: without any, numba refuses to compile.

    Numba keeps them beside the sources, or else in the user's cache. Both may be read-only, as in many containers.
    """
    beside = Path(__file__).parent / "__pycache__"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))  # noqa: PTH111 - fails without a home
    if "NUMBA_CACHE_DIR" in os.environ or _writable(beside) or _writable(cache):
        return
    import tempfile

    folder = Path(tempfile.gettempdir(), f"gpu-clusters-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
        os.environ["NUMBA_CACHE_DIR"] = str(folder) if private else tempfile.mkdtemp(prefix="gpu-clusters-")
    except OSError:
        pass  # numba will say that it has no place


def _writable(folder: Path) -> bool:
    """Whether files can be made in the folder, or in the nearest one above that there is."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder.is_absolute() and os.access(folder, os.W_OK | os.X_OK)
