"""Making a world: draw it, write its files."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from gpu_clusters.errors import GpuClustersError, UsageError
from gpu_clusters.paths import spelled
from gpu_clusters.world import deals, documents, names, people, plan, points, previous, sites, tables
from gpu_clusters.world.published import NEW

SMALLEST = 0.005
PREVIOUS = "previous_"
TRUTH, NAMES = "planted.parquet", "names.csv"
FILES = ("patents.parquet", "publications.parquet", "deals.parquet", "population.tif")


class World(NamedTuple):
    """What was written: paths by name of the option of ``rank``, rows by table, the density that fits, and the truth."""

    inputs: dict[str, str]
    previous_inputs: dict[str, str]
    rows: dict[str, int]
    density: float
    truth: pd.DataFrame


def make_world(
    folder: str | PathLike[str],
    scale: float = 0.02,
    seed: int = 0,
    *,
    editions: int = 2,
    tell: Callable[[str, float | None], None] | None = None,
) -> World:
    """Write the inputs of the planted world to a folder.

    Parameters
    ----------
    folder : path
        There already.
    scale : float
        Part of the number of addresses in WIPO's data, 0.005 to 1.
    seed : int
        Of the random numbers; the clusters and their counts are the same for every seed.
    editions : {1, 2}
        2 writes the previous edition too, in files whose names begin with ``previous_``.
    tell : callable, optional
        Told the name of the work at hand.

    Returns
    -------
    World
        The paths of the files by the arguments of `rank`, and ``density``, which goes with the scale.

    Raises
    ------
    UsageError
        An argument that makes no sense, or a folder that is not there.
    """
    if not isinstance(scale, Real) or not SMALLEST <= scale <= 1:
        raise UsageError(f"scale must be at least {SMALLEST:g} and at most 1, not {scale!r}")
    if not isinstance(seed, Integral) or seed < 0:
        raise UsageError(f"seed must be a whole number, 0 or more, not {seed!r}")
    if editions not in (1, 2):
        raise UsageError(f"editions must be 1 or 2, not {editions!r}")
    folder = Path(spelled(folder, "the folder of the world"))
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: make it first")
    say: Any = tell or (lambda *_: None)
    say("plan the world", None)
    base = plan.base()
    counts = {table: plan.counts(table, scale) for table in plan.TABLES}
    wrong = sites.proved(base.sites, plan.thresholds({t: c.rows for t, c in counts.items()}, scale))
    if wrong:
        raise GpuClustersError(f"the plan of the world does not hold at scale {scale:g}: {wrong[0]}")
    about, codes = documents.units(base), documents.countries(base.sites)
    today = previous.with_population(base.clusters)
    before = previous.previous_edition(base.clusters)
    new = base.clusters["cluster_id"].isin(NEW).to_numpy()[[part.cluster for part in base.parts]]
    rows, drawn_points = {}, []
    for stream, table in enumerate(plan.TABLES):
        say(f"draw {table}", None)
        drawn = tables.draw(base, counts[table], about, table, np.random.default_rng([seed, stream]))
        say(f"write {table}", None)
        each = tables.fractions(drawn, today[table], None)
        rows[table] = tables.write(drawn, codes, each, folder / f"{table}.parquet", years_back=0, kept=None)
        if editions == 2:
            kept = tables.earlier(drawn, new)
            each = tables.fractions(drawn, before[table], kept)
            path = folder / f"{PREVIOUS}{table}.parquet"
            tables.write(drawn, codes, each, path, years_back=1, kept=kept)
        drawn_points.append(drawn.points)
        del drawn
    say("write deals", None)
    placed = deals.draw(base, scale, np.random.default_rng([seed, 2]))
    rows["deals"] = len(placed.lon)
    for prefix, clusters, back in (("", today, 0), (PREVIOUS, before, 1))[:editions]:
        number = deals.numbers(placed, clusters["deals"], np.random.default_rng([seed, 3]))
        deals.write(placed, number, folder / f"{prefix}deals.parquet", years_back=back)
        say("write people", None)
        people.write(base, clusters, folder / f"{prefix}population.tif")
    names.write(base, folder / NAMES)
    say("write what is planted", None)
    truth = points.truth(base.sites, base.cluster, drawn_points)
    truth.to_parquet(folder / TRUTH, index=False)
    return World(
        _paths(folder, "") | {"names": str(folder / NAMES)},
        _paths(folder, PREVIOUS) if editions == 2 else {},
        rows,
        plan.DENSITY * scale,
        truth,
    )


def _paths(folder: Path, prefix: str) -> dict[str, str]:
    return {Path(name).stem: str(folder / f"{prefix}{name}") for name in FILES}
