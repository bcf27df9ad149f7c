"""Every number in the tables of a report, computed again from the files of the result in plain Python."""

from __future__ import annotations

import csv
import json
import shutil
from importlib.resources import files
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reports import result, sweep

import gpu_clusters
from gpu_clusters import Settings, rank, report
from gpu_clusters.report.contents import of_result, read
from gpu_clusters.report.escape import one_line
from gpu_clusters.report.method import inputs, method, warnings
from gpu_clusters.report.ranges import with_ranges
from gpu_clusters.report.tables import movements

TOP = 5
SHARES = ("patent_share", "publication_share", "deal_share")
COUNTS = ("patents", "publications", "deals")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A result and the report on it; one cluster is of two economies, one of none, and people are no whole numbers."""
    home = tmp_path_factory.mktemp("numbers")
    found = result()
    found.ranking["economies"] = ["BR / PY", *found.ranking["economies"][1:-1], None]
    found.ranking["population"] += 0.75
    found.write(home / "result")
    report.write(home / "result", home / "report", sweep=sweep(home / "sweep", found.ranking), top=TOP, regions={})
    return home


@pytest.fixture(scope="module")
def ranking(made) -> list[dict[str, str]]:
    return rows(made / "result" / "ranking.csv")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(made: Path, name: str) -> list[dict[str, str]]:
    return rows(made / "report" / f"{name}.csv")


def label(row: dict[str, str]) -> str:
    name = one_line(row["name"])
    return "'" + name if name[0] in "=+-@" else name


def economies(row: dict[str, str]) -> list[str]:
    return row["economies"].split(" / ") if row["economies"] else []


def known() -> dict[str, dict[str, str]]:
    text = (files("gpu_clusters.report") / "data" / "economies.csv").read_text(encoding="utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}


def total(rows: list[dict[str, str]], column: str) -> float:
    return sum(float(row[column]) for row in rows)


def test_main_and_extended_ranking(made, ranking):
    assert len(ranking) == 12
    for name, expected in (("top", ranking[:TOP]), ("beyond", ranking[TOP:])):
        shown = table(made, name)
        assert [row["label"] for row in shown] == [label(row) for row in expected]
        for column in set(shown[0]) - {"label", "top_applicant", "top_organization"}:
            assert [row[column] for row in shown] == [row[column] for row in expected], column


def test_by_economy(made, ranking):
    names = known()
    first, number, leading, best = {}, {}, {}, {}
    for row in ranking:
        for code in economies(row):
            first.setdefault(code, row)
            number[code] = number.get(code, 0) + 1
            leading[code] = leading.get(code, 0) + (int(row["rank"]) <= TOP)
            best.setdefault(code, row["rank"])
    shown = table(made, "by-economy")
    assert [(row["economy"], row["rank"], row["label"], row["total_share"]) for row in shown] == [
        (names[code]["name"], row["rank"], label(row), row["total_share"]) for code, row in first.items()
    ]
    order = sorted(number, key=lambda code: (-leading[code], -number[code], int(best[code]), code))
    shown = table(made, "economies")
    assert [[row[c] for c in ("economy", "leading", "clusters", "best")] for row in shown] == [
        [names[code]["name"], str(leading[code]), str(number[code]), best[code]] for code in order
    ]


@pytest.mark.parametrize(("name", "field"), [("regions", "region"), ("income-groups", "income")])
def test_groups(made, ranking, name, field):
    names, groups = known(), {}
    for row in ranking:
        code = (economies(row) or [""])[0]
        groups.setdefault(names[code][field] if code in names else "Not classified", []).append(row)
    shown = {row["group"]: row for row in table(made, name)}
    assert set(shown) == set(groups)
    for group, members in groups.items():
        row = shown[group]
        assert int(row["clusters"]) == len(members) and row["best"] == members[0]["rank"]
        assert int(row["leading"]) == sum(int(member["rank"]) <= TOP for member in members)
        for column in (*SHARES, "total_share"):
            assert float(row[column]) == pytest.approx(total(members, column), rel=1e-12)
    order = [float(row["total_share"]) for row in table(made, name)]
    assert order == sorted(order, reverse=True)


def test_leaders_and_concentration(made, ranking):
    shown = table(made, "top-by-indicator")
    for column, share, (title, some) in zip(COUNTS, SHARES, groupby(shown, lambda row: row["indicator"]), strict=True):
        expected = sorted(ranking, key=lambda row: -float(row[column]))[:10]
        assert title == column.capitalize()
        assert [(row["label"], row["count"], row["share"], row["rank"]) for row in some] == [
            (label(row), row[column], row[share], row["rank"]) for row in expected if float(row[column])
        ]
    shown = {row["clusters"]: row for row in table(made, "concentration")}
    assert set(shown) == {f"Top {n} by {of}" for n in (1, 5, 10) for of in ("overall rank", "each indicator")} | {
        "All 12 clusters"
    }
    for share in SHARES:
        largest = sorted((float(row[share]) for row in ranking), reverse=True)
        for n in (1, 5, 10):
            assert float(shown[f"Top {n} by overall rank"][share]) == pytest.approx(total(ranking[:n], share))
            assert float(shown[f"Top {n} by each indicator"][share]) == pytest.approx(sum(largest[:n]))
        assert float(shown["All 12 clusters"][share]) == pytest.approx(total(ranking, share))


def test_intensity(made, ranking):
    expected = sorted(ranking, key=lambda row: int(row["intensity_rank"]))
    shown = table(made, "intensity")
    assert [row["intensity_rank"] for row in shown] == [row["intensity_rank"] for row in expected]
    for row, source in zip(shown, expected, strict=True):
        assert (row["label"], row["rank"]) == (label(source), source["rank"])
        assert row["population"] == source["population"]
        millions = float(source["population"]) / 1e6
        assert float(row["intensity"]) == pytest.approx(float(source["total_share"]) / millions)
        for column in COUNTS:
            assert float(row[f"{column}_per_million"]) == pytest.approx(float(source[column]) / millions)


def test_movements(made, ranking):
    shown = table(made, "movements")
    by = {kind: [row for row in shown if row["movement"] == kind] for kind in ("Rise", "Fall", "Entrant", "Leaver")}
    assert sum(map(len, by.values())) == len(shown)
    expected = {kind: set() for kind in by}
    for row in ranking:
        now, before = int(row["rank"]) <= TOP, row["previous_rank"] != "" and int(row["previous_rank"]) <= TOP
        if now and before and row["rank_change"] not in ("", "0"):
            expected["Rise" if int(row["rank_change"]) > 0 else "Fall"].add(row["rank"])
        if now != before:
            expected["Entrant" if now else "Leaver"].add(row["rank"])
    assert {kind: {row["rank"] for row in some} for kind, some in by.items()} == expected
    assert expected["Entrant"] and expected["Leaver"] and expected["Rise"] and expected["Fall"]


def test_coverage_and_stability(made, ranking):
    expected = {(row["table"].capitalize(), row["country"]): row for row in rows(made / "result" / "coverage.csv")}
    names, shown = known(), table(made, "coverage")
    codes = {names[code]["name"] if code in names else code: code for _, code in expected}
    assert len(shown) == len(expected)
    for row in shown:
        source = expected[row["table"], codes[row["country"]]]
        for column in ("rows", "invalid", "rows_pct", "documents", "documents_pct"):
            assert float(row[column]) == float(source[column]), column
    of_sweep = {(row["lon"], row["lat"]): row for row in rows(made / "sweep" / "stability.csv")}
    shown = {row["rank"]: row for row in table(made, "stability")}
    assert len(shown) == len(of_sweep) == 10
    for row in ranking:
        source = of_sweep.get((row["lon"], row["lat"]))
        if source:
            for column in ("best_rank", "median_rank", "worst_rank", "matched"):
                assert float(shown[row["rank"]][column]) == float(source[column])


def test_percentages_of_the_coverage_are_read_to_the_last_bit(made, tmp_path):
    """Read by pandas 2, every eighth would be its neighbour."""
    shutil.copytree(made / "result", tmp_path / "result")
    coverage, shares = (
        tmp_path / "result" / "coverage.csv",
        [100 * part / whole for whole in range(1, 40) for part in range(whole)],
    )
    heading = coverage.read_text(encoding="utf-8").splitlines()[0]
    lines = [heading, *(f"patents,NA,3,2,1,{share!r},1,1,{share!r}" for share in shares), "deals,,1,0,1,0.0,,,"]
    coverage.write_text("\n".join(lines), encoding="utf-8")
    found = read(tmp_path / "result").coverage
    assert found["rows_pct"].tolist() == [*shares, 0.0] and found["documents_pct"].tolist()[:-1] == shares
    assert found["country"].tolist() == ["NA"] * len(shares) + [""] and found["documents"].isna().sum() == 1


def test_ranges_where_the_sweep_has_other_clusters(made):
    """Two of the sweep's clusters in one of the result's: the first by rank counts; a place in none counts nowhere."""
    contents = read(made / "result", sweep=made / "sweep", top=TOP)
    places = contents.locations[contents.locations["cluster_id"] == 3][["lon", "lat"]].to_numpy()
    given = contents.stability.iloc[:3].copy()
    given["rank"], given["best_rank"] = [9, 4, 1], [8, 3, 1]
    given["lon"], given["lat"] = [places[0, 0], places[-1, 0], 0.0], [places[0, 1], places[-1, 1], 0.0]
    found = with_ranges(contents.__class__(**{**vars(contents), "stability": given}))
    assert found[["cluster_id", "best_rank"]].values.tolist() == [[3, 3]]


def test_a_previous_edition_tells_who_is_gone(tmp_path):
    """Ranks come from the edition that is named; its clusters that are no longer any are leavers without a rank."""
    then = pd.DataFrame({"doc_id": range(9), "lon": [10.0] * 4 + [20.0] * 3 + [30.0] * 2, "lat": 50.0, "country": "DE"})
    now = pd.DataFrame({"doc_id": range(7), "lon": [10.0] * 2 + [20.0] * 3 + [40.0] * 2, "lat": 50.0, "country": "DE"})
    rank(then, density=2, names=False).write(tmp_path / "then")
    today = rank(now, density=2, names=False)
    for contents in (
        of_result(today, previous=tmp_path / "then", top=3),
        of_result(today, previous=rank(then, density=2, names=False), top=3),
    ):
        assert contents.ranking["previous_rank"].tolist() == [2, 1, pd.NA]
        assert contents.ranking["rank_change"].tolist() == [1, -1, pd.NA]
        frame = movements(contents).frame
        assert frame[["movement", "label"]].values.tolist() == [
            ["Rise", "Cluster 1 (DE)"],
            ["Fall", "Cluster 2 (DE)"],
            ["Entrant", "Cluster 3 (DE)"],
            ["Leaver, no cluster any more", "Cluster 3 (DE)"],
        ]
        assert frame["previous_rank"].tolist() == [2, 1, pd.NA, 3] and frame["rank"].isna().tolist() == [False] * 3 + [
            True
        ]
    elsewhere = of_result(rank(now.assign(lat=10.0), density=2, names=False), previous=tmp_path / "then", top=1)
    assert movements(elsewhere).frame["movement"].tolist() == ["Entrant", "Leaver, no cluster any more"]
    report.write(elsewhere, tmp_path / "report", regions={})
    assert "no cluster any more" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_files_are_named_without_their_folders(made):
    contents = read(made / "result")
    names = ["/a/b/patents.parquet", "/a/c/patents.parquet", "/tmp/x/deals.csv", "patents", "C:\\data\\people.tif"]
    entries = [{"table": "t", "name": name, "rows": 1, "sha256": None} for name in names]
    texts = [f"{names[2]}: 3 rows", f"{names[0]}: 1 row", "population: none"]
    contents.manifest.update(inputs=entries, warnings=texts)
    assert [row[1] for row in inputs(contents)] == [
        "b/patents.parquet", "c/patents.parquet", "deals.csv", "patents", "people.tif",
    ]  # fmt: skip
    assert warnings(contents) == ["deals.csv: 3 rows", "b/patents.parquet: 1 row", "population: none"]


def test_the_method_is_that_of_the_run(made):
    contents = read(made / "result")
    settings = contents.manifest["settings"]
    assert "area 0.05 degrees around the members" in method(contents)[1]
    settings.update(boundary="/a/b/cities.geojson", crs="EPSG:3035", merge_km=None, years={"patents": [2019, 2023]})
    text = " ".join(method(contents))
    assert "boundary cities.geojson." in text and "15 km in EPSG:3035" in text and "no merging" in text
    assert "Years: patents 2019 to 2023." in text and "degrees" not in text
    settings.update(radius_km=12.3456789, density=1234567.0)
    assert "radius 12.3456789 km in EPSG:3035, density 1,234,567," in " ".join(method(contents))
    contents.manifest["inputs"].append({"table": "regions", "name": "x", "rows": 1, "sha256": None})
    assert "nothing is clustered" in " ".join(method(contents)) and "DBSCAN" not in " ".join(method(contents))


def test_a_sweep_around_another_setting_is_told(made):
    (made / "sweep" / "manifest.json").write_text(
        json.dumps({"grid": {"radii": [10, 20], "densities": [50, 4000], "baseline": [12, 100]}})
    )
    contents = read(made / "result", sweep=made / "sweep")
    assert any("baseline is 12 km and 100, the result's setting 15 km and 100" in text for text in warnings(contents))
    assert "Radius 10 to 20 km, density 50 to 4,000" in report.tables.stability(contents).notes[0]
    contents.grid.update(densities=[1000000.0], baseline=[15, 100.0001])
    assert "density 1,000,000; " in report.tables.stability(contents).notes[0]
    assert any("15 km and 100.0001, the result's setting 15 km and 100:" in text for text in warnings(contents))
    contents.grid.update(baseline=[15, 100], weightings=["raw", "inventor-equivalent"])
    assert any(
        "baseline is 15 km and 100, raw, the result's setting 15 km and 100, inv" in text for text in warnings(contents)
    )
    assert (
        "1,000,000, weighting raw, inventor-equivalent; matched with the clusters at 15 km and 100, raw."
        in (report.tables.stability(contents).notes[0])
    )
    contents.grid.update(weightings=["inventor-equivalent"])
    assert not any("baseline" in text for text in warnings(contents))
    assert (
        report.tables.stability(contents)
        .notes[0]
        .endswith("density 1,000,000; matched with the clusters at 15 km and 100.")
    )


def table_of(folder: Path, seed: int, **columns) -> str:
    rng = np.random.default_rng(seed)
    path = folder / f"{seed}.csv"
    places = {name: 10 + rng.integers(0, 3, 60) / 100 for name in ("lon", "lat")}
    pd.DataFrame({"doc_id": range(60), **places, "year": 2020, **columns}).to_csv(path, index=False)
    return str(path)


def of_a_sweep(folder: Path, *tables, settings: Settings | None = None, merge: bool = False) -> list[str]:
    gpu_clusters.sweep(
        *tables, radius_km=[15], density=[4, 8], settings=settings or Settings(), merge=merge, baseline=(15, 8)
    ).write(folder / "sweep", force=True)
    return warnings(read(folder / "result", sweep=folder / "sweep"))


def test_a_sweep_of_something_else_is_told(tmp_path):
    one, other, deals = table_of(tmp_path, 1), table_of(tmp_path, 2), table_of(tmp_path, 3)
    kept = Settings(density=8, years={"patents": (2019, 2021)})
    gpu_clusters.rank(one, deals=deals, settings=kept, names=False).write(tmp_path / "result")
    assert of_a_sweep(tmp_path, one, None, deals, settings=kept) == []
    note = report.tables.stability(read(tmp_path / "result", sweep=tmp_path / "sweep")).notes[0]
    assert note.endswith("and 8. The sweep merges no neighbours, the result does.")
    assert of_a_sweep(tmp_path, one, None, deals, settings=kept, merge=True) == []
    note = report.tables.stability(read(tmp_path / "result", sweep=tmp_path / "sweep")).notes[0]
    assert note.endswith("and 8.")
    told = "the sweep has other {} than the result: ranges of ranks may be of other data"
    copy = shutil.copy(one, tmp_path / "copy.csv")
    assert of_a_sweep(tmp_path, copy, None, deals, settings=kept) == []
    assert of_a_sweep(tmp_path, other, None, deals, settings=kept) == [told.format("patents")]
    assert of_a_sweep(tmp_path, one, other, deals, settings=kept) == [told.format("publications")]
    assert of_a_sweep(tmp_path, one, settings=kept) == [told.format("deals")]
    of_crs = Settings(years={"patents": (2019, None)}, crs="EPSG:3035", columns={"deals": {"country": "doc_id"}})
    assert of_a_sweep(tmp_path, one, None, deals, settings=of_crs) == [
        told.format(name) for name in ("names of columns", "years", "coordinates (crs)")
    ]


def test_a_sweep_of_tables_in_memory_is_told_by_their_rows(tmp_path):
    path = table_of(tmp_path, 1)
    frame = pd.read_csv(path)
    kept = Settings(density=8, years={"patents": (2019, 2021)})
    found = gpu_clusters.rank(frame, settings=kept, names=False)
    found.write(tmp_path / "result")
    assert of_a_sweep(tmp_path, path, settings=kept) == []
    assert warnings(of_result(found, sweep=tmp_path / "sweep")) == []  # years are a tuple there, a list in the file
    (told,) = of_a_sweep(tmp_path, frame.iloc[1:], settings=kept)
    assert told.startswith("the sweep has other patents than the result")
