"""The tables of a run: read, and then located."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gpu_clusters.clock import Clock
from gpu_clusters.io import read_deals
from gpu_clusters.io.gazetteer import towns
from gpu_clusters.io.model import Addresses, Deals, Rows, TableRead
from gpu_clusters.settings import Settings
from gpu_clusters.steps import misplaced
from gpu_clusters.steps.locate import Located, locate


@dataclass(frozen=True, eq=False)
class Tables:
    """What was read of each table, None for those that are not there.

    ``warnings``, known once they are located, are of coordinates that do not go with their countries.
    """

    of_patents: TableRead[Addresses] | None
    of_publications: TableRead[Addresses] | None
    of_deals: TableRead[Deals] | None
    warnings: tuple[str, ...] = ()

    @property
    def patents(self) -> Addresses | None:
        return None if self.of_patents is None else self.of_patents.data

    @property
    def publications(self) -> Addresses | None:
        return None if self.of_publications is None else self.of_publications.data

    @property
    def deals(self) -> Deals | None:
        return None if self.of_deals is None else self.of_deals.data

    @property
    def reads(self) -> list[TableRead]:
        """Those that are there."""
        return [read for read in (self.of_patents, self.of_publications, self.of_deals) if read is not None]


def read_tables(
    read_addresses: Callable[..., TableRead[Addresses]],
    patents: Any,
    publications: Any,
    deals: Any,
    settings: Settings,
    clock: Clock,
) -> Tables:
    """Read those tables that are not None, with the columns and years of the settings, each in a stage of its own."""

    def read(reader: Callable[..., TableRead[Rows]], table: str, *given: Any) -> TableRead[Rows] | None:
        with clock.stage(f"read {table}"):
            if given[0] is None:
                return None
            return reader(
                *given,
                columns=settings.columns.get(table),
                years=settings.years.get(table),
                progress=lambda _, part: clock.tell(f"read {table}", part),
            )

    return Tables(
        read(read_addresses, "patents", patents, "patents"),
        read(read_addresses, "publications", publications, "publications"),
        read(read_deals, "deals", deals),
    )


def locate_rows(tables: Tables, settings: Settings) -> tuple[Located, Tables]:
    """Locate the addresses; the tables then have no coordinates of them, which nothing needs any more, but warnings."""
    given = [(read.data, read.inputs[0].table) for read in tables.reads]
    warnings = [text for data, name in given for text in misplaced.at_zero(data, name)]
    warnings += [text for data, name in given if data.countries for text in misplaced.swapped(data, name, towns())]
    found = locate(tables.patents, tables.publications, settings)
    left = Tables(_located(tables.of_patents), _located(tables.of_publications), tables.of_deals, tuple(warnings))
    return found, left


def _located(read: TableRead[Addresses] | None) -> TableRead[Addresses] | None:
    return None if read is None else replace(read, data=read.data.without_coordinates())
