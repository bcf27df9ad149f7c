"""How two answers to the same clustering question differ."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Answer(NamedTuple):
    """Labels (-1 is noise) and the mask of core locations, both of length n."""

    labels: np.ndarray
    core: np.ndarray

    def counts(self) -> dict[str, int]:
        """Numbers of core locations, of noise locations and of clusters."""
        clusters = len(np.unique(self.labels[self.core]))
        return {"cores": int(self.core.sum()), "noise": int((self.labels < 0).sum()), "clusters": clusters}


def differences(ours: Answer, theirs: Answer) -> dict[str, int | bool]:
    """Compare what DBSCAN defines (cores, their partition, noise) and what it leaves open (labels of border locations).

    Returns
    -------
    differences : dict
        ``cores`` and ``noise``: locations that only one of the two calls so. ``same_partition``: whether the cores
        common to both fall into the same groups, whatever the numbers of the clusters. ``borders``: locations on the
        border in both whose cluster is another one; -1 where the partitions differ and no cluster matches another.
    """
    both = ours.core & theirs.core
    pairs = np.unique(np.column_stack([ours.labels[both], theirs.labels[both]]), axis=0)
    same = len(pairs) == len(np.unique(pairs[:, 0])) == len(np.unique(pairs[:, 1]))
    return {
        "cores": int((ours.core ^ theirs.core).sum()),
        "noise": int(((ours.labels < 0) ^ (theirs.labels < 0)).sum()),
        "same_partition": bool(same),
        "borders": _borders(ours, theirs, pairs) if same else -1,
    }


def _borders(ours: Answer, theirs: Answer, pairs: np.ndarray) -> int:
    """Locations on the border in both that follow different clusters, the clusters matched by `pairs`."""
    border = ~(ours.core | theirs.core) & (ours.labels >= 0) & (theirs.labels >= 0)
    match = np.full(ours.labels.max(initial=-1) + 1, -1, dtype=np.int64)
    match[pairs[:, 0]] = pairs[:, 1]
    return int((match[ours.labels[border]] != theirs.labels[border]).sum())
