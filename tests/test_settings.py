"""Settings: what is taken, what is refused and in which words, and that they cannot be changed."""

from __future__ import annotations

import sys
from dataclasses import FrozenInstanceError

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from gpu_clusters import Settings, UsageError

LARGEST = sys.float_info.max


@pytest.mark.parametrize(
    "setting",
    [
        {"radius_km": 5e-324},
        {"density": LARGEST},
        {"area_degrees": np.float32(0.5)},
        {"merge_km": 0},
        {"merge_km": LARGEST},
        {"merge_km": None},
        {"top": 1},
        {"top": np.int64(7)},
        {"years": {"deals": (2000, 2000)}},
        {"years": {"patents": (None, 2000), "publications": (2000, None)}},
        {"columns": {"patents": {"organization": "x", "doc_id": "y"}, "deals": {"deals": "z"}}},
        {"boundary": "some/file.gpkg"},
        {"region_name": ""},
    ],
    ids=str,
)
def test_what_is_taken(setting):
    chosen = Settings(**setting)
    assert {name: getattr(chosen, name) for name in setting} == setting
    assert chosen.as_dict() == Settings().as_dict() | setting


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"radius_km": 0}, "radius_km must be a finite number above 0, not 0"),
        ({"radius_km": True}, "radius_km must be a finite number above 0, not True"),
        ({"density": np.float32(np.inf)}, "density must be a finite number above 0, not "),
        ({"density": np.nan}, "density must be a finite number above 0, not nan"),
        ({"density": 10**400}, "density must be a finite number above 0, not 1000"),
        ({"merge_km": np.float32(np.inf)}, "merge_km must be a finite number of kilometres, 0 or more, not "),
        ({"merge_km": np.nan}, "merge_km must be a finite number of kilometres, 0 or more, not nan"),
        ({"density": "5"}, "density must be a finite number above 0, not '5'"),
        ({"area_degrees": -0.1}, "area_degrees must be a finite number above 0, not -0.1"),
        ({"merge_km": -1}, "merge_km must be a finite number of kilometres, 0 or more, not -1"),
        ({"merge_km": True}, "merge_km must be a finite number of kilometres, 0 or more, not True"),
        ({"merge_km": "5"}, "merge_km must be a finite number of kilometres, 0 or more, not '5'"),
        ({"top": True}, "top must be a whole number, 1 or more, not True"),
        ({"top": 2.0}, "top must be a whole number, 1 or more, not 2.0"),
        ({"top": 0}, "top must be a whole number, 1 or more, not 0"),
        ({"crs": 3035}, "crs must be a text such as 'EPSG:3035', not 3035"),
        ({"boundary": ""}, "boundary must be area, hull, concave or the path of a file, not ''"),
        ({"boundary": 3}, "boundary must be area, hull, concave or the path of a file, not 3"),
        ({"region_name": 3}, "region_name must be the name of a column, not 3"),
        ({"weighting": "x"}, "weighting must be one of inventor-equivalent, total-preserving, raw, not 'x'"),
        ({"border": "x"}, "border must be one of densest, lowest, not 'x'"),
        ({"device": "x"}, "device must be one of auto, cpu, gpu, not 'x'"),
        ({"engine": "x"}, "engine must be one of auto, native, cuml, sklearn, not 'x'"),
        ({"columns": ["x"]}, "columns must be a dict, not ['x']"),
        ({"years": None}, "years must be a dict, not None"),
        ({"columns": {"x": {}}}, "table in columns must be one of patents, publications, deals, not 'x'"),
        ({"columns": {"deals": "x"}}, "columns of deals must be a dict, not 'x'"),
        ({"columns": {"deals": {"doc_id": "x"}}}, "column of deals must be one of lon, lat, "),
        ({"years": {"x": (1, 2)}}, "table in years must be one of patents, publications, deals, not 'x'"),
        ({"years": {"deals": (1,)}}, "years of deals must be (first, last), whole numbers or None, not (1,)"),
        ({"years": {"deals": "12"}}, "years of deals must be (first, last), whole numbers or None, not '12'"),
        ({"years": {"deals": (True, 2)}}, "years of deals must be (first, last), whole numbers or None, not (True, 2)"),
        ({"years": {"deals": (1.0, 2)}}, "years of deals must be (first, last), whole numbers or None, not (1.0, 2)"),
        (
            {"years": {"deals": (None, 10**400)}},
            "years of deals must be (first, last), whole numbers or None, not (None, 1000",
        ),
        ({"years": {"deals": (2, 1)}}, "years of deals run from 2 to 1: the first year must not be after the last"),
    ],
    ids=str,
)
def test_what_is_refused(setting, says):
    with pytest.raises(UsageError) as refused:
        Settings(**setting)
    assert str(refused.value).startswith(says)


def test_settings_cannot_be_changed():
    settings = Settings()
    with pytest.raises(FrozenInstanceError):
        settings.density = 3.0
    assert len({settings, Settings(), Settings(density=3)}) == 2


def test_objects_are_refused_by_their_kind():
    """Not by all that they hold; for what libraries have instead of a text or a file, the message says how to get it."""
    with pytest.raises(UsageError, match=r"not CRS; give its to_string\(\)$"):
        Settings(crs=pyproj.CRS(3035))
    polygons = gpd.GeoDataFrame({"geometry": [shapely.box(0, 0, 1, 1)]})
    with pytest.raises(UsageError, match=r"not GeoDataFrame; write it to a file with to_parquet$"):
        Settings(boundary=polygons)
    with pytest.raises(UsageError, match=r"not list$"):
        Settings(boundary=list(polygons.geometry))
