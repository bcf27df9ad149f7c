"""What of a raster is read: only what is near places, nothing twice, never much at a time."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasters import Plain, brute, off_the_edge

import gpu_clusters.people
from gpu_clusters import people_within
from gpu_clusters.io import cells as cells_of
from gpu_clusters.io.cells import cells_near
from gpu_clusters.io.mosaic import Mosaic
from gpu_clusters.io.rasters import Raster, open_rasters

PITCH = 1 / 120


@pytest.fixture
def reads(monkeypatch):
    """The windows that are read, as (raster, first row, end, first column, end)."""
    seen = []
    plain = Raster.read

    def read(self, rows, columns):
        seen.append((self.name, rows.start, rows.stop, columns.start, columns.stop))
        return plain(self, rows, columns)

    monkeypatch.setattr(Raster, "read", read)
    return seen


def cells(window) -> int:
    _, top, bottom, left, right = window
    return (bottom - top) * (right - left)


def test_no_cell_is_read_twice_and_few_are_read(reads):
    raster = Plain(np.ones((3000, 5000), "uint8"), (PITCH, 0, 0.0, 0, -PITCH, 25.0))
    rng = np.random.default_rng(0)
    members = np.column_stack([rng.uniform(5, 8, 300), rng.uniform(10, 12, 300)])
    found = people_within(members, raster.array())
    windows, around = list(reads), raster.part(slice(1500, 1860), slice(540, 1020))
    assert found == people_within(members, around.array())
    assert people_within(members[:30], around.array()) == brute([around], members[:30], 0.05)
    map_of_reads = np.zeros(raster.stored.shape, int)
    for _, top, bottom, left, right in windows:
        map_of_reads[top:bottom, left:right] += 1
    assert map_of_reads.max() == 1
    assert map_of_reads.sum() < 2 * (3.4 * 120) * (2.4 * 120)


@pytest.mark.parametrize("seed", range(40))
def test_windows_of_any_blocks_hold_each_cell_once(seed, monkeypatch, reads):
    """Whole blocks, as many as a window may have, and no more."""
    rng = np.random.default_rng(seed)
    window, strip = int(rng.choice([8, 16, 48])), int(rng.choice([200, 4000, 1 << 25]))
    monkeypatch.setattr(cells_of, "WINDOW", window)
    monkeypatch.setattr(cells_of, "STRIP_BYTES", strip)
    monkeypatch.setattr(cells_of, "TILES", tiles := int(rng.choice([4, 30, 1 << 24])))
    height, width = rng.integers(1, 240, 2).tolist()
    block = tuple(int(size) for size in rng.choice([1, 8, 16, 24, 40, width, 400], 2))
    raster = Plain(rng.uniform(0, 9, (height, width)), (0.01, 0, 5.0, 0, -0.01, 50.0))
    array = raster.array()
    array.encoding["preferred_chunks"] = {"y": block[0], "x": block[1]}
    places = np.column_stack([values.ravel() for values in raster.lonlat()])[:: rng.choice([1, 7])]
    with open_rasters(array) as (rasters, _):
        assert rasters[0].block == block
        found = [(cell.lon, cell.lat, cell.value) for cell in cells_near(Mosaic(rasters), *places.T, 0.05)]
    lon, lat, value = map(np.concatenate, zip(*found, strict=True))
    order, expected = np.lexsort((lon, -lat)), np.stack(raster.lonlat())
    np.testing.assert_allclose(np.stack([lon, lat])[:, order], expected.reshape(2, -1), atol=1e-9)
    np.testing.assert_array_equal(value[order], raster.stored.ravel())
    tile = 8
    while math.ceil(height / tile) * math.ceil(width / tile) > tiles:
        tile *= 2
    high, wide = block
    rows = min(window, strip // (wide * 8))  # 8 bytes a number
    for _, top, bottom, left, right in reads:
        tall, across = bottom - top, right - left
        assert tall < min(max(high, rows), 4 * window) + tile and across < min(max(wide, window), 4 * window) + tile
        if bottom < height:
            assert tall > (rows - high if high <= 4 * window else 3 * window)
        if right < width:
            assert across > (window - wide if wide <= 4 * window else 3 * window)
        if high % tile == 0 and high <= 4 * window:
            assert top % high == 0
        if wide % tile == 0 and wide <= 4 * window:
            assert left % wide == 0


def test_tiles_far_away_are_not_read(reads):
    raster = Plain(np.ones((400, 400)), (0.1, 0, 0.0, 0, -0.1, 40.0))
    parts = [raster.part(slice(i, i + 100), slice(j, j + 100)) for i in range(0, 400, 100) for j in range(0, 400, 100)]
    assert people_within([(5.0, 35.0), (5.0, 25.0)], [part.array() for part in parts], area_degrees=0.5) > 0
    assert {name for name, *_ in reads} == {"population (array 1)", "population (array 5)"}


def test_the_part_that_is_done_grows_to_the_whole():
    raster = Plain(np.ones((3000, 5000), "uint8"), (PITCH, 0, 0.0, 0, -PITCH, 25.0))
    halves = [raster.part(slice(0, 3000), columns).array() for columns in (slice(0, 2500), slice(2500, 5000))]
    lon, lat = np.array([1.0, 20.0, 30.0, 40.0]), np.array([24.0, 1.0, 12.0, 20.0])
    with open_rasters(halves) as (rasters, _):
        parts = [window.part for window in cells_near(Mosaic(rasters), lon, lat, 0.1)]
    assert parts == [(number + 1) / len(parts) for number in range(len(parts))] and len(parts) >= 4


@pytest.mark.parametrize("boundary", ["area", "hull"])
def test_progress_is_told_of_every_window(boundary):
    raster = Plain(np.ones((1200, 2400), "uint8"), (PITCH, 0, 0.0, 0, -PITCH, 10.0))
    places = np.array([(0.5, 9.5), (0.6, 9.5), (0.5, 9.4), (19.5, 0.5), (19.4, 0.5), (19.5, 0.6)])
    table = pd.DataFrame({"doc_id": range(6), "lon": places[:, 0], "lat": places[:, 1]})
    told = []
    gpu_clusters.rank(
        table,
        population=raster.array(),
        density=3,
        radius_km=20,
        boundary=boundary,
        progress=lambda *at: told.append(at),
    )
    parts = [part for stage, part in told if stage == "population" and part is not None]
    assert parts == [(number + 1) / len(parts) for number in range(len(parts))] and len(parts) >= 2


def test_a_window_without_a_place_on_earth_is_passed_over(reads, monkeypatch):
    """East of the map's edge; windows are of one tile here."""
    monkeypatch.setattr(cells_of, "WINDOW", 8)
    rng = np.random.default_rng(0)
    raster = Plain(rng.uniform(0, 9, (64, 64)), (20_000, 0, 11_500_000, 0, -20_000, 7_300_000), "ESRI:54009")
    array = raster.array()
    array.encoding["preferred_chunks"] = {"y": 8, "x": 8}
    lon, _ = raster.lonlat()
    assert 0.2 < np.isfinite(lon).mean() < 0.8
    members = [(179.9, 55.0), (-179.9, 60.0), (179.0, 62.0)]
    assert people_within(members, array, area_degrees=0.9) == brute([raster], members, 0.9)
    assert 1 < len(reads) < 30


def test_a_mosaic_of_65_thousand_million_cells(tmp_path, reads):
    """GHS-POP at 100 m has so many; only two blocks of this one are there."""
    width, height, west, north = 360_820, 180_000, -18_041_000, 9_000_000
    about = {"width": width, "height": height, "count": 1, "dtype": "float64", "crs": "ESRI:54009", "nodata": -200}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "sparse_ok": True, "bigtiff": True}
    transform = rasterio.Affine(100, 0, west, 0, -100, north)
    rng, blocks = np.random.default_rng(0), []
    with rasterio.open(tmp_path / "globe.tif", "w", "GTiff", transform=transform, **about, **layout) as file:
        for row, column in ((100, 200), (230, 500)):
            people = rng.uniform(0, 20, (512, 512))
            window = rasterio.windows.Window(column * 512, row * 512, 512, 512)
            file.write(people, 1, window=window)
            corner = west + 51_200 * column, north - 51_200 * row
            blocks.append(Plain(people, (100, 0, corner[0], 0, -100, corner[1]), "ESRI:54009"))
    members = [tuple(np.median(values) for values in block.lonlat()) for block in blocks]
    area = off_the_edge(0.1)
    assert people_within(members, tmp_path / "globe.tif", area_degrees=area) == brute(blocks, members, area)
    assert max(map(cells, reads)) < 5_000_000
    assert sum(map(cells, reads)) < 20 * 512 * 512
