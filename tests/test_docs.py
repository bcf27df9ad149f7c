"""What the documentation shows does what it says."""

from __future__ import annotations

import doctest
import inspect
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gpu_clusters

README = Path(__file__).parents[1] / "README.md"
PACKAGE = Path(gpu_clusters.__file__).parent
EXAMPLES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("[!.]*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)
FUNCTIONS = sorted(name for name in gpu_clusters.__all__ if inspect.isfunction(getattr(gpu_clusters, name)))


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_in_docstrings(module):
    if module == "gpu_clusters.people":
        pytest.importorskip("exactextract", reason="exactextract is not installed")
    outcome = doctest.testmod(import_module(module))
    assert outcome.attempted and not outcome.failed


@pytest.mark.parametrize("name", FUNCTIONS)
def test_public_functions_are_told_whole(name):
    """Every argument, what comes back, what is raised, and an example."""
    function = getattr(gpu_clusters, name)
    told = inspect.getdoc(function)
    named = re.search(
        r"Parameters\n-+\n(.*?)\n\nReturns\n-+\n.*\n\nRaises\n-+\n.*\n\nExamples\n-+\n>>> ", told, re.DOTALL
    )[1]
    given = {
        one.strip("* ") for line in re.findall(r"^(\S.*?)(?: : .*)?$", named, re.MULTILINE) for one in line.split(",")
    }
    assert given == set(inspect.signature(function).parameters)


def test_quick_start_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"## Quick start in Python\n\n```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[
        1
    ]
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    first = names["result"].ranking.iloc[0]
    promised = re.search(r"^# 0 +(\d+) +(\w+) +([\d.]+) +([\d.]+) +([\d.]+)$", code, re.MULTILINE).groups()
    shown = (first["rank"], first["economies"], first["patents"], first["deals"], f"{first['total_share']:.6f}")
    assert tuple(map(str, shown)) == promised
    assert names["result"].manifest["warnings"] == []
    listed = set(
        re.findall(r"^\| `([\w.]+)`(?:, `([\w.]+)`)? \| (?:the|every|rows|settings)", README.read_text(), re.MULTILINE)
    )
    assert {path.name for path in Path("result").iterdir()} == {name for pair in listed for name in pair if name}


def test_addresses_of_the_readme_find_their_clusters(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lon, lat = np.array([2.35, 17.08, 2.35, np.nan, 100.1, -0.0], np.float32), [48.86, -22.56, 48.86, 1, 10.1, 10.2]
    table = pd.DataFrame({"doc_id": range(6), "lon": lon, "lat": lat})
    table.to_parquet("inventors.parquet")
    gpu_clusters.rank("inventors.parquet", density=2, names=False).write("result")
    code = re.search(r"```python\n(addresses = .*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    names = {"pd": pd}
    exec(compile(code.replace("addresses.merge", "found = addresses.merge"), "README.md", "exec"), names)
    assert names["found"]["cluster_id"].fillna(0).tolist() == [1, -1, 1, 0, -1, -1]


def test_labels_of_a_sweep_find_the_clusters_of_its_baseline():
    """The code of the guide, at a setting whose ranks are not the baseline's."""
    at = [(0.0, 0.0)] * 9 + [(5.0, 0.0)] * 6 + [(5.1, 0.0)] * 5
    table = pd.DataFrame(at, columns=["lon", "lat"]).assign(doc_id=range(len(at)))
    result = gpu_clusters.sweep(table, radius_km=[8, 12], density=[4], baseline=(8, 4))
    text = (README.parent / "docs" / "sweeps.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(at = .*?)```", text, re.DOTALL)[1].replace("4000", "4")
    names = {"result": result}
    exec(compile(code, "sweeps.md", "exec"), names)
    assert names["labels"]["cluster_id"].tolist() == [2, 1, 1]
    assert names["labels"]["baseline_cluster_id"].tolist() == [1, 2, 2]


def test_configuration_of_the_readme(tmp_path):
    from gpu_clusters_cli.config import load

    text = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "study.toml")
    assert config["patents"] == [str(tmp_path / "inventors.parquet")]
    assert config["years"] == {"patents": (2019, 2023)}
