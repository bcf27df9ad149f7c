"""What was found beside what is published."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

from gpu_clusters.world.published import MISPRINTS, published, read

_COLUMNS = {
    "top100.csv": {
        "name": "name",
        "rank": "rank",
        "economy": "economies",
        "pct_applications": "patents",
        "publications": "publications",
        "vc_deals": "deals",
        "share_pct": "patent_share",
        "share_publications": "publication_share",
        "share_vc": "deal_share",
        "total_share": "total_share",
        "previous_rank": "previous_rank",
        "rank_change": "rank_change",
        "rank_old_methodology": "rank_without_deals",
    },
    "intensity.csv": {
        "rank": "intensity_rank",
        "population": "population",
        "pct_per_million": "patents_per_million",
        "publications_per_million": "publications_per_million",
        "vc_deals_per_million": "deals_per_million",
        "intensity": "intensity",
        "rank_change": "intensity_rank_change",
    },
    "leaders.csv": {"top_applicant": "top_applicant", "top_organization": "top_organization"},
}
"""Columns of the published tables and of a ranking."""

SIGNIFICANT = 6  # digits of the printed counts
SHOWN = ("total_share", "rank_without_deals", "previous_rank", "intensity", "intensity_rank")


def differences(ranking: pd.DataFrame) -> pd.DataFrame:
    """Where a ranking differs from the published one, to the last printed digit.

    Parameters
    ----------
    ranking : DataFrame
        By rank, in the columns of ``schema.RANKING``.

    Returns
    -------
    DataFrame
        ``rank``, ``cluster``, ``column``, ``published``, ``reproduced`` (as texts); no rows if all is as published. The chapter's
        two misprints are corrected.
    """
    wrong = []
    for number, row in printed().iterrows():
        found = ranking.iloc[number] if number < len(ranking) else None
        for column, value in row.items():
            value = None if pd.isna(value) else value
            if column == "cluster_id" or (value is None and column in _COLUMNS["leaders.csv"]):
                continue
            text = None if found is None else as_printed(found[column], str(column), value)
            if text != value:
                wrong.append((number + 1, row["name"], column, value, text))
    columns = ["rank", "cluster", "column", "published", "reproduced"]
    return pd.DataFrame(wrong, columns=columns, dtype=object)


def printed() -> pd.DataFrame:
    """The published tables by rank, as texts in the columns of a ranking; missing where nothing is printed."""
    tables = [read(name)[["cluster_id", *columns]].rename(columns=columns) for name, columns in _COLUMNS.items()]
    result = tables[0]
    for table in tables[1:]:
        result = result.merge(table, on="cluster_id", how="left")
    corrected = result["cluster_id"].map({key: str(rank) for key, rank in MISPRINTS.items()})
    result["intensity_rank"] = corrected.where(corrected.notna(), result["intensity_rank"])
    result["name"] = result["name"].str.replace("-", "–")
    result["economies"] = result["economies"].str.rstrip("*")
    return result


def as_printed(value: Any, column: str, like: str | None) -> str | None:
    """A value of a ranking as the chapter prints it, with the decimals of ``like``."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, str):
        return value.replace("-", "–") if column == "name" else value
    number = Decimal(str(round(float(value), 9)))
    if column in ("patents", "publications"):  # printed with six digits, zeros after them
        digits = max(0, min(2, SIGNIFICANT - 1 - number.adjusted())) if number else 2
        number = number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    decimals = len(like.partition(".")[2]) if like else 2
    return str(number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def coverage_differences(coverage: pd.DataFrame) -> pd.DataFrame:
    """Where a coverage table differs from the published percentages by more than printing and one row or document.

    Parameters
    ----------
    coverage : DataFrame
        In the columns of ``schema.COVERAGE``.
    """
    table = coverage.merge(published().coverage, on=["table", "country"], suffixes=("", "_published"))
    wrong = []
    for row in table.to_dict("records"):
        for name, all_of, covered in (
            ("rows_pct", "rows", "geocoded"),
            ("documents_pct", "documents", "documents_covered"),
        ):
            meant = row[all_of] * row[f"{name}_published"] / 100
            if abs(row[covered] - meant) > max(1.0, 0.0005 * row[all_of]):
                wrong.append((row["table"], row["country"], name, row[f"{name}_published"], row[name]))
    return pd.DataFrame(wrong, columns=["table", "country", "column", "published", "reproduced"])


def side_by_side(ranking: pd.DataFrame, count: int) -> pd.DataFrame:
    """Published and reproduced values of the first clusters, "14.28 | 14.28", in the columns `SHOWN`."""
    rows = []
    for number, row in printed().head(count).iterrows():
        found = ranking.iloc[number]
        cells = {"rank": row["rank"], "cluster": f"{row['name']} | {as_printed(found['name'], 'name', None) or ''}"}
        if row["name"] == as_printed(found["name"], "name", None):
            cells["cluster"] = row["name"]
        for column in SHOWN:
            value = as_printed(found[column], column, None if pd.isna(row[column]) else row[column])
            cells[column] = f"{'–' if pd.isna(row[column]) else row[column]} | {value or '–'}"
        rows.append(cells)
    return pd.DataFrame(rows)
