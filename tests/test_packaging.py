"""What is installed: every folder of modules, every file that they read, and whose data they are."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
FOLDERS = {"gpu_clusters": "gpu_clusters", "gpu_clusters_cli": "cli"}


def folder(package: str) -> Path:
    """Where the modules of a package are."""
    first, *rest = package.split(".")
    return ROOT.joinpath(FOLDERS[first], *rest)


def kept(pattern: str) -> set[Path]:
    """Files below the folders of both packages, without what Python writes there."""
    found = (path for name in FOLDERS.values() for path in (ROOT / name).rglob(pattern))
    return {path for path in found if path.is_file() and "__pycache__" not in path.parts}


def installed() -> set[Path]:
    """Files besides modules that are installed."""
    data = SETUPTOOLS["package-data"]
    return {
        path for package, patterns in data.items() for pattern in patterns for path in folder(package).glob(pattern)
    }


def test_every_folder_of_modules_is_a_package():
    assert SETUPTOOLS["package-dir"] == FOLDERS
    assert {folder(package) for package in SETUPTOOLS["packages"]} == {path.parent for path in kept("*.py")}


def test_every_file_beside_modules_is_installed():
    assert installed() == kept("*") - kept("*.py")


def test_the_notice_names_every_file_of_data():
    assert {"LICENSE", "NOTICE"} <= set(PROJECT["project"]["license-files"])
    lines = (ROOT / "NOTICE").read_text(encoding="utf-8").splitlines()
    named = {ROOT / line for line in lines if line.startswith("gpu_clusters/")}
    assert named == {path for path in installed() if path.suffix in {".csv", ".tsv", ".json"}}
