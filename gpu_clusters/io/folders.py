"""What is below a folder that a user gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder from this one down, those behind links too, and the names of its files; each folder once.

    Names that begin with ``.`` or ``_`` are passed over.

    Raises
    ------
    OSError
        One cannot be read.
    """

    def fail(error: OSError) -> None:
        raise error

    seen = {folder.resolve()}
    for parent, folders, names in os.walk(folder, onerror=fail, followlinks=True):
        real = {name: Path(parent, name).resolve() for name in sorted(folders) if not _hidden(name)}
        folders[:] = [name for name in real if real[name] not in seen]
        seen.update(real.values())
        yield Path(parent), sorted(name for name in names if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))
