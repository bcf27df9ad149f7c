"""What an engine gets and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.kernels.spaces import Coordinates, Reach
from gpu_clusters.schema import NOISE

__all__ = ["NOISE", "Clustering", "Engine", "Problem"]


class Problem(NamedTuple):
    """Locations to cluster, (n,) each: where they are for the distance, and in degrees to decide between equals."""

    points: Coordinates
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    weight: NDArray[np.int64]
    reach: Reach
    threshold: int
    border: str


class Clustering(NamedTuple):
    """Density, core flag and label of each location, (n,) each.

    Labels are 0, 1, ... in the order of the first core location of each cluster, -1 for noise.
    """

    density_at: NDArray[np.int64]
    core: NDArray[np.bool_]
    labels: NDArray[np.int64]


Engine = Callable[[Problem], Clustering]
