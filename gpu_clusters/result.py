"""The result of a run: tables for the eyes, and a record of how they came about."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import pandas as pd

from gpu_clusters.wording import counted, with_warnings

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Ranked clusters and all that belongs to them.

    Attributes
    ----------
    ranking : DataFrame
        One row a cluster, by rank; columns of ``schema.RANKING``.
    locations : DataFrame
        One row a distinct place of an address, in (lat, lon) order; columns of ``schema.LOCATIONS``.
    deals : DataFrame
        One row a distinct place of deals, in (lat, lon) order; columns of ``schema.DEALS``.
    boundaries : GeoDataFrame
        The clusters' polygons by rank (WGS 84 degrees, None where a cluster has none); columns of ``schema.BOUNDARIES``.
    coverage : DataFrame
        How many rows and documents of each country and table could be placed (the documents of deals are the deals); columns of
        ``schema.COVERAGE``.
    organizations : DataFrame
        Applicants and organizations of each cluster with the largest counts; columns of ``schema.ORGANIZATIONS``.
    partners : DataFrame
        Documents with addresses in two clusters, by pair; columns of ``schema.PARTNERS``.
    manifest : dict
        Settings, inputs, totals, versions, device and engine, timings in seconds, and ``warnings``: a list of texts, which the
        program prints and Python does not.
    """

    ranking: pd.DataFrame
    locations: pd.DataFrame
    deals: pd.DataFrame
    boundaries: GeoDataFrame
    coverage: pd.DataFrame
    organizations: pd.DataFrame
    partners: pd.DataFrame
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        found = f"Result: {counted(len(self.ranking), 'cluster')} of {counted(len(self.locations), 'location')}"
        return with_warnings(found, self.manifest.get("warnings", []))

    def write(self, out: str | PathLike[str], *, force: bool = False) -> None:
        """Write all files of the result into the folder ``out``: together, or none of them.

        Parameters
        ----------
        out : path
            Folder; made where it is missing.
        force : bool
            Replace what an earlier run left there. Without it a folder that is not empty is an error.

        Raises
        ------
        UsageError
            The folder is not empty and ``force`` is false, or a file that the result is made from would be replaced or removed.
        """
        from gpu_clusters.io.results import write_result

        write_result(self, out, force=force)
