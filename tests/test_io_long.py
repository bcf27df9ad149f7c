"""Long tables, read batch by batch: numbers of rows, lists of invalid rows, dictionaries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sample import same, write

from gpu_clusters.io import read_addresses


def test_invalid_rows_are_listed_up_to_a_thousand(tmp_path):
    frame = pd.DataFrame({"doc_id": range(1501), "lon": [1.0] + [999.0] * 1500, "lat": 1.0})
    path = write(frame, "csv", tmp_path)
    ((name, rows, total),) = read_addresses(path, "patents").invalid
    assert (name, rows, total) == (str(path), list(range(2, 1002)), 1500)


def test_long_files_keep_their_row_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr("gpu_clusters.io.formats.BATCH", 100)
    monkeypatch.setattr("gpu_clusters.io.frames.BATCH", 100)
    monkeypatch.setattr("gpu_clusters.io.delimited._BLOCK", 1000)
    rng = np.random.default_rng(5)
    n = 1000
    frame = pd.DataFrame({"doc_id": rng.integers(0, 300, n).astype(str), "lon": rng.uniform(-180, 180, n), "lat": 1.0})
    frame["organization"] = [f'a "quoted",\nname {i % 7}' for i in range(n)]
    frame.loc[[99, 500, 998], "lat"] = 95.0
    expected = read_addresses(frame, "patents")
    assert expected.invalid[0].rows == [100, 501, 999]
    for kind in ("csv", "csv.gz", "tsv", "parquet", "pyarrow", "categories", "geojson"):
        same(read_addresses(write(frame, kind, tmp_path), "patents"), expected)


def test_columns_that_are_not_needed_may_change_their_type_far_down(tmp_path, monkeypatch):
    monkeypatch.setattr("gpu_clusters.io.delimited._BLOCK", 500)
    junk = ["7"] * 400 + ["some text"]
    frame = pd.DataFrame({"junk": junk, "doc_id": range(401), "lon": 1.0, "lat": 2.0})
    assert read_addresses(write(frame, "csv", tmp_path), "patents").data.rows == 401


def test_large_dictionaries_are_taken_batch_by_batch(tmp_path, monkeypatch):
    monkeypatch.setattr("gpu_clusters.io.formats.BATCH", 64)
    n = 400
    names = [f"Org {i:03d}" for i in range(300)]
    frame = pd.DataFrame(
        {"doc_id": np.arange(n) // 3, "lon": 1.0, "lat": 2.0, "organization": [names[i % 300] for i in range(n)]}
    )
    frame["organization"] = pd.Categorical(frame["organization"])
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "a.parquet", row_group_size=100)
    data = read_addresses(tmp_path / "a.parquet", "patents").data
    assert data.organizations == tuple(names)
    assert [data.organizations[code] for code in data.organization] == frame["organization"].tolist()
