"""Several rasters as one: where they overlap, or one overlaps itself round the Earth, a place counts once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.degrees import meet
from gpu_clusters.io.grids import Grid
from gpu_clusters.io.rasters import Raster

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SAME = 1e-3  # tiles whose edges differ by less than so many cells touch and do not overlap
LOOK = 1024  # rows and columns that are read at a time to see what another raster holds


class Mosaic:
    """Rasters in order; where several have a number for a place, the first one counts.

    Two cells are about the same place if the centre of one lies in the other. Where a raster has no number the next one
    that has may fill in; a place without a number in any of them is the first one's.
    """

    def __init__(self, rasters: Sequence[Raster]) -> None:
        self.rasters = list(rasters)
        self._others = _neighbours(self.rasters)
        self._round = [_more_than_a_turn(raster.grid) for raster in self.rasters]

    def shared(self, own: int) -> bool:
        """Whether a cell of a raster may be another's too, or its own one turn later."""
        return self._round[own] or bool(self._others[own])

    def keep(self, own: int, x: Floats, y: Floats, value: Floats) -> Bools:
        """Which cells of a raster are not already another's, or its own one turn earlier.

        Parameters
        ----------
        own : int
            Number of the raster.
        x, y : (n,) float64
            Centres of cells, in its CRS.
        value : (n,) float64
            Their people, NaN where there is no number.
        """
        raster = self.rasters[own]
        kept = np.ones(len(x), np.bool_)
        turn = raster.grid.turn
        if self._round[own]:
            self._drop(kept, value, raster, x - turn, y, earlier=True)
            self._drop(kept, value, raster, x + turn, y, earlier=False)
        for other in self._others[own]:
            grid = self.rasters[other].grid
            if grid.wkt == raster.grid.wkt:
                there_x, there_y = x, y
            else:
                there_x, there_y = grid.place(*raster.grid.lonlat(x, y))
            for shift in grid.shifts():
                self._drop(kept, value, self.rasters[other], there_x + shift, there_y, earlier=other < own)
        return kept

    def _drop(self, kept: Bools, value: Floats, other: Raster, x: Floats, y: Floats, *, earlier: bool) -> None:
        """Clear ``kept`` where ``other`` has the say: a number if it comes earlier, and if we have none, also if later."""
        row, column = other.grid.cells(x, y)
        ask = np.flatnonzero(kept & other.grid.inside(row, column) & (np.isnan(value) | earlier))
        if not len(ask):
            return
        there = look(other, np.floor(row[ask]).astype(np.int64), np.floor(column[ask]).astype(np.int64))
        taken = ~np.isnan(there) | (np.isnan(value[ask]) & earlier)
        kept[ask[taken]] = False


def look(raster: Raster, row: NDArray[np.int64], column: NDArray[np.int64]) -> Floats:
    """People in single cells, (n,) float64: no more is in memory than a square of `LOOK` cells at a time."""
    people = np.empty(len(row))
    across = raster.grid.width // LOOK + 1
    square = (row // LOOK) * across + column // LOOK
    order = np.argsort(square, kind="stable")
    for part in np.split(order, np.flatnonzero(np.diff(square[order])) + 1):
        top, left = row[part].min(), column[part].min()
        window = raster.read(slice(int(top), int(row[part].max()) + 1), slice(int(left), int(column[part].max()) + 1))
        people[part] = window[row[part] - top, column[part] - left]
    return people


def _neighbours(rasters: list[Raster]) -> list[list[int]]:
    """For each raster the others that may have cells at the same places as it; rather too many than too few."""
    systems = {wkt: number for number, wkt in enumerate(dict.fromkeys(raster.grid.wkt for raster in rasters))}
    system = np.array([systems[raster.grid.wkt] for raster in rasters])
    own = np.array([raster.grid.bounds() for raster in rasters]).reshape(-1, 4)
    mixed = len(systems) > 1
    degrees = np.array([raster.grid.bounds_in_degrees for raster in rasters]).reshape(-1, 4) if mixed else own
    found = []
    for number, raster in enumerate(rasters):
        grid = raster.grid
        near = (system == system[number]) & meet(own[number], own, grid.turn, SAME * _pitch(grid))
        if mixed:
            near |= (system != system[number]) & meet(degrees[number], degrees, 360.0, 0.0)
        near[number] = False
        found.append(np.flatnonzero(near).tolist())
    return found


def _more_than_a_turn(grid: Grid) -> bool:
    west, _, east, _ = grid.bounds()
    return bool(grid.turn) and east - west > grid.turn * (1 + 1e-9)


def _pitch(grid: Grid) -> float:
    """About the least distance between neighbouring centres."""
    a, b, _, d, e, _ = grid.affine
    return abs(a * e - b * d) / max(np.hypot(a, d), np.hypot(b, e))
