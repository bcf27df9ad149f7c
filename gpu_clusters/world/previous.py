"""The previous edition: what the counts and populations were, so that its ranks are the published previous ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpu_clusters.world.published import DEALS, NEW, PATENTS, PUBLICATIONS

SHRUNK = 0.985  # of the total share that a rank has today


def with_population(clusters: pd.DataFrame) -> pd.DataFrame:
    """The clusters with a population for those beyond the top 100 too, which is invented."""
    total = total_share(clusters)
    invented = np.round(1e6 * total / (0.06 + 0.004 * (clusters["rank"] % 37)))
    return clusters.assign(population=clusters["population"].fillna(invented))


def total_share(clusters: pd.DataFrame) -> pd.Series:
    """Sum of the three shares, percent."""
    return 100 * (clusters["patents"] / PATENTS + clusters["publications"] / PUBLICATIONS + clusters["deals"] / DEALS)


def previous_edition(clusters: pd.DataFrame) -> pd.DataFrame:
    """Counts and populations a year before, for the clusters that there were.

    A cluster's total share is close to the one that its previous rank has today, its intensity the one that its previous
    intensity rank has today. Those that the chapter calls new have NaN.
    """
    today = with_population(clusters)
    total = total_share(today)
    rank = previous_ranks(today)
    was = rank.notna()
    by_rank = np.sort(total)[::-1]
    then = pd.Series(np.nan, today.index)
    then[was] = SHRUNK * by_rank[rank[was].astype(int) - 1]
    ratio = then / total
    patents = (today["patents"] * ratio).round(2)
    deals = np.maximum((today["deals"] * ratio).round(), 1).where(was)
    publications = (then / 100 - patents / PATENTS - deals / DEALS) * PUBLICATIONS
    intensity = total / today["population"]
    top = today["rank"] <= 100
    by_intensity = np.sort(intensity[top])[::-1]
    position = _previous_intensity(today, rank)
    population = today["population"].where(was)
    known = position.notna()
    population[known] = (then[known] / (SHRUNK * by_intensity[position[known].astype(int) - 1])).round(2)
    return today.assign(patents=patents, publications=publications, deals=deals, population=population)


def previous_ranks(clusters: pd.DataFrame) -> pd.Series:
    """Published previous ranks; the other clusters take what is left, in today's order; NaN for new ones."""
    rank = clusters["previous_rank"].copy()
    others = clusters.index[rank.isna() & ~clusters["cluster_id"].isin(NEW)]
    known = int(rank.notna().sum())
    free = sorted(set(range(1, known + len(others) + 1)) - set(rank.dropna().astype(int)))
    rank[others] = np.array(free, float)
    return rank


def _previous_intensity(clusters: pd.DataFrame, rank: pd.Series) -> pd.Series:
    """Published previous intensity ranks, and the three that are left for those that were in the top 100 then."""
    position = clusters["previous_intensity_rank"].copy()
    others = clusters.index[(rank <= 100) & position.isna()]
    free = sorted(set(range(1, 101)) - set(position.dropna().astype(int)))
    position[others] = np.array(free, float)
    return position
