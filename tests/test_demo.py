"""``gpu-clusters demo`` as a user runs it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from program import Program, complete


@pytest.fixture
def program(monkeypatch, capsys, tmp_path):
    """The program in an empty folder, with its scratch folders beside."""
    (tmp_path / "scratch").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return Program(monkeypatch, capsys, tmp_path / "here")


def test_demo_and_its_inputs(program):
    ran = program("demo", "--scale", "0.005", "--seed", "3")
    assert ran.code == 0 and "every published figure of the 100 clusters is reproduced" in ran.err, ran
    assert "246 clusters, 237 after merging" in ran.err and "inputs are synthetic" in ran.err
    assert re.search(r"^ +1 +Shenzhen–Hong Kong–Guangzhou +14\.28 \| 14\.28 ", ran.out, re.MULTILINE)
    assert len([line for line in ran.out.splitlines() if " | " in line]) == 21
    manifest = complete(Path("demo"))
    assert manifest["settings"]["density"] == pytest.approx(22.5)
    assert manifest["world"] == {"scale": 0.005, "seed": 3}
    names = ["patents.parquet", "publications.parquet", "deals.parquet", "names.csv", "population.tif"]
    assert [file["name"] for file in manifest["inputs"]] == names
    assert "partial" not in json.dumps(manifest) and "partial" not in ran.err
    assert list((program.here.parent / "scratch").iterdir()) == []
    program.refused(2, "demo", says="--force")

    ran = program("demo", "--scale", "0.005", "--seed", "3", "--inputs-only", "--out", "the inputs")
    assert ran.code == 0 and "synthetic" in ran.err
    for line in ran.out.splitlines():  # what it says to do next
        words = shlex.split(line)
        assert words[0] == "gpu-clusters"
        again = program(*["byhand" if word == "demo" else word for word in words[1:]])
        assert again.code == 0, again
    for name in ("ranking.csv", "locations.parquet", "deals.parquet", "coverage.csv"):
        assert Path("byhand", name).read_bytes() == Path("demo", name).read_bytes(), name
    program.refused(2, "demo", "--inputs-only", "--out", "the inputs", says="--force")
    assert program("demo", "--scale", "0.005", "--inputs-only").code == 0
    planted = pd.read_parquet("demo-inputs/planted.parquet")
    assert planted.columns.tolist() == ["lon", "lat", "cluster", "part", "kind"] and planted["cluster"].max() == 236
