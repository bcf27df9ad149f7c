"""How compiled kernels are kept between runs, and apart from each other and from those of other sources."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from gpu_clusters.paths import user_cache

one_thread_at_a_time = threading.RLock()
"""Held where parallel kernels run: one of numba's threading layers aborts the process when two threads enter it at once.

And where points are looked up in polygons, which another thread may have been given too: GEOS crashes where two are the first.
"""


def keep_kernels() -> None:
    """Name a folder of this user's for them if there is no other: without any, numba refuses to compile, and CuPy to be loaded.

    Numba keeps them beside the sources, or else in the user's cache, CuPy in the user's home. All may be read-only, as in many
    containers.
    """
    beside = Path(__file__).parent / "__pycache__"
    cache = Path(user_cache())
    cupy = Path(os.path.expanduser("~/.cupy/kernel_cache"))  # noqa: PTH111 - fails without a home
    for variable, folders in (("NUMBA_CACHE_DIR", (beside, cache)), ("CUPY_CACHE_DIR", (cupy,))):
        if variable not in os.environ and not any(map(_writable, folders)):
            _name_folder(variable)


def cached(jit: Callable[..., Any], **options: Any) -> Callable[[Any], Any]:
    """Numba's decorator ``jit(cache=True, **options)``; its kernels are compiled again when the source of any kernel has changed.

    Numba itself looks at a kernel's own file alone: what the kernel calls of other files, and their constants, are in its machine
    code and would stay there after an update. Nothing is kept where nothing is compiled, or where Numba keeps it in another way
    than is known here.
    """

    def decorate(function: Any) -> Any:
        kernel = jit(cache=True, **options)(function)
        try:
            file = kernel._cache._cache_file
            file._source_stamp = file._source_stamp, sources("kernels/*.py", "engines/*.py")
        except AttributeError:
            return jit(**options)(function)
        return kernel

    return decorate


@cache
def sources(*patterns: str) -> str:
    """A hash of the package's files of these patterns: what was made of other sources is told apart by it."""
    here = Path(__file__).parent
    found = {file for pattern in patterns for file in here.glob(pattern)}
    files = sorted(file for file in found if file.is_file())  # an editor may have put a link to nothing beside one
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _name_folder(variable: str) -> None:
    """Let a variable of the environment name a temporary folder in which nobody else can put programs."""
    import tempfile

    if not hasattr(os, "getuid"):  # Windows, where temporary folders are the user's own
        os.environ[variable] = str(Path(tempfile.gettempdir(), "gpu-clusters"))
        return
    folder = Path(tempfile.gettempdir(), f"gpu-clusters-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
        os.environ[variable] = str(folder) if private else tempfile.mkdtemp(prefix="gpu-clusters-")
    except OSError:
        pass  # numba or CuPy will say that it has no place


def _writable(folder: Path) -> bool:
    """Whether files can be made in the folder, or in the nearest one above that there is."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder.is_absolute() and os.access(folder, os.W_OK | os.X_OK)
