"""The pipeline against the plain reference program, on random worlds and on the real tables."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from reference import reference_rank
from worlds import random_world

import gpu_clusters
from gpu_clusters import Settings, UsageError
from gpu_clusters.io.model import Deals
from gpu_clusters.steps import misplaced

WORLDS = 230
EXACT = ("lon", "lat", "inventors", "authors", "weight", "density_at", "core", "cluster_id", "initial_cluster_id")
COUNTED = ("patents", "publications", "deals", "patent_share", "publication_share", "deal_share", "total_share")
SAID = ("cluster_id", "rank", "rank_without_deals", "economies", "locations", "core_locations")


def assert_same(result, expected):
    """Locations, densities, clusters, merges, deals, counts, ranks and labels all agree."""
    for column in EXACT:
        np.testing.assert_array_equal(result.locations[column], expected.locations[column], err_msg=column)
    assert result.manifest["threshold"] == expected.threshold
    for name, total in zip(("patents", "publications", "deals"), (expected.P, expected.S, expected.V), strict=True):
        assert result.manifest["totals"][name] == pytest.approx(total, rel=1e-12, abs=0)
    for column in ("lon", "lat", "cluster_id"):
        np.testing.assert_array_equal(result.deals[column], expected.deals[column], err_msg=column)
    np.testing.assert_allclose(result.deals["deals"], expected.deals["deals"].astype(float), rtol=1e-12)
    for column in SAID:
        np.testing.assert_array_equal(result.ranking[column], expected.ranking[column], err_msg=column)
    for column in COUNTED:
        np.testing.assert_allclose(
            result.ranking[column], expected.ranking[column].astype(float), rtol=1e-11, atol=1e-12, err_msg=column
        )
    for column in ("top_applicant", "top_organization"):
        np.testing.assert_array_equal(result.ranking[column].fillna(""), expected.ranking[column], err_msg=column)


def shuffled(table, rng):
    return None if table is None else table.sample(frac=1, random_state=int(rng.integers(2**31))).reset_index(drop=True)


@pytest.mark.parametrize("seed", range(WORLDS))
def test_worlds(seed):
    world = random_world(seed)
    expected = reference_rank(world.patents, world.publications, world.deals, **world.settings)
    tables = (world.patents, world.publications, world.deals)
    result = gpu_clusters.rank(*tables, engine="native", **world.settings)
    assert_same(result, expected)
    assert_same(gpu_clusters.rank(*tables, engine="sklearn", **world.settings), expected)
    rng = np.random.default_rng(seed)
    again = gpu_clusters.rank(*(shuffled(table, rng) for table in tables), **world.settings)
    for name in ("ranking", "locations", "deals"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name), check_exact=True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"merge_km": None},
        {"border": "lowest", "merge_km": 15.0},
        {"weighting": "raw", "radius_km": 40.0},
        {"weighting": "total-preserving", "area_degrees": 0.2},
        {"crs": "EPSG:6933", "radius_km": 20.0},
    ],
    ids=str,
)
def test_real_tables(real_data, changes):
    patents = pd.read_parquet(real_data / "patents.parquet").drop(columns="year")
    patents = patents.rename(columns={"applicant": "organization"})
    publications = pd.read_parquet(real_data / "publications.parquet")
    deals = pd.read_parquet(real_data / "deals.parquet")
    if "crs" in changes:  # an equal-area projection of the whole globe has no place for the poles' neighbours
        patents, publications = (t[t["lat"].isna() | (t["lat"].abs() < 80)] for t in (patents, publications))
    settings = {"density": 100, **changes}
    expected = reference_rank(patents, publications, deals, **settings)
    assert len(expected.ranking) > 100
    for engine in ("native", "sklearn"):
        assert_same(gpu_clusters.rank(patents, publications, deals, engine=engine, **settings), expected)


def test_files_and_frames_give_the_same(real_data):
    names = ("patents", "publications", "deals")
    columns = {"patents": {"organization": "applicant"}}
    of_files = gpu_clusters.rank(*(real_data / f"{name}.parquet" for name in names), density=100, columns=columns)
    frames = (pd.read_parquet(real_data / f"{name}.parquet") for name in names)
    of_frames = gpu_clusters.rank(*frames, density=100, columns=columns)
    for name in ("ranking", "locations", "deals", "coverage"):
        pd.testing.assert_frame_equal(getattr(of_files, name), getattr(of_frames, name), check_exact=True)


def test_settings_object_and_single_settings_agree():
    world = random_world(0)
    tables = (world.patents, world.publications, world.deals)
    by_object = gpu_clusters.rank(*tables, Settings(**world.settings))
    by_name = gpu_clusters.rank(*tables, **world.settings)
    pd.testing.assert_frame_equal(by_object.ranking, by_name.ranking)


def test_countries_that_are_no_codes_are_told():
    table = pd.DataFrame(
        {"doc_id": range(5), "lon": 1.0, "lat": 2.0, "country": ["JP", "Japan", "UK", "ZZ", "Atlantis"]}
    )
    result = gpu_clusters.rank(table, density=1)
    (warning,) = result.manifest["warnings"]
    assert warning.startswith("patents: 2 countries are no codes of ISO 3166-1") and "Japan (JP), UK (GB)" in warning
    assert result.ranking["economies"].tolist() == ["Atlantis / JP / Japan / UK / ZZ"]
    assert repr(result) == "<Result: 1 cluster of 1 location; 1 warning in manifest['warnings']>"


def test_copies_of_a_file_are_told(tmp_path):
    """They count, for they may be meant; not told is what two tables have in common, nor files without a row."""
    table = pd.DataFrame({"doc_id": [1, 2, 3], "lon": [2.35] * 3, "lat": [48.86] * 3})
    for name, rows in (("a", table), ("b", table), ("c", table[:2]), ("d", table), ("e", table[:0]), ("f", table[:0])):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    files = [str(tmp_path / f"{name}.csv") for name in "abcdef"]
    said = "has the same content as {}, so that its rows count double in patents; leave one of them out if it is a copy"
    for compute in (gpu_clusters.rank, partial(gpu_clusters.sweep, radius_km=15)):
        found = compute(files, files[0], density=1)
        assert found.manifest["warnings"] == [f"{files[at]}: {said.format(files[0])}" for at in (1, 3)]
    assert gpu_clusters.rank(files, density=1).locations["inventors"].tolist() == [11]
    assert gpu_clusters.rank([table, table], density=1).manifest["warnings"] == []


def test_rows_at_zero_that_name_a_country_are_told():
    table = pd.DataFrame(
        {
            "doc_id": range(5),
            "lon": [0, 0, -0.0, 1, 0],
            "lat": [0, 1, 0, 0, 0],
            "country": ["GH", "GH", "FR", "FR", None],
        }
    )
    deals = table.drop(columns="doc_id")[:2]
    said = "at longitude 0, latitude 0, in the sea, as many geocoders write where they find nothing; leave such coordinates empty"
    for compute in (gpu_clusters.rank, partial(gpu_clusters.sweep, radius_km=15)):
        assert compute(table, deals=deals, density=1).manifest["warnings"] == [
            f"patents: 2 rows that name a country are {said}",
            f"deals: 1 row that names a country is {said}",
        ]
        assert compute(table[1:2], table[3:], density=1).manifest["warnings"] == []


def test_rows_without_a_year_are_told_where_years_are_asked_for():
    table = pd.DataFrame({"doc_id": range(5), "lon": 1.0, "lat": 2.0, "year": [2019, None, None, 2020, 2021]})
    deals = pd.DataFrame({"lon": [1.0, 1.0], "lat": [2.0, 2.0], "year": ["2020", ""]})
    said = "no year, and rows without one are left out where years are asked for; fill the years in, or ask for none"
    for compute in (gpu_clusters.rank, partial(gpu_clusters.sweep, radius_km=15)):
        found = compute(table, table, deals, density=1, years={"patents": (2020, None), "deals": (None, 2021)})
        assert found.manifest["warnings"] == [f"patents: 2 of 5 rows have {said}", f"deals: 1 of 2 rows has {said}"]
        assert compute(table, table, deals, density=1).manifest["warnings"] == []


def test_many_impossible_coordinates_may_be_swapped_ones():
    lon = np.where(np.arange(100) < 12, 139.7, 2.3)
    table = pd.DataFrame({"doc_id": range(100), "lon": 48.0, "lat": lon})
    for first, hint in ((0, True), (11, False)):
        (warning,) = gpu_clusters.rank(table.iloc[first:], density=1).manifest["warnings"]
        assert warning.endswith("are lon and lat swapped?") == hint


def test_swapped_coordinates_are_told_by_the_countries(monkeypatch):
    """Of a country whose box meets its mirror image (Egypt), and of none, nothing is said; nor if half may be right."""
    table = pd.DataFrame(
        {
            "doc_id": range(6),
            "lon": [2.3, 4.8, 23.7, -4.4, 31.2, 2.3],
            "lat": [48.9, 45.8, 38.0, 55.9, 30.0, 48.9],
            "country": ["FR", "FR", "GR", "GB", "EG", None],
        }
    )
    wrong = table.rename(columns={"lon": "lat", "lat": "lon"})
    says = "and within it once lon and lat are exchanged, of {}; if they are swapped, give these columns the other way round"
    for compute in (gpu_clusters.rank, partial(gpu_clusters.sweep, radius_km=15)):
        (said,) = compute(table, wrong, wrong.drop(columns="country"), density=1).manifest["warnings"]
        assert said == f"publications: 4 rows that name a country lie far outside of it, {says.format(5)}"
        (said,) = compute(table, deals=wrong[:1].drop(columns="doc_id"), density=1).manifest["warnings"]
        assert said == f"deals: 1 row that names a country lies far outside of it, {says.format(1)}"
        half = pd.concat([wrong[:2], table[:2]])
        strange = wrong[:2].assign(country="XX")  # no town is in there
        assert compute(half, strange, density=1).manifest["warnings"] == []
    monkeypatch.setattr(misplaced, "LOOKED_AT", 2)
    (said,) = gpu_clusters.rank(wrong, density=1).manifest["warnings"]
    assert said == f"patents: 2 rows that name a country lie far outside of it, {says.format('2 looked at')}"


@pytest.mark.parametrize(
    ("lon", "lat", "exchanged"),
    [
        *((25, 15, 0), (26, 15, 1), (27, 15, 1), (28, 15, 0)),  # east of A, whose mirror image ends at 27
        *((15, 7, 0), (15, 6, 1), (15, 5, 1), (15, 4, 0)),  # south of A
        *((15, 27, 0), (5, 15, 0)),  # on its other edges
    ],
)
def test_how_far_outside_of_its_country_a_row_lies(lon, lat, exchanged):
    """Five degrees beyond its towns are within it, on every side: of A, and of B, which is A with the axes exchanged."""
    towns = pd.DataFrame({"country": ["A", "A"], "lon": [10.0, 20.0], "lat": [12.0, 22.0]})
    for x, y, some in ((lon, lat, towns), (lat, lon, towns.rename(columns={"lon": "lat", "lat": "lon"}))):
        row = Deals(np.array([float(x)]), np.array([float(y)]), np.ones(1), np.zeros(1, np.int32), ("A",))
        assert len(misplaced.swapped(row, "deals", some)) == exchanged


def test_nothing_to_cluster_is_a_usage_error():
    with pytest.raises(UsageError, match="patents, publications or both"):
        gpu_clusters.rank(deals=pd.DataFrame({"lon": [0.0], "lat": [0.0]}))


def test_unknown_setting_is_a_usage_error():
    with pytest.raises(UsageError, match="unknown setting 'eps'"):
        gpu_clusters.rank(pd.DataFrame({"doc_id": [1], "lon": [0.0], "lat": [0.0]}), eps=3)
