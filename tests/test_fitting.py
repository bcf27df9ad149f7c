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
