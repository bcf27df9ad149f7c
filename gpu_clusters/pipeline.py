"""A run from top to bottom, one line a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from gpu_clusters import backend, manifest
from gpu_clusters.engines.protocol import Clustering
from gpu_clusters.errors import UsageError
from gpu_clusters.io import read_addresses, read_deals
from gpu_clusters.io.model import Addresses, Deals, InputFile, TableRead
from gpu_clusters.result import Result
from gpu_clusters.schema import DEALS, LOCATIONS, RANKING
from gpu_clusters.settings import Settings
from gpu_clusters.steps import count, label
from gpu_clusters.steps.cluster import cluster
from gpu_clusters.steps.locate import Located, locate
from gpu_clusters.steps.merge import Merged, merge
from gpu_clusters.steps.overlay import Overlay, overlay
from gpu_clusters.steps.population import People, count_people, members_of, with_intensity
from gpu_clusters.steps.score import Scores, score

Progress = Callable[[str, float | None], None]
"""Told the name of the work at hand and the part of it that is done, 0..1, or None where that is not known."""


def rank(
    patents: Any = None,
    publications: Any = None,
    deals: Any = None,
    settings: Settings | None = None,
    *,
    population: Any = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Result:
    """Find and rank clusters of innovation.

    Parameters
    ----------
    patents, publications : path, data frame, or list of these, optional
        Tables with one row per inventor's or author's address: ``doc_id``, ``lon``, ``lat`` (degrees), and if there are
        any ``country``, ``organization``, ``year``, ``fraction``. At least one of the two. Paths may be Parquet, CSV, TSV,
        GeoParquet or GeoJSON files or folders of them; frames pandas', geopandas', pyarrow's or polars'.
    deals : path, data frame, or list of these, optional
        Table of venture-capital deals: ``lon``, ``lat``, and if there are any ``deals`` (how many), ``country``, ``year``.
    settings : Settings, optional
        The method's defaults where left out.
    population : path, xarray.DataArray, or list of these, optional
        Rasters of people per cell in any CRS: GeoTIFF, COG or NetCDF files, folders of them, patterns (``tiles/*.tif``).
    progress : callable, optional
        Told the name of the work at hand and the part of it that is done (0..1, None where not known).
    **changes
        Single settings by name, instead of or on top of ``settings``: ``rank(..., radius_km=10, density=2000)``.

    Returns
    -------
    Result
        ``ranking``, ``locations``, ``deals``, ``coverage`` (data frames), ``manifest``, and ``write(folder)``.

    Raises
    ------
    UsageError
        Settings that make no sense.
    InputError
        Data that cannot be used; the message names file, column and row.
    DeviceError
        A device or an engine that was asked for is not there.

    Examples
    --------
    >>> import pandas as pd
    >>> from gpu_clusters import rank
    >>> patents = pd.DataFrame({"doc_id": [1, 1, 2, 3], "lon": [2.35, 2.36, 2.35, 12.5], "lat": [48.85, 48.86, 48.85, 41.9]})
    >>> result = rank(patents, density=3)
    >>> result.ranking[["rank", "patents", "patent_share", "locations"]].to_dict("records")
    [{'rank': 1, 'patents': 2.0, 'patent_share': 66.66666666666667, 'locations': 2}]
    """
    settings = _changed(settings or Settings(), changes)
    if patents is None and publications is None:
        raise UsageError("there is nothing to cluster: give patents, publications or both")
    chosen = backend.pick(settings)
    clock = _Clock(progress)

    with clock.stage("read patents"):
        patents_read = _read(read_addresses, patents, "patents", settings, clock)
    with clock.stage("read publications"):
        publications_read = _read(read_addresses, publications, "publications", settings, clock)
    with clock.stage("read deals"):
        deals_read = _read(read_deals, deals, "deals", settings, clock)
    tables = _Tables(patents_read, publications_read, deals_read)

    with clock.stage("locate"):
        located = locate(tables.patents, tables.publications, settings)
    with clock.stage("cluster"):
        clustering = cluster(located.locations, settings, chosen.cluster)
    with clock.stage("merge"):
        merged = merge(located, clustering, tables.patents, tables.publications, settings)
    with clock.stage("overlay"):
        placed = overlay(tables.deals, located.locations, merged.labels, settings) if tables.deals else None
    people, rasters = None, list[InputFile]()
    if population is not None:
        with clock.stage("population"):
            people, rasters = _people(population, located, merged, settings, clock)
    with clock.stage("score"):
        ranking, cluster_id, totals = _ranking(tables, located, clustering, merged, placed, people, settings.top)
    with clock.stage("collect"):
        locations = _locations(located, clustering, merged, cluster_id)
        deal_places = _deal_places(tables.deals, placed, cluster_id)
        coverage = pd.concat([read.coverage for read in tables.reads], ignore_index=True)
    record = manifest.of_run(
        settings, chosen, tables.reads, located, clustering, merged, ranking, totals, clock.seconds
    )
    if people is not None:
        manifest.add_people(record, people, cluster_id[people.labels], rasters)
    return Result(ranking, locations, deal_places, coverage, record)


class _Clock:
    """Seconds by stage; passes progress on."""

    def __init__(self, progress: Progress | None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.tell(name, None)
        started = perf_counter()
        yield
        self.seconds[name] = round(perf_counter() - started, 4)

    def tell(self, name: str, part: float | None) -> None:
        if self._progress is not None:
            self._progress(name, part)


class _Tables:
    """What was read: the tables that are there, None for those that are not."""

    def __init__(self, *reads: TableRead | None) -> None:
        self.reads = [read for read in reads if read is not None]
        patents, publications, deals = (read.data if read is not None else None for read in reads)
        assert (
            not isinstance(patents, Deals) and not isinstance(publications, Deals) and not isinstance(deals, Addresses)
        )
        self.patents, self.publications, self.deals = patents, publications, deals


def _changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    unknown = sorted(set(changes) - set(Settings.names()))
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]!r}: there are {', '.join(Settings.names())}")
    return replace(settings, **changes)


def _read(
    reader: Callable[..., TableRead], source: Any, table: str, settings: Settings, clock: _Clock
) -> TableRead | None:
    if source is None:
        return None
    args = (source,) if reader is read_deals else (source, table)
    return reader(
        *args,
        columns=settings.columns.get(table),
        years=settings.years.get(table),
        progress=lambda _, part: clock.tell(f"read {table}", part),
    )


def _people(
    source: Any, located: Located, merged: Merged, settings: Settings, clock: _Clock
) -> tuple[People, list[InputFile]]:
    """The people of each merged label, and the rasters that were read."""
    from gpu_clusters.io.cells import cells_near
    from gpu_clusters.io.mosaic import Mosaic
    from gpu_clusters.io.rasters import open_rasters

    members = members_of(located.locations.lon, located.locations.lat, merged.labels)
    with open_rasters(source) as (rasters, inputs):
        cells = cells_near(Mosaic(rasters), members.lon, members.lat, settings.area_degrees)
        grids = [raster.grid for raster in rasters]
        return count_people(
            cells, grids, members, settings.area_degrees, lambda part: clock.tell("population", part)
        ), inputs


def _ranking(
    tables: _Tables,
    located: Located,
    clustering: Clustering,
    merged: Merged,
    placed: Overlay | None,
    people: People | None,
    top: int,
) -> tuple[pd.DataFrame, np.ndarray, dict[str, float]]:
    """The ranked table, the cluster id of each merged label, and the global totals."""
    member = np.flatnonzero(merged.labels >= 0)
    names, first = np.unique(merged.labels[member], return_index=True)
    by_first_member = np.argsort(first)
    clusters = len(names)
    place_of = np.full(int(merged.labels.max(initial=-1)) + 2, -1, np.int64)  # the last for noise, which is -1
    place_of[names[by_first_member]] = np.arange(clusters)

    sums, totals, by_country, leaders = [], [], [], []
    sources = ((tables.patents, located.patents), (tables.publications, located.publications), (tables.deals, None))
    for table, place in sources:
        leaders.append([None] * clusters)
        if table is None:
            sums.append(np.zeros(clusters))
            totals.append(0.0)
            continue
        labels, place = (merged.labels, place) if place is not None else (placed.labels, placed.place)  # type: ignore[union-attr]
        group = place_of[labels][place]
        counts = count.measure(table)
        sums.append(count.sums(group, clusters, counts))
        totals.append(count.total(counts))
        in_country = count.pair_sums(group, table.country, len(table.countries), clusters, counts)
        by_country.append((in_country, table.countries, totals[-1]))
        if isinstance(table, Addresses):
            by_name = count.pair_sums(group, table.organization, len(table.organizations), clusters, counts)
            leaders[-1] = label.largest(by_name, table.organizations, clusters)

    scores = score(*sums, (totals[0], totals[1], totals[2]))
    group = place_of[merged.labels[member]]
    densest = np.lexsort((-clustering.density_at[member], group))[np.searchsorted(np.sort(group), np.arange(clusters))]
    columns = {
        **{name: getattr(scores, name) for name in Scores._fields if name != "order"},
        "economies": label.economies(by_country, scores.total_share),
        "top_applicant": leaders[0],
        "top_organization": leaders[1],
        "locations": np.bincount(group, minlength=clusters),
        "core_locations": np.bincount(group[clustering.core[member]], minlength=clusters),
        "lon": located.locations.lon[member][densest],
        "lat": located.locations.lat[member][densest],
    }
    if people is not None:
        columns["population"] = people.population[by_first_member]
    ranking = pd.DataFrame(columns).iloc[scores.order].reset_index(drop=True)
    if people is not None:
        ranking = with_intensity(ranking, top)
    ranking["cluster_id"] = np.arange(1, clusters + 1)
    cluster_id = np.full(len(place_of), -1, np.int64)
    id_of_place = np.empty(clusters, np.int64)
    id_of_place[scores.order] = np.arange(1, clusters + 1)
    cluster_id[names[by_first_member]] = id_of_place
    return _complete(ranking), cluster_id, dict(zip(("patents", "publications", "deals"), totals, strict=True))


def _complete(ranking: pd.DataFrame) -> pd.DataFrame:
    """All columns of the ranking in their order, those that nothing has filled empty."""
    for name in RANKING:
        if name in ("name", "economies", "top_applicant", "top_organization"):
            ranking[name] = (
                ranking[name].astype(object) if name in ranking else pd.Series([None] * len(ranking), dtype=object)
            )
        elif name not in ranking:
            ranking[name] = pd.array(
                [None] * len(ranking), dtype="Int64" if name.endswith(("rank", "change")) else "Float64"
            )
    return ranking[list(RANKING)]


def _locations(located: Located, clustering: Clustering, merged: Merged, cluster_id: np.ndarray) -> pd.DataFrame:
    places = located.locations
    columns = (
        places.lon,
        places.lat,
        places.inventors,
        places.authors,
        places.weight,
        clustering.density_at,
        clustering.core,
        cluster_id[merged.labels],
        clustering.labels,
    )
    return pd.DataFrame(dict(zip(LOCATIONS, columns, strict=True)))


def _deal_places(deals: Deals | None, placed: Overlay | None, cluster_id: np.ndarray) -> pd.DataFrame:
    if deals is None or placed is None:
        nothing = np.empty(0)
        return pd.DataFrame(dict(zip(DEALS, (nothing, nothing, nothing, nothing.astype(np.int64)), strict=True)))
    number = count.sums(placed.place.astype(np.int64), len(placed.lon), count.measure(deals))
    return pd.DataFrame(dict(zip(DEALS, (placed.lon, placed.lat, number, cluster_id[placed.labels]), strict=True)))
