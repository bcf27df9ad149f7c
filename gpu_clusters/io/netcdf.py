"""The layer of people in a NetCDF file."""

from __future__ import annotations

from typing import Any

import rioxarray  # noqa: F401 - gives arrays their .rio
import xarray as xr

from gpu_clusters.errors import InputError

_DEGREES = {
    "x": {"degrees_east", "degree_east", "degrees_e", "degree_e"},
    "y": {"degrees_north", "degree_north", "degrees_n", "degree_n"},
}


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
            f"{name}: has no variable on a grid; variables: {', '.join(map(str, data.data_vars)) or 'none'}"
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
