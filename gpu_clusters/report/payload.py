"""What the page's script works on: clusters, their briefs, outlines and locations, small enough for one file."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.io.embedded import with_land
from gpu_clusters.report.contents import Contents
from gpu_clusters.report.economies import names
from gpu_clusters.report.escape import one_line
from gpu_clusters.report.ranges import with_ranges

FIELDS = {
    "id": "cluster_id",
    "rank": "rank",
    "name": "label",
    "economies": "economies",
    "patents": "patents",
    "publications": "publications",
    "deals": "deals",
    "patentShare": "patent_share",
    "publicationShare": "publication_share",
    "dealShare": "deal_share",
    "share": "total_share",
    "withoutDeals": "rank_without_deals",
    "previous": "previous_rank",
    "change": "rank_change",
    "population": "population",
    "patentsPerMillion": "patents_per_million",
    "publicationsPerMillion": "publications_per_million",
    "dealsPerMillion": "deals_per_million",
    "intensity": "intensity",
    "intensityRank": "intensity_rank",
    "applicant": "top_applicant",
    "organization": "top_organization",
    "locations": "locations",
    "core": "core_locations",
    "lon": "lon",
    "lat": "lat",
}
PARTNERS = 8
NOISE_DOTS, MEMBER_DOTS = 100_000, 140_000
STEPS = (0.0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0)  # degrees; 0 keeps every location
OUTLINE_POINTS = 90_000
PER_DEGREE = 1000


def payload(contents: Contents) -> str:
    """JSON that is safe within a script element."""
    locations = contents.locations
    cluster = locations["cluster_id"].to_numpy()
    value = {
        "top": contents.top,
        "clusters": _clusters(contents),
        "organizations": _organizations(contents),
        "partners": _partners(contents),
        "ranges": {
            str(row.cluster_id): [row.best_rank, row.median_rank, row.worst_rank, row.matched]
            for row in with_ranges(contents).itertuples(index=False)
        },
        "outlines": outlines(contents),
        "noise": dots(locations[cluster < 0], NOISE_DOTS),
        "members": dots(locations[cluster > 0], MEMBER_DOTS),
    }
    return with_land(value)


def _clusters(contents: Contents) -> list[dict[str, Any]]:
    frame = contents.clusters
    columns = {field: frame[column].tolist() for field, column in FIELDS.items()}
    columns["where"] = [names(value) for value in frame["economies"]]
    rows = []
    for row in zip(*columns.values(), strict=True):
        rows.append(
            {
                field: one_line(value) if isinstance(value, str) else value
                for field, value in zip(columns, row, strict=True)
            }
        )
    return rows


def _organizations(contents: Contents) -> dict[str, dict[str, list[list[Any]]]]:
    found: dict[str, dict[str, list[list[Any]]]] = {}
    frame = contents.organizations
    for cluster, table, name, count in zip(
        frame["cluster_id"], frame["table"], frame["organization"], frame["count"], strict=True
    ):
        listed = found.setdefault(str(cluster), {}).setdefault(str(table), [])
        if len(listed) < 10:
            listed.append([one_line(str(name)), float(count)])
    return found


def _partners(contents: Contents) -> dict[str, list[list[int]]]:
    """The closest partners of each cluster, by the shares of all patents and of all publications that they have in common."""
    frame = contents.partners
    totals = contents.manifest.get("totals", {})
    tie = sum(
        frame[name].astype(float) / max(float(totals.get(name) or 1), 1.0) for name in ("patents", "publications")
    )
    both = pd.concat(
        [
            frame.assign(tie=tie),
            frame.assign(tie=tie).rename(columns={"cluster_id": "partner_id", "partner_id": "cluster_id"}),
        ]
    ).sort_values(["cluster_id", "tie", "partner_id"], ascending=[True, False, True], kind="stable")
    first = both.groupby("cluster_id", sort=False).head(PARTNERS)
    found: dict[str, list[list[int]]] = {}
    for row in first.itertuples(index=False):
        found.setdefault(str(row.cluster_id), []).append([int(row.partner_id), int(row.patents), int(row.publications)])
    return found


def outlines(contents: Contents) -> dict[str, list[list[int]]]:
    """Rings of each cluster's outline: the first point, then differences, in thousandths of a degree."""
    if contents.boundaries is None or not len(contents.boundaries):
        return {}
    import shapely

    shapes, cluster = contents.boundaries.geometry.to_numpy(), contents.boundaries["cluster_id"].tolist()
    tolerance = 0.002
    simple = shapely.simplify(shapes, tolerance)
    while shapely.get_num_coordinates(simple).sum() > OUTLINE_POINTS and tolerance < 0.05:
        tolerance *= 1.6
        simple = shapely.simplify(shapes, tolerance)
    found: dict[str, list[list[int]]] = {}
    for number, shape in zip(cluster, simple, strict=True):
        rings = [
            ring
            for part in shapely.get_parts(shape)
            if part.geom_type == "Polygon"
            for ring in (part.exterior, *part.interiors)
        ]
        steps = []
        for ring in rings:
            whole = np.rint(np.asarray(ring.coords)[:, :2] * PER_DEGREE).astype(int)
            whole = whole[np.append(True, (np.diff(whole, axis=0) != 0).any(axis=1))]
            if len(whole) > 3:
                steps.append(np.diff(whole, axis=0, prepend=[[0, 0]]).ravel().tolist())
        found[str(number)] = steps
    return found


def dots(places: pd.DataFrame, most: int) -> dict[str, Any]:
    """Places, brought together where they are too many: means of cells of the smallest step that leaves at most ``most``.

    Base64 of little-endian float32 lon and lat, uint8 level (1 + the logarithm to the base 2 of the number of places) and
    uint16 or uint32 cluster.
    """
    lon, lat, cluster = (places[name].to_numpy() for name in ("lon", "lat", "cluster_id"))
    count = np.ones(len(lon), np.int64)
    for step in STEPS:
        if step:
            key = _cell(lon, lat, cluster, step)
            _, first, place, sizes = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
            if len(first) > most and step != STEPS[-1]:
                continue
            means = [np.bincount(place, weights=axis) / sizes for axis in (lon, lat)]
            lon, lat, cluster, count = *means, cluster[first], sizes
        if len(lon) <= most:
            break
    wide = int(cluster.max(initial=0)) >= 2**16
    level = 1 + np.log2(count).astype(np.uint8)
    cluster = np.maximum(cluster, 0)
    return {
        "count": len(lon),
        "lon": _base64(lon.astype("<f4")),
        "lat": _base64(lat.astype("<f4")),
        "level": _base64(level),
        "cluster": _base64(cluster.astype("<u4" if wide else "<u2")),
        "wide": wide,
    }


def _cell(
    lon: NDArray[np.float64], lat: NDArray[np.float64], cluster: NDArray[np.int64], step: float
) -> NDArray[np.int64]:
    columns = int(np.ceil(360 / step)) + 1
    row, column = np.floor((lat + 90) / step).astype(np.int64), np.floor((lon + 180) / step).astype(np.int64)
    cells: NDArray[np.int64] = (np.maximum(cluster, 0) * (int(np.ceil(180 / step)) + 1) + row) * columns + column
    return cells


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
