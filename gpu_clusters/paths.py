"""What is a path, whether something is there, and where copies are kept."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

from gpu_clusters.errors import UsageError

_NOTHING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


def spelled(path: Any, what: str) -> str:
    """The text of a path.

    Raises
    ------
    UsageError
        It is no path, or an empty text, which would be the folder that one is in; the message calls it ``what``.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str) or not text:
        raise UsageError(f"{what} must be a path, not {'an empty name' if text == '' else type(path).__name__}")
    return text


def is_there(path: Path) -> bool:
    """Whether there is anything; other than by ``exists`` of Python 3.14, what keeps one from looking is an error.

    Raises
    ------
    OSError
        No permission to look, or a name that cannot be.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno not in _NOTHING:
            raise
        return False
    except ValueError:  # a name with a null
        return False
    return True


def absent(path: Path) -> str:
    """What an error says of a path where nothing is, and what to do.

    Examples
    --------
    >>> absent(Path("a.csv")), absent(Path("s3://bucket/a.csv"))
    ('does not exist; check the path', 'is not on this machine; fetch it, and give the path of the copy')
    """
    if re.match(r"[a-z][a-z0-9+.-]+:/|/vsi", str(path), re.IGNORECASE):
        return "is not on this machine; fetch it, and give the path of the copy"
    return "does not exist; check the path"


def user_cache() -> str:
    """The folder of the user's caches; it begins with ~ where there is no home. A relative one in the environment is none."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return given if Path(given).is_absolute() else os.path.expanduser("~/.cache")  # noqa: PTH111 - of no home says nothing


def in_user_cache(name: str) -> Path:
    """Where a file of this program is in the user's cache.

    Raises
    ------
    UsageError
        The user has no home, and the environment names no cache.
    """
    folder = user_cache()
    if folder.startswith("~"):
        raise UsageError(
            f"there is no home folder to keep {name} in: name one in the environment variable XDG_CACHE_HOME"
        )
    return Path(folder, "gpu-clusters", name)
