"""Checks of the steps behind clustering on a GPU: areas and merging, points in polygons, people."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import population
import shapely
from end_to_end import density_of
from gpu_machine import Machine

from gpu_clusters import Settings
from gpu_clusters.engines import counting
from gpu_clusters.engines.counting import Counting
from gpu_clusters.engines.protocol import Clustering, Problem
from gpu_clusters.io import read_addresses, read_deals
from gpu_clusters.io.cells import Cells, cells_near
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import open_rasters
from gpu_clusters.kernels import discs
from gpu_clusters.kernels.totals import Totals
from gpu_clusters.steps.inside import points_inside
from gpu_clusters.steps.locate import Located, locate
from gpu_clusters.steps.merge import merge, neighbours
from gpu_clusters.steps.overlay import overlay


def check_areas(machine: Machine, data: Path, clustering: Clustering, repeat: int) -> dict[str, Any]:
    """Times of overlay and merging with the tables on either device, and whether the answers are the CPU's."""
    settings = Settings(density=density_of(data))
    patents, publications = (
        read_addresses(data / f"{name}.parquet", name).data for name in ("patents", "publications")
    )
    deals = read_deals(data / "deals.parquet").data
    located = locate(patents, publications, settings)
    nearest, close, moved = machine.areas()
    there = [replace(table, doc_start=moved(table.doc_start)) for table in (patents, publications)]
    located_there = Located(located.locations, moved(located.patents), moved(located.publications))
    labels = merge(located, clustering, patents, publications, settings).labels
    work = {
        "close clusters": (
            lambda: (neighbours(located.locations, clustering, settings),),
            lambda: (neighbours(located.locations, clustering, settings, close),),
        ),
        "merging": (
            lambda: merge(located, clustering, patents, publications, settings),
            lambda: merge(located_there, clustering, there[0], there[1], settings, close),
        ),
        "overlay": (
            lambda: overlay(deals, located.locations, labels, settings),
            lambda: overlay(deals, located.locations, labels, settings, nearest),
        ),
    }
    found: dict[str, Any] = {}
    for name, (on_cpu, on_gpu) in work.items():
        answer, peak_gib = machine.peak_gib(on_gpu)
        same = all(np.array_equal(a, b) for a, b in zip(answer, on_cpu(), strict=True))
        found[name] = {
            "cpu_s": min(machine.timed(on_cpu, 2)),
            "seconds": machine.timed(on_gpu, repeat),
            "peak_gib": peak_gib,
            "equal": same,
        }
    return found


def check_polygons(machine: Machine, problem: Problem, repeat: int) -> dict[str, Any]:
    """Time of points in polygons, and whether the pairs are those of the CPU."""
    rng = np.random.default_rng(3)
    rows = rng.choice(len(problem.lon), 240, replace=False)
    outlines = shapely.buffer(shapely.points(problem.lon[rows], problem.lat[rows]), 0.3)
    outlines = shapely.intersection(outlines, shapely.box(-180, -90, 180, 90))
    found: dict[str, Any] = {}
    expected = points_inside(outlines, problem.lon, problem.lat)
    found["cpu_s"] = machine.timed(lambda: points_inside(outlines, problem.lon, problem.lat), 2)
    for name, inside in machine.insides().items():
        pairs = inside(outlines, problem.lon, problem.lat)
        found[name] = {
            "seconds": machine.timed(partial(inside, outlines, problem.lon, problem.lat), repeat),
            "equal": all(np.array_equal(a, b) for a, b in zip(pairs, expected, strict=True)),
        }
    return found


def check_population(machine: Machine, data: Path, scale: float, repeat: int) -> dict[str, Any]:
    """Times of reading a raster and of summing it in areas and in polygons, on the CPU and here, and whether totals are equal."""
    clusters = max(4, round(scale * population.SPOTS))
    places, spot = population.members(max(1000, round(1_000_000 * scale)), clusters)
    spot = np.unique(spot, return_inverse=True)[1]
    given = *places.T.copy(), spot, int(spot[-1]) + 1, population.AREA
    path = data / f"population_{clusters}.tif"
    if not path.is_file():
        population.make_raster(path, clusters)

    def windows() -> list[Cells]:
        with open_rasters(path) as (rasters, _):
            return list(cells_near(Mosaic(rasters), given[0], given[1], population.AREA))

    cells = windows()
    middle = np.array([places[spot == number].mean(axis=0) for number in range(given[3])])
    polygons = shapely.intersection(shapely.buffer(shapely.points(middle), 0.3), shapely.box(-180, -90, 180, 90))
    pairs = [points_inside(polygons, window.lon, window.lat) for window in cells]

    def in_areas(on: Counting) -> Totals:
        totals, areas = on.nothing(given[3]), on.areas(*given)
        for window in cells:
            on.gather(areas, totals, window.lon, window.lat, window.value)
        return on.finish(totals)

    def in_polygons(on: Counting) -> Totals:
        totals = on.nothing(given[3])
        for window, (point, polygon) in zip(cells, pairs, strict=True):
            on.add(totals, polygon, window.value[point])
        return on.finish(totals)

    found: dict[str, Any] = {
        "members": len(places),
        "windows": len(cells),
        "cells": sum(len(window.lon) for window in cells),
        "reading_s": machine.timed(windows, 2),
        "bands of the members, on the host, s": machine.timed(lambda: discs.areas(*given), 2),
    }
    for name, work in (("areas", in_areas), ("polygons", in_polygons)):
        expected = work(counting.ON_CPU)
        totals, peak_gib = machine.peak_gib(partial(work, machine.counting))
        found[name] = {
            "held": int(expected.held.sum()),
            "cpu_s": machine.timed(partial(work, counting.ON_CPU), repeat),
            "seconds": machine.timed(partial(work, machine.counting), repeat),
            "peak_gib": peak_gib,
            "equal": all(np.array_equal(a, b) for a, b in zip(totals, expected, strict=True)),
        }
    return found
