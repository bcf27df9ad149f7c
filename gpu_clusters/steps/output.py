"""How much of the world's output each location carries, in whole units, so that no order of rows can change it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import namespace, repeat_each, to_host
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.steps.describe import Points
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.members import Members
from gpu_clusters.steps.overlay import Overlay

WHOLE = 2**52
"""Units in a table's total: sums of whole numbers up to 2**53 are exact in float64."""

_ROWS = 1 << 22


def points_of(
    tables: Sequence[tuple[Addresses | None, NDArray[np.int32] | None]],
    locations: Locations,
    deals: Deals | None,
    placed: Overlay | None,
    members: Members,
    totals: dict[str, float],
) -> Points:
    """Members and the places of deals in clusters, with their output: units of patents, publications and deals together.

    Parameters
    ----------
    tables : sequence of (Addresses, (n,) int32)
        Tables of addresses and the location of each of their rows; None where absent.
    locations : Locations
    deals, placed : Deals, Overlay
        None where absent.
    members : Members
    totals : dict of str to float
        Sum of each table.
    """
    output = np.zeros(len(locations.lon), np.int64)
    for table, place in tables:
        if table is not None and place is not None:
            output += output_of(table, place, len(output), totals[table.name])
    at = members.place
    points = [Points(locations.lon[at], locations.lat[at], members.cluster, output[at])]
    if deals is not None and placed is not None:
        inside = placed.labels >= 0
        worth = output_of(deals, placed.place, len(inside), totals["deals"])[inside]
        points.append(Points(placed.lon[inside], placed.lat[inside], members.number[placed.labels[inside]], worth))
    return Points(*(np.concatenate(column) for column in zip(*points, strict=True)))


def output_of(table: Addresses | Deals, place: NDArray[np.int32], places: int, total: float) -> NDArray[np.int64]:
    """Units of each place: its rows' parts of ``total``, each rounded to a unit; (places,) int64.

    Parameters
    ----------
    table : Addresses or Deals
    place : (n,) int32
        Place of each row.
    places : int
    total : float
        Sum over all rows; 0 gives no output.
    """
    xp = namespace(place)
    units = xp.zeros(places)
    if total > 0:
        worth = _worth(table)
        for first in range(0, len(place), _ROWS):
            rows = slice(first, first + _ROWS)
            units += xp.bincount(place[rows], weights=xp.rint(worth[rows] / total * WHOLE), minlength=places)
    return to_host(units.astype(np.int64))


def _worth(table: Addresses | Deals) -> NDArray[np.float64]:
    """What each row counts."""
    if isinstance(table, Deals):
        return table.deals
    if table.fraction is not None:
        return table.fraction
    sizes = namespace(table.doc_start).diff(table.doc_start)
    return repeat_each(1 / sizes, sizes)
