"""Tables of reports: their numbers, their economies, and names in every format."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pandas as pd
import pytest
from reports import NAMES

from gpu_clusters import texts
from gpu_clusters.report import economies, escape, files, tables


def test_numbers_of_the_tables(found, contents):
    ranking = found.ranking
    made = {table.key: table.frame for table in tables.all_tables(contents)}
    assert made["top"]["label"].tolist() == list(NAMES[:10]) and made["beyond"]["label"].tolist() == list(NAMES[10:])
    assert made["economies"][["economy", "leading", "clusters"]].values.tolist()[:2] in (
        [["China", 2, 2], ["United States", 2, 2]],
        [["United States", 2, 2], ["China", 2, 2]],
    )
    assert made["economies"]["clusters"].sum() == 12 and made["by-economy"]["economy"].is_unique
    for key in ("regions", "income-groups"):
        assert made[key]["clusters"].sum() == 12
        assert made[key]["total_share"].sum() == pytest.approx(ranking["total_share"].sum())
    whole = made["concentration"].set_index("clusters")
    assert whole.loc["Top 10 by overall rank", "deal_share"] == pytest.approx(ranking["deal_share"][:10].sum())
    assert whole.loc["Top 10 by each indicator", "deal_share"] == pytest.approx(
        ranking["deal_share"].sort_values(ascending=False)[:10].sum()
    )
    assert whole.loc["All 12 clusters", "patent_share"] == pytest.approx(ranking["patent_share"].sum())
    moved = made["movements"]
    assert moved[moved["movement"] == "Entrant"]["rank"].tolist() == [7]
    assert moved[moved["movement"] == "Leaver"]["rank"].tolist() == []
    changes = sorted(ranking["rank_change"][:10].dropna())
    assert moved[moved["movement"] == "Rise"]["rank_change"].tolist() == [c for c in changes[::-1] if c > 0]
    assert moved[moved["movement"] == "Fall"]["rank_change"].tolist() == [c for c in changes if c < 0]
    first = made["top-by-indicator"].query("indicator == 'Deals'")
    assert first["count"].tolist() == ranking["deals"].sort_values(ascending=False)[:10].tolist()
    assert made["intensity"]["intensity_rank"].tolist() == sorted(ranking["intensity_rank"])


def test_headings_of_the_tables(contents):
    with_changes = contents.ranking.assign(previous_intensity_rank=1, intensity_rank_change=0)
    made = tables.all_tables(replace(contents, ranking=with_changes))
    counts, shares = "Patents, Publications, Deals", "Patents, %, Publications, %, Deals, %"
    groups = f"In the top 10, All clusters, Best rank, {shares}, Total share, %"
    changes, owners = "Previous rank, Change", "Top applicant, Top organization"
    assert {table.key: ", ".join(column.title for column in table.columns) for table in made} == {
        "top": f"Rank, Cluster, Economies, {counts}, {shares}, Total share, %, Rank without deals, {changes}",
        "beyond": f"Rank, Cluster, Economies, {counts}, Total share, %, {owners}",
        "by-economy": f"Economy, Rank, Cluster, Total share, %, {owners}",
        "economies": "Economy, In the top 10, All clusters, Best rank",
        "intensity": "Rank, Cluster, Economies, Population, Patents per million, Publications per million, Deals per million, "
        f"Intensity, Rank by size, {changes}",
        "top-by-indicator": "Indicator, Place, Cluster, Economies, Count, Share, %, Overall rank",
        "concentration": f"Clusters, {shares}",
        "regions": f"Region, {groups}",
        "income-groups": f"Income group, {groups}",
        "movements": f"Movement, Rank, Cluster, Economies, {changes}, Total share, %",
        "stability": "Rank, Cluster, Best, Median, Worst, Settings found in",
        "coverage": "Table, Economy, Addresses, Geocoded, %, Invalid, Documents, Covered, %",
    }


def test_a_cluster_of_several_economies_counts_in_each(contents):
    clusters = contents.ranking.assign(economies=["CN / HK", *contents.ranking["economies"][1:]])
    changed = replace(contents, ranking=clusters)
    table = tables.by_economy(changed).frame.set_index("economy")
    assert table.loc["Hong Kong", "rank"] == 1 and table.loc["China", "rank"] == 1
    assert tables.regions(changed).frame["clusters"].sum() == 12


def test_as_many_leaders_as_there_are_clusters_are_all_clusters(contents):
    ten = replace(contents, ranking=contents.ranking.head(10), top=10)
    rows = tables.concentration(ten).frame["clusters"].tolist()
    assert rows == ["Top 1 by overall rank", "Top 1 by each indicator", "All 10 clusters"]


def test_of_equal_leaders_of_an_indicator_the_first_by_rank_is_first():
    clusters = pd.DataFrame({"rank": range(1, 101), "deals": [1.0, 2.0] * 50})
    expected = [*range(2, 101, 2), *range(1, 101, 2)][:60]
    assert tables._largest(clusters, "deals", 60)["rank"].tolist() == expected


def test_without_a_previous_edition_nobody_is_an_entrant(contents):
    none = pd.array([None] * len(contents.ranking), dtype="Int64")
    alone = replace(contents, ranking=contents.ranking.assign(previous_rank=none, rank_change=none))
    assert len(tables.movements(contents).frame) and not len(tables.movements(alone).frame)


def test_the_coverage_has_the_world_first_and_then_the_countries_with_most_rows(contents):
    rows = {"table": ["publications", "patents", "patents", "patents", "patents", "deals"], "rows": [9, 4, 5, 7, 16, 1]}
    given = pd.DataFrame(rows | {"country": ["World", "FR", "", "NA", "World", "World"]})
    given = given.assign(rows_pct=50.0, invalid=0, documents=1.0, documents_pct=50.0)
    shown = tables.coverage(replace(contents, coverage=given.sample(frac=1, random_state=3))).frame
    assert shown[["table", "country", "rows"]].values.tolist() == [
        ["Deals", "World", 1],
        ["Patents", "World", 16],
        ["Patents", "Namibia", 7],
        ["Patents", "Unknown", 5],
        ["Patents", "France", 4],
        ["Publications", "World", 9],
    ]


def test_economies():
    assert economies.economy("KR") == ("KR", "Republic of Korea", "East Asia & Pacific", "High income")
    assert economies.economy("NA").name == "Namibia" and economies.economy("IN").income == "Lower middle income"
    assert economies.economy("ZZ") == ("ZZ", "ZZ", "Not classified", "Not classified")
    assert economies.economy("") == ("", "Unknown", "Not classified", "Not classified") and economies.codes("") == []
    assert economies.names("CN / HK") == "China, Hong Kong" and economies.codes(None) == []


def test_texts_of_numbers():
    assert [texts.count(v) for v in (0, 12.345, 100.4, 1234567.0, float("nan"), pd.NA)] == [
        "0",
        "12.3",
        "100",
        "1,234,567",
        "",
        "",
    ]
    assert [texts.count(v) for v in (99.96, 11.98, 0.04, 101.47)] == ["100", "12", "0", "101"]  # as the page has them
    assert [texts.intensity(v) for v in (0.12345, 0.000123456, 98.76, 12345.6)] == [
        "0.123",
        "0.000123",
        "98.8",
        "12,300",
    ]
    assert [texts.whole(v) for v in (0, 12345, 999.6)] == ["0", "12,345", "1,000"]
    assert (texts.share(2.345678), texts.share(0), texts.percent(99.96)) == ("2.35", "0.00", "100.0")
    assert texts.setting(1234567.012345) == "1,234,567.012345"
    assert (texts.setting(4500.0), texts.setting(0.05), texts.setting(1e6)) == ("4,500", "0.05", "1,000,000")
    for form in texts.FORMATS.values():
        assert [form(nothing) for nothing in (float("nan"), pd.NA, None)] == [""] * 3, form
    assert (texts.median(150.5), texts.median(12.0)) == ("150.5", "12")
    assert texts.text("São Paulo") == "São Paulo"
    assert [texts.change(v) for v in (3, -2, 0, pd.NA)] == ["+3", "\N{MINUS SIGN}2", "0", ""]


def test_each_kind_of_column_has_its_own_texts():
    columns = tuple(tables.Column("value", kind, kind) for kind in texts.FORMATS)
    values = pd.DataFrame({"value": [1234.5678, 12.345, -12.0]})
    shown = files.shown(tables.Table("key", "Title", columns, values))
    kinds = ["text", "rank", "whole", "count", "share", "percent", "intensity", "change", "median"]
    assert [dict(zip(texts.FORMATS, row, strict=True)) for row in shown] == [
        dict(zip(kinds, row, strict=True))
        for row in (
            ["1234.5678", "1,234", "1,235", "1,235", "1234.57", "1234.6", "1,230", "+1234", "1,234.5678"],
            ["12.345", "12", "12", "12.3", "12.35", "12.3", "12.3", "+12", "12.345"],
            ["-12.0", "-12", "-12", "-12", "-12.00", "-12.0", "-12", "\N{MINUS SIGN}12", "-12"],
        )
    ]


def test_csv(contents):
    rows = list(csv.DictReader(io.StringIO(files.as_csv(tables.top(contents)))))
    assert [row["label"].removeprefix("'") for row in rows] == [escape.one_line(name) for name in NAMES[:10]]
    assert rows[5]["label"].startswith("'=")
    assert [float(row["total_share"]) for row in rows] == contents.ranking["total_share"][:10].tolist()


def test_markdown(contents):
    text = files.as_markdown(tables.top(contents), ["a < b"])
    assert "<" not in text and "São Paulo" in text and "深圳" in text
    cells = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in cells} == {len(tables.top(contents).columns) + 1}


def test_latex_of_names():
    assert escape.latex("São Ürümqi Łódź & 5_%") == r"S\~{a}o \"{U}r\"{u}mqi \L{}\'{o}d\'{z} \& 5\_\%"
    assert escape.latex("Malmö–Đà Nẵng") == r"Malm\"{o}\textendash{}\DJ{}\`{a} N\~{\u{a}}ng"
    assert escape.latex("a\\b") == r"a\textbackslash{}b" and escape.latex("i\u0301") == r"\'{\i}"
    assert escape.beyond_latex(escape.latex("深Пa")) == ["П", "深"]
