"""Applicants and organizations: the published ones lead their clusters, the others are numbered."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEADING, LEADING_MORE = 0.1, 2  # part of a cluster's rows, and rows on top of that: more than any other has
MOST = 300  # others in a cluster, 25 at least
OTHERS_POWER = 1.2  # the first of 25 others then has 7 % of their rows, less than the leader
COLUMNS = {"patents": ("top_applicant", "Applicant"), "publications": ("top_organization", "Organization")}


class Owners(NamedTuple):
    """Names, and the index into them of each geocoded row by site, (r,) int32."""

    names: list[str]
    code: NDArray[np.int32]


def draw(
    clusters: pd.DataFrame, cluster: NDArray[np.int64], rows: NDArray[np.int64], table: str, rng: np.random.Generator
) -> Owners:
    """Give every row an owner.

    Parameters
    ----------
    clusters : DataFrame
        With ``name``, ``top_applicant`` and ``top_organization``.
    cluster : (n,) int64
        Cluster of each site, -1 for noise; clusters ascending, noise last.
    rows : (n,) int64
        Geocoded rows of each site.
    table : {"patents", "publications"}
    """
    column, kind = COLUMNS[table]
    numbers: dict[str, int] = {}
    size = np.bincount(cluster[cluster >= 0], weights=rows[cluster >= 0], minlength=len(clusters)).astype(np.int64)
    pieces = []
    for name, leader, n in zip(clusters["name"], clusters[column], size.tolist(), strict=True):
        leading = min(n, round(LEADING * n) + LEADING_MORE)
        others = min(MOST, max(25, n // 20))
        names = [leader if isinstance(leader, str) else f"{kind} 1 of {name}"]
        names += [f"{kind} {k} of {name}" for k in range(2, others + 2)]
        codes = np.array([numbers.setdefault(one, len(numbers)) for one in names], np.int32)
        place = (np.arange(n - leading) + 0.5) / max(n - leading, 1)
        own = np.concatenate([np.full(leading, codes[0]), codes[1 + (others * place**OTHERS_POWER).astype(np.int64)]])
        pieces.append(rng.permutation(own))
    noise = np.flatnonzero(cluster < 0)
    first = len(numbers)
    names = [*numbers, *(f"{kind} {k:04d}" for k in range(1, len(noise) + 1))]
    pieces.append(np.repeat(np.arange(first, first + len(noise), dtype=np.int32), rows[noise]))
    return Owners(names, np.concatenate(pieces).astype(np.int32))
