"""The record of a run and of a sweep: its numbers, versions of packages, and the lists in its warnings."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import numpy as np
import pandas as pd
import pytest

from gpu_clusters import manifest, rank, sweep

SWEEP = partial(sweep, radius_km=[15], baseline=(15, 3))


def places(*counts: int, **more) -> pd.DataFrame:
    """So many addresses at each of these places, 300 km apart."""
    lon = np.repeat(3.0 * np.arange(len(counts)), counts)
    return pd.DataFrame({"doc_id": range(len(lon)), "lon": lon, "lat": 1.0} | more)


def test_numbers_of_a_run_and_of_a_sweep():
    """Two of three places are clusters; two addresses of five publications have no possible place."""
    patents, publications = places(3, 3, 1), places(3, 2, lat=[1.0, 1.0, 95.0, 1.0, -91.0])
    before = datetime.now(UTC).replace(microsecond=0)
    for compute, command in ((rank, None), (SWEEP, "sweep")):
        found = compute(patents, publications, density=3, weighting="raw").manifest
        assert (found["program"], found.get("command"), found["device"]) == ("gpu-clusters", command, "cpu")
        assert before <= datetime.fromisoformat(found["created"]) <= datetime.now(UTC) and "." not in found["created"]
        assert (found["locations"], found["clusters"]) == (3, 2)
        assert (found["totals"]["inventor_addresses"], found["totals"]["author_addresses"]) == (7, 3)
        assert found["invalid_rows"] == [{"name": "publications (data frame)", "total": 2, "rows": [3, 5]}]
    record = rank(patents, publications, density=3, weighting="raw").manifest
    assert (record["core_locations"], record["initial_clusters"], record["merged_pairs"]) == (2, 2, [])
    nothing = rank(patents, density=30).manifest
    assert (nothing["core_locations"], nothing["initial_clusters"], nothing["clusters"]) == (0, 0, 0)


@pytest.mark.parametrize("compute", [rank, SWEEP])
@pytest.mark.parametrize("total", [2, 10, 11])
def test_ten_impossible_rows_are_listed(compute, total, tmp_path):
    """Swapped may be the coordinates of a file of which more than a tenth is impossible, whatever others there are."""
    files = [str(tmp_path / name) for name in ("many.csv", "few.csv")]
    places(10 * total, lat=np.where(np.arange(10 * total) < total, 91.0, 1.0)).to_csv(files[0], index=False)
    places(3).assign(doc_id=[-1, -2, -3]).to_csv(files[1], index=False)
    listed = ", ".join(map(str, range(1, min(total, 10) + 1))) + ", ..." * (total > 10)
    said = f"{files[0]}: {total} rows with impossible coordinates are left out (rows {listed})"
    assert compute(files, density=3).manifest["warnings"] == [said]
    places(10 * total - 1, lat=np.where(np.arange(10 * total - 1) < total, 91.0, 1.0)).to_csv(files[0], index=False)
    assert compute(files, density=3).manifest["warnings"] == [f"{said}; are lon and lat swapped?"]


@pytest.mark.parametrize("compute", [rank, SWEEP])
def test_columns_that_are_called_almost_as_they_should_be(compute):
    """Their values are not used: deals count one a row, and economies are unknown."""
    table = places(3, Country="FR", ORGANIZATION="A", organizations="B", Year=2020).rename(
        columns={"Country": " Country "}
    )
    deals = pd.DataFrame({"lon": [0.0], "lat": 1.0, "Deals": 5, "country": "FR", "Deal-ID": "a"})
    record = compute(table, deals=deals, density=3).manifest
    told = [
        ("patents", "country", " Country "),
        ("patents", "organization", "ORGANIZATION"),
        ("deals", "deals", "Deals"),
    ]
    assert record["warnings"] == [
        f'{table}: the column "{column}" is not read, as it is not called {name}; if it is that, name it with --column '
        f'{table}.{name}="{column}", in Python columns={{"{table}": {{"{name}": "{column}"}}}}'
        for table, name, column in told
    ]
    right = {"patents": {"country": " Country ", "organization": "ORGANIZATION"}, "deals": {"deals": "Deals"}}
    assert compute(table, deals=deals, density=3, columns=right).manifest["warnings"] == []


@pytest.mark.parametrize("more", [[], ["Germany"]])
def test_three_countries_that_are_no_codes_are_listed(more):
    table = places(6, country=["Austria", "Belgium", "France", "FR", None, *(more or ["FR"])])
    number, dots = 3 + len(more), ", ..." * len(more)
    (said,) = rank(table, density=3).manifest["warnings"]
    assert said.startswith(
        f"patents: {number} countries are no codes of ISO 3166-1 alpha-2, as Austria (AT), Belgium (BE), "
    )
    assert f"France (FR){dots}; each text counts as a country of its own: write the codes" in said


def test_a_package_that_is_not_there_is_told_but_for_those_of_a_gpu(monkeypatch):
    monkeypatch.setattr(manifest, "PACKAGES", ["numpy", "no-such-package"])
    monkeypatch.setattr(manifest, "GPU_PACKAGES", ["no-other-package", "pandas"])
    found = manifest.versions()
    assert list(found) == ["python", "numpy", "no-such-package", "pandas"]
    assert (found["numpy"], found["no-such-package"]) == (np.__version__, "not installed")
