"""What the documentation shows does what it says."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize(
    "module", ["gpu_clusters.pipeline", "gpu_clusters.estimator", "gpu_clusters.sweeps.run", "gpu_clusters.wording"]
)
def test_examples_in_docstrings(module):
    outcome = doctest.testmod(import_module(module))
    assert outcome.attempted and not outcome.failed


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
    listed = set(
        re.findall(r"^\| `([\w.]+)`(?:, `([\w.]+)`)? \| (?:the|every|rows|settings)", README.read_text(), re.MULTILINE)
    )
    assert {path.name for path in Path("result").iterdir()} == {name for pair in listed for name in pair if name}


def test_configuration_of_the_readme(tmp_path):
    from gpu_clusters_cli.config import load

    text = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "study.toml")
    assert config["patents"] == [str(tmp_path / "inventors.parquet")]
    assert config["years"] == {"patents": (2019, 2023)}
