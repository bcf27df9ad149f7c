"""Where the cells of arrays and of NetCDF files are, when a geotransform and coordinates say different things."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio.shutil
import rioxarray
import xarray as xr
from rasters import Plain, brute

from gpu_clusters import InputError, people_within

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of affine, by rioxarray

PLACES = [(5.7, 51.2), (7.05, 50.95)]
AREA = 0.33


def plain() -> Plain:
    people = np.random.default_rng(0).uniform(0, 100, (40, 60))
    return Plain(people, (0.05, 0, 5.0, 0, -0.05, 52.0))


def close(source, expected: Plain) -> None:
    found = people_within(PLACES, source, area_degrees=AREA)
    assert found == pytest.approx(brute([expected], PLACES, AREA), rel=1e-14)


@pytest.fixture
def array(tmp_path) -> xr.DataArray:
    return rioxarray.open_rasterio(plain().save(tmp_path / "people.tif"))


def test_rows_and_columns_that_are_turned_over(array):
    for turned in (array, array[:, ::-1], array[:, :, ::-1], array.sortby("y"), array[:, ::-1, ::-1]):
        close(turned, plain())


def test_cells_that_are_put_together_left_out_or_moved(array):
    people = plain().stored
    together = people.reshape(20, 2, 30, 2).sum((1, 3))
    close(array.coarsen(x=2, y=2).sum(), Plain(together, (0.1, 0, 5.0, 0, -0.1, 52.0)))
    close(array[:, ::2, 1::2], Plain(people[::2, 1::2], (0.1, 0, 5.025, 0, -0.1, 52.025)))
    close(array[:, 3:, 5:], plain().part(slice(3, 40), slice(5, 60)))
    close(array.assign_coords(x=array.x + 0.5), Plain(people, (0.05, 0, 5.5, 0, -0.05, 52.0)))


def test_few_rows_or_columns_with_coordinates(array):
    for row, column in ((slice(17, 18), slice(0, 60)), (slice(0, 40), slice(14, 15)), (slice(17, 19), slice(13, 15))):
        close(array[:, row, column], plain().part(row, column))


def test_netcdf_of_gdal_is_stored_from_south_to_north(tmp_path):
    path = plain().save(tmp_path / "people.tif")
    for number, bottom_up in enumerate(("YES", "NO")):
        made = tmp_path / f"{number}.nc"
        rasterio.shutil.copy(path, str(made), driver="netCDF", WRITE_BOTTOMUP=bottom_up)
        close(made, plain())


@pytest.mark.parametrize("unit", ["degrees_", "degree_", "degrees", "degree"])
def test_netcdf_whose_dimensions_have_names_of_their_own(tmp_path, unit):
    """Units tell which is which, in every spelling of the CF conventions; what has one of them alone is on no grid."""
    x, y = 5 + 0.05 * (np.arange(60) + 0.5), 52 - 0.05 * (np.arange(40) + 0.5)
    array = xr.DataArray(plain().stored, {"breite": y, "laenge": x})
    for number, (east, north) in enumerate((("E", "N"), ("east", "north"))[: 1 + unit.endswith("_")]):
        array["laenge"].attrs["units"], array["breite"].attrs["units"] = f"{unit}{east}", f"{unit}{north}"
        data = xr.Dataset({"people": array, "of_a_meridian": array[:, 0], "of_a_parallel": array[0]})
        data.to_netcdf(tmp_path / f"{number}.nc")
        close(tmp_path / f"{number}.nc", plain())


def test_an_array_that_was_turned_over_before_it_was_saved(array, tmp_path):
    array[0, ::-1].rename("people").to_netcdf(tmp_path / "people.nc")
    close(tmp_path / "people.nc", plain())


def test_what_no_coordinates_contradict_is_as_written():
    """Fewer digits in the coordinates than in the geotransform: single precision moves no cell."""
    array = plain().array()
    x, y = 5 + 0.05 * (np.arange(60) + 0.5), 52 - 0.05 * (np.arange(40) + 0.5)
    exact = people_within(PLACES, array, area_degrees=AREA)
    assert people_within(PLACES, array.assign_coords(x=x, y=y), area_degrees=AREA) == exact
    single = array.assign_coords(x=x.astype("float32"), y=y.astype("float32"))
    assert people_within(PLACES, single, area_degrees=AREA) == pytest.approx(exact, rel=1e-14)


def test_a_rotated_raster_of_which_a_part_is_taken_is_refused(tmp_path):
    tilted = Plain(plain().stored, (0.05, 0.01, 5.0, 0.01, -0.05, 52.0))
    array = rioxarray.open_rasterio(tilted.save(tmp_path / "tilted.tif"))
    close(array, tilted)
    with pytest.raises(InputError, match=r"put its cells in different places; .*write_transform"):
        people_within(PLACES, array[:, 5:, 5:])


def test_a_geotransform_that_is_none():
    array = plain().array()
    array.spatial_ref.attrs["GeoTransform"] = "5 north"
    with pytest.raises(InputError, match=r"cannot be placed: .*; georeference it again"):
        people_within(PLACES, array)


def test_coordinates_that_are_no_numbers(array):
    for odd in ([str(x) for x in range(60)], np.arange(60).astype("datetime64[ns]")):
        with pytest.raises(InputError, match=r"x coordinates are no numbers; give those of the centres"):
            people_within(PLACES, array.assign_coords(x=odd))


def test_coordinates_that_are_no_straight_scale(array):
    """Refused, without a word from numpy about a division by zero."""
    back_and_forth = np.r_[:30, 29:-1:-1]
    for odd in (np.zeros(60), back_and_forth, np.arange(60.0) ** 1.01, np.r_[np.nan, 1:60]):
        with pytest.raises(InputError, match=r"x coordinates are not evenly spaced; resample it"):
            people_within(PLACES, array.assign_coords(x=odd))
