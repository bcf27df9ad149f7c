"""Places as dots: counted by pixel on maps, brought together on the page."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gpu_clusters import DeviceError, UsageError
from gpu_clusters.report import maps, payload, style
from gpu_clusters.report.dots import count_by_pixel, shade


def test_pixels_count_every_point():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 4, 5000), rng.uniform(0, 3, 5000)
    counts = count_by_pixel(x, y, (0.0, 4.0, 0.0, 3.0), 40, 30)
    expected, _, _ = np.histogram2d(y, x, bins=(30, 40), range=((0, 3), (0, 4)))
    assert counts.shape == (30, 40) and counts.sum() == 5000
    np.testing.assert_array_equal(counts, expected)


def test_opacity_goes_by_the_logarithm_and_is_full_from_the_last_hundredth_on():
    counts = np.repeat([0, 1, 10, 100, 10**6], [56, 180, 10, 9, 1])
    picture = np.zeros((16, 16, 4), np.uint8)
    shade(picture, counts.reshape(16, 16), "#102030", 0.2, 0.6)
    shades = dict.fromkeys(zip(counts.tolist(), map(tuple, picture.reshape(-1, 4).tolist()), strict=True))
    color = (16, 32, 48)
    assert list(shades) == [
        (0, (0, 0, 0, 0)), (1, (*color, 51)), (10, (*color, 102)), (100, (*color, 153)), (10**6, (*color, 153)),
    ]  # fmt: skip


def test_points_are_counted_by_the_library_of_the_device(contents, monkeypatch):
    """On a GPU the points go to cuDF, here an object in its place; without it nothing else is taken."""
    made = []

    class Frames:
        @staticmethod
        def DataFrame(columns):  # noqa: N802
            made.append(len(columns["x"]))
            return pd.DataFrame(columns)

    monkeypatch.setitem(sys.modules, "cudf", None)
    with pytest.raises(DeviceError, match="cuDF"):
        count_by_pixel(np.zeros(3), np.zeros(3), (-1.0, 1.0, -1.0, 1.0), 4, 4, "gpu")
    with pytest.raises(UsageError, match="device"):
        count_by_pixel(np.zeros(3), np.zeros(3), (-1.0, 1.0, -1.0, 1.0), 4, 4, "tpu")
    monkeypatch.setitem(sys.modules, "cudf", Frames)
    assert count_by_pixel(np.zeros(3), np.zeros(3), (-1.0, 1.0, -1.0, 1.0), 4, 4, "gpu").sum() == 3 and made == [3]
    maps.world(replace(contents, device="gpu"))
    assert 2000 < made[1] <= (contents.locations["cluster_id"] < 0).sum()


def test_a_map_of_all_locations(contents):
    """A million locations outside of clusters: grey is each pixel that has one, and no other."""
    from matplotlib.colors import to_rgb
    from pyproj import Transformer

    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-30, 30, 1_000_000), rng.uniform(-20, 20, 1_000_000)
    places = pd.DataFrame({"lon": lon, "lat": lat, "cluster_id": -1})
    figure = maps.region(replace(contents, locations=places), (-40.0, -30.0, 40.0, 30.0), "Box")
    picture, ax = np.asarray(figure.axes[0].images[0].get_array()), figure.axes[0]
    grey = picture[..., 3] > 0
    x, y = Transformer.from_crs(4326, "+proj=laea +lon_0=0 +lat_0=0 +R=6371008.8", always_xy=True).transform(lon, lat)
    number, _, _ = np.histogram2d(y, x, bins=grey.shape, range=(ax.get_ylim(), ax.get_xlim()))
    assert 0.2 < grey.mean() < 0.6 and (grey != (number > 0)).mean() < 1e-5
    assert (picture[grey][:, :3] == np.rint(255 * np.array(to_rgb(style.NOISE)))).all()


def test_dots_are_brought_together():
    import base64

    rng = np.random.default_rng(2)
    places = pd.DataFrame(
        {
            "lon": rng.uniform(-180, 180, 20000),
            "lat": rng.uniform(-90, 90, 20000),
            "cluster_id": rng.integers(1, 4, 20000),
        }
    )
    made = payload.dots(places, 3000)
    lon = np.frombuffer(base64.b64decode(made["lon"]), "<f4")
    level = np.frombuffer(base64.b64decode(made["level"]), np.uint8)
    assert 500 < made["count"] <= 3000 and len(lon) == len(level) == made["count"]
    assert np.abs(lon).max() <= 180 and level.max() > 1
