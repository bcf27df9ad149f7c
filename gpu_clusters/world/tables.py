"""Writing the tables of addresses, a row group at a time."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gpu_clusters.world import documents, owners, points
from gpu_clusters.world.documents import Rows, Units
from gpu_clusters.world.plan import TOTALS, Base, Counts
from gpu_clusters.world.points import Points

ROWS_PER_GROUP = 1_000_000
YEARS = {"patents": (2020, 2024), "publications": (2019, 2023)}
INVALID_EVERY = 50  # of the rows without a place one has an impossible one
LEFT_OF_NEW = 4  # in the previous edition a new cluster had one of so many documents
FEWER = 0.1  # of the documents of noise alone are new in the present edition


class Drawn(NamedTuple):
    """A table of addresses before it is written; ``point``, ``owner`` (r,) int32 by row, -1 without a place."""

    table: str
    rows: Rows
    points: Points
    point: NDArray[np.int32]
    owner: NDArray[np.int32]
    owners: list[str]
    cluster: NDArray[np.int64]


def draw(base: Base, counts: Counts, about: Units, table: str, rng: np.random.Generator) -> Drawn:
    """Draw a table."""
    sites = base.sites
    cluster = base.cluster
    places = points.draw(sites, counts.rows, table, rng)
    rows = documents.draw(base, counts, about, rng)
    known = np.flatnonzero(rows.site >= 0)
    point = np.full(len(rows.site), -1, np.int32)
    point[known] = points.of_rows(places, rows.site[known], rows.within[known], table, rng)
    belongs = owners.draw(base.clusters, cluster, counts.rows, table, rng)
    start = np.cumsum(counts.rows) - counts.rows
    owner = np.full(len(rows.site), -1, np.int32)
    owner[known] = belongs.code[start[rows.site[known]] + rows.within[known]]
    return Drawn(table, rows, places, point, owner, belongs.names, cluster)


def earlier(drawn: Drawn, new: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that the previous edition had too, (r,) bool.

    It lacks some documents of noise alone, and most of those of clusters that are new.

    Parameters
    ----------
    drawn : Drawn
    new : (parts,) bool
        Whether a part belongs to a cluster that was none in the previous edition.
    """
    rows = drawn.rows
    dropped = np.zeros(len(rows.home), bool)
    noise = np.ones(len(rows.home), bool)
    noise[rows.document[(rows.site >= 0) & (drawn.cluster[rows.site] >= 0)]] = False
    dropped[np.flatnonzero(noise & (rows.home >= 0))[:: round(1 / FEWER)]] = True
    for part in np.flatnonzero(new).tolist():
        own = np.flatnonzero(rows.home == part)
        dropped[np.delete(own, np.s_[::LEFT_OF_NEW])] = True
    return ~dropped[rows.document]


def fractions(drawn: Drawn, counts: pd.Series, kept: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    """What one row of each cluster counts, noise last, so that the clusters' and the world's sums are as planted."""
    cluster = drawn.cluster[drawn.rows.site]
    use = drawn.rows.site >= 0 if kept is None else kept & (drawn.rows.site >= 0)
    number = np.bincount(cluster[use] + 1, minlength=len(counts) + 1)[1:]
    planted = counts.notna().to_numpy()
    count = counts.fillna(0.0).to_numpy()
    noise = int(use.sum()) - int(number[planted].sum())
    each = np.full(len(counts) + 1, (TOTALS[drawn.table] - count.sum()) / noise)
    each[:-1][planted] = count[planted] / number[planted]
    return each


def write(
    drawn: Drawn, codes: list[str], each: NDArray[np.float64], path: Path, *, years_back: int, kept: NDArray | None
) -> int:
    """Write a table, or what is ``kept`` of it; the number of rows."""
    rows, first = drawn.rows, YEARS[drawn.table][0] - years_back
    chosen = None if kept is None else np.flatnonzero(kept)
    total = len(rows.site) if chosen is None else len(chosen)
    year = (first + np.random.default_rng(0).integers(0, 5, len(rows.home))).astype(np.int16)
    names, countries = pa.array(drawn.owners), pa.array(codes)
    writer = None
    try:
        for start in range(0, total, ROWS_PER_GROUP):
            at = slice(start, start + ROWS_PER_GROUP) if chosen is None else chosen[start : start + ROWS_PER_GROUP]
            site, within, point, document = (v[at] for v in (rows.site, rows.within, drawn.point, rows.document))
            lost = site < 0
            invalid = lost & (within % INVALID_EVERY == 0)
            lon = np.where(invalid, 999.0, drawn.points.lon[point])
            lat = np.where(invalid, 99.0, drawn.points.lat[point])
            owner = pa.array(drawn.owner[at], mask=lost)
            columns = {
                "doc_id": _identifiers(drawn.table, document),
                "lon": pa.array(lon, mask=lost & ~invalid),
                "lat": pa.array(lat, mask=lost & ~invalid),
                "country": pa.DictionaryArray.from_arrays(pa.array(rows.country[at]), countries),
                "organization": pa.DictionaryArray.from_arrays(owner, names),
                "year": pa.array(year[document]),
                "fraction": pa.array(each[np.where(lost, -1, drawn.cluster[site])]),
            }
            group = pa.table(columns)
            writer = writer or pq.ParquetWriter(path, group.schema, compression="zstd", compression_level=1)
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
    finally:
        if writer is not None:
            writer.close()
    return total


def _identifiers(table: str, document: NDArray[np.integer]) -> pa.Array:
    """Whole numbers for patents; for publications texts such as W2741809807."""
    if table == "patents":
        return pa.array(40_000_000 + document.astype(np.int64))
    first = int(document.min(initial=0))
    names, place = np.unique(document - first, return_inverse=True)
    texts = pc.binary_join_element_wise(
        pa.scalar("W"), pa.array(2_000_000_000 + 7 * (names.astype(np.int64) + first)).cast(pa.string()), ""
    )
    return texts.take(pa.array(place))
