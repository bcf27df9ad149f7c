"""What the page's script works on, decoded and computed again in plain Python."""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gpu_clusters.report import payload
from gpu_clusters.report.economies import economy
from gpu_clusters.report.escape import one_line

COLUMNS = {
    "id": "cluster_id",
    "name": "label",
    "share": "total_share",
    "withoutDeals": "rank_without_deals",
    "previous": "previous_rank",
    "change": "rank_change",
    "applicant": "top_applicant",
    "organization": "top_organization",
    "core": "core_locations",
}


@pytest.fixture
def value(contents):
    return json.loads(payload.payload(contents))


def test_every_number_of_a_cluster(contents, value):
    frame = contents.clusters
    for number, cluster in enumerate(value["clusters"]):
        row = frame.iloc[number]
        assert cluster.pop("where") == ", ".join(economy(code).name for code in row["economies"].split(" / "))
        for field, given in cluster.items():
            wanted = row[COLUMNS.get(field) or re.sub("([A-Z])", r"_\1", field).lower()]
            if wanted is pd.NA:
                assert given is None
            else:
                assert given == (one_line(wanted) if isinstance(wanted, str) else wanted), field
    assert [cluster["previous"] for cluster in value["clusters"]].count(None) == 2


def test_a_cluster_of_which_something_is_missing(contents):
    some = replace(contents, ranking=contents.ranking.assign(economies="CN / HK", intensity=np.nan))
    (first, *_) = json.loads(payload.payload(some))["clusters"]
    assert first["where"] == "China, Hong Kong" and first["intensity"] is None


def test_the_first_organizations_of_each_table(contents):
    rows = [(1, table, f"{table} {i}", 1000.123456 - i) for table in ("patents", "publications") for i in range(12)]
    frame = pd.DataFrame(rows, columns=["cluster_id", "table", "organization", "count"])
    value = json.loads(payload.payload(replace(contents, organizations=frame)))["organizations"]
    assert value == {
        "1": {table: [[f"{table} {i}", 1000.123456 - i] for i in range(10)] for table in ("patents", "publications")}
    }


def test_the_closest_partners_by_shares_in_common(contents, value):
    totals, pairs = contents.manifest["totals"], {}
    for row in contents.partners.itertuples():
        for one, other in ((row.cluster_id, row.partner_id), (row.partner_id, row.cluster_id)):
            pairs.setdefault(one, []).append((other, row.patents, row.publications))
    assert set(value["partners"]) == set(map(str, pairs))
    for cluster, some in pairs.items():
        some.sort(key=lambda p: (-(p[1] / totals["patents"] + p[2] / totals["publications"]), p[0]))
        assert value["partners"][str(cluster)] == [list(pair) for pair in some[:8]]


def test_a_publication_counts_as_much_as_there_are_few_of_them(contents):
    frame = pd.DataFrame(
        {"cluster_id": [1, 1, 1], "partner_id": [4, 3, 2], "patents": [9, 0, 3], "publications": [0, 3, 0]}
    )
    for totals, expected in (
        ({"patents": 100, "publications": 10}, [3, 4, 2]),
        ({"patents": 10, "publications": 100}, [4, 2, 3]),
        ({"patents": 9, "publications": None}, [3, 4, 2]),
    ):
        some = replace(contents, partners=frame, manifest={**contents.manifest, "totals": totals})
        assert [row[0] for row in json.loads(payload.payload(some))["partners"]["1"]] == expected


def rings(steps):
    """A cluster's rings in degrees."""
    return [np.cumsum(np.reshape(ring, (-1, 2)), axis=0) / 1000 for ring in steps]


def test_outlines_are_the_given_ones_within_the_tolerance(contents, monkeypatch):
    hole = shapely.Point(10, 50).buffer(1).difference(shapely.Point(10, 50).buffer(0.5))
    two = shapely.union_all([shapely.box(-180, -90, -179, -89), shapely.Polygon([(1, 1), (1.0, 1.2), (1.3, 1)])])
    speck = shapely.box(5, 5, 5.0001, 5.0001)
    line = shapely.GeometryCollection([shapely.LineString([(0, 0), (1, 1)]), shapely.box(0, 0, 1, 2)])
    shapes = gpd.GeoDataFrame({"cluster_id": [3, 1, 2, 7]}, geometry=[hole, two, speck, line], crs=4326)
    found = payload.outlines(replace(contents, boundaries=shapes))
    assert [(key, len(steps)) for key, steps in found.items()] == [("3", 2), ("1", 2), ("2", 0), ("7", 1)]
    given = {"3": hole, "1": two, "7": shapely.box(0, 0, 1, 2)}
    for key, shape in given.items():
        made = shapely.multilinestrings([shapely.linestrings(ring) for ring in rings(found[key])])
        assert shapely.hausdorff_distance(made, shape.boundary) < 0.002 + 0.001
        assert all(
            (ring[0] == ring[-1]).all() and (ring[1:] != ring[:-1]).any(axis=1).all() for ring in rings(found[key])
        )
    monkeypatch.setattr(payload, "OUTLINE_POINTS", 20)
    circle = shapes.iloc[:1].set_geometry([shapely.Point(10, 50).buffer(1, 500)], crs=4326)
    (ring,) = rings(payload.outlines(replace(contents, boundaries=circle))["3"])
    assert 8 < len(ring) <= 20 and np.abs(np.hypot(*(ring - (10, 50)).T) - 1).max() < 0.05
    monkeypatch.setattr(payload, "OUTLINE_POINTS", 3)  # out of reach: no coarser than a twelfth of a degree
    (ring,) = rings(payload.outlines(replace(contents, boundaries=circle))["3"])
    assert len(ring) > 8 and np.abs(np.hypot(*(ring - (10, 50)).T) - 1).max() < 0.09


def by_cells(places, step):
    """Mean place, cluster and level of each cell that has places of a cluster."""
    cells = {}
    for number, (lon, lat, cluster) in enumerate(places.itertuples(index=False)):
        where = (math.floor((lon + 180) / step), math.floor((lat + 90) / step)) if step else number
        cells.setdefault((cluster, where), []).append((lon, lat))
    return sorted(
        (max(cluster, 0), *(sum(axis) / len(some) for axis in zip(*some, strict=True)), 1 + int(math.log2(len(some))))
        for (cluster, _), some in cells.items()
    )


@pytest.mark.parametrize("clusters", [[-1], [1, 2, 3], [1, 65535], [2, 65536], [1, 2**17]], ids=str)
@pytest.mark.parametrize("most", [1, 40, 300, 599, 600])
def test_dots_are_means_of_the_smallest_cells_that_are_few_enough(clusters, most):
    rng = np.random.default_rng(most)
    lon = np.concatenate([rng.uniform(-180, 180, 150), rng.choice([-179.99, 179.99, 3.0, 3.004], 450)])
    places = pd.DataFrame({"lon": lon, "lat": rng.uniform(-90, 90, 600).round(rng.integers(0, 5))})
    places["cluster_id"] = rng.choice(clusters, 600)
    made = payload.dots(places, most)
    for step in payload.STEPS:
        expected = by_cells(places, step)
        if len(expected) <= most:
            break
    assert made["count"] == len(expected) and made["wide"] == (max(clusters) > 65535)
    kinds = {"cluster": "<u4" if made["wide"] else "<u2", "lon": "<f4", "lat": "<f4", "level": "u1"}
    columns = [np.frombuffer(base64.b64decode(made[name]), kind) for name, kind in kinds.items()]
    found = zip(*(column.tolist() for column in columns), strict=True)
    assert sorted(found) == sorted((c, float(np.float32(x)), float(np.float32(y)), n) for c, x, y, n in expected)
