"""Names and order of the columns that come in and go out: one place for all of them."""

from __future__ import annotations

TABLES = ("patents", "publications", "deals")

REQUIRED: dict[str, tuple[str, ...]] = {
    "patents": ("doc_id", "lon", "lat"),
    "publications": ("doc_id", "lon", "lat"),
    "deals": ("lon", "lat"),
}

OPTIONAL: dict[str, tuple[str, ...]] = {
    "patents": ("country", "organization", "year", "fraction"),
    "publications": ("country", "organization", "year", "fraction"),
    "deals": ("deal_id", "country", "organization", "year", "deals"),
}

RANKING = (
    "cluster_id",
    "rank",
    "name",
    "economies",
    "patents",
    "publications",
    "deals",
    "patent_share",
    "publication_share",
    "deal_share",
    "total_share",
    "rank_without_deals",
    "previous_rank",
    "rank_change",
    "population",
    "patents_per_million",
    "publications_per_million",
    "deals_per_million",
    "intensity",
    "intensity_rank",
    "previous_intensity_rank",
    "intensity_rank_change",
    "top_applicant",
    "top_organization",
    "locations",
    "core_locations",
    "lon",
    "lat",
)

LOCATIONS = (
    "lon",
    "lat",
    "inventors",
    "authors",
    "weight",
    "density_at",
    "core",
    "cluster_id",
    "initial_cluster_id",
)

DEALS = ("lon", "lat", "deals", "cluster_id")

ORGANIZATIONS = ("cluster_id", "table", "place", "organization", "count")

PARTNERS = ("cluster_id", "partner_id", "patents", "publications")

COVERAGE = (
    "table",
    "country",
    "rows",
    "geocoded",
    "invalid",
    "rows_pct",
    "documents",
    "documents_covered",
    "documents_pct",
)

WHOLE_COLUMNS = frozenset(
    name
    for name in (*RANKING, *LOCATIONS)
    if name.endswith(("rank", "change", "_id", "locations", "_deals"))
    or name in ("inventors", "authors", "weight", "density_at")
)
TEXT_COLUMNS = frozenset({"name", "economies", "top_applicant", "top_organization"})
"""Columns of a result's tables that hold whole numbers (int64) and texts; "core" is bool, the others are float64."""

NOISE = -1
WORLD = "World"
