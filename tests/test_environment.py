"""The conda environment names what the package needs, and the GPU stack beside it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def conda() -> dict[str, str]:
    """Requirement of each package in environment.yml: a list of plain lines, so no reader of YAML is needed."""
    lines = (ROOT / "environment.yml").read_text().split("\ndependencies:\n")[1].splitlines()
    found = [re.fullmatch(r" +- ([a-z0-9-]+)([=<>].*|:)?", line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    return {match[1]: match[2] or "" for match in found if match and match[2] != ":"}


def test_it_covers_what_pyproject_asks_for():
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    have = conda()
    for requirement in needed:
        if requirement.endswith("sys_platform == 'win32'"):
            continue  # there is no RAPIDS
        name, floor = re.match(r"([a-z0-9-]+)(?:\[.*\])?(>=[0-9.]+)", requirement).groups()
        assert have.get(name, "missing").startswith(floor), requirement


def test_rapids_is_one_release():
    have = conda()
    assert {have[name] for name in ("cudf", "cuml", "cuspatial")} == {"=25.04"}
    assert "cupy" in have and "python" in have and "cuda-version" in have


def test_the_extras_name_the_same_packages_for_both_generations():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    of_12, of_13 = ([re.sub(r"cu12|cuda12x|cu13|cuda13x", "", r) for r in extras[f"gpu-cu{n}"]] for n in (12, 13))
    assert of_12 == of_13


def test_the_extras_take_no_cupy_whose_sorts_go_on_without_space():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in ("gpu-cu12", "gpu-cu13"):
        (floor,) = (re.search(r">=([0-9.]+)", needed)[1] for needed in extras[extra] if needed.startswith("cupy"))
        assert tuple(map(int, floor.split("."))) >= (14, 1)
