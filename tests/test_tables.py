"""The tables of a run, and what of them is given back once their rows are located."""

from __future__ import annotations

import gc
import weakref
from functools import partial

import numpy as np
import pandas as pd
import pytest

import gpu_clusters
from gpu_clusters import tables as module
from gpu_clusters.io import read_addresses
from gpu_clusters.settings import Settings
from gpu_clusters.steps import locate as locating
from gpu_clusters.tables import Tables, locate_rows


def addresses(rows: int, documents: int) -> pd.DataFrame:
    rng = np.random.default_rng(rows)
    spots = rng.integers(0, 9, rows)
    return pd.DataFrame({"doc_id": rng.integers(0, documents, rows), "lon": spots * 0.05, "lat": 1.0, "country": "GA"})


def test_located_tables_have_all_but_the_coordinates():
    read = read_addresses(addresses(50, 20), "patents")
    given = Tables(read, None, None)
    located, left = locate_rows(given, Settings())
    assert (left.publications, left.deals, left.warnings) == (None, None, ())
    assert left.patents is not None and given.patents is read.data
    assert (left.patents.rows, left.patents.documents) == (50, read.data.documents)
    assert len(left.patents.lon) == len(left.patents.lat) == 0
    for name in ("doc_start", "country", "organization"):
        assert getattr(left.patents, name) is getattr(read.data, name)
    assert (located.locations.lon[located.patents] == read.data.lon).all()


@pytest.mark.parametrize(
    "compute", [gpu_clusters.rank, partial(gpu_clusters.sweep, radius_km=[15])], ids=["rank", "sweep"]
)
def test_coordinates_of_rows_are_given_back_before_clustering(compute, monkeypatch):
    held: list[weakref.ref] = []

    def locate(patents, publications, settings):
        held.extend(weakref.ref(column) for table in (patents, publications) for column in (table.lon, table.lat))
        return locating.locate(patents, publications, settings)

    def told(name, _):
        if name in ("cluster", "baseline"):
            gc.collect()
            asked.append([column() is None for column in held])

    asked: list[list[bool]] = []
    monkeypatch.setattr(module, "locate", locate)
    compute(addresses(60, 20), addresses(70, 30), density=2, progress=told)
    assert asked == [[True] * 4]
