"""The reference against cases whose answers are worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import reference
from reference import reference_rank

# One degree of a meridian or of the equator is 6371.0088 * pi / 180 = 111.195 km.


def documents(*docs, **columns) -> pd.DataFrame:
    """One row for each (lon, lat) of each document."""
    rows = [(number, lon, lat) for number, places in enumerate(docs) for lon, lat in places]
    return pd.DataFrame(rows, columns=["doc_id", "lon", "lat"]).assign(**columns)


def addresses(counts: dict) -> pd.DataFrame:
    """As many documents of a single address at each (lon, lat) as the dictionary says."""
    return documents(*([place] for place, count in counts.items() for _ in range(count)))


def members(result) -> dict:
    return {(lon, lat): k for lon, lat, k in result.locations[["lon", "lat", "cluster_id"]].itertuples(index=False)}


def test_coordinates_are_normalised_and_bad_rows_dropped():
    lon = [180.0, 181.5, -181.0, -180.0, 360.0, -360.0, -0.0, 360.5, 1.0, np.nan, np.inf, 2.0]
    lat = [0.0, -0.0, 90.0, -90.0, 1.0, 1.0, 2.0, 0.0, 90.5, 1.0, 1.0, None]
    found = reference.geocoded(pd.DataFrame({"lon": lon, "lat": lat}))
    assert found["lon"].tolist() == [-180.0, -178.5, 179.0, -180.0, 0.0, 0.0, 0.0]
    assert found["lat"].tolist() == [0.0, 0.0, 90.0, -90.0, 1.0, 1.0, 2.0]
    zeros = found[["lon", "lat"]].to_numpy()
    assert not np.signbit(zeros[zeros == 0]).any()


def test_a_table_without_geocoded_rows_is_an_error():
    with pytest.raises(ValueError, match="no geocoded row"):
        reference_rank(documents([(np.nan, 1.0)]), None, None)


def test_fractions_are_of_geocoded_rows():
    # Document 0 has three rows, two of them geocoded: 1/2 each. Document 1 has one. P = 2 covered documents, not 3.
    table = documents([(0, 0), (1, 0), (np.nan, 0)], [(1, 0)], [(500, 0)])
    assert [row.count for row in reference.rows_of(table, "patents")] == [0.5, 0.5, 1.0]
    assert reference_rank(table, None, None).P == 2.0


def test_weights_and_thresholds():
    # A = 2 + 1 = 3, B = 1 + 1 = 2. Locations weigh 2*2 + 1*3 = 7 and 1*2 + 1*3 = 5; threshold ceil(2.2 * 2) = 5.
    weight, threshold = reference.weights_and_threshold([2, 1], [1, 1], 2.2, "inventor-equivalent")
    assert (weight.tolist(), threshold) == ([7, 5], 5)
    # ceil(2.2 * 2*3*2 / 5) = ceil(5.28) = 6; raw: every address 1, ceil(2.2) = 3; so too where one table is absent.
    weight, threshold = reference.weights_and_threshold([2, 1], [1, 1], 2.2, "total-preserving")
    assert (weight.tolist(), threshold) == ([7, 5], 6)
    weight, threshold = reference.weights_and_threshold([2, 1], [1, 1], 2.2, "raw")
    assert (weight.tolist(), threshold) == ([3, 2], 3)
    weight, threshold = reference.weights_and_threshold([0, 0], [4, 1], 2.2, "inventor-equivalent")
    assert (weight.tolist(), threshold) == ([4, 1], 3)
    # 1.1 * 10 is 11.000000000000002 in floating point; the threshold is 11.
    assert reference.weights_and_threshold([1], [10], 1.1, "inventor-equivalent")[1] == 11


def test_weights_that_could_overflow_are_an_error():
    assert reference.weights_and_threshold([2**30], [2**31 - 1], 1, "inventor-equivalent")[1] == 2**31 - 1
    with pytest.raises(ValueError, match="overflow"):
        reference.weights_and_threshold([2**30], [2**31], 1, "inventor-equivalent")  # 2*A*B = 2^62


def test_chain_of_three():
    # 11.12 km from one to the next, 22.24 km from end to end; within 15 km there are 2, 3 and 2 addresses.
    table = addresses({(0.2, 0.0): 1, (0.0, 0.0): 1, (0.1, 0.0): 1})
    for density, core in ((2, [True, True, True]), (3, [False, True, False]), (4, [False, False, False])):
        found = reference_rank(table, None, None, density=density)
        assert found.locations["lon"].tolist() == [0.0, 0.1, 0.2]
        assert found.locations["density_at"].tolist() == [2, 3, 2]
        assert found.locations["core"].tolist() == core
        assert found.locations["cluster_id"].tolist() == ([1, 1, 1] if density < 4 else [-1, -1, -1])
        assert found.ranking["core_locations"].tolist() == ([sum(core)] if density < 4 else [])
    found = reference_rank(table, None, None, density=1, radius_km=11)
    assert found.locations["initial_cluster_id"].tolist() == [0, 1, 2]


def test_half_the_circumference_reaches_everything():
    table = addresses({(0.0, 0.0): 1, (180.0, 0.0): 1})  # pi * R = 20015.1 km
    assert len(reference_rank(table, None, None, density=1, radius_km=20015.0).ranking) == 2
    assert len(reference_rank(table, None, None, density=1, radius_km=20015.2).ranking) == 1


def test_planar_distances():
    # Web Mercator is stretched by 1 / cos(60) = 2: 5.6 km on the sphere are 11.1 km in the plane.
    table = addresses({(0.0, 60.0): 1, (0.1, 60.0): 1})
    assert len(reference_rank(table, None, None, density=1, radius_km=10).ranking) == 1
    assert len(reference_rank(table, None, None, density=1, radius_km=10, crs="EPSG:3857").ranking) == 2


@pytest.mark.parametrize(
    ("left", "right", "far_left", "far_right", "border", "expected"),
    [
        ((-0.1, 0.0), (0.1, 0.0), 3, 3, "densest", "left"),  # both 6: same latitude, the smaller longitude
        ((-0.1, 0.0), (0.1, 0.0), 3, 4, "densest", "right"),  # 6 and 7
        ((-0.1, 0.0), (0.1, 0.0), 3, 4, "lowest", "left"),  # the left cluster comes first in (lat, lon) order
        ((-0.09, 0.04), (0.09, -0.04), 3, 3, "densest", "right"),  # both 6: the smaller latitude
        ((-0.09, 0.04), (0.09, -0.04), 4, 3, "densest", "left"),  # 7 and 6
        ((-0.09, 0.04), (0.09, -0.04), 4, 3, "lowest", "right"),  # the right cluster comes first
    ],
)
def test_border_location(left, right, far_left, far_right, border, expected):
    # In a row, 11.1 or 10.95 km apart: far left, left 2, middle 1, right 2, far right. Within 12 km there are
    # far left + 2 + 1 addresses about left, 2 + 1 + 2 = 5 about the middle: with a threshold of 6 it is border.
    counts = {left: 2, right: 2, (0.0, 0.0): 1}
    counts |= {(2 * left[0], 2 * left[1]): far_left, (2 * right[0], 2 * right[1]): far_right}
    found = reference_rank(addresses(counts), None, None, radius_km=12, density=6, border=border, merge_km=None)
    label = members(found)
    assert label[left] != label[right]
    assert label[0.0, 0.0] == label[{"left": left, "right": right}[expected]]


X, Y, Z, N, M = (0.0, 0.0), (0.0, 0.04), (0.0, 1.0), (0.0, 2.0), (0.0, 3.0)  # X and Y are 4.45 km apart
LOCAL = [[X, X], [Y, Y], [Z, Z]]  # a document of two addresses at each of X, Y, Z makes it core; N and M are noise


@pytest.mark.parametrize(
    ("patents", "publications", "merge_km", "merged"),
    [
        # rel(X, Y) = 1/5 + 1/5, rel(X, Z) = 1/5; rel(Y, Z) = 1/5.
        ([[X, Y], [X, Z]], [[X, Y], [Y, Z]], 5, True),
        ([[X, Y], [X, Z]], [[X, Y], [Y, Z]], None, False),
        ([[X, Y], [X, Z]], [[X, Y], [Y, Z]], 4.4, False),
        # No shared document: rel(X, Y) = 0.
        ([[X, Z]], [[Y, Z]], 5, False),
        # 7 patents and 5 publications. rel(X, Y) = 1/7 (a patent), rel(X, Z) = rel(Y, Z) = 1/5 (publications).
        ([[X, Y], [X], [Y], [Z]], [[X, Z], [Y, Z]], 5, False),
        # 5 patents and 7 publications, and the other way round: rel(X, Y) = 1/5, rel(X, Z) = rel(Y, Z) = 1/7.
        ([[X, Y], [X]], [[X, Z], [Y, Z], [Z], [Z]], 5, True),
        # rel(X, Y) = rel(X, Z) = rel(Y, Z) = 1/6: nobody is strictly first.
        ([[X, Y], [X, Z], [Y, Z]], [], 5, False),
        # rel(X, Y) = rel(X, Z) = 1/5, so X is not merged into Y; but Y has no other partner and is merged into X.
        ([[X, Y], [X, Z]], [], 5, True),
        # Single noise locations are partners: rel(X, N) = rel(X, Y) = 1/6 = rel(Y, M).
        ([[X, Y], [X, N], [Y, M]], [], 5, False),
        # Two noise locations are two partners: rel(X, Y) = 2/9; rel(X, N) = rel(X, M) = rel(Y, N) = rel(Y, M) = 1/9.
        ([[X, Y], [X, Y], [X, N], [X, M], [Y, N], [Y, M]], [], 5, True),
        # A document counts once, with however many addresses: rel(X, Y) = 2/5, rel(X, Z) = rel(Y, Z) = 1/5 + 1/5.
        ([[X, X, Y, Y], [X, Y, Z]], [[X, Z], [Y, Z]], 5, False),
    ],
)
def test_merging(patents, publications, merge_km, merged):
    # Both tables have the three local documents: at least 4 addresses at X, Y and Z, at most 2 at N and M.
    tables = documents(*LOCAL, *patents), documents(*LOCAL, *publications)
    label = members(reference_rank(*tables, None, radius_km=1, density=4, merge_km=merge_km, weighting="raw"))
    assert (label[X] == label[Y]) == merged
    assert label[Z] not in (-1, label[X], label[Y])
    assert {label.get(N, -1), label.get(M, -1)} == {-1}


def test_a_missing_table_adds_nothing_to_the_strength():
    found = reference_rank(documents(*LOCAL, [X, Y]), None, None, radius_km=1, density=2)
    assert members(found) == {X: 1, Y: 1, Z: 2}
    assert found.locations["initial_cluster_id"].tolist() == [0, 1, 2]
    # Merged pairs make groups: X-Y and Y-V, 4.45 km apart each; X into Y and V into Y, as neither has another partner.
    v = (0.0, 0.08)
    found = reference_rank(documents(*LOCAL, [v, v], [X, Y], [Y, v]), None, None, radius_km=1, density=2)
    assert members(found) == {X: 1, Y: 1, v: 1, Z: 2}


@pytest.mark.parametrize(
    ("place", "cluster"),
    [
        ((0.25, 20.0), 1),  # exactly at the edges of the first and the third
        ((0.2500001, 20.0), 3),  # 0.2500001 from the first, 0.2499999 from the third
        ((0.25, 20.25), -1),
        ((0.0, 20.0625), 1),  # half way between the first and the second: the first comes first in (lat, lon) order
        ((0.0, 20.125), 2),
        ((0.0, 20.375), 2),
        ((0.0, 20.3750001), -1),
        ((-179.9375, 0.0), 4),  # 0.125 across the date line
        ((180.0625, 0.0), 4),
        ((-179.8125, 0.0), 4),  # 0.25 across the date line
        ((-179.8124999, 0.0), -1),
    ],
)
def test_deals_at_the_edges(place, cluster):
    # Four clusters of one location each; `cluster` counts in this list, -1 is none.
    sites = [(0.0, 20.0), (0.0, 20.125), (0.5, 20.0), (179.9375, 0.0)]
    deals = pd.DataFrame({"lon": [place[0]], "lat": [place[1]]})
    found = reference_rank(addresses(dict.fromkeys(sites, 1)), None, deals, radius_km=1, density=1, area_degrees=0.25)
    label = members(found)
    assert found.deals["cluster_id"].tolist() == [label[sites[cluster - 1]] if cluster > 0 else -1]
    assert found.V == 1.0


def test_deals_are_summed_by_place_and_null_counts_one():
    deals = pd.DataFrame({"lon": [0.0, -0.0, 360.0, 5.0], "lat": [0.0] * 4, "deals": [np.nan, 0.5, 0.0, 2.0]})
    found = reference_rank(addresses({(0.0, 0.0): 1}), None, deals, density=1)
    assert found.deals.to_numpy().tolist() == [[0.0, 0.0, 1.5, 1.0], [5.0, 0.0, 2.0, -1.0]]
    assert found.V == 3.5
    assert found.ranking.loc[0, ["deals", "deal_share"]].tolist() == [1.5, pytest.approx(100 * 1.5 / 3.5)]


def test_totals_a_hair_apart_share_a_rank():
    # Shares in percent, as P = 100: 25, 25 + 6e-10, 25 + 12e-10 and the rest. The first three are one run, although its
    # ends are 1.2e-9 apart: all rank 1, in the order of their first members. The fourth has rank 4.
    table = addresses({(0.0, float(lat)): 1 for lat in range(4)})
    fractions = [25.0, 25 + 6e-10, 25 + 12e-10, 25 - 18e-10]
    found = reference_rank(table.assign(fraction=fractions), None, None, density=1)
    assert members(found) == {(0.0, 0.0): 1, (0.0, 1.0): 2, (0.0, 2.0): 3, (0.0, 3.0): 4}
    assert found.ranking["rank"].tolist() == [1, 1, 1, 4]
    # 2e-9 apart: ranks of their own, the largest first.
    fractions = [25.0, 25 + 2e-9, 25 + 4e-9, 25 - 6e-9]
    found = reference_rank(table.assign(fraction=fractions), None, None, density=1)
    assert members(found) == {(0.0, 2.0): 1, (0.0, 1.0): 2, (0.0, 0.0): 3, (0.0, 3.0): 4}
    assert found.ranking["rank"].tolist() == [1, 2, 3, 4]
    assert reference.ranks([5.0, 7.0, 5.0, 1.0]) == [2, 1, 2, 4]


def test_shares_and_the_rank_without_deals():
    # At 0: 1 of 4 patents, 3 of 4 publications, 1 of 4 deals = 25 + 75 + 25 = 125; at 1: 75 + 25 + 75 = 175 %.
    # Without deals: 100 % each, so both have rank 1.
    patents, publications = addresses({(0, 0): 1, (0, 1): 3}), addresses({(0, 0): 3, (0, 1): 1})
    deals = pd.DataFrame({"lon": [0.0, 0.0], "lat": [0.0, 1.0], "deals": [1, 3]})
    found = reference_rank(patents, publications, deals, density=1)
    assert members(found) == {(0.0, 1.0): 1, (0.0, 0.0): 2}
    shares = found.ranking[["patent_share", "publication_share", "deal_share", "total_share"]]
    assert shares.to_numpy().tolist() == [[75, 25, 75, 175], [25, 75, 25, 125]]
    assert found.ranking[["rank", "rank_without_deals"]].to_numpy().tolist() == [[1, 1], [2, 1]]


def test_economies_and_top_applicant():
    # Of 100 patents in the cluster (100 more are elsewhere): US 64, CN and CH 15, NA 1 (just enough), DE 0.5, null 4.5.
    # Organizations: null 64 (never listed), Zeta 15 + 15, B 6.
    fraction = [64, 15, 15, 1, 0.5, 4.5, 100]
    country = ["US", "CN", "CH", "NA", "DE", None, "FR"]
    patents = documents(*([(0, 0)] for _ in range(6)), [(50, 50)], country=country, fraction=fraction)
    patents["organization"] = [None, "Zeta", "Zeta", "B", "B", "B", "C"]
    found = reference_rank(patents, None, None, density=3)
    assert found.ranking["economies"].tolist() == ["US / CH / CN / NA"]
    assert found.ranking["top_applicant"].tolist() == ["Zeta"]
    assert found.ranking["top_organization"].tolist() == [""]
    # Deals count in the output. All of them are here, in CH: 100 + 7.5 %; US 32 %, CN 7.5 %; NA only 0.5 of 150.
    deals = pd.DataFrame({"lon": [0.01], "lat": [0.0], "country": ["CH"]})
    assert reference_rank(patents, None, deals, density=3).ranking["economies"].tolist() == ["CH / US / CN"]
    # What differs by rounding alone is equal, and the alphabetically first is named.
    equal = patents.assign(organization=["b", "a", "a", None, None, None, None])
    for more, expected in ((2e-11, "a"), (4e-11, "b")):
        equal["fraction"] = [30 + more, 15, 15, 1, 0.5, 4.5, 100]
        assert reference_rank(equal, None, None, density=3).ranking["top_applicant"].tolist() == [expected]


def test_no_cluster_at_all():
    deals = pd.DataFrame({"lon": [0.0], "lat": [0.0]})
    found = reference_rank(addresses({(0, 0): 3}), None, deals, density=4)
    assert len(found.ranking) == 0
    assert list(found.ranking.columns) == list(reference.RANKING)
    assert found.deals["cluster_id"].tolist() == found.locations["cluster_id"].tolist() == [-1]
