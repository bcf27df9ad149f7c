"""Where the cells of an array are: by its geotransform, or by its coordinates where these say otherwise."""

from __future__ import annotations

import numpy as np
import rioxarray
import xarray as xr

from gpu_clusters.errors import InputError
from gpu_clusters.io.grids import Affine

NONE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
OFF = 0.05  # of a cell: what a geotransform and coordinates may differ by in rounding


def affine_of(layer: xr.DataArray, name: str) -> Affine:
    """The affine map of cells to places.

    A geotransform that is kept beside coordinates goes on saying what it did when rows are turned over, or when cells are
    put together or left out; so does that of NetCDF files made by GDAL, whose rows are stored from south to north. The
    coordinates are right there.

    Parameters
    ----------
    layer : xarray.DataArray
        (rows, columns).
    name : str
        The raster's, for messages.

    Raises
    ------
    InputError
        There is neither a geotransform nor coordinates, they contradict each other, or the coordinates are no straight scale.
    """
    _check_spacing(layer, name)
    for anew in (False, True):
        try:
            affine: Affine = tuple(float(value) for value in tuple(layer.rio.transform(recalc=anew))[:6])  # type: ignore[assignment]
        except (rioxarray.exceptions.RioXarrayError, TypeError, ValueError) as error:
            raise InputError(f"{name}: its cells cannot be placed: {error}; georeference it again") from None
        if affine == NONE or 0 in layer.shape:
            raise InputError(
                f"{name}: says nothing about where its cells are; georeference it, for example with gdal_edit -a_ullr"
            )
        if _fits(affine, layer):
            return affine
    raise InputError(
        f"{name}: its geotransform and its coordinates put its cells in different places; leave one of them out, or in Python "
        "write the right one with DataArray.rio.write_transform"
    )


def _fits(affine: Affine, layer: xr.DataArray) -> bool:
    """Whether the cells in the corners are where the coordinates have them, if there are any."""
    centres = _centres(layer)
    if centres is None:
        return True
    a, b, c, d, e, f = affine
    height, width = layer.shape
    row, column = np.array([[0, 0, height - 1, height - 1], [0, width - 1, 0, width - 1]])
    x, y = (place[row, column] for place in centres)
    off_x, off_y = a * (column + 0.5) + b * (row + 0.5) + c - x, d * (column + 0.5) + e * (row + 0.5) + f - y
    return bool(np.hypot(off_x, off_y).max() <= OFF * min(np.hypot(a, d), np.hypot(b, e)))


def _centres(layer: xr.DataArray) -> tuple[np.ndarray, np.ndarray] | None:
    """Centres of cells as the coordinates have them, (rows, columns) each; also those of a rotated raster in rioxarray."""
    y, x = layer.dims
    for along, up in ((x, y), ("xc", "yc")):
        if along in layer.coords and up in layer.coords:
            across, upward = layer.coords[along], layer.coords[up]
            if {across.ndim, upward.ndim} == {1}:
                return np.broadcast_arrays(across.to_numpy()[None, :], upward.to_numpy()[:, None])  # type: ignore[return-value]
            if across.dims == upward.dims == (y, x):
                return across.to_numpy(), upward.to_numpy()
    return None


def _check_spacing(layer: xr.DataArray, name: str) -> None:
    """Refuse coordinates that are no straight scale: no affine map would put the cells in their places."""
    for dim in layer.dims:
        if dim in layer.coords and layer.sizes[dim] > 2:
            if layer.coords[dim].dtype.kind not in "iuf":
                raise InputError(
                    f"{name}: its {dim} coordinates are no numbers; give those of the centres of its cells"
                )
            steps = np.diff(layer.coords[dim].to_numpy().astype(np.float64))
            if not np.abs(steps - steps.mean()).max() < 0.01 * abs(steps.mean()):
                raise InputError(f"{name}: its {dim} coordinates are not evenly spaced; resample it to a regular grid")
