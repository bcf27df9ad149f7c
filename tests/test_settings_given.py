"""Settings as users of the library give them: numbers of NumPy, paths, dicts that are changed later."""

from __future__ import annotations

import json
import types
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gpu_clusters
from gpu_clusters import Settings, UsageError, WeightedDBSCAN
from gpu_clusters.kernels.spaces import EARTH_RADIUS_KM

NUMBERS = ("radius_km", "density", "merge_km", "area_degrees")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.longdouble, np.int8, Fraction])
def test_numbers_become_those_of_python(kind):
    settings = Settings(**dict.fromkeys(NUMBERS, kind(15)), top=np.int16(7))
    assert [getattr(settings, name) for name in NUMBERS] == [15] * 4
    assert {type(getattr(settings, name)) for name in NUMBERS} <= {int, float}
    assert type(settings.top) is int


def test_numbers_are_read_as_decimals():
    settings = Settings(radius_km=np.float32(15.1), density=np.float32(0.1))
    assert (settings.radius_km, settings.density) == (15.1, 0.1)
    assert settings.threshold(10, 100) == 10


@pytest.mark.parametrize(
    "value", [np.float32("inf"), np.float32("nan"), np.longdouble("1e4000"), np.True_, Fraction(10**400), "15"]
)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_make_no_sense(name, value):
    with pytest.raises(UsageError, match=f"{name} must be a finite number"):
        Settings(**{name: value})


def pair(km: float) -> list[list[float]]:
    """Two points on the equator that are so far from each other."""
    return [[0.0, 0.0], [np.degrees(km / EARTH_RADIUS_KM), 0.0]]


def test_a_radius_in_single_precision_is_no_shorter():
    """15 in float32 is 15; its square chord in float32 is not."""
    points = pair(15 - 2e-7)
    frame = pd.DataFrame(points, columns=["lon", "lat"]).assign(doc_id=[1, 2])
    assert WeightedDBSCAN(15, 2).fit(points).labels_.tolist() == [0, 0]
    assert WeightedDBSCAN(np.float32(15), 2).fit(points).labels_.tolist() == [0, 0]
    assert len(gpu_clusters.rank(frame, density=2, radius_km=np.float32(15)).ranking) == 1


def test_no_cluster_at_a_density_of_any_kind():
    frame = pd.DataFrame({"doc_id": [1], "lon": [1.0], "lat": [1.0]})
    result = gpu_clusters.rank(frame, density=Fraction(61, 2))
    assert "reach a density of 30.5;" in result.manifest["warnings"][0]


def test_settings_keep_what_they_were_made_of():
    columns, years = {"patents": {"lon": "x"}}, {"patents": [np.int64(2019), None]}
    settings = Settings(columns=types.MappingProxyType(columns), years=types.MappingProxyType(years))
    columns["patents"]["lon"] = "y"
    years["patents"][0] = 1
    assert settings.columns == {"patents": {"lon": "x"}} and settings.years == {"patents": (2019, None)}
    assert json.loads(json.dumps(settings.as_dict()))["years"] == {"patents": [2019, None]}


def test_a_boundary_may_be_a_path():
    assert Settings(boundary=Path("areas") / "x.geojson").boundary == "areas/x.geojson"


def test_names_of_columns_are_texts():
    with pytest.raises(UsageError, match="columns of patents: lon must be the name of a column, not 5"):
        Settings(columns={"patents": {"lon": 5}})


def test_several_values_where_one_is_needed():
    with pytest.raises(UsageError, match="weighting must be one of"):
        Settings(weighting=np.array(["raw", "raw"]))


@pytest.mark.parametrize("given", [{"density": 3}, pd.DataFrame({"x": [1]}), {}], ids=["dict", "frame", "empty"])
def test_what_is_no_settings(given):
    frame = pd.DataFrame({"doc_id": [1], "lon": [1.0], "lat": [1.0]})
    with pytest.raises(UsageError, match="settings must be Settings, not"):
        gpu_clusters.rank(frame, None, None, given)
    with pytest.raises(UsageError, match="settings must be Settings, not"):
        gpu_clusters.sweep(frame, None, None, given, radius_km=5, density=1)


@pytest.mark.parametrize("density", [5e-324, 1e-320])
def test_the_least_densities_make_every_place_a_core(density):
    patents = pd.DataFrame({"doc_id": ["a", "b"], "lon": [1.0, 50.0], "lat": [2.0, 3.0]})
    assert gpu_clusters.rank(patents, density=density).ranking["patents"].tolist() == [1.0, 1.0]
