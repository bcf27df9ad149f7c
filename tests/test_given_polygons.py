"""Polygons that the user brings: which cluster a boundary belongs to, and where a region is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from gpu_clusters.steps.boundary import claimed, warnings_of
from gpu_clusters.steps.locate import Locations
from gpu_clusters.steps.members import of_locations
from gpu_clusters.steps.regions import in_regions, named_regions


@pytest.mark.parametrize(("heavy", "owner"), [(5, 1), (2, 0), (1, 0)])
def test_a_polygon_is_that_clusters_whose_places_weigh_most(heavy, owner):
    """Two places of the first cluster, of weight 1, and one of the second; of equals the first has it."""
    lon, none = np.array([0.1, 0.2, 0.3]), np.zeros(3, np.int64)
    locations = Locations(lon, np.zeros(3), none, none, np.array([1, 1, heavy]), 1)
    box, far = shapely.box(0, -1, 1, 1), shapely.box(5, 5, 6, 6)
    found = claimed(np.array([far, box]), locations, of_locations(np.array([0, 0, 1])))
    assert found[owner].equals(box) and found[1 - owner].is_empty


def test_a_region_without_addresses_is_at_a_point_within_it():
    ranking = pd.DataFrame({"lon": [7.5, np.nan, np.nan], "lat": [46.5, np.nan, np.nan], "locations": [3, 0, 0]})
    polygons = np.array([shapely.box(7, 46, 8, 47), shapely.box(20, -4, 22, -2), shapely.Polygon()])
    found = named_regions(ranking, ["a", None, "c"], polygons)
    assert found["name"].tolist() == ["a", None, "c"]
    assert found["lon"].tolist()[:2] == [7.5, 21.0] and found["lat"].tolist()[:2] == [46.5, -3.0]
    assert found.loc[2, ["lon", "lat"]].isna().all()


def test_only_clusters_without_a_polygon_are_told_of():
    box, none = shapely.box(0, 0, 1, 1), shapely.Polygon()
    assert warnings_of(np.array([box, box])) == []
    (line,) = warnings_of(np.array([none, box, none]))
    assert line.startswith("boundary: the file has no polygon for 2 of 3 clusters")


def test_places_in_regions_are_not_clustered():
    none, weight = np.zeros(3, np.int64), np.array([4, 5, 6])
    locations = Locations(np.array([0.5, 9.0, 2.5]), np.full(3, 0.5), none, none, weight, 1)
    clustering, merged = in_regions(locations, np.array([shapely.box(2, 0, 3, 1), shapely.box(0, 0, 4, 1)]))
    assert merged.labels.tolist() == [1, -1, 0] and merged.pairs.shape == (0, 2)
    assert clustering.density_at.tolist() == [4, 5, 6]
    assert clustering.core.tolist() == [False] * 3 and clustering.labels.tolist() == [-1] * 3
