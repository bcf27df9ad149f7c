"""Clustering in a projected coordinate system instead of on the sphere: which, where the places are in it, how far it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.degrees import elsewhere
from gpu_clusters.errors import InputError, UsageError, first_line
from gpu_clusters.wording import counted

if TYPE_CHECKING:
    from pyproj import CRS

TRUE = 0.05  # a system whose lengths are off by more is told of


def system(crs: str) -> CRS:
    """The coordinate system that a text names.

    Raises
    ------
    UsageError
        It is unknown, not projected, not in metres, or that of another planet.
    """
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    try:
        target = CRS.from_user_input(crs)
        units = {axis.unit_name for axis in target.axis_info[:2]}
        if not target.is_projected or units != {"metre"}:
            what = f"crs {crs!r} ({target.name}) is not a projected system in metres"
            raise UsageError(f"{what}: take one such as EPSG:3035")
        Transformer.from_crs("EPSG:4326", target)
    except ProjError as error:
        raise UsageError(f"crs {crs!r} cannot be used ({first_line(error)}): take one such as EPSG:3035") from None
    return target


def project(
    lon: NDArray[np.float64], lat: NDArray[np.float64], crs: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project degrees to the metres of ``crs``.

    Raises
    ------
    UsageError
        As `system`.
    InputError
        A location has no coordinates there.
    """
    from pyproj import Transformer

    target = system(crs)
    easting, northing = Transformer.from_crs("EPSG:4326", target, always_xy=True).transform(lon, lat)
    lost = np.flatnonzero(~(np.isfinite(easting) & np.isfinite(northing)))
    if len(lost):
        first = lost[0]
        raise InputError(
            f"crs {crs} ({target.name}) has no coordinates for {len(lost):,} of {counted(len(lon), 'location')}, the first at "
            f"lon {lon[first]:g}, lat {lat[first]:g}: leave these out or choose a crs that covers them"
        )
    return easting, northing


def warnings_of(lon: NDArray[np.float64], lat: NDArray[np.float64], crs: str) -> list[str]:
    """What the user must know of ``crs`` at these places: where its lengths are off most, and whether it shows others there.

    Looked at is one place of each cell of a degree, for the scale hardly changes within.
    """
    target = system(crs)
    _, some = np.unique(np.floor(lon) * 1000 + np.floor(lat), return_index=True)
    of_lengths, of_twins = _off(lon[some], lat[some], target), _twin(lon[some], lat[some], target)
    return [f"crs {crs} ({target.name}) {what}" for what in (of_lengths, of_twins) if what]


def _off(lon: NDArray[np.float64], lat: NDArray[np.float64], target: CRS) -> str:
    """Where lengths are off most, if by more than `TRUE`."""
    from pyproj import Proj

    scale = Proj(target).get_factors(lon, lat)
    longest, shortest = np.asarray(scale.tissot_semimajor), np.asarray(scale.tissot_semiminor)
    off = np.where(np.isfinite(longest), np.maximum(longest - 1, 1 - shortest), 0.0)
    if off.max() <= TRUE:
        return ""
    worst = int(off.argmax())
    ground = " to ".join(dict.fromkeys(f"{1 / value:.3g}" for value in (longest[worst], shortest[worst]) if value > 0))
    return (
        f"is not true to length where the addresses are: at lon {lon[worst]:g}, lat {lat[worst]:g} a kilometre in it is "
        f"{ground} km on the ground; take a crs made for their country, or none, which measures on the sphere"
    )


def _twin(lon: NDArray[np.float64], lat: NDArray[np.float64], target: CRS) -> str:
    """Of the first place that is at another's coordinates, as the far side of the Earth is in some systems, where that is."""
    from pyproj import Transformer

    there = Transformer.from_crs("EPSG:4326", target, always_xy=True)
    x, y = there.transform(*there.transform(lon, lat), direction="INVERSE")
    twins = np.flatnonzero(elsewhere(lon, lat, x, y))
    if not len(twins):
        return ""
    first = twins[0]
    return (
        f"has lon {lon[first]:g}, lat {lat[first]:g} where lon {x[first]:g}, lat {y[first]:g} is, too, so that addresses at "
        "the two are neighbours; take a crs made for where the addresses are, or none, which measures on the sphere"
    )
