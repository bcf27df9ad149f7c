"""Settings from options and from a TOML file."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from gpu_clusters.errors import UsageError
from gpu_clusters.schema import OPTIONAL, REQUIRED, TABLES
from gpu_clusters.settings import BOUNDARIES, Settings, Years
from gpu_clusters.toml import read_toml

_INPUTS = (*TABLES, "population")
_PATHS = ("names", "previous", "regions", "out")
_KEYS = (*_INPUTS, *_PATHS, *Settings.names())
_LARGEST = 10**300


def load(path: Path) -> dict[str, Any]:
    """Read a configuration file; paths in it are relative to its folder.

    Raises
    ------
    UsageError
        It cannot be read, is not TOML, or has a key that is not known.
    """
    config = read_toml(path, _KEYS, f"--config {path}")
    for key, value in config.items():
        if type(value) is int and abs(value) > _LARGEST:
            raise UsageError(f"--config {path}: {key} is too large a number")
    for key in ("columns", "years"):
        if not isinstance(config.get(key, {}), dict):
            raise UsageError(f"--config {path}: {key} must be a table, as in [{key}]")
    for table in _INPUTS:
        if table in config:
            config[table] = [_beside(path, name, table) for name in _listed(config[table])]
    for key in _PATHS:
        if key in config:
            config[key] = _beside(path, config[key], key)
    if config.get("boundary", "area") not in BOUNDARIES:
        config["boundary"] = _beside(path, config["boundary"], "boundary")
    config["columns"] = {t: _mapping(path, t, names) for t, names in config.get("columns", {}).items()}
    config["years"] = {t: _window(path, t, years) for t, years in config.get("years", {}).items()}
    if config.get("merge_km") is False:
        config["merge_km"] = None
    return config


def chosen(
    command: str, config: Path | None, column: list[str] | None, years: list[str] | None, options: dict[str, Any]
) -> dict[str, Any]:
    """What is asked of a command by a configuration file, by its options ``--column`` and ``--years``, and by all others.

    Raises
    ------
    UsageError
        One of them makes no sense, there is no folder for the result, or nothing to cluster.
    """
    columns: dict[str, dict[str, str]] = {}
    for text in column or []:
        table, name, own = _column(text)
        if columns.setdefault(table, {}).setdefault(name, own) != own:
            raise UsageError(f"two --column say what {table}.{name} is called: {columns[table][name]!r} and {own!r}")
    windows: dict[str, Years] = {}
    for table, window in map(_table_years, years or []):
        if windows.setdefault(table, window) != window:
            raise UsageError(f"two --years are about {table}: give one from its first year to its last")
    result = merged(load(config) if config else {}, options | {"columns": columns, "years": windows})
    if not result.get("out"):
        raise UsageError(f"--out DIR is missing: the folder that the result goes to; see gpu-clusters {command} --help")
    if not result.get("patents") and not result.get("publications"):
        raise UsageError(
            f"there is nothing to cluster: give --patents, --publications or both; see gpu-clusters {command} --help"
        )
    _check_tables(result, column=columns, years=windows)
    return result


def _column(text: str) -> tuple[str, str, str]:
    """``patents.organization=applicant`` in its three parts."""
    target, _, name = text.partition("=")
    table, dot, canonical = target.partition(".")
    if not (dot and name):
        raise UsageError(f"--column {text!r} is not TABLE.NAME=COLUMN, as in patents.organization=applicant")
    if table not in TABLES:
        raise UsageError(f"--column {text!r}: unknown table {table!r}; there are {', '.join(TABLES)}")
    if canonical not in REQUIRED[table] + OPTIONAL[table]:
        known = ", ".join(REQUIRED[table] + OPTIONAL[table])
        raise UsageError(f"--column {text!r}: {table} has no column {canonical!r}; there are {known}")
    return table, canonical, name


def _table_years(text: str) -> tuple[str, Years]:
    """``patents=2019:2023`` in its parts; either year may be left out."""
    table, _, window = text.partition("=")
    bounds = window_of(window)
    if bounds is None:
        raise UsageError(f"--years {text!r} is not TABLE=FROM:TO, as in patents=2019:2023")
    if table not in TABLES:
        raise UsageError(f"--years {text!r}: unknown table {table!r}; there are {', '.join(TABLES)}")
    return table, bounds


def window_of(window: str) -> Years | None:
    """``2019:2023`` in its parts; None if it has not two."""
    first, colon, last = window.partition(":")
    try:
        bounds = int(first) if first else None, int(last) if last else None
    except ValueError:
        return None
    return bounds if colon else None


def merged(config: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The configuration with what the options say on top; options that are None say nothing."""
    result = dict(config)
    for key, value in options.items():
        if key == "columns":
            before = config.get(key, {})
            result[key] = before | {table: before.get(table, {}) | names for table, names in value.items()}
        elif key == "years":
            result[key] = config.get(key, {}) | value
        elif value is not None:
            result[key] = value
    return result


def _check_tables(inputs: dict[str, Any], **given: Collection[str]) -> None:
    """Refuse options that are about a table which is not among the inputs; ``given`` has the tables by option."""
    for option, tables in given.items():
        for table in tables:
            if not inputs.get(table):
                raise UsageError(
                    f"--{option} is about {table}, and there is no --{table}: give its files, or leave it out"
                )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _beside(path: Path, name: Any, key: str) -> str:
    if not isinstance(name, str) or not name or "\0" in name:
        raise UsageError(f"--config {path}: {key} must be a path, not {name!r}")
    return str(path.parent / name)


def _mapping(path: Path, table: str, names: Any) -> dict[str, str]:
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise UsageError(
            f"--config {path}: columns.{table} must map names to columns, as in organization = 'applicant'"
        )
    return names


def _window(path: Path, table: str, given: Any) -> Years:
    if isinstance(given, str) and (bounds := window_of(given)) is not None:
        return bounds
    if isinstance(given, list) and len(given) == 2 and all(type(year) is int for year in given):
        return given[0], given[1]
    raise UsageError(f"--config {path}: years.{table} must be [FROM, TO] or 'FROM:TO', not {given!r}")
