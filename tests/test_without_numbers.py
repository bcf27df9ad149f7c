"""Cells without a number: by the mask of a file, and by what the CF conventions have for NetCDF."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from rasters import Plain, brute

from gpu_clusters import InputError, people_within

PLACES = [(5.7, 51.2), (7.05, 50.95)]
AREA = 0.33
NONE = np.zeros((40, 60), bool)
NONE[::3, ::5] = True


def plain(people) -> Plain:
    return Plain(people, (0.05, 0, 5.0, 0, -0.05, 52.0))


def stored(none, dtype="float64"):
    """People as they are stored, with what is to be no number, and what they add up to."""
    people = np.random.default_rng(0).integers(0, 100, NONE.shape).astype(dtype)
    return np.where(NONE, np.array(none, dtype), people), brute([plain(np.where(NONE, np.nan, people))], PLACES, AREA)


def netcdf(path, people, attrs, engine="scipy"):
    lon, lat = 5 + 0.05 * (np.arange(60) + 0.5), 52 - 0.05 * (np.arange(40) + 0.5)
    array = xr.DataArray(people, {"lat": lat, "lon": lon}, name="people", attrs=attrs)
    array["lat"].attrs["units"], array["lon"].attrs["units"] = "degrees_north", "degrees_east"
    array.to_netcdf(path, engine=engine, encoding={"people": {} if "_FillValue" in attrs else {"_FillValue": None}})
    return path


@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16", "int32"])
@pytest.mark.parametrize("inside", ["YES", "NO"])
def test_cells_that_a_mask_leaves_out(tmp_path, dtype, inside):
    people, expected = stored(200, dtype)
    about = {"height": 40, "width": 60, "count": 1, "dtype": dtype, "crs": "EPSG:4326"}
    at = Affine(0.05, 0, 5.0, 0, -0.05, 52.0)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside),
        rasterio.open(tmp_path / "a.tif", "w", transform=at, **about) as file,
    ):
        file.write(people, 1)
        file.write_mask(~NONE)
    assert (tmp_path / "a.tif.msk").exists() == (inside == "NO")
    assert people_within(PLACES, tmp_path / "a.tif", area_degrees=AREA) == expected


def test_a_mask_and_a_nodata_value(tmp_path):
    """What either leaves out is no number."""
    people, _ = stored(200, "int32")
    people[people == 7] = 300
    about = {"height": 40, "width": 60, "count": 1, "dtype": "int32", "crs": "EPSG:4326", "nodata": 300}
    with rasterio.open(tmp_path / "a.tif", "w", transform=Affine(0.05, 0, 5.0, 0, -0.05, 52.0), **about) as file:
        file.write(people, 1)
        file.write_mask(~NONE)
    expected = brute([plain(np.where(NONE | (people == 300), np.nan, people))], PLACES, AREA)
    assert people_within(PLACES, tmp_path / "a.tif", area_degrees=AREA) == expected


@pytest.mark.parametrize("sign", ["true", "false"])
def test_netcdf_that_says_the_type_that_it_has(tmp_path, sign):
    people, expected = stored(0, "int16" if sign == "false" else "uint8")
    path, attrs = tmp_path / "a.nc", {"_Unsigned": sign, "_FillValue": people.dtype.type(0)}
    netcdf(path, people, attrs, engine="h5netcdf")
    zero = brute([plain(np.where(people == 0, np.nan, people))], PLACES, AREA)
    assert people_within(PLACES, path, area_degrees=AREA) == zero == expected


@pytest.mark.parametrize(
    "attrs",
    [
        {"_FillValue": 9e9},
        {"missing_value": 9e9},
        {"_FillValue": 1e20, "missing_value": 9e9},
        {"missing_value": [5e5, 9e9]},
        {"valid_max": 1e4},
        {"valid_range": [0.0, 1e4]},
    ],
    ids=str,
)
def test_netcdf_by_its_attributes(tmp_path, attrs):
    people, expected = stored(9e9)
    attrs = {key: np.array(value) if isinstance(value, list) else value for key, value in attrs.items()}
    assert people_within(PLACES, netcdf(tmp_path / "a.nc", people, attrs), area_degrees=AREA) == expected


def test_netcdf_that_is_too_small_to_be_valid(tmp_path):
    people, expected = stored(3, "int32")
    people[~NONE] += 100
    expected += 100 * (brute([plain(np.where(NONE, np.nan, 1.0))], PLACES, AREA))
    least, most = np.int32([people[~NONE].min(), people.max()])
    for attrs in ({"valid_min": np.int32(4)}, {"valid_min": least, "valid_max": most}):  # the limits are valid
        assert people_within(PLACES, netcdf(tmp_path / "a.nc", people, attrs), area_degrees=AREA) == expected


def test_netcdf_of_packed_numbers_is_valid_as_stored(tmp_path):
    people, _ = stored(150, "int16")
    attrs = {"valid_max": np.int16(120), "scale_factor": 0.5}
    expected = brute([plain(np.where(NONE, np.nan, people * 0.5))], PLACES, AREA)
    assert people_within(PLACES, netcdf(tmp_path / "a.nc", people, attrs), area_degrees=AREA) == expected


NEVER_WRITTEN = dict.fromkeys(("float32", "float64"), 9.969209968386869e36)  # as netcdf.h has it
NEVER_WRITTEN |= {"uint16": 2**16 - 1, "uint32": 2**32 - 1, "uint64": 2**64 - 2}


@pytest.mark.parametrize("dtype", NEVER_WRITTEN)
def test_netcdf_that_was_never_written(tmp_path, dtype):
    people, expected = stored(NEVER_WRITTEN[dtype], dtype)
    path = netcdf(tmp_path / "a.nc", people, {}, engine="h5netcdf")
    assert people_within(PLACES, path, area_degrees=AREA) == expected
    people, expected = stored(200, dtype)
    path = netcdf(tmp_path / "b.nc", people, {"_FillValue": people.dtype.type(200)}, engine="h5netcdf")
    assert people_within(PLACES, path, area_degrees=AREA) == expected


@pytest.mark.parametrize(("dtype", "fill"), [("int16", -(2**15) + 1), ("int32", -(2**31) + 1), ("int64", -(2**63) + 2)])
def test_netcdf_that_was_never_written_with_an_offset(tmp_path, dtype, fill):
    """What is added makes people of a negative fill."""
    people, _ = stored(fill, dtype)
    path = netcdf(tmp_path / "a.nc", people, {"add_offset": 2.0**64}, engine="h5netcdf")
    expected = brute([plain(np.where(NONE, np.nan, people + 2.0**64))], PLACES, AREA)
    assert people_within(PLACES, path, area_degrees=AREA) == expected


@pytest.mark.parametrize(
    ("attrs", "said"),
    [
        ({"_Unsigned": "true"}, "another type than it says .*drop_encoding"),
        ({"valid_range": "0 to 9"}, "its valid_range is '0 to 9', not numbers; correct it"),
        ({"valid_max": np.array([1.0, 2.0])}, "its valid_max is .*, not a number; correct it"),
        *(
            ({"valid_max": 9.0, key: 0.1}, "its valid_max may be in the unit of people .*; write it as whole numbers")
            for key in ("scale_factor", "add_offset")
        ),
        ({"missing_value": "none"}, "its missing_value is 'none', not .*; correct it"),
    ],
    ids=str,
)
def test_attributes_that_cannot_be_followed(tmp_path, attrs, said):
    with pytest.raises(InputError, match=said) as caught:
        people_within(PLACES, netcdf(tmp_path / "a.nc", np.ones((40, 60), "int16"), attrs))
    assert "a.nc: " in str(caught.value)


def test_an_array_whose_nodata_is_no_number():
    array = plain(np.ones((40, 60))).array().assign_attrs(missing_value="none")
    with pytest.raises(InputError, match=r"its nodata value cannot be read: .*none.*; .*write_nodata"):
        people_within(PLACES, array)
