"""Make the coast lines and borders of maps: Natural Earth 1:50m, thinned and rounded.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python tools/natural_earth.py package/countries-50m.json gpu_clusters/io/natural_earth.json

world-atlas 2.0.2 holds Natural Earth 4.1.0 (public domain) as TopoJSON: arcs that neighbouring countries share. So a border is an
arc of several countries, and thinning arc by arc leaves no gaps. Antarctica and the smallest islands are left out.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from shapely import LineString, Polygon, affinity, clip_by_rect, get_parts, make_valid

PER_DEGREE = 100  # coordinates are whole hundredths of a degree
TOLERANCE = 0.015  # degrees
SMALLEST = 0.006  # square degrees
SOUTH = -60.0


def arcs(topology: dict) -> list[np.ndarray]:
    """Thinned arcs in degrees, (n, 2) each."""
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    lines = [np.cumsum(arc, axis=0) * scale + shift for arc in topology["arcs"]]
    return [np.array(LineString(line).simplify(TOLERANCE).coords) if len(line) > 2 else line for line in lines]


def rings(geometry: dict) -> list[list[int]]:
    """Arc numbers of all rings of a geometry; ~i is arc i backwards."""
    if geometry["type"] == "GeometryCollection":
        return [ring for part in geometry["geometries"] for ring in rings(part)]
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    return [ring for polygon in polygons for ring in polygon]


def joined(ring: list[int], lines: list[np.ndarray]) -> np.ndarray:
    """The points of a ring, first = last."""
    parts = [lines[i] if i >= 0 else lines[~i][::-1] for i in ring]
    return np.vstack([parts[0], *(part[1:] for part in parts[1:])])


def cut(ring: np.ndarray) -> list[np.ndarray]:
    """A ring as rings between -180 and 180 degrees, should it cross the date line; holes come as rings of their own."""
    lon = np.unwrap(ring[:, 0], period=360)
    whole = make_valid(Polygon(np.column_stack((lon, ring[:, 1]))))
    found = []
    for shift in (-360, 0, 360):
        for part in get_parts(clip_by_rect(affinity.translate(whole, shift), -180, -90, 180, 90)):
            if part.geom_type == "Polygon" and part.area >= SMALLEST:
                found += [np.asarray(line.coords) for line in (part.exterior, *part.interiors)]
    return found


def steps(line: np.ndarray) -> list[int]:
    """A line as x, y, then differences, in hundredths of a degree; points that fall together are one."""
    whole = np.rint(line * PER_DEGREE).astype(int)
    whole = whole[np.append(True, (np.diff(whole, axis=0) != 0).any(axis=1))]
    return np.diff(whole, axis=0, prepend=[[0, 0]]).ravel().tolist()


def main() -> None:
    """Read, thin, write."""
    source, target = map(Path, sys.argv[1:])
    topology = json.loads(source.read_text())
    lines = arcs(topology)
    land = [joined(ring, lines) for ring in rings(topology["objects"]["land"])]
    land = [part for ring in land if len(ring) > 3 for part in cut(ring) if part[:, 1].max() > SOUTH]
    users = Counter(
        i if i >= 0 else ~i
        for country in topology["objects"]["countries"]["geometries"]
        for i in {i if i >= 0 else ~i for ring in rings(country) for i in ring}
    )
    borders = [lines[i] for i, count in users.items() if count > 1]
    document = {
        "source": "Natural Earth 4.1.0, 1:50m cultural and physical vectors, public domain, by way of world-atlas 2.0.2",
        "per_degree": PER_DEGREE,
        "land": [step for step in map(steps, land) if len(step) >= 8],
        "borders": [step for step in map(steps, borders) if len(step) >= 4],
    }
    target.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
