"""Tables of the command line on narrow screens."""

from __future__ import annotations

import pandas as pd
import pytest
from gpu_clusters_cli import output
from rich.console import Console

TABLE = pd.DataFrame(
    {
        "rank": ["1", "2"],
        "cluster": ["Shenzhen–Hong Kong–Guangzhou", "東京–横浜"],
        "share %": ["14.28 | 14.28", "13.92 | 13.92"],
        "without\ndeals": ["2 | 2", "1 | 1"],
        "intensity": ["0.28 | 0.28", "0.38 | 0.38"],
    }
)


@pytest.mark.parametrize(("width", "whole"), {16: 0, 40: 1, 50: 2, 58: 3, 80: 3, 200: 3}.items())
def test_names_are_shortened_and_columns_left_out_but_no_figure_is_cut(monkeypatch, capsys, width, whole):
    monkeypatch.setattr(output, "_console", lambda: Console(width=width, highlight=False))
    output.emit_table(output.plain_table(TABLE, ""))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert max(map(len, lines)) <= width
    for line, row in zip(lines[-len(TABLE) :], TABLE.itertuples(index=False), strict=True):
        rank, name, *figures = row
        assert line.split()[0] == rank and name[:8] in line and (name in line or width < 80)
        assert " ".join(line.split()).endswith(" ".join(figures[:whole]))
        assert not any(figure in line for figure in figures[whole:])


def test_words_are_left_and_figures_right_without_a_margin(monkeypatch, capsys):
    monkeypatch.setattr(output, "_console", lambda: Console(width=100, highlight=False))
    two = pd.DataFrame(
        {"rank": [1, 12], "label": ["A cluster of many, many, many cities", "Rome"], "robustness": [0.987, 0]}
    )
    two = two.assign(best_rank=[1, 3], median_rank=[1.5, 3], worst_rank=[12, 3], matched=8, kept=4)
    rows = pd.DataFrame({"country": ["DE", "World"], "rows": [1234, 5678], "rows_pct": [100, 5.5], "documents": None})
    for table in (
        output.plain_table(TABLE.iloc[:, [0, 1, 3]], "Both"),
        output.stability_table(two, 2, 8),
        output.coverage_table(rows, 1),
    ):
        output.emit_table(table)
    assert capsys.readouterr().out.splitlines() == [
        "                   Both",
        "                                    without",
        "rank  cluster                         deals",
        "   1  Shenzhen–Hong Kong–Guangzhou    2 | 2",
        "   2  東京–横浜                       1 | 1",
        "rank  cluster                           best  median  worst  matched  kept  robustness",
        "   1  A cluster of many, many, many c…     1     1.5     12     100%   50%        0.99",
        "  12  Rome                                 3       3      3     100%   50%        0.00",
        "country  addresses  city-level %",
        "DE           1,234         100.0",
        "World        5,678           5.5",
    ]
