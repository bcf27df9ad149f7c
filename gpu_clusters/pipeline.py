"""A run from top to bottom, one line a step."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters import backend, manifest
from gpu_clusters.arrays import gathered
from gpu_clusters.clock import Clock, Progress
from gpu_clusters.compiled import one_thread_at_a_time
from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.boundaries import boundaries_table
from gpu_clusters.io.editions import FOR_RANKS, read_edition
from gpu_clusters.io.gazetteer import gazetteer, towns
from gpu_clusters.io.model import Edition, InputFile
from gpu_clusters.io.overrides import Overrides, read_overrides
from gpu_clusters.result import Result
from gpu_clusters.settings import BOUNDARIES, Settings
from gpu_clusters.steps import plane
from gpu_clusters.steps.boundary import draw, warnings_of
from gpu_clusters.steps.cluster import cluster
from gpu_clusters.steps.edition import kinship, places_of, with_previous
from gpu_clusters.steps.locate import Located, Locations
from gpu_clusters.steps.members import Members, of_locations, of_regions
from gpu_clusters.steps.merge import merge
from gpu_clusters.steps.name import Named, name_clusters
from gpu_clusters.steps.organizations import organizations_table
from gpu_clusters.steps.output import points_of
from gpu_clusters.steps.overlay import Overlay, overlay, overlay_polygons, overlay_regions
from gpu_clusters.steps.partners import partners_table
from gpu_clusters.steps.places import Places, places_from
from gpu_clusters.steps.population import People, count_people, count_people_in, with_people
from gpu_clusters.steps.regions import in_regions, named_regions
from gpu_clusters.steps.score import indicator, score_clusters
from gpu_clusters.steps.tabulate import coverage_table, deals_table, locations_table, ranking_table
from gpu_clusters.tables import Tables, locate_rows, read_tables

if TYPE_CHECKING:
    from gpu_clusters.io.regions import Regions
    from gpu_clusters.steps.single import Inputs


def rank(
    patents: Any = None,
    publications: Any = None,
    deals: Any = None,
    settings: Settings | None = None,
    *,
    population: Any = None,
    names: Any = None,
    previous: Any = None,
    regions: Any = None,
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
    names : path, dict, DataFrame or False, optional
        Your own names for clusters: a CSV file or frame (pandas', pyarrow's or polars') with the columns ``place`` and ``name``,
        or a dict of place to name.
        False gives no names.
    previous : path or Result, optional
        An earlier result, or its folder: fills the columns of the previous ranks and of their changes.
    regions : path, GeoDataFrame or list of polygons, optional
        Polygons to rank instead of clusters (cities, provinces): nothing is clustered, and what counts is what lies in each.
    progress : callable, optional
        Told the name of the work at hand and the part of it that is done (0..1, None where not known).
    **changes
        Single settings by name, instead of or on top of ``settings``: ``rank(..., radius_km=10, density=2000)``.

    Returns
    -------
    Result
        ``ranking``, ``locations``, ``deals``, ``boundaries``, ``coverage`` (data frames), ``manifest``, and ``write(folder)``.

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
    settings = changed(settings, changes)
    if patents is None and publications is None:
        raise UsageError("there is nothing to cluster: give patents, publications or both")
    by_polygons = regions is not None or settings.boundary not in BOUNDARIES
    if regions is not None and settings.boundary != "area":
        raise UsageError("regions have their own boundaries: give no boundary with them")
    if regions is None and settings.region_name is not None:
        raise UsageError("region_name is the column that names regions: give it with regions only")
    if regions is not None and names is not None and names is not False:
        raise UsageError("regions have their own names: give no names with them")
    chosen = backend.pick(settings)
    clock = Clock(progress, chosen.step)
    if settings.crs is not None:
        plane.system(settings.crs)  # what is wrong with it is told before the tables are read
    overrides = None if names is None or names is False else read_overrides(names)

    before = None
    if previous is not None:
        with clock.stage("read previous"):
            before = read_edition(previous, FOR_RANKS)
    given = None
    if by_polygons:
        with clock.stage("read polygons"):
            given = _polygons(regions, settings)
    if population is not None:
        population = list(population) if isinstance(population, Iterator) else population
        with clock.stage("open rasters"):
            _look_at(population)
    tables = read_tables(chosen.read, patents, publications, deals, settings, clock)
    with clock.stage("locate"), one_thread_at_a_time:
        located, tables = locate_rows(tables, settings)
    if regions is not None and given is not None:
        with clock.stage("place in regions"), one_thread_at_a_time:
            clustering, merged = in_regions(located.locations, given.polygons, chosen.inside)
            members = of_regions(merged.labels, len(given.polygons))
            outlines = given.polygons[members.labels()]
    else:
        with clock.stage("cluster"), one_thread_at_a_time:
            clustering = cluster(located.locations, settings, chosen.cluster)
        with clock.stage("merge"), one_thread_at_a_time:
            merged = merge(located, clustering, tables.patents, tables.publications, settings, chosen.close)
        members = of_locations(merged.labels)
        with clock.stage("draw boundaries"), one_thread_at_a_time:
            outlines = draw(located.locations, members, settings, given and given.polygons, chosen.inside)
    with clock.stage("overlay"), one_thread_at_a_time:
        placed = None
        if tables.deals and regions is not None and given is not None:
            placed = overlay_regions(tables.deals, given.polygons, chosen.inside)
        elif tables.deals and settings.boundary != "area":
            placed = overlay_polygons(tables.deals, outlines, located.locations, members, chosen.inside)
        elif tables.deals:
            placed = overlay(tables.deals, located.locations, merged.labels, settings, chosen.nearest)
    people, rasters = None, list[InputFile]()
    if population is not None:
        with clock.stage("population"), one_thread_at_a_time:
            replaced = outlines if regions is not None or settings.boundary != "area" else None
            people, rasters = _people(population, located.locations, members, settings, clock, chosen, replaced)
    with clock.stage("score"):
        indicators = [
            indicator(tables.patents, merged.labels, located.patents, members),
            indicator(tables.publications, merged.labels, located.publications, members),
            indicator(tables.deals, placed and placed.labels, placed and placed.place, members),
        ]
        scores = score_clusters(indicators)
    called = None
    if names is not False and regions is None:
        with clock.stage("name"):
            called = named(tables, located, placed, members, scores.order, scores.totals, overrides)
    with clock.stage("collect"):
        ranking = ranking_table(indicators, scores, located.locations, clustering, members, called and called.names)
        if regions is not None and given is not None:
            of_rank = [given.names[label] for label in members.labels()[scores.order].tolist()]
            ranking = named_regions(ranking, of_rank, outlines[scores.order])
        if people is not None:
            ranking = with_people(ranking, people, scores.order, settings.top)
        cluster_id = members.ids(scores.order)
        location_cluster = cluster_id[merged.labels]
        locations = locations_table(located.locations, clustering, location_cluster)
        deal_places = deals_table(tables.deals, placed, cluster_id)
        boundaries = boundaries_table(ranking, outlines[scores.order])
        coverage = coverage_table([read.coverage for read in tables.reads])
    with clock.stage("organizations"):
        organizations = organizations_table(indicators[0], indicators[1], scores.order)
        cluster_of = [
            None if place is None else gathered(location_cluster, place)
            for place in (located.patents, located.publications)
        ]
        partners = partners_table(tables.patents, tables.publications, cluster_of[0], cluster_of[1], members.clusters)
    record = manifest.of_run(
        settings, chosen, tables.reads, located, clustering, merged, ranking, scores.totals, clock.seconds
    )
    record["coverage"] = coverage.to_dict("records")
    record["warnings"] += tables.warnings
    if settings.crs is not None and regions is None:
        record["warnings"] += plane.warnings_of(located.locations.lon, located.locations.lat, settings.crs)
    if called and overrides:
        manifest.add_input(record, overrides.source, called.warnings)
    if people is not None:
        manifest.add_people(record, people, scores.order, rasters)
    if before is not None:
        with clock.stage("match"):
            now = places_of(locations)
            match = kinship(now, before.places, len(ranking), len(before.ranking)).match
            ranking = with_previous(ranking, before.ranking, match)
        manifest.add_previous(record, Edition("", ranking, now, record, None, []), before, match)
    if given is not None:
        told = given.warnings + (warnings_of(outlines) if regions is None else [])
        manifest.add_input(record, given.source, told)
    return Result(ranking, locations, deal_places, boundaries, coverage, organizations, partners, record)


def changed(settings: Settings | None, changes: dict[str, Any]) -> Settings:
    """Settings, the method's defaults where there are none, with some of them changed, by name."""
    if settings is None:
        settings = Settings()
    if not isinstance(settings, Settings):
        raise UsageError(
            f"settings must be Settings, not {type(settings).__name__}: give other inputs, and single settings, by name"
        )
    unknown = sorted(set(changes) - set(Settings.names()))
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]!r}: there are {', '.join(Settings.names())}")
    return replace(settings, **changes)


def named(
    tables: Tables | Inputs,
    located: Located,
    placed: Overlay | None,
    members: Members,
    order: NDArray[np.int64],
    totals: dict[str, float],
    overrides: Overrides | None,
) -> Named:
    """Names of the clusters from the packaged gazetteer; ``order`` (k,) lists them by rank."""
    rows = [(tables.patents, located.patents), (tables.publications, located.publications)]
    points = points_of(rows, located.locations, tables.deals, placed, members, totals)
    return name_clusters(
        *(points, members.clusters, order.tolist(), overrides),
        towns=lambda: _places(towns),
        smaller=lambda: _places(gazetteer),
    )


@cache
def _places(read: Callable[[], pd.DataFrame]) -> Places:
    """Places of a packaged gazetteer, made ready once a process."""
    return places_from(read())


def _polygons(regions: Any, settings: Settings) -> Regions:
    """The polygons that the user brings."""
    from gpu_clusters.io.regions import read_regions

    if regions is not None:
        return read_regions(regions, "regions", settings.region_name)
    if not os.path.exists(settings.boundary):  # noqa: PTH110 - a name that is too long is no file either
        raise InputError(
            f"boundary {settings.boundary!r} is neither area, hull or concave nor a file that exists; check the path"
        )
    return read_regions(settings.boundary, "boundary")


def _look_at(rasters: Any) -> None:
    """Refuse rasters that cannot be opened, before the tables are read."""
    from gpu_clusters.io.rasters import open_rasters

    with open_rasters(rasters):
        pass


def _people(
    source: Any,
    locations: Locations,
    members: Members,
    settings: Settings,
    clock: Clock,
    chosen: backend.Backend,
    polygons: Any,
) -> tuple[People, list[InputFile]]:
    """The people of each cluster, in ``polygons`` where they replace the areas, and the rasters that were read."""
    from gpu_clusters.io.cells import cells_in, cells_near
    from gpu_clusters.io.mosaic import Mosaic
    from gpu_clusters.io.rasters import open_rasters

    lon, lat = locations.lon[members.place], locations.lat[members.place]
    with open_rasters(source, digest=True) as (rasters, inputs):
        grids, tell = [raster.grid for raster in rasters], partial(clock.tell, "population")
        if polygons is not None:
            cells = cells_in(Mosaic(rasters), polygons)
            return count_people_in(cells, grids, polygons, tell, chosen.inside, chosen.counting), inputs()
        cells = cells_near(Mosaic(rasters), lon, lat, settings.area_degrees)
        areas = (lon, lat, members.cluster, members.clusters, settings.area_degrees)
        return count_people(cells, grids, *areas, tell, chosen.counting), inputs()
