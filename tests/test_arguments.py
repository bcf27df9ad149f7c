"""Arguments of `rank` and `sweep` that make no sense are refused before anything is read."""

from __future__ import annotations

import pandas as pd
import pytest
import shapely

import gpu_clusters
from gpu_clusters import UsageError

UNREAD = "no/such/file.parquet"
DEALS = pd.DataFrame({"lon": [0.0], "lat": [0.0]})
ONE = [shapely.box(0, 0, 1, 1)]
NOTHING = "there is nothing to cluster: give patents, publications or both"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, NOTHING),
        ({"deals": DEALS}, NOTHING),
        ({"deals": DEALS, "regions": ONE}, NOTHING),
        ({"patents": UNREAD, "radius": 3}, "unknown setting 'radius': there are radius_km, density, weighting, "),
        ({"patents": UNREAD, "density": 0}, "density must be a finite number above 0, not 0"),
        ({"patents": UNREAD, "regions": ONE, "boundary": "hull"}, "regions have their own boundaries: "),
        ({"patents": UNREAD, "regions": ONE, "boundary": "some.gpkg"}, "regions have their own boundaries: "),
        ({"patents": UNREAD, "region_name": "id"}, "region_name is the column that names regions: "),
        ({"patents": UNREAD, "regions": ONE, "names": {"Paris": "Paname"}}, "regions have their own names: "),
        ({"patents": UNREAD, "names": 3}, "names"),
    ],
    ids=str,
)
def test_arguments_of_rank(arguments, says):
    with pytest.raises(UsageError) as refused:
        gpu_clusters.rank(**arguments)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, NOTHING),
        ({"deals": DEALS}, NOTHING),
        ({"patents": UNREAD, "radius": 3}, "unknown setting 'radius': there are radius_km, density, weighting, "),
        ({"patents": UNREAD, "check": -1}, "check must be a number of settings, 0 or more, not -1"),
        ({"patents": UNREAD, "weighting": "raw,raw"}, "weighting must name each of its values once, not 'raw,raw'"),
        ({"patents": UNREAD, "weighting": []}, "weighting must name each of its values once, not []"),
        ({"patents": UNREAD, "weighting": "raw,x"}, "weighting must be one or more of inventor-equivalent, "),
        ({"patents": UNREAD, "density": []}, "density has no values"),
        ({"patents": UNREAD, "density": "5:1:1"}, "density '5:1:1' runs downwards: give the smaller value first"),
        ({"patents": UNREAD, "density": "1:2"}, "density '1:2' is not start:stop:step, as in 10:20:1"),
        (
            {"patents": UNREAD, "density": "1:10001:1"},
            "density '1:10001:1' has 10,001 values: at most 10,000 make sense",
        ),
        ({"patents": UNREAD, "density": range(1, 10002)}, "density has 10,001 values: at most 10,000 make sense"),
        ({"patents": UNREAD, "baseline": (1, 2, 3)}, "baseline must be a radius and a density, as in 15,4500, not "),
        ({"patents": UNREAD, "baseline": "15"}, "baseline must be a radius and a density, as in 15,4500, not '15'"),
        ({"patents": UNREAD, "baseline": (1, 0)}, "baseline must be numbers above 0"),
    ],
    ids=str,
)
def test_arguments_of_sweep(arguments, says):
    with pytest.raises(UsageError) as refused:
        gpu_clusters.sweep(**{"radius_km": 15, "density": 3} | arguments)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize("names", [None, False])
def test_regions_may_be_given_with_no_names(names):
    table = pd.DataFrame({"doc_id": [1], "lon": [0.5], "lat": [0.5]})
    assert gpu_clusters.rank(table, regions=ONE, names=names).ranking["locations"].tolist() == [1]
