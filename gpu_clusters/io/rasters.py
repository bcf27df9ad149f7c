"""Rasters through xarray and rioxarray: found, opened and checked, then read window by window as plain float64 arrays."""

from __future__ import annotations

import glob
import math
import os
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rioxarray
import xarray as xr
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from gpu_clusters.errors import InputError, UsageError, first_line
from gpu_clusters.io.folders import walk
from gpu_clusters.io.formats import reading
from gpu_clusters.io.geotransform import affine_of
from gpu_clusters.io.grids import Grid, parse_crs
from gpu_clusters.io.model import InputFile
from gpu_clusters.io.netcdf import StoredAsNone, layer_of, stored_as_none
from gpu_clusters.io.record import digests
from gpu_clusters.paths import absent, is_there

TABLE = "population"
GDAL_FORMATS = (".tif", ".tiff", ".gtiff", ".img", ".asc", ".bil")
NETCDF = (".nc", ".nc4", ".cdf")
FOLDER = (*GDAL_FORMATS, *NETCDF, ".zip")
NAMED = (*FOLDER, ".vrt")  # a mosaic that repeats a folder's tiles is taken only when it is asked for
GDAL_CACHE = 256 * 2**20  # bytes of decoded blocks that GDAL may keep


@dataclass(frozen=True, eq=False)
class Raster:
    """One layer of people per cell.

    Attributes
    ----------
    grid : Grid
        Where its cells are.
    layer : xarray.DataArray
        (height, width), values as they are stored; from a file they are read when asked for.
    none : StoredAsNone
        Which stored values mean "none".
    scale, offset : float
        People are ``stored * scale + offset``.
    block : (int, int)
        Rows and columns of the blocks that it is stored in.
    """

    grid: Grid
    layer: xr.DataArray
    none: StoredAsNone
    scale: float
    offset: float
    block: tuple[int, int]

    @property
    def name(self) -> str:
        return self.grid.name

    def read(self, rows: slice, columns: slice) -> NDArray[np.float64]:
        """People per cell of a window, (h, w) float64; NaN where there is no number, a negative one or infinity."""
        try:
            stored = self.layer[rows, columns].to_numpy()
        except (OSError, RasterioError, ValueError, RuntimeError) as error:
            where = f"rows {rows.start + 1} to {rows.stop}, columns {columns.start + 1} to {columns.stop}"
            reason = first_line(error.__cause__ or error)  # rasterio itself only says that there is one
            raise InputError(f"{self.name}: cannot be read ({where}: {reason}); is the file complete?") from error
        people = stored.astype(np.float64)
        if self.scale != 1 or self.offset != 0:
            people *= self.scale
            people += self.offset
        with np.errstate(invalid="ignore"):
            people[~((people >= 0) & (people < np.inf))] = np.nan
            if self.none.limited:
                people[(stored < self.none.below) | (stored > self.none.above)] = np.nan
        for value in self.none.values:
            with np.errstate(over="ignore"):
                missing = value if stored.dtype.kind in "iu" else np.array(value).astype(stored.dtype)
            people[stored == missing] = np.nan
        return people


@contextmanager
def open_rasters(source: Any, *, digest: bool = False) -> Iterator[tuple[list[Raster], Callable[[], list[InputFile]]]]:
    """Open all rasters of a source; closes them at the end.

    Parameters
    ----------
    source : path, xarray.DataArray, or list of these
        A path is a raster, a folder of rasters or a pattern such as ``tiles/*.tif``. The rasters come in the order of their
        paths, whatever the order in which they are given, then the arrays in theirs: where two have a number for the same
        place the first one counts.
    digest : bool
        Compute the files' digests, in a thread of its own, while the rasters are used.

    Yields
    ------
    rasters : list of Raster
    inputs : callable
        Gives the files for the record, when their digests are there.

    Raises
    ------
    InputError
        A raster that is missing, cannot be read, has several layers, no CRS or one that cannot be right.
    UsageError
        Something that is no source.
    """
    paths, arrays = _sources(source)
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE))
        rasters: list[Raster] = []
        cells = []
        for path in paths:
            found = [_open(inner, name, stack) for inner, name in _layers(path)]
            cells.append(sum(raster.grid.height * raster.grid.width for raster in found))
            rasters += found
        of_arrays = []
        for number, array in enumerate(arrays, 1):
            name = f"{TABLE} (array{f' {number}' if len(arrays) > 1 else ''})"
            rasters.append(_raster(array, name))
            of_arrays.append(InputFile(TABLE, name, None, None, None, int(array.size)))
        of_paths = stack.enter_context(digests(paths if digest else [None] * len(paths)))

        def inputs() -> list[InputFile]:
            of_files = zip(paths, of_paths, cells, strict=True)
            return [
                InputFile(
                    TABLE, str(path), path, path.stat().st_size, None if found is None else found.result(), number
                )
                for path, found, number in of_files
            ] + of_arrays

        yield rasters, inputs


def _sources(source: Any) -> tuple[list[Path], list[xr.DataArray]]:
    """Files in the order of their paths, each once, and arrays."""
    single = isinstance(source, (str, os.PathLike, xr.DataArray, xr.Dataset)) or not isinstance(source, Iterable)
    given = [source] if single else list(source)
    if not given:
        raise InputError(f"{TABLE}: no raster is given")
    paths: set[Path] = set()
    arrays = []
    for one in given:
        if isinstance(one, xr.DataArray):
            arrays.append(one)
        elif isinstance(one, (str, os.PathLike)):
            if not os.fspath(one):
                raise InputError(f"{TABLE}: the name of a file is empty")
            paths.update(_files(Path(one)))
        else:
            hint = '; give its layer of people, as in dataset["NAME"]' if isinstance(one, xr.Dataset) else ""
            raise UsageError(
                f"{TABLE}: a source is a path, an xarray.DataArray or a list of these, not {type(one).__name__}{hint}"
            )
    distinct = {path.resolve(): path for path in sorted(paths, reverse=True)}
    return sorted(distinct.values()), arrays


def _files(path: Path) -> list[Path]:
    with reading(str(path), "a file or folder"):
        if not is_there(path):
            found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207 - of any folder
            if found == [path]:
                raise InputError(f"{path}: is a link to a file that does not exist; link it anew, or leave it out")
            if not found:
                pattern = any(mark in str(path) for mark in "*?[")
                raise InputError(f"{path}: {'no file matches; check the path' if pattern else absent(path)}")
            return [name for one in found for name in _files(one)]
        if path.is_dir():
            files = sorted(
                folder / name for folder, names in walk(path) for name in names if name.lower().endswith(FOLDER)
            )
            if not files:
                raise InputError(f"{path}: the folder holds no raster; supported endings: {', '.join(FOLDER)}")
            return files
        if not path.name.lower().endswith(NAMED):
            raise InputError(f"{path}: is no raster that can be read; supported endings: {', '.join(NAMED)}")
        if not path.stat().st_size:
            raise InputError(f"{path}: is empty (0 bytes); fetch it again, or leave it out")
    return [path]


def _layers(path: Path) -> list[tuple[str, str]]:
    """What to open for a file, and its name: itself, or the rasters in an archive."""
    if not path.name.lower().endswith(".zip"):
        return [(str(path), str(path))]
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if name.lower().endswith(GDAL_FORMATS))
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path}: is not a zip archive that can be read: {error}; fetch it again") from error
    if not names:
        raise InputError(f"{path}: holds no raster; supported endings in an archive: {', '.join(GDAL_FORMATS)}")
    return [(f"/vsizip/{path.absolute()}/{name}", f"{path}/{name}") for name in names]


def _open(path: str, name: str, stack: ExitStack) -> Raster:
    try:
        with _quiet():
            if name.lower().endswith(NETCDF):
                data = stack.enter_context(
                    xr.open_dataset(path, mask_and_scale=False, decode_times=False, decode_coords="all", cache=False)
                )
                layer = layer_of(data, name)
                none = stored_as_none(layer, name)
            else:
                masked = _has_mask(path)
                layer = rioxarray.open_rasterio(  # type: ignore[assignment]
                    path, masked=masked, cache=False, lock=False, parse_coordinates=False
                )
                none = None
                if isinstance(layer, list):
                    raise InputError(f"{name}: has several rasters in one; make a file of the one that counts people")
                stack.callback(layer.close)
                if masked:
                    none = _as_none(layer.rio.encoded_nodata)
    except InputError:
        raise
    except (OSError, RasterioError, ValueError, RuntimeError, LookupError, AttributeError) as error:
        # the last two of damaged NetCDF
        reason = first_line(error)
        raise InputError(f"{name}: cannot be read as a raster: {reason}; is the file complete?") from error
    return _raster(layer, name, none)


def _has_mask(path: str) -> bool:
    """Whether a file says by a mask, inside or beside it, which cells have a number."""
    with rasterio.open(path) as file:
        return any(MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags for flags in file.mask_flag_enums)


def _raster(layer: xr.DataArray, name: str, none: StoredAsNone | None = None) -> Raster:
    """A checked raster from an array with a CRS; what is no number in it is said by ``none``, or else by rioxarray."""
    with _quiet():
        try:
            dims = layer.rio.y_dim, layer.rio.x_dim
        except rioxarray.exceptions.RioXarrayError as error:
            raise InputError(f"{name}: has no rows and columns: {error}; name its dimensions y and x") from None
        for dim in [dim for dim in layer.dims if dim not in dims]:
            if layer.sizes[dim] != 1:
                raise InputError(
                    f"{name}: has {layer.sizes[dim]} layers ({dim}); give one layer that counts people, for example made by "
                    f"gdal_translate -b, or in Python an array.isel({dim}=...)"
                )
            layer = layer.isel({dim: 0})
        layer = layer.transpose(*dims)
        if layer.dtype.kind not in "iuf":
            raise InputError(f"{name}: holds {layer.dtype} values; a raster of people holds numbers")
        crs = parse_crs(layer.rio.crs, name)
        affine = affine_of(layer, name)
        none = _nodata(layer, name) if none is None else none
    grid = Grid(name, crs, affine, *layer.shape)
    scale, offset = _factor(layer, "scale_factor", 1.0, name), _factor(layer, "add_offset", 0.0, name)
    chunks = layer.encoding.get("preferred_chunks") or {}
    block = tuple(int(chunks.get(dim) or 256) for dim in dims)
    return Raster(grid, layer, none, scale, offset, block)  # type: ignore[arg-type]


def _factor(layer: xr.DataArray, key: str, default: float, name: str) -> float:
    given = layer.attrs.get(key, default)
    with suppress(TypeError, ValueError):
        if math.isfinite(found := float(given)):
            return found
    raise InputError(f"{name}: its {key} is {given!r}, not a number; correct it, or leave it out")


def _as_none(nodata: Any) -> StoredAsNone:
    return StoredAsNone() if nodata is None else StoredAsNone((float(nodata),))


def _nodata(layer: xr.DataArray, name: str) -> StoredAsNone:
    try:
        return _as_none(layer.rio.nodata)
    except (TypeError, ValueError, OverflowError) as error:
        reason = first_line(error)
        raise InputError(
            f"{name}: its nodata value cannot be read: {reason}; set one number, with DataArray.rio.write_nodata"
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings to ourselves that are no news to the user; what they point at is checked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield
