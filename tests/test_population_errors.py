"""Rasters that cannot be used: one line that says what is wrong, where, and what to do; and the command line."""

from __future__ import annotations

import os
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from program import Program, complete
from rasters import Plain

from gpu_clusters import InputError, UsageError, people_within

PLACES = [(2.0, 48.0)]
NORTH_UP = (0.1, 0, 0.0, 0, -0.1, 50.0)


def plain(crs="EPSG:4326", affine=NORTH_UP) -> Plain:
    return Plain(np.arange(1.0, 1601).reshape(40, 40), affine, crs)


def refused(source, *parts: str, kind=InputError) -> None:
    """Assert that the source is refused in one line that has all the parts."""
    with pytest.raises(kind) as caught:
        people_within(PLACES, source)
    message = str(caught.value)
    assert "\n" not in message, message
    for part in parts:
        assert part in message, message


def test_places_and_areas_that_are_no_numbers():
    for members in (pd.DataFrame({"lon": ["a"], "lat": [48.0]}), [("2", "north")], [(2.0, 48.0), (2.0,)]):
        with pytest.raises(InputError, match="lon and lat must be numbers"):
            people_within(members, plain().array())
    for area in ("0.05", None, True, [0.05], np.inf, 10**400):
        with pytest.raises(UsageError, match="area_degrees must be a finite number above 0"):
            people_within(PLACES, plain().array(), area_degrees=area)


def test_a_folder_of_which_a_part_cannot_be_read(tmp_path, monkeypatch):
    """The people of its tiles would be missing."""

    def walk(folder, onerror, **_):
        onerror(PermissionError(13, "Permission denied", f"{folder}/secret"))
        return iter(())

    monkeypatch.setattr(os, "walk", walk)
    refused(tmp_path, str(tmp_path), "cannot be opened for want of permission")


def test_sources_that_are_not_there(tmp_path):
    refused(tmp_path / "none.tif", "none.tif", "does not exist", "check the path")
    refused(tmp_path / "*.tif", "no file matches")
    refused("x" * 300, "cannot be read", "File name too long")
    refused(tmp_path, "holds no raster", ".tif")
    refused("", "population: the name of a file is empty")
    for far in ("https://example.org/a.tif", "s3://people/a.tif", "/vsicurl/https://example.org/a.tif"):
        refused(far, "a.tif", "is not on this machine", "fetch it")
    (tmp_path / "link.tif").symlink_to("nowhere.tif")
    refused(tmp_path / "link.tif", "link.tif", "is a link to a file that does not exist")
    (tmp_path / "link.tif").unlink()
    refused([], "no raster is given")
    refused(3, "is a path", "not int", kind=UsageError)
    refused([xr.Dataset()], "not Dataset", kind=UsageError)
    (tmp_path / "a.csv").write_text("1")
    refused(tmp_path / "a.csv", "a.csv", "no raster", "supported endings")
    (tmp_path / "a.tif").touch()
    refused(tmp_path / "a.tif", "empty (0 bytes)")
    (tmp_path / "a.tif").write_text("no raster at all")
    refused(tmp_path / "a.tif", "a.tif", "cannot be read as a raster")
    (tmp_path / "a.nc").write_text("no raster at all")
    refused(tmp_path / "a.nc", "a.nc", "cannot be read as a raster")
    (tmp_path / "a.zip").write_text("no archive")
    refused(tmp_path / "a.zip", "a.zip", "zip archive")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "no raster")
    refused(tmp_path / "a.zip", "a.zip", "holds no raster")


def test_a_file_that_ends_too_early(tmp_path):
    path = tmp_path / "a.tif"
    plain().save(path, blockysize=1)
    path.write_bytes(path.read_bytes()[:6000])
    refused(path, "a.tif", "cannot be read", "is the file complete?")


@pytest.mark.parametrize(("engine", "mark"), [("h5netcdf", b"OHDR"), ("scipy", b"units\0\0\0")])
def test_netcdf_that_is_damaged(engine, mark, tmp_path):
    """Its libraries raise what errors of programs are."""
    path = tmp_path / "a.nc"
    people = xr.DataArray(np.ones((4, 4)), dims=("lat", "lon"), name="people", attrs={"units": "people"})
    people.to_netcdf(path, engine=engine)
    stored = path.read_bytes()
    at = stored.rindex(mark) + len(mark)
    path.write_bytes(stored[:at] + b"\xff" * 4 + stored[at + 4 :])
    refused(path, "a.nc", "cannot be read as a raster", "is the file complete?")


def test_a_mosaic_of_which_a_tile_is_missing(tmp_path):
    tile = '<SimpleSource><SourceFilename relativeToVRT="1">none.tif</SourceFilename></SimpleSource>'
    (tmp_path / "a.vrt").write_text(
        '<VRTDataset rasterXSize="40" rasterYSize="40"><SRS>EPSG:4326</SRS><GeoTransform>0,0.1,0,50,0,-0.1</GeoTransform>'
        f'<VRTRasterBand dataType="Float64" band="1">{tile}</VRTRasterBand></VRTDataset>'
    )
    refused(tmp_path / "a.vrt", "a.vrt", "none.tif: No such file")


def test_scales_that_are_no_numbers():
    for key, given in (("scale_factor", "two"), ("add_offset", np.nan), ("scale_factor", [1, 2])):
        refused(plain().array().assign_attrs({key: given}), f"its {key} is {given!r}, not a number; correct it")


def test_no_crs_and_wrong_ones(tmp_path):
    array = plain().array()
    refused(array.drop_vars("spatial_ref"), "no coordinate reference system", "write_crs")
    height = 'LOCAL_CS["local",UNIT["metre",1]]'
    refused(plain(crs=height).array(), "says nothing about places on Earth", "write_crs")
    refused(plain("ESRI:54009").array(), "looks like degrees", "Mollweide", "gdal_edit")
    refused(plain(affine=(1000, 0, 187_000, 0, -1000, 6e6)).array(), "no degrees", "WGS 84", "gdal_edit")
    refused(plain("ESRI:54009", (1000, 0, 3e7, 0, -1000, 6e6)).array(), "no place on Earth")
    refused(plain(affine=(0.1, 0, 0, 0, 0, 50)).array(), "no area")
    for no_way_back in ("EPSG:3052", "ESRI:54044", "ESRI:103885"):  # not in PROJ, no inverse, on Mars
        refused(
            plain(no_way_back).array(), "cannot be turned into longitudes and latitudes (", "take the raster in another"
        )
    path = plain(crs=None).save(tmp_path / "a.tif")
    refused(path, "a.tif", "no coordinate reference system", "gdal_edit")


def test_no_geotransform(tmp_path):
    about = {"height": 4, "width": 4, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(tmp_path / "a.tif", "w", **about) as file:
        file.write(np.ones((1, 4, 4), "float32"))
    refused(tmp_path / "a.tif", "where its cells are", "gdal_edit -a_ullr")


def test_layers_and_values(tmp_path):
    array = plain().array()
    refused(array.expand_dims(band=[1, 2]), "has 2 layers (band)", "isel(band=...)")
    several = {name: [1, 2] for name in ("year", "age", "sex", "scenario", "model", "run")}
    refused(array.expand_dims(several), "has 2 layers (year)", "isel(year=...)")  # the first, not that of a set
    refused(array.astype(complex), "complex128", "numbers")
    refused(array.rename(y="row", x="column"), "name its dimensions y and x")
    about = {"height": 4, "width": 4, "count": 3, "dtype": "uint8", "crs": "EPSG:4326"}
    with rasterio.open(tmp_path / "rgb.tif", "w", transform=rasterio.Affine(*NORTH_UP), **about) as file:
        file.write(np.ones((3, 4, 4), "uint8"))
    refused(tmp_path / "rgb.tif", "rgb.tif", "has 3 layers")


def test_netcdf_that_leaves_it_open(tmp_path):
    coordinates = {"y": np.array([50.0, 49, 48]), "x": np.array([1.0, 2, 4])}
    array = xr.DataArray(np.ones((3, 3)), coordinates).rio.write_crs("EPSG:4326")
    refused(array, "x coordinates are not evenly spaced", "resample")
    even = array.assign_coords(x=[1.0, 2, 3])
    xr.Dataset({"men": even, "women": even}).to_netcdf(tmp_path / "a.nc", engine="scipy")
    refused(tmp_path / "a.nc", "several variables", "men, women", "xarray.open_dataset")
    xr.Dataset({"text": ("n", ["a"])}).to_netcdf(tmp_path / "b.nc", engine="scipy")
    refused(tmp_path / "b.nc", "no variable on a grid")
    bare = even.drop_vars("spatial_ref").rename("people")
    for dim, unit in ((None, ""), ("x", "degrees_east"), ("y", "degrees_north")):  # on one axis degrees tell too little
        one = bare.assign_coords({dim: bare[dim].assign_attrs(units=unit)} if dim else {})
        one.to_netcdf(tmp_path / "c.nc", engine="scipy")
        refused(tmp_path / "c.nc", "no coordinate reference system")
    bare.rename(x="lon", y="lat").to_netcdf(tmp_path / "d.nc", engine="scipy")
    refused(tmp_path / "d.nc", "no variable on a grid; variables: people;", "called y and x", "units degrees_north and")


def test_arguments_of_people_within():
    array = plain().array()
    for arguments in ({"area_degrees": 0}, {"boundary": "box"}, {"labels": [1, 2]}, {"labels": ["a"]}):
        with pytest.raises(UsageError, match=f"{next(iter(arguments))} must be"):
            people_within(PLACES, array, **arguments)
    with pytest.raises(UsageError, match="at least one"):
        people_within([], array)
    with pytest.raises(InputError, match="row 2"):
        people_within([(0, 0), (0, 91)], array)
    with pytest.raises(InputError, match="column lat is missing"):
        people_within(pd.DataFrame({"lon": [0.0]}), array)
    points = gpd.GeoSeries.from_xy([0.0], [0.0], crs="EPSG:4326")
    for given in (points, points.to_frame("geometry")):
        with pytest.raises(InputError, match=r"of GeoPandas' points give what .*\.get_coordinates\(\)"):
            people_within(given, array)
    assert people_within(gpd.GeoDataFrame({"lon": [2.0], "lat": [48.0]}, geometry=points), array, area_degrees=0.2) > 0
    with pytest.raises(UsageError, match=r'not Dataset; give its layer of people, as in dataset\["NAME"\]'):
        people_within(PLACES, array.to_dataset(name="people"))


RUN = ("rank", "--patents", "patents.csv", "--density", 3, "--area-degrees", 0.2)


@pytest.fixture
def program(monkeypatch, capsys, tmp_path):
    """The program in a folder with a table of addresses and two tiles of people."""
    table = pd.DataFrame({"doc_id": range(20), "lon": [2.0] * 12 + [30.0] * 8, "lat": 48.0})
    table.to_csv(tmp_path / "patents.csv", index=False)
    raster = plain()
    raster.part(slice(0, 20), slice(0, 40)).save(tmp_path / "north.tif")
    raster.part(slice(20, 40), slice(0, 40)).save(tmp_path / "south.tif")
    return Program(monkeypatch, capsys, tmp_path)


def test_the_command_line(program):
    ran = program(*RUN, "--population", "north.tif", "south.tif", "--out", "out")
    assert ran.code == 0, ran
    assert "intensity" in ran.out
    assert "1 of 2 clusters outside of the rasters" in ran.err
    ranking = pd.read_csv(program.here / "out" / "ranking.csv")
    assert ranking["population"].notna().tolist() == [True, False]
    assert ranking["intensity_rank"].tolist()[0] == 1
    ranking = pd.read_parquet(program.here / "out" / "ranking.parquet")
    assert ranking["intensity_rank"].isna().tolist() == [False, True]
    record = complete(program.here / "out")
    files = [file for file in record["inputs"] if file["table"] == "population"]
    assert [file["name"] for file in files] == ["north.tif", "south.tif"]
    assert all(len(file["sha256"]) == 64 and file["rows"] == 800 for file in files)
    assert record["population"]["without_data"] == [{"cluster_id": 2, "cells": 0, "without_data": 1.0, "outside": 1.0}]
    assert "population" in record["timings"]


def test_a_configuration_file_and_a_pattern_give_the_same(program):
    study = 'patents = "patents.csv"\npopulation = "*th.tif"\ndensity = 3\narea_degrees = 0.2\nout = "one"\n'
    (program.here / "study.toml").write_text(study)
    assert program("rank", "--config", "study.toml").code == 0
    assert program(*RUN, "--population", ".", "--out", "two").code == 0
    one, two = ((program.here / name / "ranking.csv").read_text() for name in ("one", "two"))
    assert one == two


def test_a_bad_raster_leaves_no_result(program):
    plain(crs=None).save(program.here / "north.tif")
    program.refused(3, *RUN, "--population", ".", "--out", "out", says="north.tif: has no coordinate reference system")
