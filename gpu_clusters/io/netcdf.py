"""The layer of people in a NetCDF file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import rioxarray  # noqa: F401 - gives arrays their .rio
import xarray as xr

from gpu_clusters.errors import InputError

_DEGREES = {
    "x": {"degrees_east", "degree_east", "degrees_e", "degree_e", "degreese", "degreee"},
    "y": {"degrees_north", "degree_north", "degrees_n", "degree_n", "degreesn", "degreen"},
}

_NEVER_WRITTEN = {
    "f4": 9.969209968386869e36,
    "f8": 9.969209968386869e36,
    "i2": -32767.0,
    "i4": -2147483647.0,
    "i8": -9223372036854775806.0,
    "u2": 65535.0,
    "u4": 4294967295.0,
    "u8": 18446744073709551614.0,
}
"""What NetCDF fills cells with that are never written, where a variable has no ``_FillValue``."""


@dataclass(frozen=True)
class StoredAsNone:
    """Which stored values of a raster mean that a cell has no number: some, and all below or above a limit."""

    values: tuple[float, ...] = ()
    below: float = -np.inf
    above: float = np.inf

    @property
    def limited(self) -> bool:
        """Whether there are limits."""
        return self.below > -np.inf or self.above < np.inf


def stored_as_none(layer: xr.DataArray, name: str) -> StoredAsNone:
    """What stands for no number, by the CF conventions: ``_FillValue``, ``missing_value``, and what is not valid.

    Raises
    ------
    InputError
        An attribute is no number, or the numbers are not of the type that they are stored in.
    """
    if str(layer.attrs.get("_Unsigned", "")).lower() == {"i": "true", "u": "false"}.get(layer.dtype.kind):
        raise InputError(
            f"{name}: has numbers of another type than it says (_Unsigned); write it anew, in Python by "
            "xarray.open_dataset(FILE).drop_encoding().to_netcdf(NEW_FILE)"
        )
    fill = _numbers(layer, "_FillValue", name) or [_NEVER_WRITTEN.get(layer.dtype.str[1:], np.nan)]
    below, above = _numbers(layer, "valid_range", name) or (
        *(_numbers(layer, "valid_min", name) or [-np.inf]),
        *(_numbers(layer, "valid_max", name) or [np.inf]),
    )
    values = (*fill, *_numbers(layer, "missing_value", name))
    return StoredAsNone(tuple(value for value in values if not np.isnan(value)), below, above)


def _numbers(layer: xr.DataArray, key: str, name: str) -> list[float]:
    """The numbers of an attribute, none if it is not there."""
    found = np.ravel(layer.attrs.get(key, []))
    wanted = {"valid_range": 2, "missing_value": len(found)}.get(key, 1)
    if len(found) and (found.dtype.kind not in "iuf" or len(found) != wanted):
        raise InputError(
            f"{name}: its {key} is {layer.attrs[key]!r}, not {'numbers' if wanted > 1 else 'a number'}; correct it, for example "
            "with ncatted, or leave it out"
        )
    packed = layer.dtype.kind != "f" and layer.attrs.keys() & {"scale_factor", "add_offset"}
    if packed and key.startswith("valid") and len(found) and found.dtype.kind == "f":
        raise InputError(
            f"{name}: its {key} may be in the unit of people or in that of the whole numbers that are stored; write it as whole "
            "numbers, for example with ncatted, or leave it out"
        )
    return [float(value) for value in found]


def layer_of(data: xr.Dataset, name: str) -> xr.DataArray:
    """The one variable on a grid; coordinates in degrees east and north are a CRS, as the CF conventions have it.

    Raises
    ------
    InputError
        There is none, or several.
    """
    found = {str(key): layer for key, layer in data.data_vars.items() if _dimensions(layer) is not None}
    if not found:
        raise InputError(
            f"{name}: has no variable on a grid; variables: {', '.join(map(str, data.data_vars)) or 'none'}; the dimensions "
            "of one must be called y and x, or have coordinates with the units degrees_north and degrees_east"
        )
    if len(found) > 1:
        raise InputError(
            f"{name}: has several variables on a grid ({', '.join(found)}); make a file of the one that counts people, or in "
            f"Python pass it as an array: xarray.open_dataset(...)[{next(iter(found))!r}]"
        )
    (layer,) = found.values()
    x, y = _dimensions(layer)  # type: ignore[misc]
    layer = layer.rename({old: new for old, new in ((x, "x"), (y, "y")) if old != new})
    if layer.rio.crs is None and _in_degrees(layer, "x", "x") and _in_degrees(layer, "y", "y"):
        layer = layer.rio.write_crs("EPSG:4326")
    return layer


def _dimensions(layer: xr.DataArray) -> tuple[Any, Any] | None:
    """Names of the dimensions along x and y, by name or by what the CF conventions say about their coordinates."""
    if layer.dtype.kind not in "iuf":
        return None
    try:
        return layer.rio.x_dim, layer.rio.y_dim
    except Exception:  # whatever rioxarray misses: look for it here
        along = [[dim for dim in layer.dims if _in_degrees(layer, dim, axis)] for axis in ("x", "y")]
        return (along[0][0], along[1][0]) if all(len(dims) == 1 for dims in along) else None


def _in_degrees(layer: xr.DataArray, dim: Any, axis: str) -> bool:
    return dim in layer.coords and str(layer.coords[dim].attrs.get("units", "")).lower() in _DEGREES[axis]
