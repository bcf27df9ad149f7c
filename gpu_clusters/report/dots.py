"""Millions of locations as a picture, by datashader."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpu_clusters import backend

Extent = tuple[float, float, float, float]
"""Left, right, bottom, top, as matplotlib has it."""


def count_by_pixel(
    x: NDArray[np.float64], y: NDArray[np.float64], extent: Extent, width: int, height: int, device: str = "cpu"
) -> NDArray[np.int64]:
    """How many points fall on each pixel; (height, width), the first row at the bottom. On a GPU datashader works on cuDF."""
    import datashader as ds

    canvas = ds.Canvas(width, height, x_range=extent[:2], y_range=extent[2:])
    points = backend.frames(device).DataFrame({"x": x, "y": y})
    counts: NDArray[np.int64] = canvas.points(points, "x", "y", agg=ds.count()).to_numpy()
    return counts.astype(np.int64)


def shade(picture: NDArray[np.uint8], counts: NDArray[np.int64], color: str, least: float, most: float) -> None:
    """Put counts on a picture (height, width, 4) in one colour, opaque from ``least`` to ``most`` by the logarithm."""
    from matplotlib.colors import to_rgb

    some = np.flatnonzero(counts)
    if not len(some):
        return
    level = np.log(counts.ravel()[some])
    span = max(float(np.quantile(level, 0.99)), 1e-9)
    pixels = picture.reshape(-1, 4)
    pixels[some, :3] = np.rint(np.array(to_rgb(color)) * 255)
    pixels[some, 3] = np.rint(255 * np.clip(least + (most - least) * level / span, 0, most))
