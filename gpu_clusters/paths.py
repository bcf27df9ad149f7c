"""Whether something is at a path."""

from __future__ import annotations

import errno
from pathlib import Path

_NOTHING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


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
