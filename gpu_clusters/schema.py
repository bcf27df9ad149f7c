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

BOUNDARIES = ("cluster_id", "rank", "name", "geometry")

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

COMPARISON = (
    "status",
    "cluster_id",
    "previous_cluster_id",
    "name",
    "previous_name",
    "economies",
    "rank",
    "previous_rank",
    "rank_change",
    "total_share",
    "previous_total_share",
    "total_share_change",
    "patent_share_change",
    "publication_share_change",
    "deal_share_change",
    "moved_by",
    "patent_share",
    "previous_patent_share",
    "publication_share",
    "previous_publication_share",
    "deal_share",
    "previous_deal_share",
    "intensity_rank",
    "previous_intensity_rank",
    "intensity_rank_change",
    "came_from_id",
    "went_to_id",
    "overlap_pct",
    "previous_overlap_pct",
    "lon",
    "lat",
)

PARTS = ("previous_cluster_id", "previous_rank", "previous_name", "cluster_id", "rank", "name", "weight_pct")

WHOLE_COLUMNS = frozenset(
    name
    for name in (*RANKING, *LOCATIONS, *COMPARISON)
    if name.endswith(("rank", "rank_change", "_id", "locations", "_deals"))
    or name in ("inventors", "authors", "weight", "density_at")
)
TEXT_COLUMNS = frozenset(
    {"name", "economies", "top_applicant", "top_organization", "status", "previous_name", "moved_by"}
)
"""Columns of a result's tables that hold whole numbers (int64) and texts; "core" is bool, the others are float64."""

SWEEP_SETTINGS = (
    "weighting",
    "radius_km",
    "density",
    "clusters",
    "core_locations",
    "locations",
    "patent_share",
    "publication_share",
    "deal_share",
    "matched",
    "adjusted_rand",
    "kendall_tau",
)

SWEEP_CLUSTERS = (
    "weighting",
    "radius_km",
    "density",
    "rank",
    "patents",
    "publications",
    "deals",
    "patent_share",
    "publication_share",
    "deal_share",
    "total_share",
    "baseline_cluster_id",
    "lon",
    "lat",
)

STABILITY = (
    "cluster_id",
    "rank",
    "label",
    "patents",
    "publications",
    "deals",
    "total_share",
    "best_rank",
    "quartile_1_rank",
    "median_rank",
    "quartile_3_rank",
    "worst_rank",
    "matched",
    "kept",
    "splits",
    "swallowed",
    "robustness",
    "lon",
    "lat",
)

NOISE = -1
WORLD = "World"
