"""The record of what was read: files with their digests, invalid rows, counts."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gpu_clusters.errors import InputError
from gpu_clusters.io.formats import reading
from gpu_clusters.io.model import InputFile, InvalidRows
from gpu_clusters.io.plans import Plan
from gpu_clusters.settings import Years
from gpu_clusters.wording import counted

Progress = Callable[[str, float], None]
KEPT_INVALID = 1000
"""So many invalid rows of a file are listed."""


@dataclass
class Record:
    """What was met while reading a table."""

    inputs: list[InputFile] = field(default_factory=list)
    invalid: list[InvalidRows] = field(default_factory=list)
    counts: np.ndarray = field(default_factory=lambda: np.zeros(3, np.int64))  # by status
    undated: int = 0  # rows left out of a window of years because they have no year
    alike: dict[str, str] = field(default_factory=dict)  # as in `Plan`

    def add(self, plan: Plan, table: str, size: int, digest: Future[str] | None, rows: int) -> None:
        """Take down a source that has been read; waits for its digest."""
        path = plan.reader.path
        sha256 = digest.result() if digest else None
        self.inputs.append(InputFile(table, plan.reader.name, path, size if path else None, sha256, rows))
        self.alike |= plan.alike

    def check(self, table: str, window: Years | None) -> None:
        """Refuse a table without a geocoded row."""
        ungeocoded, invalid, geocoded = (int(count) for count in self.counts)
        if geocoded:
            return
        rows = sum(file.rows for file in self.inputs)
        where = ", ".join(file.name for file in self.inputs[:3]) + (", ..." if len(self.inputs) > 3 else "")
        if any(file.path for file in self.inputs):  # frames are called by the table
            where = f"{table} ({where})"
        inside = ungeocoded + invalid
        years = "" if window is None else f" in the years {':'.join('' if y is None else str(y) for y in window)}"
        if inside == 0:
            if not rows:
                raise InputError(f"{where}: holds no row; give files that have some, or leave {table} out")
            raise InputError(f"{where}: no row{years} (of {counted(rows, 'row')}); check the years and the column year")
        todo = (
            "check lon and lat: degrees of WGS 84, no metres of a map"
            if invalid
            else "geocode them, or check lon and lat"
        )
        raise InputError(
            f"{where}: no geocoded row{years} (of {counted(inside, 'row')}): {ungeocoded:,} without a coordinate "
            f"(ungeocoded), {invalid:,} with an impossible one (invalid); {todo}"
        )


def input_file(table: str, name: str, path: Path | None, rows: int) -> InputFile:
    """What has been read, with its digest if it is a file."""
    if path is None or not path.is_file():
        return InputFile(table, name, path, None, None, rows)
    return InputFile(table, name, path, path.stat().st_size, _sha256(path, threading.Event()), rows)


def sizes_of(plans: Sequence[Plan]) -> list[int]:
    """Bytes of each source; 1 for a data frame."""
    return [plan.reader.path.stat().st_size if plan.reader.path else 1 for plan in plans]


def part_of(progress: Progress | None, sizes: Sequence[int], i: int) -> Callable[[str, float], None]:
    """Scale the progress within source `i` to that within the table."""
    before, total = sum(sizes[:i]), max(sum(sizes), 1)

    def report(name: str, part: float) -> None:
        if progress is not None:
            progress(name, (before + part * sizes[i]) / total)

    return report


@contextmanager
def digests(paths: Sequence[Path | None]) -> Iterator[list[Future[str] | None]]:
    """The digests of files, in the making by a thread that ends with the context; None for what is no file."""
    stop = threading.Event()
    pool = ThreadPoolExecutor(1, thread_name_prefix="sha256")
    try:
        yield [None if path is None else pool.submit(_sha256, path, stop) for path in paths]
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _sha256(path: Path, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    with reading(str(path), "a file"), path.open("rb", buffering=0) as file:
        while not stop.is_set() and (block := file.read(1 << 22)):
            digest.update(block)
    return digest.hexdigest()
