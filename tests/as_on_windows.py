"""What Windows lacks and refuses, on another system: for this package alone, so that what it is built on stays as it is.

as_on_windows.py rank ...           the command line program
pytest -p as_on_windows ...         tests (with this folder on the PYTHONPATH)

Modules and functions are missing; folders cannot be opened; what is open cannot be removed, moved or replaced, nor a folder in
which something is; what was opened for reading cannot be synced. Needs ``/proc``. Paths and the console are this system's.
"""

from __future__ import annotations

import builtins
import ctypes
import errno
import fcntl
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("gpu_clusters", "gpu_clusters_cli")
MODULES = {"fcntl", "grp", "posix", "pwd", "resource", "termios"}
ABSENT = {
    os: "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK chown fchmod fchown fork geteuid getgid getuid mkfifo posix_fadvise "
    "pread pwrite sched_getaffinity statvfs sysconf uname",
    signal: "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 pthread_sigmask",
    ctypes: "",
}


class Part(ModuleType):
    """A module without what Windows has not, and with some functions as they are there."""

    def __init__(self, whole: ModuleType, **instead: Callable[..., Any]) -> None:
        super().__init__(whole.__name__)
        self._whole, self._instead = whole, instead

    def __getattr__(self, name: str) -> Any:
        if name in ABSENT[self._whole].split():
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        return self._instead.get(name) or getattr(self._whole, name)


def refused(path: Any, number: int = errno.EACCES) -> OSError:
    return OSError(number, os.strerror(number), os.fspath(path))


def in_use(path: Any) -> bool:
    """Whether a file, or one below a folder, is open or mapped in this process."""
    place = os.path.realpath(path)
    mapped = [line.split(maxsplit=5)[5:] for line in Path("/proc/self/maps").read_text().splitlines()]
    held = {name[0] for name in mapped if name}
    held |= {os.path.realpath(handle) for handle in Path("/proc/self/fd").iterdir()}
    return any(name == place or name.startswith(f"{place}/") for name in held)


def asked_by_us() -> bool:
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] not in PACKAGES:
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None


def removing(call: Callable[..., None]) -> Callable[..., None]:
    def remove(path: Any, **options: Any) -> None:
        if asked_by_us() and in_use(path):
            raise refused(path)
        call(path, **options)

    return remove


def moving(call: Callable[..., None], *, replaces: bool) -> Callable[..., None]:
    def move(source: Any, target: Any, **options: Any) -> None:
        if asked_by_us() and os.path.lexists(target) and source != target:
            if not replaces:
                raise refused(target, errno.EEXIST)
            if Path(target).is_dir() or in_use(target):
                raise refused(target)
        if asked_by_us() and in_use(source):
            raise refused(source)
        call(source, target, **options)

    return move


def open_file(path: Any, *args: Any, **options: Any) -> int:
    if Path(path).is_dir():
        raise refused(path)
    return os.open(path, *args, **options)


def sync(handle: int) -> None:
    if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    os.fsync(handle)


def library(name: str | None, *args: Any, **options: Any) -> ctypes.CDLL:
    if name is None:
        raise TypeError("argument of type 'NoneType' is not iterable")
    return ctypes.CDLL(name, *args, **options)


def no_mount(_path: Path) -> bool:
    raise NotImplementedError("Path.is_mount() is unsupported on this system")  # until Python 3.12


def take_the_place_of_windows() -> None:
    """Before the package is imported."""
    assert not set(PACKAGES) & set(sys.modules), "the package is there already"
    parts = {
        "os": Part(os, open=open_file, fsync=sync),
        "signal": Part(signal),
        "ctypes": Part(ctypes, CDLL=library),
    }
    find = builtins.__import__

    def importing(name: str, scope: Any = None, *args: Any, **options: Any) -> ModuleType:
        found = find(name, scope, *args, **options)
        if (scope or {}).get("__name__", "").partition(".")[0] not in PACKAGES:
            return found
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return parts.get(name, found)

    builtins.__import__ = importing
    os.unlink, os.remove, os.rmdir = removing(os.unlink), removing(os.remove), removing(os.rmdir)  # type: ignore[assignment]
    os.rename, os.replace = moving(os.rename, replaces=False), moving(os.replace, replaces=True)  # type: ignore[assignment]
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    Path.is_mount = no_mount  # type: ignore[method-assign]


def pytest_configure() -> None:
    """As a plugin of pytest."""
    take_the_place_of_windows()


if __name__ == "__main__":
    take_the_place_of_windows()
    from gpu_clusters_cli.main import run

    run()
