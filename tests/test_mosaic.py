"""Several rasters as one, and rasters that overlap themselves: a place counts once, by the first one with a number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pyproj import Transformer
from rasters import Plain, brute, off_the_edge, random_members, random_raster

from gpu_clusters import people_within


def tiles(raster: Plain, rng, overlap: int) -> list[Plain]:
    """A raster cut in four somewhere, the parts reaching ``overlap`` cells into each other, in any order."""
    height, width = raster.stored.shape
    i, j = rng.integers(1, height), rng.integers(1, width)
    rows = slice(0, min(i + overlap, height)), slice(max(i - overlap, 0), height)
    columns = slice(0, min(j + overlap, width)), slice(max(j - overlap, 0), width)
    parts = [raster.part(r, c) for r in rows for c in columns]
    return [parts[k] for k in rng.permutation(4)]


@pytest.mark.parametrize("seed", range(100))
def test_tiles_give_what_the_whole_gives(seed):
    raster, rng = random_raster(seed), np.random.default_rng(seed)
    members, area = random_members(raster, seed)
    whole = people_within(members, raster.array(), area_degrees=area)
    for overlap in (0, int(rng.integers(1, 4))):
        parts = [part.array() for part in tiles(raster, rng, overlap)]
        np.testing.assert_equal(people_within(members, parts, area_degrees=area), whole)


def test_a_global_grid_that_overlaps_itself_counts_cells_once():
    """As GHS-POP has it in 30 arc-seconds: two columns too many, half a cell off the date line."""
    pitch = 1.0
    people = np.random.default_rng(0).uniform(0, 9, (3, 362))
    people[:, 360:] = people[:, :2]
    raster = Plain(people, (pitch, 0, -180.95, 0, -pitch, 1.5))
    assert people_within([(179.9, 0), (-179.9, 0)], raster.array(), area_degrees=50) == brute(
        [raster], [(179.9, 0), (-179.9, 0)], 50
    )
    everything = people_within([(-90, 0), (90, 0)], raster.array(), area_degrees=95)
    assert everything == pytest.approx(people[:, :360].sum(), rel=1e-15)


def test_of_a_grid_that_overlaps_itself_the_first_column_with_a_number_counts():
    people = np.random.default_rng(0).uniform(0, 9, (4, 362))
    people[0, 0] = people[1, 361] = people[2, 1] = people[2, 361] = np.nan
    raster, members = Plain(people, (1.0, 0, -180.95, 0, -1.0, 2.0)), [(-90, 0), (90, 0)]
    first = np.where(np.isnan(people[:, :2]), people[:, 360:], people[:, :2])
    expected = math.fsum(np.append(people[:, 2:360], first[~np.isnan(first)]))
    assert people_within(members, raster.array(), area_degrees=95) == brute([raster], members, 95) == expected
    first_cell = [(179.55, 1.5)]  # of the first row and column
    of_one = people_within(first_cell, raster.array(), area_degrees=0.4, labels=[0])
    assert of_one["population"][0] == people[0, 360] and of_one["without_data"][0] == 0


def test_the_first_raster_with_a_number_counts():
    area, member = 0.5, [(0.0, 0.0)]
    one = Plain(np.full((20, 20), 1.0), (0.1, 0, -1, 0, -0.1, 1))
    two = Plain(np.full((20, 20), 100.0), (0.1, 0, -1, 0, -0.1, 1))
    cells = brute([one], member, area)
    one.stored[:, :10] = np.nan
    assert people_within(member, [one.array(), two.array()], area_degrees=area) == brute([one, two], member, area)
    assert people_within(member, [two.array(), one.array()], area_degrees=area) == 100 * cells
    finer = Plain(np.full((400, 400), 3.0), (0.005, 0, -1, 0, -0.005, 1))
    of_three = people_within(member, [two.array(), finer.array()], area_degrees=area)
    assert of_three == 100 * cells  # on another grid: nowhere does the finer one have the say
    metres = Plain(np.full((100, 100), 7.0), (5000, 0, -250_000, 0, -5000, 250_000), "ESRI:54009")
    assert people_within(member, [two.array(), metres.array()], area_degrees=area) == 100 * cells


def test_a_place_counts_once_in_rasters_of_two_systems_wherever_it_is():
    area, member = 0.3, [(117.0, 40.0)]
    degrees = Plain(np.full((20, 20), 100.0), (0.1, 0, 116, 0, -0.1, 41))
    metres = Plain(np.ones((200, 200)), (1000, 0, 400_000, 0, -1000, 4_527_757), "EPSG:32650")
    expected = brute([degrees], member, area)
    assert people_within(member, [degrees.array(), metres.array()], area_degrees=area) == expected > 0


def test_a_raster_of_two_that_shows_a_place_twice_takes_it_from_none():
    """EPSG:5514, made for Czechia, has the Lofoten at the same points as Czechia's neighbours."""
    north = Plain(np.full((270, 200), 5.0), (0.1, 0, 0.0, 0, -0.1, 72.0))
    czech = Plain(np.ones((293, 475)), (1000, 0, -905_000, 0, -1000, -935_000), "EPSG:5514")
    both, area = [czech.array(), north.array()], off_the_edge(0.55)
    for lofoten in ((13.0, 67.75), (10.75, 68.25), (6.25, 68.25)):
        x, y = Transformer.from_crs("EPSG:4326", czech.crs, always_xy=True).transform(*lofoten)
        assert -905_000 < x < -430_000 and -1_228_000 < y < -935_000
        assert people_within([lofoten], both, area_degrees=area) == brute([north], [lofoten], area)
        assert np.isnan(people_within([lofoten], both[:1], area_degrees=area))
    assert people_within([(15.0, 50.0)], both, area_degrees=0.5) == brute([czech], [(15.0, 50.0)], 0.5)
