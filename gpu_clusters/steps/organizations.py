"""Who works in a cluster: the applicants and organizations with the largest counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.schema import ORGANIZATIONS
from gpu_clusters.steps.count import PairSums
from gpu_clusters.steps.label import ROUNDING
from gpu_clusters.steps.score import Indicator

PLACES = 10


def organizations_table(patents: Indicator, publications: Indicator, order: NDArray[np.int64]) -> pd.DataFrame:
    """Applicants and organizations of each cluster by fractional count, in the columns of ``schema.ORGANIZATIONS``.

    Parameters
    ----------
    patents, publications : Indicator
    order : (k,) int64
        The clusters by rank: the first is cluster 1.

    Returns
    -------
    DataFrame
        By cluster, table and place. Counts that differ by rounding alone are equal: they share their smallest place and are
        listed in the order of the names' code points, all of which are listed if the last place is theirs.
    """
    cluster_id = np.argsort(order) + 1
    frames = []
    for table, indicator in (("patents", patents), ("publications", publications)):
        pair, place = first_places(indicator.by_organization, PLACES)
        found = indicator.by_organization
        columns = (
            cluster_id[found.group[pair]],
            table,
            place,
            _names(indicator.organizations, found.category[pair]),
            found.sum[pair],
        )
        frames.append(pd.DataFrame(dict(zip(ORGANIZATIONS, columns, strict=True))))
    return pd.concat(frames).sort_values(["cluster_id", "table"], kind="stable").reset_index(drop=True)


def first_places(pairs: PairSums, places: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs with the first places in their groups, by group and place, and those places; (p,) int64 each."""
    starts = np.flatnonzero(np.diff(pairs.group, prepend=-1))
    chosen, ranks = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    ends = np.append(starts, len(pairs.group))[1:]
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        sums = pairs.sum[start:end]
        if len(sums) > places:
            least = np.partition(sums, len(sums) - places)[len(sums) - places]
            near = np.flatnonzero(sums >= least * (1 - places * ROUNDING))
        else:
            near = np.arange(len(sums))
        near = near[np.argsort(-sums[near], kind="stable")]
        ordered = sums[near]
        new_run = np.append(True, ordered[1:] < ordered[:-1] * (1 - ROUNDING))
        place = np.flatnonzero(new_run)[np.cumsum(new_run) - 1] + 1
        near = near[np.lexsort((near, place))]
        kept = place <= places
        chosen.append(start + near[kept])
        ranks.append(place[kept])
    return np.concatenate(chosen), np.concatenate(ranks)


def _names(names: Sequence[str], index: NDArray[np.int64]) -> NDArray[np.object_]:
    return np.array([names[i] for i in index.tolist()], dtype=object)
