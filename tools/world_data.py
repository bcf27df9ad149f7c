"""Make the data files of the planted world, gpu_clusters/world/data.

    python tools/world_data.py REFERENCE

REFERENCE is a folder with the tables of the GII 2025 chapter as CSV. What is published is copied; what is not, the clusters
beyond the top 100 apart from the names and ranks of some, is invented here within the bounds that the chapter implies.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from gpu_clusters.io.gazetteer import gazetteer

DATA = Path(__file__).parents[1] / "gpu_clusters" / "world" / "data"
PATENTS, PUBLICATIONS, DEALS = 1_309_770, 8_199_200, 235_220
LAST = 237
EARTH_KM = 6371.0088

# City, country of the unnamed clusters beyond the top 100, in the order of their ranks
UNNAMED = """
Detroit US, Nuremberg- DE, Columbus US, Taiyuan CN, Madison US, Grenoble FR, Fukuoka JP, Rochester US, Ottawa CA, Turin IT,
Dresden DE, Shijiazhuang CN, Toulouse FR, Cleveland US, Bristol GB, Bologna IT, Aachen DE, Gwangju KR, Nashville US, Hannover DE,
Sendai JP, St. Louis US, Guiyang CN, Glasgow GB, Valencia ES, Haifa IL, Indianapolis US, Saint Petersburg RU, Calgary CA,
Nanning CN, Birmingham GB, Naples IT, Perth AU, Sapporo JP, Aarhus DK, Leipzig DE, Tampa US, Marseille FR, Adelaide AU,
Kansas City US, Xuzhou CN, Florence IT, Sheffield GB, Sacramento US, Ahmedabad IN, Bern CH, Albany US, Edmonton CA, Uppsala SE,
Edinburgh GB, Taichung TW, Bremen DE, Milwaukee US, Wenzhou CN, Strasbourg FR, Charlotte US, Hiroshima JP, Sevilla ES,
New Haven US, Chandigarh IN, Linköping SE, Lille FR, Newcastle upon Tyne GB, Hartford US, Luoyang CN, Göttingen DE, Buffalo US,
Bordeaux FR, Tampere FI, Gainesville US, Nantong CN, Trondheim NO, Nottingham GB, San Antonio US, Liège BE, Montpellier FR,
Hamamatsu JP, Groningen NL, Tucson US, Yantai CN, Champaign US, Graz AT, Zaragoza ES, Charlottesville US, Hohhot CN,
Lucknow IN, New Orleans US, Ulm DE, Winnipeg CA, Santa Barbara US, Genoa IT, Southampton GB, Haikou CN, Richmond US,
Isfahan IR, Granada ES, Orlando US, Rennes FR, Iowa City US, Yinchuan CN
"""

# Rank of the named ones where the chapter gives none: those that left the top 100 stood there without deals
RANKS = {
    "ankara": 104, "basel": 105, "brisbane": 106, "cincinnati": 107, "daegu": 108, "fuzhou": 109, "kunming": 110,
    "lanzhou": 111, "nanchang": 113, "nuremberg-erlangen": 114, "lisbon": 117, "budapest": 121, "athens": 116, "prague": 119,
    "bangkok": 124, "santiago": 142, "krakow": 136, "auckland": 152, "buenos-aires": 131, "rio-de-janeiro": 139,
    "belgrade": 175, "bucharest": 168, "porto": 149, "porto-alegre": 186, "islamabad": 163, "dammam": 199,
}  # fmt: skip
# Share of patents in patents plus publications
PATENT_PART = {"JP": 0.7, "US": 0.5, "DE": 0.62, "KR": 0.6, "FR": 0.5, "CN": 0.22, "CH": 0.6, "SE": 0.5, "NL": 0.45,
               "IL": 0.5, "GB": 0.3, "FI": 0.6, "DK": 0.45, "AT": 0.45, "CA": 0.32, "AU": 0.25, "IN": 0.2, "TW": 0.25,
               "BE": 0.4}  # fmt: skip

# Member places that begin the second part of a cluster (plan.SECOND_PARTS)
SECOND = {
    "shenzhen-hong-kong-guangzhou": "Guangzhou",
    "san-jose-san-francisco": "San Francisco",
    "shanghai-suzhou": "Suzhou",
    "osaka-kobe-kyoto": "Kyoto",
    "washington-baltimore": "Baltimore",
    "tel-aviv-jerusalem": "Jerusalem",
    "amsterdam-rotterdam": "Rotterdam",
    "taipei-hsinchu": "Hsinchu",
    "brussels-antwerp": "Antwerp",
}


def main() -> None:
    """Write all files."""
    reference = Path(sys.argv[1])
    DATA.mkdir(exist_ok=True)
    top = pd.read_csv(reference / "gii2025_top100.csv", dtype=str).drop(columns="source_line")
    intensity = pd.read_csv(reference / "gii2025_intensity.csv", dtype=str).drop(columns="source_line")
    top.to_csv(DATA / "top100.csv", index=False)
    intensity.to_csv(DATA / "intensity.csv", index=False)
    geocoding = pd.read_csv(reference / "gii2025_geocoding.csv", dtype=str).drop(columns="source_line")
    geocoding.to_csv(DATA / "geocoding.csv", index=False)
    leaders(reference).to_csv(DATA / "leaders.csv", index=False)
    named = pd.read_csv(reference / "gii2025_named_beyond.csv", dtype=str)
    clusters = beyond(top, named, pd.read_csv(reference / "gii2025_old_rank_gaps.csv"))
    clusters.to_csv(DATA / "beyond.csv", index=False)
    places(pd.read_csv(reference / "clusters_places.csv", keep_default_na=False), clusters).to_csv(
        DATA / "places.csv", index=False
    )


def leaders(reference: Path) -> pd.DataFrame:
    """Top applicants and organizations that the chapter names."""
    columns = ["cluster_id", "top_applicant", "top_organization"]
    economy = pd.read_csv(reference / "gii2025_top_by_economy.csv")[columns]
    other = pd.read_csv(reference / "gii2025_intensity_top10.csv")
    other = other.rename(columns={"top_scientific_organization": "top_organization"})[columns]
    return pd.concat([economy, other]).drop_duplicates("cluster_id")


def beyond(top: pd.DataFrame, named: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Clusters of ranks 101 to 237 with counts that leave the published ranks, with deals and without, as they are."""
    rank = {key: int(value) for key, value in zip(named["cluster_id"], named["rank"], strict=True) if value == value}
    rank |= RANKS
    rank["oulu"] = 219  # of equal shares the one further south comes first
    table = named[["cluster_id", "name", "economy"]].assign(position=named["cluster_id"].map(rank), named=True)
    free = sorted(set(range(101, LAST + 1)) - set(table["position"]))
    listed = [text.strip().rsplit(" ", 1) for text in UNNAMED.replace("\n", " ").split(",")]
    cities = [(name, country) for name, country in listed if not name.endswith("-")][: len(free)]
    other = pd.DataFrame(cities, columns=["name", "economy"])
    other["cluster_id"] = other["name"].str.lower().str.replace("[^a-z]+", "-", regex=True)
    other["position"], other["named"] = free, False
    table = pd.concat([table, other]).sort_values("position", ignore_index=True)
    assert len(table) == LAST - 100 and table["cluster_id"].is_unique, (len(table), len(free), len(cities))

    two = two_shares(top, gaps, table)
    order = np.arange(len(table))
    total = np.where(order < 14, 0.4262 - 0.0009 * order, 0.0)
    total[14:] = two[14:] * (1.07 + 0.08 * np.cos(order[14:] / 30.0) ** 2)
    total[14:] = np.minimum.accumulate(np.minimum(total[14:], total[13] - 0.001)) - 1e-6 * order[14:]
    deals = np.maximum(1, np.round((total - two) / 100 * DEALS))
    part = table["economy"].str[:2].map(PATENT_PART).fillna(0.15).to_numpy(float)
    patents = np.round(two * part / 100 * PATENTS, 2)
    publications = np.round((total / 100 - patents / PATENTS - deals / DEALS) * PUBLICATIONS, 2)
    table["patents"], table["publications"], table["deals"] = patents, publications, deals.astype(int)
    oulu, urumqi = (table.index[table["cluster_id"] == key][0] for key in ("oulu", "urumqi"))
    table.loc[oulu, ["patents", "publications", "deals"]] = table.loc[urumqi, ["patents", "publications", "deals"]]
    table["rank"] = table["position"].where(table["cluster_id"] != "oulu", 218)
    return table[["cluster_id", "name", "economy", "rank", "named", "patents", "publications", "deals"]]


def two_shares(top: pd.DataFrame, gaps: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Patent plus publication share of each cluster beyond, so that the ranks without deals of the top 100 come out."""
    share = 100 * (top["pct_applications"].astype(float) / PATENTS + top["publications"].astype(float) / PUBLICATIONS)
    held = dict(zip(top["rank_old_methodology"].astype(int), share, strict=True))
    values = {}
    free = [rank for rank in range(1, LAST + 1) if rank not in held]
    ends = sorted(held)
    for low, high in zip(ends, [*ends[1:], LAST + 1], strict=True):
        inside = [rank for rank in free if low < rank < high]
        bottom = held.get(high, 0.112)
        for i, rank in enumerate(inside, 1):
            values[rank] = held[low] + (bottom - held[low]) * i / (len(inside) + 1)
    leavers = [i for i, key in enumerate(table["cluster_id"]) if 104 <= RANKS.get(key, 0) <= 114]
    assert len(leavers) == len(gaps) == 10
    two = np.empty(len(table))
    two[leavers] = [values[rank] for rank in sorted(gaps["rank_old_methodology"])]
    rest = [i for i in range(len(table)) if i not in leavers]
    two[rest] = [values[rank] for rank in free if rank > 100]
    return two


def places(known: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """Member places and satellites of the clusters, and noise cities, from GeoNames."""
    everywhere = gazetteer()
    rows = []
    for cluster, own in known[known["role"] != "district"].groupby("cluster_id", sort=False):
        second = SECOND.get(cluster)
        for row in own.itertuples():
            country = "CN" if row.country_code == "MO" else row.country_code  # as the chapter labels it
            part = 2 if second in (row.place_name, row.nearest_member) else 1
            rows.append((cluster, part, row.role, row.place_name, country, row.lon, row.lat, row.population))
    for row in clusters[~clusters["named"]].itertuples():
        name = row.name
        found = everywhere[(everywhere["country"] == row.economy) & (everywhere["name"] == name)]
        if not len(found):
            wanted = everywhere["alternates"].str.split(",").map(lambda names, name=name: name in names)
            found = everywhere[(everywhere["country"] == row.economy) & wanted]
        assert len(found), name
        best = found.sort_values("population").iloc[-1]
        rows.append(
            (row.cluster_id, 1, "member", best["name"], best["country"], best["lon"], best["lat"], best["population"])
        )
    extra = [("basel", "Lörrach", "DE"), ("basel", "Saint-Louis", "FR"), ("singapore", "Johor Bahru", "MY")]
    for cluster, name, country in extra:
        if not any(row[0] == cluster and row[3] == name for row in rows):
            found = everywhere[(everywhere["country"] == country) & (everywhere["name"] == name)].sort_values(
                "population"
            )
            best = found.iloc[-1] if name != "Saint-Louis" else found[found["lat"].between(47.4, 47.7)].iloc[-1]
            rows.append((cluster, 1, "satellite", name, country, best["lon"], best["lat"], best["population"]))
    columns = ["cluster_id", "part", "role", "name", "country", "lon", "lat", "population"]
    table = pd.DataFrame(rows, columns=columns)
    return pd.concat([table, noise(everywhere, table)[columns]], ignore_index=True)


def noise(everywhere: pd.DataFrame, table: pd.DataFrame, apart_km: float = 28, away_km: float = 34) -> pd.DataFrame:
    """Large cities far from each other and from the clusters' members."""
    from sklearn.neighbors import BallTree

    cities = everywhere[everywhere["population"] >= 5000].sort_values(
        ["population", "geonameid"], ascending=[False, True]
    )
    members = table[table["role"] == "member"]
    tree = BallTree(np.radians(members[["lat", "lon"]]), metric="haversine")
    far = tree.query(np.radians(cities[["lat", "lon"]]))[0][:, 0] * EARTH_KM > away_km
    cities = cities[far].reset_index(drop=True)
    at = np.radians(cities[["lat", "lon"]])
    near = BallTree(at, metric="haversine").query_radius(at, apart_km / EARTH_KM)
    taken = np.zeros(len(cities), bool)
    count: dict[str, int] = {}
    for i, others in enumerate(near):
        country = cities["country"][i]
        limit = {"US": 500, "CN": 400, "IN": 200, "RU": 150, "BR": 150}.get(country, 90 if country in BIG else 8)
        if count.get(country, 0) < limit and not taken[others].any():
            taken[i] = True
            count[country] = count.get(country, 0) + 1
    return cities[taken].assign(cluster_id="", part=0, role="noise")


BIG = {"JP", "DE", "KR", "GB", "FR", "IT", "CA", "ES", "NL", "AU", "CH", "SE", "TR", "IL", "PL"}

if __name__ == "__main__":
    main()
