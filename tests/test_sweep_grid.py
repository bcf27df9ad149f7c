"""The axes of a sweep's grid, and its baseline."""

from __future__ import annotations

import numpy as np
import pytest

from gpu_clusters import UsageError
from gpu_clusters.sweeps.grid import grid_of, unmet, values


def test_values_of_an_axis():
    assert values("radius_km", "10:20:1") == tuple(map(float, range(10, 21)))
    assert values("radius_km", "0.1:0.7:0.2,5") == (0.1, 0.3, 0.5, 0.7, 5.0)
    assert values("radius_km", "1:2:0.7") == (1.0, 1.7) and values("radius_km", "10:10:1") == (10.0,)
    assert values("density", [3, 1, np.int64(2), 3.0]) == (1.0, 2.0, 3.0)
    assert values("density", 4500) == (4500.0,)
    assert values("radius_km", "10,10.0,1e1,10.00000000000000000001") == (10.0,)
    assert values("density", "1:10000:1") == values("density", range(1, 10_001)) == tuple(map(float, range(1, 10_001)))
    for more in ("1:10001:1", range(1, 10_002), "1:9999:1,20000,30000"):
        with pytest.raises(UsageError, match="has 10,001 values: at most 10,000 make sense"):
            values("density", more)


@pytest.mark.parametrize(
    "given",
    [
        *("", "1:2", "2:1:1", "1:2:0", "0", "-3", "1/2", "nan", "a", True, [], [None], "1:1e9:0.001", "1:2:1:1"),
        *("1e400", 10**400, "1e-400", "1:2:1e-400", b"12"),
    ],
)
def test_values_that_make_no_axis(given):
    with pytest.raises(UsageError, match="density"):
        values("density", given)


def test_ranges_that_end_before_their_stop():
    told = "radius_km '1: 6.5 :1' does not meet 6.5: it takes 1, 2, 3, 4, 5, 6"
    assert unmet("radius_km", "7,1: 6.5 :1,1:3:1") == unmet("radius_km", [7, "1: 6.5 :1", "1:3:1"]) == [told]
    assert unmet("density", 4500) == []


def test_baseline():
    assert grid_of([10, 15, 20], [4000, 4500], "raw", None).baseline == (15, 4500)
    assert grid_of([10, 11, 12, 13], [1, 2, 3], "raw", None).baseline == (11, 2)
    assert grid_of([10, 15, 20], [1, 2, 3, 4], "raw", None).baseline == (15, 2)
    assert grid_of([10, 12], [4000, 4500], "raw", None).baseline == (10, 4000)
    assert grid_of([10, 12, 15], [4000, 5000], "raw", None).baseline == (12, 4000)
    assert grid_of([10], [1], "raw", "12,7").baseline == (12, 7)
    for wrong in ("12", "1,2,3", "a,b", (1, -1), 5):
        with pytest.raises(UsageError, match="baseline"):
            grid_of([10], [1], "raw", wrong)
    for wrong in ("rare", "raw,raw", "", [], 5):
        with pytest.raises(UsageError, match="weighting"):
            grid_of([10], [1], wrong, None)
