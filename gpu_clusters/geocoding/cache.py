"""Answers of a geocoding service on disk, so that no address is paid for twice."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

from gpu_clusters.errors import GpuClustersError, InputError
from gpu_clusters.handles import lock
from gpu_clusters.paths import in_user_cache

_LAYOUT = 1
_TABLE = (
    "CREATE TABLE answers (service TEXT NOT NULL, query TEXT NOT NULL, candidates TEXT NOT NULL, "
    "asked_at TEXT NOT NULL, PRIMARY KEY (service, query)) WITHOUT ROWID"
)
_WAIT_S = 60.0  # for another run that writes into the same file


def default_path() -> Path:
    """``gpu-clusters/arcgis.sqlite`` in the user's cache folder; see `in_user_cache`."""
    return in_user_cache("arcgis.sqlite")


class Cache:
    """Candidates by service and query. Each is on the disk before the next question is asked.

    Parameters
    ----------
    path : path
        An SQLite file; made, with its folder, where it is missing.

    Raises
    ------
    InputError
        The file is something else.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"{self.path} cannot be made: {error}; give another file as cache") from None
        try:
            self._prepare()
        except BaseException:
            self._base.close()
            raise

    def _prepare(self) -> None:
        try:
            if self._layout() == 0:
                self._base.execute("BEGIN IMMEDIATE")  # another run may be making it just now
                if self._layout() == 0 and not self._base.execute("SELECT * FROM sqlite_master").fetchone():
                    self._base.execute(_TABLE)
                    self._base.execute(f"PRAGMA user_version = {_LAYOUT}")
                self._base.execute("COMMIT")
            if self._layout() != _LAYOUT:
                raise sqlite3.DatabaseError("it holds something else")
            self._base.execute("BEGIN IMMEDIATE")  # an answer that cannot be kept would be paid in vain
            self._base.execute(f"PRAGMA user_version = {_LAYOUT}")
            self._base.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise InputError(
                f"{self.path} is no cache of geocoder's answers that can be used ({error}); give another file as cache"
            ) from None

    def _layout(self) -> int:
        (layout,) = self._base.execute("PRAGMA user_version").fetchone()
        return int(layout)

    def get(self, service: str, query: str) -> list[dict[str, Any]] | None:
        """The candidates for a query, none where the service knew none; None if it has not been asked."""
        try:
            found = self._base.execute(
                "SELECT candidates FROM answers WHERE service = ? AND query = ?", (service, query)
            ).fetchone()
            return None if found is None else json.loads(found[0])
        except (sqlite3.Error, ValueError) as error:
            raise InputError(f"{self.path}: cannot be read ({error}); give another file as cache") from None

    def put(self, service: str, query: str, candidates: list[dict[str, Any]]) -> None:
        """Keep an answer."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            self._base.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (service, query, json.dumps(candidates), now)
            )
        except sqlite3.Error as error:
            raise GpuClustersError(f"{self.path}: an answer cannot be written ({error}); is the disk full?") from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A while in which no other run that shares the file asks: what others have asked is in it by then.

        The lock is on a file beside it, ``NAME.lock``, and goes with the process. Where there are no locks all ask.
        """
        handle = -1
        try:
            with suppress(OSError):
                handle = os.open(f"{os.path.realpath(self.path)}.lock", os.O_RDWR | os.O_CREAT, 0o666)
                lock(handle, wait=True)
            yield
        finally:
            if handle >= 0:
                os.close(handle)

    def close(self) -> None:
        """Close the file."""
        self._base.close()
