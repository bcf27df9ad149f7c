"""What the tables of the command line say, and on how wide a screen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from gpu_clusters_cli import output
from rich.console import Console

RANKING = pd.DataFrame(
    {
        "rank": [1, 2, 3],
        "name": ["Paris", None, "Rome"],
        "economies": ["FR", "DE / FR", None],
        "patents": [1234.5, 99.94, 3.0],
        "publications": [100.4, 0.25, 0.0],
        "deals": [7.0, 12.0, 1000.0],
        "total_share": [12.345, 1.0, 0.004],
        "population": [2_000_000.0, np.nan, 45.5],
        "intensity": [12345.6, np.nan, 0.123456],
        "intensity_rank": pd.array([1, None, None], dtype="Int64"),
        "previous_rank": pd.array([3, 2, None], dtype="Int64"),
        "rank_change": pd.array([2, 0, None], dtype="Int64"),
        "top_applicant": ["A", None, "C"],
        "top_organization": ["O", "P", None],
        "lat": [48.856, 52.5, np.nan],
        "lon": [2.352, 13.4, np.nan],
    }
)
AMOUNTS, PLACES, OWNERS = ["patents", "publications", "deals"], ["lat, lon"], ["top applicant", "top organization"]


@pytest.fixture
def screen(monkeypatch):
    """Sets its width."""
    return lambda width: monkeypatch.setattr(output, "_console", lambda: Console(width=width))


def columns(table) -> dict[str, list[str]]:
    return {column.header: [str(cell) for cell in column.cells] for column in table.columns}


def test_cells_of_a_ranking(screen):
    screen(300)
    found = columns(output.ranking_table(RANKING, 20, moves=True))
    assert found == {
        "rank": ["1", "2", "3"],
        "change": ["+2", "=", "new"],
        "cluster": ["Paris", "", "Rome"],
        "economies": ["FR", "DE / FR", ""],
        "patents": ["1,234", "99.9", "3"],
        "publications": ["100", "0.2", "0"],
        "deals": ["7", "12", "1,000"],
        "share %": ["12.35", "1.00", "0.00"],
        "people": ["2,000,000", "", "45.5"],
        "intensity": ["12,300 (1)", "", "0.123"],
        "lat, lon": ["48.86, 2.35", "52.50, 13.40", ""],
        "top applicant": ["A", "", "C"],
        "top organization": ["O", "P", ""],
    }
    assert columns(output.ranking_table(RANKING, 2))["rank"] == ["1", "2"]


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("intense", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_columns_of_a_ranking_by_the_width_of_the_screen(screen, named, intense, moves):
    """Most important ones first; each column that is added needs its room also elsewhere."""
    ranking = RANKING.assign(**({} if named else {"name": None}), **({} if intense else {"intensity": np.nan}))
    more = 24 * intense + 8 * moves
    always = ["rank", *["change"] * moves, *["cluster"] * named]
    figures = ["share %", *(["people", "intensity"] * intense)]
    steps = {39: (always, figures)}
    if named:
        steps[34 + 40 + more - 1] = steps[39]
    steps[34 * named + 40 + more] = steps[34 * named + 72 + more - 1] = ([*always, "economies"], [*figures, *PLACES])
    steps[34 * named + 72 + more] = steps[34 * named + 120 + more - 1] = (
        [*always, "economies"],
        [*AMOUNTS, *figures, *PLACES],
    )
    steps[34 * named + 120 + more] = ([*always, "economies"], [*AMOUNTS, *figures, *PLACES, *OWNERS])
    if not named:  # without names economies say where a cluster is, however narrow the screen
        steps[39] = steps[40 + more]
    for width, (first, then) in steps.items():
        screen(width)
        found = columns(output.ranking_table(ranking, 3, moves=moves))
        assert list(found) == [*first, *then], width
        assert found["share %"] == ["12.35", "1.00", "0.00"] and found.get("top organization", ["O"])[0] == "O", width


def test_a_fall_has_its_sign():
    assert output.move(SimpleNamespace(previous_rank=1, rank_change=-3)) == "-3"


@pytest.mark.parametrize(("width", "more"), [(103, []), (104, ["split", "swallowed"])])
def test_cells_of_a_sweep(screen, width, more):
    """Counts are parts of all settings; a cluster that is matched nowhere has no ranks."""
    table = pd.DataFrame({"rank": [1, 2, 3], "label": ["Paris", "Rome", "Oslo"], "robustness": [0.987, 0.0, 0.5]})
    ranks = {"best_rank": pd.array([1, None, 3], dtype="Int64"), "worst_rank": pd.array([12, None, 3], dtype="Int64")}
    times = {"matched": [8, 0, 1], "kept": [4, 0, 1], "splits": [2, 0, 0], "swallowed": [1, 0, 0]}
    screen(width)
    table = table.assign(**ranks, median_rank=[1.5, np.nan, 3.0], **times)
    found = columns(output.stability_table(table, 2, 8))
    assert list(found) == ["rank", "cluster", "best", "median", "worst", "matched", "kept", *more, "robustness"]
    expected = ["1", "Paris", "1", "1.5", "12", "100%", "50%", *["25%", "12%"][: len(more)], "0.99"]
    assert [cells[0] for cells in found.values()] == expected
    assert [cells[1] for cells in found.values()] == ["2", "Rome", "", "", "", "0%", "0%", *["0%"] * len(more), "0.00"]
    assert {len(cells) for cells in found.values()} == {2}


def test_cells_of_a_coverage():
    """The countries with most rows, and the world after them; documents where there are any."""
    table = pd.DataFrame(
        {
            "country": ["DE", "FR", None, "IT", "World"],
            "rows": [5, 2000, 30, 5, 2040],
            "rows_pct": [100.0, 99.96, 33.33, np.nan, 98.0],
            "documents": [4.0, 1500.0, 10.0, 1.0, 1515.0],
            "documents_pct": [100.0, 12.34, np.nan, 0.0, 50.0],
        }
    )
    found = columns(output.coverage_table(table, 3))
    assert found == {
        "country": ["FR", "(none)", "DE", "World"],
        "addresses": ["2,000", "30", "5", "2,040"],
        "city-level %": ["100.0", "33.3", "100.0", "98.0"],
        "documents": ["1,500", "10", "4", "1,515"],
        "covered %": ["12.3", "", "100.0", "50.0"],
    }
    without = columns(output.coverage_table(table.assign(documents=np.nan), 1))
    assert without == {name: [found[name][0], found[name][-1]] for name in ("country", "addresses", "city-level %")}
