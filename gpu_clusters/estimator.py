"""Weighted DBSCAN on the sphere for users of scikit-learn."""

from __future__ import annotations

import math
from fractions import Fraction
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin

from gpu_clusters import backend
from gpu_clusters.compiled import one_thread_at_a_time
from gpu_clusters.degrees import GEOCODED, classify
from gpu_clusters.engines.protocol import Problem
from gpu_clusters.errors import UsageError, first_line
from gpu_clusters.kernels.spaces import on_sphere, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.wording import counted

LIMIT = 2**62  # weights of all points together stay below
_LATITUDES, _LONGITUDES = ("lat", "latitude", "y"), ("lon", "long", "lng", "longitude", "x")  # as frames call them


class WeightedDBSCAN(ClusterMixin, BaseEstimator):
    """Exact density-based clustering of points on the globe, with weights.

    A point is *core* if the weights of all points within the radius, its own included, reach the threshold. Core points within
    the radius of each other share a cluster; another point within the radius of a core point joins the cluster of its densest
    core neighbour (ties: smaller latitude, then smaller longitude, then smaller index); the rest is noise.

    Parameters
    ----------
    radius_km : float
        Great-circle radius in kilometres on the sphere of radius 6371.0088 km; inclusive.
    threshold : float
        Weight within the radius from which on a point is core; inclusive.
    border : {"densest", "lowest"}
        ``"lowest"``: as in scikit-learn, a border point joins the cluster with the lowest label next to it.
    engine : {"auto", "native", "cuml", "sklearn"}
    device : {"auto", "cpu", "gpu"}

    Attributes
    ----------
    labels_ : (n,) int64
        0, 1, ... in the order of the clusters' first core points; -1 for noise.
    core_sample_indices_ : (c,) int64
        Indices of the core points, ascending.
    density_at_ : (n,) int64 or float64
        Weight within the radius of each point; int64 unless weights are given that are not whole numbers. Core points are those
        that have the threshold or more here.
    n_features_in_ : int
        2.

    Notes
    -----
    Weights are added as whole numbers, so that no order of additions matters. Weights that are not whole are taken as multiples
    of a power of two so small that their sum just stays below 2**62.

    Examples
    --------
    >>> from gpu_clusters import WeightedDBSCAN
    >>> WeightedDBSCAN(radius_km=5, threshold=2).fit([[13.40, 52.52], [13.41, 52.52], [2.35, 48.85]]).labels_
    array([ 0,  0, -1])
    """

    labels_: NDArray[np.int64]
    core_sample_indices_: NDArray[np.int64]
    density_at_: NDArray[np.int64] | NDArray[np.float64]
    n_features_in_: int

    def __init__(
        self,
        radius_km: float = 15.0,
        threshold: float = 4500.0,
        *,
        border: str = "densest",
        engine: str = "auto",
        device: str = "auto",
    ) -> None:
        self.radius_km = radius_km
        self.threshold = threshold
        self.border = border
        self.engine = engine
        self.device = device

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> WeightedDBSCAN:  # noqa: ARG002, N803
        """Cluster points.

        Parameters
        ----------
        X : (n, 2) array_like
            Longitude and latitude in degrees, in this order, of data frames too; |lon| <= 360, |lat| <= 90.
        y : ignored
        sample_weight : (n,) array_like, optional
            Weights, 0 or more, by place and not by index; 1 where left out.

        Returns
        -------
        WeightedDBSCAN
            Itself.

        Raises
        ------
        ValueError
            Shapes, coordinates, weights or parameters that make no sense; a frame whose columns are latitude and longitude.
        DeviceError
            A device or an engine that was asked for is not there.
        """
        if (
            not isinstance(self.threshold, Real)
            or isinstance(self.threshold, bool)
            or not 0 < self.threshold < math.inf
        ):
            raise UsageError(f"threshold must be a finite number above 0, not {self.threshold!r}")
        settings = Settings(
            radius_km=self.radius_km,
            density=self.threshold,
            border=self.border,
            engine=self.engine,
            device=self.device,
        )
        lon, lat = _coordinates(X)
        weight, shift = _whole_weights(sample_weight, len(lon))
        # whole weights: the threshold as a decimal number; others are binary fractions, and so is then the threshold
        threshold = math.ceil(Fraction(float(self.threshold)) * 2**shift if shift else Fraction(str(self.threshold)))
        reach = sphere_reach(settings.radius_km)
        problem = Problem(on_sphere(lon, lat), lon, lat, weight, reach, threshold, self.border)
        with one_thread_at_a_time:
            found = backend.pick(settings).cluster(problem)
        self.labels_ = found.labels
        self.core_sample_indices_ = np.flatnonzero(found.core)
        self.density_at_ = np.ldexp(_rounded_down(found.density_at), -shift) if shift else found.density_at
        self.n_features_in_ = 2
        return self


def _coordinates(given: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes in [-180, 180) and latitudes of an (n, 2) array."""
    columns = [str(name) for name in getattr(given, "column_names", getattr(given, "columns", ()))]
    if len(columns) == 2 and columns[0].lower() in _LATITUDES and columns[1].lower() in _LONGITUDES:
        raise ValueError(f"X has the columns {columns[0]}, {columns[1]}: give longitude first, X[{columns[::-1]}]")
    if np.ma.is_masked(given):
        raise ValueError("X has masked values: leave out the points that have any")
    try:
        imaginary = np.iscomplexobj(given)
        points = np.empty(0) if imaginary else np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must hold numbers, longitude and latitude in degrees: {first_line(error)}") from None
    if imaginary:
        raise ValueError("X has complex numbers: longitude and latitude in degrees are needed")
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"X must have the shape (n, 2), longitude and latitude in degrees, not {points.shape}")
    if not len(points):
        raise ValueError("X has no points (shape=(0, 2)): at least one is needed")
    lon, lat = points.T.copy()
    status = np.empty(len(points), np.int8)
    classify(lon, lat, status)
    wrong = np.flatnonzero(status != GEOCODED)
    if len(wrong):
        raise ValueError(
            f"X has {counted(len(wrong), 'point that is', 'points that are')} not on the globe, the first in row {wrong[0]}: "
            f"{points[wrong[0]].tolist()}; "
            "the columns are longitude and latitude in degrees"
        )
    return lon, lat


def _whole_weights(given: ArrayLike | None, n: int) -> tuple[NDArray[np.int64], int]:
    """Weights as whole numbers, and the power of two that they have been multiplied by."""
    if given is None:
        return np.ones(n, np.int64), 0
    if np.ma.is_masked(given):
        raise ValueError("sample_weight has masked values: leave out their points, or weigh them 0")
    weights = np.asarray(given)
    if weights.shape != (n,):
        raise ValueError(f"sample_weight must have the shape ({n},), not {weights.shape}")
    if weights.dtype.kind not in "biuf":
        raise ValueError(f"sample_weight must be numbers, not {weights.dtype}")
    if n and not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample_weight must be finite and not negative")
    weights = weights.astype(np.float64) if weights.dtype.kind == "f" else weights
    with np.errstate(over="ignore"):  # infinite is too much, too
        total = float(weights.sum(dtype=np.float64))
    if total >= LIMIT:
        raise ValueError(f"sample_weight adds up to {total:g}: it must stay below 2**62")
    if weights.dtype.kind != "f" or (weights == np.floor(weights)).all():
        return weights.astype(np.int64), 0
    shift = max(61 - math.frexp(total)[1], 1)
    return np.rint(np.ldexp(weights, shift)).astype(np.int64), shift


def _rounded_down(whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """Numbers of 61 bits as float64, none larger than it is: what reaches a threshold in float64 does so before and after."""
    near = whole.astype(np.float64)
    return np.where(near.astype(np.int64) > whole, np.nextafter(near, 0), near)
