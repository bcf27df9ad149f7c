"""A small result with everything that a report shows, and names that try every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import gpu_clusters
from gpu_clusters.report.contents import Contents, of_result

NAMES = (
    "São Paulo",
    "Göteborg–Malmö",
    "Ürümqi",
    '"Quo\'te" & Co. <b>',
    "<script>document.title='owned'</script>",
    '=HYPERLINK("http://x","y")',
    "50 % of $A_{1}^2 #7 ~ \\end{table} {x} | `code` *b*",
    "深圳–香港",
    "Đà Nẵng–Łódź–Şişli",
    "Санкт-Петербург",
    "line\nbreak\x07\u202eevil",
    "القاهرة",
)
ORGANIZATIONS = (
    "</script><script>boom()</script>",
    "Müller & Söhne",
    "@SUM(A1)",
    "東京大学",
    "A | B",
    "l'École",
    "x" * 300,
)
PLACES = (
    ("BR", -46.6, -23.5),
    ("SE", 12.0, 57.7),
    ("CN", 87.6, 43.8),
    ("US", -122.3, 37.6),
    ("US", -71.1, 42.4),
    ("DE", 11.6, 48.1),
    ("FR", 2.35, 48.9),
    ("CN", 114.1, 22.5),
    ("VN", 108.2, 16.05),
    ("RU", 30.3, 59.9),
    ("FJ", 179.99, -17.0),
    ("EG", 31.2, 30.0),
)


def addresses(seed: int, rows: int = 6000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    sizes = np.arange(len(PLACES), 0, -1) + rng.integers(0, 3, len(PLACES))
    place = rng.choice(len(PLACES), rows, p=sizes / sizes.sum())
    spread = np.where(rng.random(rows) < 0.8, 0.03, 3.0)[:, None]
    lonlat = np.array([(lon, lat) for _, lon, lat in PLACES])[place] + rng.normal(size=(rows, 2)) * spread
    return pd.DataFrame(
        {
            "doc_id": rng.integers(0, rows // 2, rows),
            "lon": lonlat[:, 0].round(3),
            "lat": lonlat[:, 1].round(3),
            "country": np.array([code for code, _, _ in PLACES])[place],
            "organization": np.array(ORGANIZATIONS, dtype=object)[rng.integers(0, len(ORGANIZATIONS), rows)],
        }
    )


def result() -> gpu_clusters.Result:
    """Twelve clusters with names, people and previous ranks, as if they had been computed."""
    deals = addresses(3, 600).drop(columns="doc_id")
    found = gpu_clusters.rank(addresses(1), addresses(2), deals, density=100)
    ranking = found.ranking
    count = len(ranking)
    assert count == len(NAMES)
    ranking["name"] = list(NAMES)
    ranking["population"] = 1e6 * (1 + np.arange(count) % 5)
    for name in ("patents", "publications", "deals"):
        ranking[f"{name}_per_million"] = ranking[name] / (ranking["population"] / 1e6)
    ranking["intensity"] = ranking["total_share"] / (ranking["population"] / 1e6)
    ranking["intensity_rank"] = ranking["intensity"].rank(ascending=False, method="min").astype("Int64")
    previous = pd.array([2, 1, 3, 9, 4, 5, None, 7, 8, 6, None, 12], dtype="Int64")
    ranking["previous_rank"], ranking["rank_change"] = previous, previous - ranking["rank"]
    return found


def sweep(folder: Path, ranking: pd.DataFrame) -> Path:
    """What a report reads of a sweep around a ranking; its clusters have other numbers there."""
    folder.mkdir()
    at = ranking[["lon", "lat"]].to_numpy()
    rows = [(90 + i, i, *at[i - 1], max(1, i - 2), i + 0.5, i + 4, 20) for i in range(1, 11)]
    columns = ["cluster_id", "rank", "lon", "lat", "best_rank", "median_rank", "worst_rank", "matched"]
    pd.DataFrame(rows[::-1], columns=columns).to_csv(folder / "stability.csv", index=False)
    return folder


def contents_of(found: gpu_clusters.Result, folder: Path) -> Contents:
    """What a report on a result shows with a sweep, which is written below the folder."""
    return of_result(found, sweep=sweep(folder / "sweep", found.ranking), top=10)
