"""Full-size inputs for the end-to-end benchmark: patents, publications and deals on a synthetic globe.

    python bench/world.py --scale 1 --out bench/data

Written a row group (1 M rows) at a time. The same arguments give the same tables, whatever the number of workers.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from places import ORGANIZATIONS, Places, make_places, scatter

ROWS_PER_GROUP = 1_000_000
UNGEOCODED = 0.03
AT_HOME = 0.85
"""Share of a document's addresses in its home place; half of the others are in the nearest other place."""

AT_INSTITUTION = 0.75
"""Share of the author addresses at an institution; the others are at light points of their own."""

DEAL_ROWS, DEALS = 66_755, 236_000


class Kind(NamedTuple):
    """What one table of addresses is like, at full size."""

    name: str
    rows: int
    points: int
    """Street-level points to draw from."""

    sizes: tuple[float, ...]
    """Probability that a document has 1, 2, ... addresses."""

    years: tuple[int, int]
    seed: int


PATENTS = Kind("patents", 4_270_000, 2_650_000, (0.18, 0.21, 0.21, 0.16, 0.10, 0.07, 0.04, 0.03), (2020, 2024), 1)
PAPERS = Kind("publications", 28_600_000, 1_760_000, (0.15, 0.19, 0.21, 0.18, 0.12, 0.07, 0.05, 0.03), (2019, 2023), 2)


class Points(NamedTuple):
    """Street-level points sorted by place: place p owns `first[p]` up to `first[p] + held[p]`."""

    lon: np.ndarray
    lat: np.ndarray
    first: np.ndarray
    held: np.ndarray


class Table(NamedTuple):
    """Everything that a row group of one table is drawn from."""

    kind: Kind
    places: Places
    share: np.ndarray
    streets: Points
    institutions: tuple[np.ndarray, np.ndarray] | None
    seed: int


def draw_points(rng: np.random.Generator, places: Places, share: np.ndarray, n: int) -> Points:
    """Draw about `n` street-level points, at least one for each place."""
    count = np.maximum(1, np.round(share * n)).astype(np.int64)
    lon, lat = scatter(rng, places, np.repeat(np.arange(len(share)), count), digits=6)
    return Points(lon, lat, np.cumsum(count) - count, count)


def draw_places(rng: np.random.Generator, share: np.ndarray, n: int) -> np.ndarray:
    """Draw `n` places (indices) in proportion to their shares."""
    cumulative = np.cumsum(share)
    return np.minimum(np.searchsorted(cumulative, rng.random(n)), len(share) - 1)


def row_group(table: Table, number: int, rows: int) -> pa.Table:
    """Draw one row group: documents of 1-8 addresses, none of them in two groups."""
    kind, places = table.kind, table.places
    rng = np.random.default_rng([table.seed, kind.seed, number])
    sizes = rng.choice(len(kind.sizes), rows, p=kind.sizes) + 1
    documents = int(np.searchsorted(np.cumsum(sizes), rows)) + 1
    document = np.repeat(np.arange(documents, dtype=np.int32), sizes[:documents])[:rows]

    home = draw_places(rng, table.share, documents)
    place = home[document]
    away = np.flatnonzero(rng.random(rows) >= AT_HOME)
    place[away] = np.where(
        rng.random(len(away)) < 0.5, places.partner[place[away]], draw_places(rng, table.share, len(away))
    )

    rank = np.where(rng.random(rows) < 0.7, rng.random(documents)[document], rng.random(rows))
    organization = places.first_organization[place] + (rank**3 * places.organizations[place]).astype(np.int64)
    point = table.streets.first[place] + (rng.random(rows) * table.streets.held[place]).astype(np.int64)
    lon, lat = table.streets.lon[point], table.streets.lat[point]
    if table.institutions is not None:
        inside = np.flatnonzero(rng.random(rows) < AT_INSTITUTION)
        lon[inside], lat[inside] = (column[organization[inside]] for column in table.institutions)
    missing = rng.random(rows) < UNGEOCODED
    year = rng.integers(kind.years[0], kind.years[1] + 1, documents).astype(np.int16)[document]
    identifier = np.int64(number) * ROWS_PER_GROUP + np.arange(documents)
    columns = {
        "doc_id": document_ids(kind, identifier).take(pa.array(document)),
        "lon": pa.array(lon, mask=missing),
        "lat": pa.array(lat, mask=missing),
        "country": coded(places.country[place], places.countries),
        "organization": coded(organization.astype(np.int32), organization_names()),
        "year": pa.array(year),
    }
    return pa.table(columns)


def document_ids(kind: Kind, identifier: np.ndarray) -> pa.Array:
    """int64 for patents; for publications strings such as W2741809807, rising through the file."""
    if kind is PATENTS:
        return pa.array(40_000_000 + identifier)
    number = pa.array(2_000_000_000 + identifier * 7).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar("W"), number, "")


def organization_names() -> list[str]:
    """Names of all organizations."""
    return [f"Organization {number:05d}" for number in range(ORGANIZATIONS)]


def coded(codes: np.ndarray, names: list[str]) -> pa.DictionaryArray:
    """Dictionary column from codes."""
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names))


def write(file: Path, groups: Iterator[pa.Table]) -> int:
    """Write the row groups as they come; the number of rows."""
    first = next(groups)
    rows = 0
    with pq.ParquetWriter(file, first.schema, compression="zstd", compression_level=1) as writer:
        for group in chain((first,), groups):
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
            rows += len(group)
    return rows


def ahead(pool: ThreadPoolExecutor, draw: Callable[[int, int], pa.Table], rows: int) -> Iterator[pa.Table]:
    """Draw row groups in the pool, at most two ahead of the writer, and hand them out in order."""
    waiting: deque = deque()
    for number, start in enumerate(range(0, rows, ROWS_PER_GROUP)):
        waiting.append(pool.submit(draw, number, min(ROWS_PER_GROUP, rows - start)))
        if len(waiting) > 2:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def deals(places: Places, rows: int, total: int, seed: int) -> pa.Table:
    """Places of venture-capital deals, in cities, a heavy tail of deals per row; `deals` sums to about `total`."""
    rng = np.random.default_rng([seed, 3])
    cities = np.where(places.sigma_km > 0, places.patents, 0) ** 1.2
    place = rng.choice(len(cities), rows, p=cities / cities.sum())
    lon, lat = scatter(rng, places, place, digits=4)
    tail = rng.lognormal(0, 1.4, rows)
    count = 1 + np.floor(tail * (total - rows) / tail.sum() + rng.random(rows)).astype(np.int32)
    missing = rng.random(rows) < UNGEOCODED / 10
    columns = {
        "deal_id": pa.array(np.arange(rows, dtype=np.int64)),
        "lon": pa.array(lon, mask=missing),
        "lat": pa.array(lat, mask=missing),
        "country": coded(places.country[place], places.countries),
        "deals": pa.array(count),
        "year": pa.array(rng.integers(2019, 2024, rows).astype(np.int16)),
    }
    return pa.table(columns)


def make_world(out: Path, scale: float = 1.0, seed: int = 0, workers: int = 2) -> dict[str, int]:
    """Write patents.parquet, publications.parquet and deals.parquet to a folder; their numbers of rows."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 0])
    places = make_places(rng)
    institutions = scatter(rng, places, np.repeat(np.arange(len(places.lon)), places.organizations), digits=4)
    written = {}
    with ThreadPoolExecutor(workers) as pool:
        for kind, share, sites in ((PATENTS, places.patents, None), (PAPERS, places.papers, institutions)):
            streets = draw_points(rng, places, share, round(kind.points * scale))
            table = Table(kind, places, share, streets, sites, seed)
            groups = ahead(pool, partial(row_group, table), round(kind.rows * scale))
            written[kind.name] = write(out / f"{kind.name}.parquet", groups)
    rows = max(1, round(DEAL_ROWS * scale))
    written["deals"] = write(out / "deals.parquet", iter([deals(places, rows, round(DEALS * scale), seed)]))
    (out / "world.json").write_text(json.dumps({"scale": scale, "seed": seed, "rows": written}) + "\n")
    return written


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    clock = time.perf_counter()
    written = make_world(options.out, options.scale, options.seed, options.workers)
    print(json.dumps({"rows": written, "seconds": round(time.perf_counter() - clock, 1)}))


if __name__ == "__main__":
    main()
