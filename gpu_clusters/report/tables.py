"""The tables of a report, as data: what they show, how it is called, and what to know about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from gpu_clusters.report.contents import Contents, of_contents
from gpu_clusters.report.economies import SOURCE, codes, economy
from gpu_clusters.report.ranges import with_ranges
from gpu_clusters.texts import setting

INDICATORS = {"patents": "Patents", "publications": "Publications", "deals": "Deals"}
SHARE_OF = {"patents": "patent_share", "publications": "publication_share", "deals": "deal_share"}
EVERY_CLUSTER = "A cluster of several economies counts in each of them."
FIRST_ECONOMY = "A cluster of several economies counts where most of its output is."


@dataclass(frozen=True)
class Column:
    """A column: its name in the frame, its title, and its kind, a key of ``texts.FORMATS``."""

    name: str
    title: str
    kind: str = "text"


@dataclass(frozen=True, eq=False)
class Table:
    """A table to be written: ``key`` names its files; ``notes`` stand below it."""

    key: str
    title: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


RANK, LABEL = Column("rank", "Rank", "rank"), Column("label", "Cluster")
ECONOMIES = Column("economies", "Economies")
COUNTS = (
    Column("patents", "Patents", "count"),
    Column("publications", "Publications", "count"),
    Column("deals", "Deals", "count"),
)
SHARES = (
    Column("patent_share", "Patents, %", "share"),
    Column("publication_share", "Publications, %", "share"),
    Column("deal_share", "Deals, %", "share"),
)
TOTAL = Column("total_share", "Total share, %", "share")
CHANGES = (Column("previous_rank", "Previous rank", "rank"), Column("rank_change", "Change", "change"))
OWNERS = (Column("top_applicant", "Top applicant"), Column("top_organization", "Top organization"))


def indicators_said(clusters: pd.DataFrame) -> str:
    """The indicators of which the clusters have something, as in "patents and deals"; all where they have nothing."""
    there = [name for name, column in SHARE_OF.items() if (clusters[column].fillna(0) > 0).any()] or list(INDICATORS)
    return " and ".join(filter(None, (", ".join(there[:-1]), there[-1])))


def first_clusters(count: int) -> str:
    """How so many leading clusters are called in a title."""
    return "The first cluster" if count == 1 else f"The first {count} clusters"


@of_contents
def all_tables(contents: Contents) -> list[Table]:
    """All tables that have rows."""
    makers: Sequence[Callable[[Contents], Table]] = (
        top,
        beyond,
        by_economy,
        economies,
        intensity,
        top_by_indicator,
        concentration,
        regions,
        income_groups,
        movements,
        stability,
        coverage,
    )
    made = [maker(contents) for maker in makers]
    return [table for table in made if len(table.frame)]


@of_contents
def top(contents: Contents) -> Table:
    """The main ranking."""
    changes = CHANGES if contents.has("previous_rank") else ()
    columns = (
        RANK,
        LABEL,
        ECONOMIES,
        *COUNTS,
        *SHARES,
        TOTAL,
        Column("rank_without_deals", "Rank without deals", "rank"),
        *changes,
    )
    frame = contents.leading
    size = min(contents.top, len(frame))
    notes = ("Shares are percentages of the world's geocoded patents, publications and deals; the total is their sum.",)
    return _table("top", "Top cluster" if size == 1 else f"Top {size} clusters", columns, frame, notes)


@of_contents
def beyond(contents: Contents) -> Table:
    """The ranking from where the main one ends."""
    frame = contents.clusters[contents.clusters["rank"] > contents.top]
    return _table(
        "beyond", f"Clusters beyond the top {contents.top}", (RANK, LABEL, ECONOMIES, *COUNTS, TOTAL, *OWNERS), frame
    )


@of_contents
def by_economy(contents: Contents) -> Table:
    """The leading cluster of each economy."""
    frame = _by_each_economy(contents.clusters).drop_duplicates("code")
    columns = (Column("economy", "Economy"), RANK, LABEL, TOTAL, *OWNERS)
    return _table("by-economy", "Leading cluster of each economy", columns, frame, (EVERY_CLUSTER,))


@of_contents
def economies(contents: Contents) -> Table:
    """Economies by their number of clusters."""
    each = _by_each_economy(contents.clusters)
    each["leading"] = each["rank"] <= contents.top
    frame = (
        each.groupby(["code", "economy"], sort=False)
        .agg(leading=("leading", "sum"), clusters=("rank", "size"), best=("rank", "min"))
        .reset_index()
        .sort_values(["leading", "clusters", "best", "code"], ascending=[False, False, True, True])
    )
    columns = (
        Column("economy", "Economy"),
        Column("leading", f"In the top {contents.top}", "whole"),
        Column("clusters", "All clusters", "whole"),
        Column("best", "Best rank", "rank"),
    )
    return _table("economies", "Economies by number of clusters", columns, frame, (EVERY_CLUSTER,))


@of_contents
def intensity(contents: Contents) -> Table:
    """The ranking by total share per million people."""
    frame = contents.clusters[contents.clusters["intensity_rank"].notna()].sort_values("intensity_rank", kind="stable")
    changes = (
        (
            Column("previous_intensity_rank", "Previous rank", "rank"),
            Column("intensity_rank_change", "Change", "change"),
        )
        if contents.has("previous_intensity_rank")
        else ()
    )
    columns = (
        Column("intensity_rank", "Rank", "rank"),
        LABEL,
        ECONOMIES,
        Column("population", "Population", "whole"),
        Column("patents_per_million", "Patents per million", "count"),
        Column("publications_per_million", "Publications per million", "count"),
        Column("deals_per_million", "Deals per million", "count"),
        Column("intensity", "Intensity", "intensity"),
        Column("rank", "Rank by size", "rank"),
        *changes,
    )
    notes = (
        f"Of the first {contents.ranked_by_intensity} clusters. Intensity: total share (percent) per million people of the "
        "cluster's area.",
    )
    return _table("intensity", "Clusters by intensity", columns, frame, notes)


@of_contents
def top_by_indicator(contents: Contents, count: int = 10) -> Table:
    """The first clusters of each indicator."""
    frames = []
    for name, title in INDICATORS.items():
        ordered = _largest(contents.clusters, name, count)
        frames.append(
            pd.DataFrame(
                {
                    "indicator": title,
                    "place": range(1, len(ordered) + 1),
                    "label": ordered["label"],
                    "economies": ordered["economies"],
                    "count": ordered[name],
                    "share": ordered[SHARE_OF[name]],
                    "rank": ordered["rank"],
                }
            )
        )
    columns = (
        Column("indicator", "Indicator"),
        Column("place", "Place", "rank"),
        LABEL,
        ECONOMIES,
        Column("count", "Count", "count"),
        Column("share", "Share, %", "share"),
        Column("rank", "Overall rank", "rank"),
    )
    return _table("top-by-indicator", f"Top {count} clusters of each indicator", columns, pd.concat(frames))


@of_contents
def concentration(contents: Contents) -> Table:
    """What part of each indicator the first clusters hold."""
    clusters = contents.clusters
    sizes = [size for size in sorted({1, 10, 25, 50, 100, contents.top}) if size < len(clusters)]
    rows = []
    for size in sizes:
        leading = clusters.head(size)  # not more where several share a rank
        rows.append((f"Top {size} by overall rank", *(leading[share].sum() for share in SHARE_OF.values())))
    for size in sizes:
        own = (_largest(clusters, name, size)[share].sum() for name, share in SHARE_OF.items())
        rows.append((f"Top {size} by each indicator", *own))
    if len(clusters):
        rows.append(
            (
                f"All {len(clusters):,} clusters" if len(clusters) > 1 else "The only cluster",
                *(clusters[share].sum() for share in SHARE_OF.values()),
            )
        )
    frame = pd.DataFrame(rows, columns=["clusters", *SHARE_OF.values()])
    return _table(
        "concentration", "Shares of the world by number of clusters", (Column("clusters", "Clusters"), *SHARES), frame
    )


@of_contents
def regions(contents: Contents) -> Table:
    """Clusters and shares by region of the world."""
    return _by_group(contents, "region", "regions", "Clusters by region", "Region")


@of_contents
def income_groups(contents: Contents) -> Table:
    """Clusters and shares by income group of the economy."""
    return _by_group(contents, "income", "income-groups", "Clusters by income group", "Income group")


@of_contents
def movements(contents: Contents, count: int = 10) -> Table:
    """Largest rises and falls, entrants to the top and leavers from it, against the previous edition."""
    clusters = contents.clusters
    columns = (Column("movement", "Movement"), RANK, LABEL, ECONOMIES, *CHANGES, TOTAL)
    if not contents.has("previous_rank") and contents.gone is None:
        return _table("movements", "", columns, clusters.iloc[:0].assign(movement=""))
    previous, change = clusters["previous_rank"], clusters["rank_change"]
    now, before = clusters["rank"] <= contents.top, (previous <= contents.top).fillna(False).astype(bool)
    moved = clusters[now & before & change.notna().to_numpy(bool)]
    groups = {
        "Rise": moved[moved["rank_change"] > 0].sort_values("rank_change", ascending=False, kind="stable").head(count),
        "Fall": moved[moved["rank_change"] < 0].sort_values("rank_change", kind="stable").head(count),
        "Entrant": clusters[now & ~before],
        "Leaver": clusters[~now & before],
    }
    said = (
        f"The {count} largest rises and falls within the top {contents.top}; who has entered it and who has left it. "
    )
    if contents.gone is None:
        said += "Clusters of the previous edition that are no cluster any more are not listed."
    else:
        groups["Leaver, no cluster any more"] = contents.gone[contents.gone["previous_rank"] <= contents.top]
        said += "Clusters without a rank are no cluster any more."
    moves = [rows.assign(movement=name) for name, rows in groups.items() if len(rows)]
    frame = pd.concat(moves) if moves else clusters.iloc[:0]
    frame = frame.reindex(columns=[column.name for column in columns])
    notes = (said,)
    return _table("movements", "Movements since the previous edition", columns, frame, notes)


@of_contents
def stability(contents: Contents) -> Table:
    """Ranks of the clusters over the settings of a sweep."""
    columns = (
        RANK,
        LABEL,
        Column("best_rank", "Best", "rank"),
        Column("median_rank", "Median", "median"),
        Column("worst_rank", "Worst", "rank"),
        Column("matched", "Settings found in", "whole"),
    )
    frame = with_ranges(contents)
    notes = ("Ranks of the same cluster at other radii and densities." + _grid(contents),)
    return _table("stability", "Ranks over the settings of the sweep", columns, frame, notes)


@of_contents
def coverage(contents: Contents) -> Table:
    """How much of each country's rows and documents could be placed."""
    given = contents.coverage
    frame = given.assign(
        table=given["table"].map(INDICATORS),
        country=[economy(code).name if code else "Unknown" for code in given["country"]],
    )
    columns = (
        Column("table", "Table"),
        Column("country", "Economy"),
        Column("rows", "Addresses", "whole"),
        Column("rows_pct", "Geocoded, %", "percent"),
        Column("invalid", "Invalid", "whole"),
        Column("documents", "Documents", "count"),
        Column("documents_pct", "Covered, %", "percent"),
    )
    notes = (
        "A document is covered if one of its addresses is geocoded. The rows and deals of the table Deals are places of deals.",
    )
    order = frame.assign(world=given["country"] != "World").sort_values(
        ["table", "world", "rows"], ascending=[True, True, False], kind="stable"
    )
    return _table("coverage", "Coverage of the input", columns, order, notes)


def _grid(contents: Contents) -> str:
    """Which settings a sweep went through, as far as it says so."""
    grid = contents.grid
    if not grid:
        return ""
    axes = [(grid["radii"], " km"), (grid["densities"], "")]
    radii, densities = (
        f"{setting(min(values))}{unit}"
        if len(values) == 1
        else f"{setting(min(values))} to {setting(max(values))}{unit}"
        for values, unit in axes
    )
    radius, density = grid["baseline"]
    first, *others = grid.get("weightings") or [""]
    weightings = f", weighting {', '.join([first, *others])}" if others else ""
    return (
        f" Radius {radii}, density {densities}{weightings}; matched with the clusters at {setting(radius)} km and "
        f"{setting(density)}{f', {first}' if others else ''}.{_unmerged(contents)}"
    )


def _unmerged(contents: Contents) -> str:
    """That only the result has merged clusters, where it is so."""
    here, there = contents.manifest.get("settings", {}), contents.sweep.get("settings", {})
    merged = here.get("merge_km") is not None and "merge_km" in there and there["merge_km"] is None
    return " The sweep merges no neighbours, the result does." if merged else ""


def _by_each_economy(clusters: pd.DataFrame) -> pd.DataFrame:
    each = clusters.assign(code=[codes(value) for value in clusters["economies"]]).explode("code")
    each = each[each["code"].notna()]
    return each.assign(economy=[economy(code).name for code in each["code"]])


def _by_group(contents: Contents, field: str, key: str, title: str, heading: str) -> Table:
    clusters = contents.clusters
    first = [economy((codes(value) or [""])[0]) for value in clusters["economies"]]
    frame = (
        clusters.assign(group=[getattr(one, field) for one in first], leading=clusters["rank"] <= contents.top)
        .groupby("group")
        .agg(
            leading=("leading", "sum"),
            clusters=("rank", "size"),
            best=("rank", "min"),
            **{name: (name, "sum") for name in (*SHARE_OF.values(), "total_share")},
        )
        .reset_index()
        .sort_values(["total_share", "group"], ascending=[False, True])
    )
    columns = (
        Column("group", heading),
        Column("leading", f"In the top {contents.top}", "whole"),
        Column("clusters", "All clusters", "whole"),
        Column("best", "Best rank", "rank"),
        *SHARES,
        TOTAL,
    )
    return _table(key, title, columns, frame, (f"Groups: {SOURCE}. {FIRST_ECONOMY}",))


def _largest(clusters: pd.DataFrame, column: str, count: int) -> pd.DataFrame:
    ordered = clusters.sort_values(column, ascending=False, kind="stable")
    return ordered[ordered[column] > 0].head(count)


def _table(
    key: str, title: str, columns: tuple[Column, ...], frame: pd.DataFrame, notes: tuple[str, ...] = ()
) -> Table:
    return Table(key, title, columns, frame[[column.name for column in columns]].reset_index(drop=True), notes)
