"""Addresses that GeoNames alone cannot place, what the service answers to them, and a client that asks it."""

from __future__ import annotations

import pandas as pd
from arcgis import MALFORMED, SLOW, Time, candidate, error

from gpu_clusters.geocoding.arcgis import ArcGIS

TOKEN = "AAPK/secret+token="
EXPORT = [
    ("Springfield", "US", "IL", 39.8, -89.6, 9),
    ("Joplin", "US", "MO", 37.1, -94.5, 9),
    ("Twin", "DE", "02", 50, 10, 9),
    ("Twin", "DE", "06", 52, 10, 9),
]
ROWS = pd.DataFrame(
    [
        ("Springfield", "IL", "US"),  # GeoNames
        ("Atlantis", "", "FR"),
        ("Gondor", "", "NA"),
        ("Mordor", "08", "CA"),
        ("atlantis ", None, "France"),
        ("Springfield", "Missouri", "US"),
        ("Twin", "", "DE"),  # ambiguous in GeoNames
        ("Illinois", "", "US"),  # an area
        ("", "", "US"),
        ("Shire", "", "GB"),
        ("Bree", "", "GB"),
        ("Atlantis", "", "FR"),
    ],
    columns=["city", "state", "country"],
)
BUSY = [
    (429, {"Retry-After": "7"}, b""),
    (503, {"Retry-After": "9"}, b""),
    (500, {}, b"oops"),
    MALFORMED,
    SLOW,
    error(500),
    {"candidates": "?"},
    b"[]",
]
ANSWERS = {
    "Atlantis, France": [*BUSY, [candidate(20, 50, Country="FRA")]],
    "Gondor, Namibia": [[candidate(1, 1), candidate(9, 9)]],
    "Mordor, Canada": [[]],
    "Springfield, Missouri, United States": [[candidate(-93.3, 37.2, Country="USA", Region="Missouri")]],
    "Shire, United Kingdom": [[candidate(0, 52, kind="County")]],
    "Bree, United Kingdom": [(400, {}, b"Unable to complete operation")],
}
ANSWERS["atlantis, France"] = ANSWERS["Atlantis, France"]


def client(service, folder, moment=None, **options):
    """A client of a server, with its cache in the folder and a clock that jumps."""
    options = {"rate": 1e6, "tries": len(BUSY) + 1} | options
    clock = (moment or Time()).clock
    return service.attach(ArcGIS(TOKEN, cache=folder / "cache.sqlite", url=service.url, clock=clock, **options))
