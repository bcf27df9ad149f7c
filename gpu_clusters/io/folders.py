"""What is below a folder that a user gives, and what of it must not be read together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gpu_clusters.errors import InputError

_FORMAT = re.compile(r"(\.(csv|tsv|txt|parquet|geoparquet|pq|geojson|json))?(\.(gz|zip|zst))?$", re.IGNORECASE)


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
        here = [Path(parent, name) for name in sorted(folders) if not _hidden(name)]
        folders.clear()
        for path in sorted(here, key=Path.is_symlink):  # a folder by its own name, not that of a link beside it
            if (real := path.resolve()) not in seen:
                seen.add(real)
                folders.append(path.name)
        yield Path(parent), sorted(name for name in names if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def refuse_twins(files: Iterable[Path]) -> None:
    """Refuse a file that lies beside its packed self, or in two formats: its rows would count double.

    Raises
    ------
    InputError
    """
    seen: dict[tuple[Path, str], Path] = {}
    for path in files:
        other = seen.setdefault((path.parent, _FORMAT.sub("", path.name, count=1)), path)
        if other != path:
            raise InputError(
                f"{path}: seems to hold the same rows as {other.name} beside it, which would count double; move one of "
                "them away, or name the files one by one if their rows are others"
            )
