"""Totals of areas and polygons on a GPU: what `engines.counting` asks for, with the totals and the members on the device.

A window of cells is copied once and all areas near it take from it there; what comes back, once, are the totals.

No GPU has run this yet: see docs/gpu.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import to_host
from gpu_clusters.engines import cuda, cuda_totals
from gpu_clusters.engines.counting import Counting
from gpu_clusters.kernels import discs, exact
from gpu_clusters.kernels.bands import index_of
from gpu_clusters.kernels.spaces import Reach
from gpu_clusters.kernels.totals import Totals

AT_A_TIME = 1 << 22  # places or values that are on the device together


class Areas(NamedTuple):
    """`discs.Areas`, ready for the kernels."""

    box: NDArray[np.float64]  # on the host, to find the areas near a window
    members: tuple[Any, ...]  # on the device: the members' bands, each group's first, the boxes
    reach: Reach


def counting(xp: Any) -> Counting:
    """The functions, for arrays of the module ``xp``: cupy."""
    made: list[Any] = [*(partial(function, xp) for function in (nothing, areas, gather, add)), finish]
    return Counting(*made)


def nothing(xp: Any, groups: int) -> Totals:
    """See `totals.nothing`."""
    return Totals(xp.zeros((groups, exact.LIMBS), np.int64), xp.zeros(groups, np.int64), xp.zeros(groups, np.int64))


def areas(
    xp: Any,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    group: NDArray[np.int64],
    groups: int,
    area_degrees: float,
) -> Areas:
    """See `discs.areas`; the members are sorted into bands on the host."""
    found = discs.areas(lon, lat, group, groups, area_degrees)
    members = (*index_of(found.bands), found.first_band, found.box)
    return Areas(found.box, tuple(xp.asarray(array) for array in members), found.reach)


def gather(
    xp: Any,
    found: Areas,
    totals: Totals,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    value: NDArray[np.float64],
) -> None:
    """See `discs.gather`."""
    for part in _parts(len(value)):
        groups = discs.near(found.box, lon[part], lat[part])
        if len(groups):
            places = [xp.asarray(values[part]) for values in (lon, lat, value)]
            args = (*places, *found.members, found.reach, xp.asarray(groups), *totals)
            cuda.launch(cuda_totals.gather, len(places[0]), *args)
            cuda.launch(cuda_totals.carry, len(totals.held), totals.limbs)


def add(xp: Any, totals: Totals, group: NDArray[np.int64], value: NDArray[np.float64]) -> None:
    """See `totals.add`."""
    for part in _parts(len(value)):
        values = xp.asarray(group[part]), xp.asarray(value[part])
        cuda.launch(cuda_totals.add, len(values[0]), *values, *totals)
        cuda.launch(cuda_totals.carry, len(totals.held), totals.limbs)


def finish(totals: Totals) -> Totals:
    """The totals, on the host."""
    return Totals(*(to_host(array) for array in totals))


def _parts(count: int) -> Iterator[slice]:
    """Parts that fit on the device, and after each of which limbs still have room until the next `exact.carry`."""
    most = min(AT_A_TIME, exact.TERMS)
    return (slice(first, first + most) for first in range(0, count, most))
