"""A source by its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gpu_clusters.errors import UsageError
from gpu_clusters.settings import Years
from gpu_clusters.sources.crunchbase import VENTURE, crunchbase
from gpu_clusters.sources.mapping import geoc_inv, known_encoding, mapped
from gpu_clusters.sources.openalex import TYPES as WORKS
from gpu_clusters.sources.openalex import openalex
from gpu_clusters.sources.patentsview import TYPES as PATENTS
from gpu_clusters.sources.patentsview import patentsview
from gpu_clusters.sources.run import Source
from gpu_clusters.sources.skips import Skips

TYPES = {"openalex": WORKS, "patentsview": PATENTS, "crunchbase": VENTURE, "geoc-inv": (), "table": ()}


def choose(
    name: str,
    paths: Sequence[Path],
    skips: Skips,
    *,
    years: Years = (None, None),
    types: Sequence[str] | None = None,
    retracted: bool = False,
    encoding: str | None = None,
    mapping: Path | None = None,
) -> Source:
    """Prepare a source: find its files and read the small ones.

    Parameters
    ----------
    name : str
        One of `TYPES`.
    paths : sequence of Path
        Files and folders.
    skips : Skips
        Takes down rows of the small files that cannot be read.
    years : (from, to)
        Inclusive window, either end may be None; what has no year is outside.
    types : sequence of str, optional
        Kinds of works, patents or rounds that count; empty for all, None for the defaults in `TYPES`.
    retracted : bool
        Keep retracted works.
    encoding : str, optional
        Of Crunchbase's files.
    mapping : Path, optional
        The TOML file of ``table``.

    Raises
    ------
    UsageError
        An unknown source, or an option that does not go with it.
    InputError
        Files are missing, or cannot be read.
    """
    if name not in TYPES:
        raise UsageError(f"there is no source {name!r}; there are {', '.join(TYPES)}")
    for option, given, sources in (
        ("types", types is not None, ("openalex", "patentsview", "crunchbase")),
        ("retracted", retracted, ("openalex",)),
        ("encoding", encoding is not None, ("crunchbase",)),
        ("mapping", mapping is not None, ("table",)),
    ):
        if given and name not in sources:
            raise UsageError(f"{option} does not go with {name}; it is for {', '.join(sources)}")
    kinds = TYPES[name] if types is None else tuple(types)
    if name == "openalex":
        return openalex(paths, skips, years=years, types=kinds, retracted=retracted)
    if name == "patentsview":
        return patentsview(paths, skips, years=years, types=kinds)
    if name == "crunchbase":
        return crunchbase(paths, skips, years=years, types=kinds, encoding=known_encoding(encoding or "utf-8"))
    if name == "geoc-inv":
        return geoc_inv(paths, years=years)
    if mapping is None:
        raise UsageError(
            "table needs a TOML file that names its columns: give --mapping FILE.toml (in Python mapping='FILE.toml'); "
            "see docs/sources.md"
        )
    return mapped(paths, mapping, years=years)
