"""What a system does with files and folders that are held open: locks them, and puts them on the disk.

Windows opens no folders, and has no locks of this kind.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

try:
    import fcntl
except ImportError:
    WINDOWS = True
else:
    WINDOWS = False


def open_folder(path: Path) -> int:
    """A handle of a folder; -1 on Windows."""
    return -1 if WINDOWS else os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def lock(handle: int, *, wait: bool = False) -> bool | None:
    """Lock what is open, until it is closed or the process ends.

    False if somebody else has locked it and is not to be waited for; None if there are no locks, on Windows and on some file
    systems.
    """
    if WINDOWS:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def sync(path: Path) -> None:
    """Have the contents of a file or folder on the disk."""
    if WINDOWS and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if WINDOWS else os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that has no such thing
            raise
    finally:
        os.close(handle)
