"""What counts people on one device: totals are made, added to, and stay there until they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gpu_clusters.kernels import discs, totals
from gpu_clusters.kernels.totals import Totals


class Counting(NamedTuple):
    """Functions of one device; they take arrays of the host, and all give the same bits."""

    nothing: Callable[[int], Any]  # as `totals.nothing`
    areas: Callable[..., Any]  # as `discs.areas`
    gather: Callable[..., None]  # as `discs.gather`
    add: Callable[..., None]  # as `totals.add`
    finish: Callable[[Any], Totals]  # the totals, on the host


def as_it_is(found: Totals) -> Totals:
    """Totals that are on the host already."""
    return found


ON_CPU = Counting(totals.nothing, discs.areas, discs.gather, totals.add, as_it_is)
