"""Two editions of a ranking compared: what rose and fell, and why; what came, went, split and merged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by
from gpu_clusters.io.editions import FOR_COMPARISON, about, caveats, differing_settings, read_edition
from gpu_clusters.io.model import Edition
from gpu_clusters.manifest import versions
from gpu_clusters.schema import COMPARISON, PARTS, TABLES, TEXT_COLUMNS
from gpu_clusters.settings import checked_top
from gpu_clusters.steps.edition import Kinship, kinship
from gpu_clusters.steps.score import TIE
from gpu_clusters.wording import counted, with_warnings

INDICATORS = ("patent", "publication", "deal")
PARTS_AT_MOST = 10  # one in so many of a cluster's weight makes a part of it
MATCHED, ENTRANT, LEAVER = "matched", "entrant", "leaver"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Two editions side by side: A, the earlier, and B, today's.

    Attributes
    ----------
    clusters : DataFrame
        One row a cluster of B by rank, then the clusters of A that none of B's is matched with; columns of
        ``schema.COMPARISON``. ``status`` is "matched", "entrant" or "leaver".
    splits : DataFrame
        Clusters of A of which at least two of B's each hold 10 % or more: a row for each of these parts; columns of
        ``schema.PARTS``, ``weight_pct`` being percent of the earlier cluster's weight in A.
    mergers : DataFrame
        The mirror image: clusters of B of which at least two of A's each held 10 % or more; ``weight_pct`` is percent of
        today's cluster's weight in B.
    manifest : dict
        Both editions, how many clusters were matched, came, went, rose, fell, split and merged, settings that differ, warnings.
    """

    clusters: pd.DataFrame
    splits: pd.DataFrame
    mergers: pd.DataFrame
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        came, went = counted(len(self.entrants), "entrant"), counted(len(self.leavers), "leaver")
        matched = counted(len(self.matched), "cluster")
        return with_warnings(f"Comparison: {matched} matched, {came}, {went}", self.manifest.get("warnings", []))

    @property
    def matched(self) -> pd.DataFrame:
        """Clusters that are in both editions, by today's rank."""
        return self._of(MATCHED)

    @property
    def entrants(self) -> pd.DataFrame:
        """Clusters of B that none of A's is matched with."""
        return self._of(ENTRANT)

    @property
    def leavers(self) -> pd.DataFrame:
        """Clusters of A that none of B's is matched with."""
        return self._of(LEAVER)

    def entered(self, top: int) -> pd.DataFrame:
        """Clusters that rank among the first ``top`` today and did not before.

        Parameters
        ----------
        top : int
            1 or more.

        Returns
        -------
        DataFrame
            Rows of ``clusters``, by today's rank.

        Raises
        ------
        UsageError
            No such number.
        """
        top = checked_top(top)
        rank, previous = self.clusters["rank"], self.clusters["previous_rank"]
        return self.clusters[((rank <= top) & ~(previous <= top).fillna(False)).fillna(False)]

    def left(self, top: int) -> pd.DataFrame:
        """Clusters that ranked among the first ``top`` before and do not today.

        Parameters
        ----------
        top : int
            1 or more.

        Returns
        -------
        DataFrame
            Rows of ``clusters``, by their earlier rank.

        Raises
        ------
        UsageError
            No such number.
        """
        top = checked_top(top)
        rank, previous = self.clusters["rank"], self.clusters["previous_rank"]
        gone = self.clusters[((previous <= top) & ~(rank <= top).fillna(False)).fillna(False)]
        return gone.sort_values(["previous_rank", "previous_cluster_id"])

    def write(self, out: str | PathLike[str], *, force: bool = False) -> None:
        """Write comparison.csv, comparison.parquet, splits.csv, mergers.csv and manifest.json: together, or none of them.

        Parameters
        ----------
        out : path
            Folder; made where it is missing.
        force : bool
            Replace what an earlier run left there. Without it a folder that is not empty is an error.

        Raises
        ------
        UsageError
            The folder is not empty and ``force`` is false.
        """
        from gpu_clusters.io.results import write_comparison

        write_comparison(self, out, force=force)

    def _of(self, status: str) -> pd.DataFrame:
        return self.clusters[self.clusters["status"] == status]


def compare(a: Any, b: Any) -> Comparison:
    """Compare two editions of a ranking.

    Parameters
    ----------
    a, b : path or Result
        The earlier edition and today's: the folders of results, or results in memory.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        A folder that holds no usable result; the message names the file.
    UsageError
        Something that is no edition.

    Notes
    -----
    Clusters are matched as the method says in section 10: by today's weight at identical locations. A change of the total share
    is the sum of the changes of the three shares; ``moved_by`` names the indicator that adds most to it, in its direction.

    Examples
    --------
    >>> import pandas as pd
    >>> from gpu_clusters import compare, rank
    >>> then = pd.DataFrame({"doc_id": range(5), "lon": [2.35, 2.35, 2.35, 12.5, 12.5], "lat": [48.9, 48.9, 48.9, 41.9, 41.9]})
    >>> now = pd.DataFrame({"doc_id": range(5), "lon": [2.35, 2.35, 12.5, 12.5, 12.5], "lat": [48.9, 48.9, 41.9, 41.9, 41.9]})
    >>> compared = compare(rank(then, density=2), rank(now, density=2))
    >>> compared.clusters[["lat", "rank", "previous_rank", "rank_change", "moved_by"]].to_dict("list")
    {'lat': [41.9, 48.9], 'rank': [1, 2], 'previous_rank': [2, 1], 'rank_change': [1, -1], 'moved_by': ['patents', 'patents']}
    """
    before, now = read_edition(a, FOR_COMPARISON), read_edition(b, FOR_COMPARISON)
    kin = kinship(now.places, before.places, len(now.ranking), len(before.ranking))
    pairs = _pairs(kin, now, before)
    clusters = _clusters(kin, pairs, now, before)
    splits = _parts(pairs[_at_least_a_part(pairs["before"], pairs["weight_before"])], "other", "before", now, before)
    mergers = _parts(pairs[_at_least_a_part(pairs["now"], pairs["weight_now"])], "one", "now", now, before)
    return Comparison(clusters, splits, mergers, _manifest(now, before, clusters, splits, mergers))


def moved_by(changes: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.object_]:
    """The indicator that adds most to each change of the total share, in its direction.

    Parameters
    ----------
    changes : (k, 3) float64
        Changes of the shares of patents, publications and deals; NaN where there is nothing to compare.
    total : (k,) float64
        Change of the total share.

    Returns
    -------
    (k,) object
        Name of the table, of equals the first; None where the total has not changed (by less than 1e-9).
    """
    moved = np.abs(total) >= TIE
    towards = changes * np.where(total < 0, -1, 1)[:, None]
    first = (towards > towards.max(axis=1, initial=-np.inf, keepdims=True) - TIE).argmax(axis=1)
    names = np.array(TABLES, object)[first]
    names[~moved] = None
    return names


def _weights(edition: Edition) -> NDArray[np.int64]:
    """Weight of each cluster in its own edition."""
    return sum_by(edition.places.cluster, edition.places.weight, len(edition.ranking))


def _pairs(kin: Kinship, now: Edition, before: Edition) -> pd.DataFrame:
    """Pairs of clusters that share a location: ``one`` of today's, ``other`` earlier, with their common weight and their own."""
    one, other = kin.now.one, kin.now.other
    return pd.DataFrame(
        {
            "one": one,
            "other": other,
            "now": kin.now.weight,
            "before": kin.before.weight,
            "weight_now": _weights(now)[one],
            "weight_before": _weights(before)[other],
        }
    )


def _clusters(kin: Kinship, pairs: pd.DataFrame, now: Edition, before: Edition) -> pd.DataFrame:
    """The columns of ``schema.COMPARISON``."""
    match = kin.match
    lost = np.setdiff1d(np.arange(len(before.ranking)), match)
    one = np.concatenate([np.arange(len(match)), np.full(len(lost), -1)])
    other = np.concatenate([match, lost])
    came = _largest(pairs[match[pairs["one"]] < 0], "one", "other", "now").reindex(one)
    went = _largest(pairs[pairs["other"].isin(lost)], "other", "one", "before").reindex(other)
    came, went = (kin_of.astype("Int64").to_numpy(np.int64, na_value=-1) for kin_of in (came, went))
    today, then = _rows(now, one), _rows(before, other)

    found = pd.DataFrame({"status": np.select([one < 0, other < 0], [LEAVER, ENTRANT], MATCHED)})
    for name in ("cluster_id", "name", "rank", "intensity_rank", "total_share", *(f"{i}_share" for i in INDICATORS)):
        found[name], found[f"previous_{name}"] = today[name], then[name]
    for name in ("rank", "intensity_rank"):
        found[f"{name}_change"] = then[name] - today[name]
    for name in ("total_share", *(f"{i}_share" for i in INDICATORS)):
        found[f"{name}_change"] = today[name] - then[name]
    changes = found[[f"{i}_share_change" for i in INDICATORS]].to_numpy()
    found["moved_by"] = moved_by(changes, found["total_share_change"].to_numpy())
    for name in ("economies", "lon", "lat"):
        found[name] = today[name].where(one >= 0, then[name])
    found["came_from_id"], found["went_to_id"] = _rows(before, came)["cluster_id"], _rows(now, went)["cluster_id"]
    related = pd.DataFrame({"one": np.where(one < 0, went, one), "other": np.where(other < 0, came, other)})
    common = related.merge(pairs, on=["one", "other"], how="left")
    found["overlap_pct"] = 100.0 * common["now"] / common["weight_now"]
    found["previous_overlap_pct"] = 100.0 * common["before"] / common["weight_before"]
    return _texts(found[list(COMPARISON)])


def _rows(edition: Edition, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Rows of a ranking; where they are -1, empty ones."""
    ranking = edition.ranking.astype({"cluster_id": "Int64", "rank": "Int64", "intensity_rank": "Int64"})
    return ranking.reindex(rows).reset_index(drop=True)


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its texts as objects, None where there is none, whatever kind of text pandas prefers."""
    texts = [name for name in table if name in TEXT_COLUMNS]
    return table.assign(**{name: table[name].astype(object).where(table[name].notna(), None) for name in texts})


def _largest(pairs: pd.DataFrame, key: str, value: str, weight: str) -> pd.Series:
    """For each ``key`` the ``value`` with which it shares most ``weight``; of equals the smaller."""
    order = pairs.sort_values([weight, value], ascending=[False, True])
    return order.drop_duplicates(key).set_index(key)[value]


def _at_least_a_part(weight: pd.Series, whole: pd.Series) -> pd.Series:
    return weight >= -(-whole // PARTS_AT_MOST)  # rounded up: exact


def _parts(pairs: pd.DataFrame, whole: str, weight: str, now: Edition, before: Edition) -> pd.DataFrame:
    """Pairs whose ``whole`` (column "one" or "other") has at least two parts, in the columns of ``schema.PARTS``."""
    several = pairs[pairs[whole].duplicated(keep=False)]
    several = several.sort_values([whole, weight, "one", "other"], ascending=[True, False, True, True])
    today, then = _rows(now, several["one"].to_numpy()), _rows(before, several["other"].to_numpy())
    columns = {
        "previous_cluster_id": then["cluster_id"],
        "previous_rank": then["rank"],
        "previous_name": then["name"],
        "cluster_id": today["cluster_id"],
        "rank": today["rank"],
        "name": today["name"],
        "weight_pct": (100.0 * several[weight] / several[f"weight_{weight}"]).to_numpy(),
    }
    return _texts(pd.DataFrame(columns)[list(PARTS)])


def _manifest(
    now: Edition, before: Edition, clusters: pd.DataFrame, splits: pd.DataFrame, mergers: pd.DataFrame
) -> dict[str, Any]:
    differing = differing_settings(now.manifest, before.manifest)
    status, change = clusters["status"], clusters["rank_change"].dropna()
    matched = int((status == MATCHED).sum())
    return {
        "program": "gpu-clusters",
        "kind": "comparison",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "a": about(before) | {part: before.manifest.get(part) for part in ("settings", "totals")},
        "b": about(now) | {part: now.manifest.get(part) for part in ("settings", "totals")},
        "differing_settings": {name: list(values) for name, values in differing.items()},
        "matched": matched,
        "entrants": int((status == ENTRANT).sum()),
        "leavers": int((status == LEAVER).sum()),
        "rose": int((change > 0).sum()),
        "fell": int((change < 0).sum()),
        "splits": int(splits["previous_cluster_id"].nunique()),
        "mergers": int(mergers["cluster_id"].nunique()),
        "warnings": caveats(now, before, matched) + _totals_warning(now.manifest, before.manifest),
        "versions": versions(),
    }


def _totals_warning(now: dict[str, Any], before: dict[str, Any]) -> list[str]:
    one, other = before.get("totals") or {}, now.get("totals") or {}
    moved = [t for t in TABLES if one.get(t) and other.get(t) and abs(one[t] - other[t]) >= TIE * abs(one[t])]
    listed = ", ".join(f"{table} {one[table]:,.0f} -> {other[table]:,.0f}" for table in moved)
    return [f"the totals differ ({listed}): shares are percent of each edition's own"] if moved else []
