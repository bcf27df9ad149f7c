"""What ``compare`` prints and says in JSON of clusters that entered and left the first so many: every line of an example."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from program import Program

import gpu_clusters

THEN = {"AA": 9, "BB": 8, "CC": 7, "DD": 6}
NOW = {"AA": 9, "CC": 8, "EE": 7, "BB": 5}
PLACES = {
    "AA": "AA 0.00, 0.00",
    "BB": "BB 0.00, 10.00",
    "CC": "CC 0.00, 20.00",
    "DD": "DD 0.00, 30.00",
    "EE": "EE 0.00, 40.00",
}


def edition(patents: dict[str, int], folder) -> None:
    """A result of a place for each country with so many patents."""
    country = np.repeat(list(patents), list(patents.values()))
    lon = [10.0 * list(PLACES).index(code) for code in country]
    table = pd.DataFrame({"doc_id": range(len(country)), "lon": lon, "lat": 0.0, "country": country})
    gpu_clusters.rank(table, density=5, names=False).write(folder)


@pytest.fixture
def program(monkeypatch, capsys, tmp_path):
    edition(THEN, tmp_path / "a")
    edition(NOW, tmp_path / "b")
    return Program(monkeypatch, capsys, tmp_path)


@pytest.mark.parametrize(
    ("top", "shown", "entered", "left"),
    [
        (1, ["AA"], [], []),
        (2, ["AA", "CC"], [("CC", 2, "was 3")], [("BB", 2, "now 4")]),
        (3, ["AA", "CC", "EE"], [("EE", 3, "new")], [("BB", 2, "now 4")]),
        (4, ["AA", "CC", "EE", "BB"], [("EE", 3, "new")], [("DD", 4, "gone")]),
    ],
)
def test_who_entered_and_left(program, top, shown, entered, left):
    ran = program("compare", "a", "b", "--top", top)
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(shown)]] == [str(rank) for rank in range(1, 1 + len(shown))]
    assert all(PLACES[code] in line for code, line in zip(shown, lines[1 : 1 + len(shown)], strict=True))
    expected = []
    for title, rows in (("entered", entered), ("left", left)):
        expected += [f"{title} the first {top}:"] if rows else []
        expected += [f"  {rank:>4} {PLACES[code]} ({known})" for code, rank, known in rows]
    assert lines[1 + len(shown) :] == expected
    assert ran.err.splitlines()[-1] == (
        "3 clusters are in both editions (1 rose, 1 fell), 1 came, 1 went; 0 split, 0 merged"
    )
    said = json.loads(program("compare", "a", "b", "--top", top, "--json").out)
    assert [row["economies"] for row in said["clusters"]] == shown
    assert [(row["economies"], row["rank"]) for row in said["entered_top"]] == [row[:2] for row in entered]
    assert [(row["economies"], row["previous_rank"]) for row in said["left_top"]] == [row[:2] for row in left]
    assert (said["top"], said["splits"], said["mergers"], said["out"]) == (top, [], [], None)
