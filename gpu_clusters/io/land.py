"""Coast lines and borders of Natural Earth, as rings and lines in degrees or in a projection."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CREDIT = "Coast lines and borders: Natural Earth (as there; no position is taken on any territory)"


class Land(NamedTuple):
    """Rings of land and lines of borders; (n, 2) float64 each, degrees lon and lat."""

    land: list[NDArray[np.float64]]
    borders: list[NDArray[np.float64]]


def raw() -> str:
    """The file as it is: JSON, whole numbers, the first point and then differences."""
    return (files("gpu_clusters.io") / "natural_earth.json").read_text(encoding="utf-8")


@cache
def land() -> Land:
    """All of it."""
    document = json.loads(raw())

    def lines(kind: str) -> list[NDArray[np.float64]]:
        return [np.cumsum(np.reshape(steps, (-1, 2)), axis=0) / document["per_degree"] for steps in document[kind]]

    return Land(lines("land"), lines("borders"))


def within(box: tuple[float, float, float, float]) -> Land:
    """What of it lies in a box (west, south, east, north; degrees); west > east reaches over the date line."""
    import shapely

    west, south, east, north = box
    parts = [(west, south, east, north)] if west < east else [(west, south, 180.0, north), (-180.0, south, east, north)]
    found = Land([], [])
    for part in parts:
        for ring in land().land:
            if _apart(ring, part):
                continue
            cut = shapely.clip_by_rect(shapely.polygons(ring), *part)
            for polygon in shapely.get_parts(cut):
                if polygon.geom_type == "Polygon":
                    found.land.append(np.asarray(polygon.exterior.coords))
        for line in land().borders:
            if not _apart(line, part):
                cut = shapely.clip_by_rect(shapely.linestrings(line), *part)
                found.borders.extend(np.asarray(piece.coords) for piece in shapely.get_parts(cut))
    return found


def _apart(line: NDArray[np.float64], box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = box
    (left, low), (right, high) = line.min(axis=0), line.max(axis=0)
    return bool(right < west or left > east or high < south or low > north)
