"""How long the stages of a run take, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter

Progress = Callable[[str, float | None], None]
"""Told the name of the work at hand and the part of it that is done, 0..1, or None where that is not known."""


class Clock:
    """Seconds by stage; passes progress on. A stage is done within ``step``, which is told its name."""

    def __init__(self, progress: Progress | None, step: Callable[[str], AbstractContextManager[None]]) -> None:
        self.seconds: dict[str, float] = {}
        self._progress, self._step = progress, step

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.tell(name, None)
        started = perf_counter()
        with self._step(name):
            yield
        self.seconds[name] = round(perf_counter() - started, 4)

    def tell(self, name: str, part: float | None) -> None:
        if self._progress is not None:
            self._progress(name, part)
