"""People: a raster whose cells near the clusters' hubs add up to the published populations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.world import sites as geometry
from gpu_clusters.world.plan import Base

PITCH = 1 / 20  # degrees
WIDTH, HEIGHT, BLOCK = 7_200, 3_600, 512
NEAR = 0.045  # degrees from a hub, within its area; all people of clusters live there
STEPS = 1 << 10  # people come in whole 1,024ths, so that their sums are exact
NOISE_PEOPLE = 50_000.0  # in a noise city, all in one cell


def cells(base: Base, clusters: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows and columns of the cells with people, and their people.

    Parameters
    ----------
    base : Base
    clusters : DataFrame
        In the order of the plan; ``population`` NaN for those that are no cluster in this edition.
    """
    sites = base.sites
    cluster = base.cluster
    pieces = []
    strong = (sites.kind == geometry.HUB) & (sites.weight >= geometry.STRONG)
    for number, total in enumerate(clusters["population"].fillna(0.0).tolist()):
        hubs = np.flatnonzero((cluster == number) & strong).tolist()
        around = [_around(sites.lon[hub], sites.lat[hub], sites.weight[hub]) for hub in hubs]
        if total:
            row, column, weight = (np.concatenate(values) for values in zip(*around, strict=True))
            cell, place = np.unique(row * WIDTH + column, return_inverse=True)
            weight = np.bincount(place, weights=weight)
            people = np.floor(weight / weight.sum() * total * STEPS) / STEPS
            people[0] += total - people.sum()
            pieces.append((cell // WIDTH, cell % WIDTH, people))
    noise = np.flatnonzero(sites.part < 0)
    inhabitants = np.full(len(noise), NOISE_PEOPLE)
    row = np.floor((90 - sites.lat[noise]) / PITCH).astype(np.int64)
    column = np.floor((sites.lon[noise] + 180) / PITCH).astype(np.int64) % WIDTH
    pieces.append((row, column, inhabitants))
    row, column, people = (np.concatenate(values) for values in zip(*pieces, strict=True))
    return row, column, people


def _around(lon: float, lat: float, weight: float) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Cells whose centre is near a place, and how much of its people each has."""
    row, column = int((90 - lat) / PITCH), int((lon + 180) / PITCH)
    rows, columns = (values.ravel() for values in np.mgrid[row - 3 : row + 4, column - 3 : column + 4])
    far = np.hypot((columns + 0.5) * PITCH - 180 - lon, 90 - (rows + 0.5) * PITCH - lat)
    near = far <= NEAR
    return rows[near], columns[near], weight * np.exp(-far[near] / 0.02)


def write(base: Base, clusters: pd.DataFrame, path: Path) -> None:
    """Write the raster, a cloud-optimised GeoTIFF; blocks without people take no room."""
    import rasterio
    from rasterio.shutil import copy
    from rasterio.windows import Window

    row, column, people = cells(base, clusters)
    block = (row // BLOCK) * (WIDTH // BLOCK + 1) + column // BLOCK
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    transform = rasterio.Affine(PITCH, 0, -180, 0, -PITCH, 90)
    about = {"width": WIDTH, "height": HEIGHT, "count": 1, "dtype": "float64", "crs": "EPSG:4326"}
    layout = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate", "sparse_ok": True}
    plain = path.with_suffix(".plain.tif")
    with rasterio.open(plain, "w", "GTiff", transform=transform, **about, **layout) as file:
        for own in np.split(order, starts[1:]):
            top, left = row[own[0]] // BLOCK * BLOCK, column[own[0]] // BLOCK * BLOCK
            values = np.zeros((min(BLOCK, HEIGHT - top), min(BLOCK, WIDTH - left)))
            np.add.at(values, (row[own] - top, column[own] - left), people[own])
            file.write(values, 1, window=Window(left, top, values.shape[1], values.shape[0]))
    copy(plain, path, driver="COG", compress="deflate", blocksize=BLOCK, overviews="none", sparse_ok=True)
    plain.unlink()
