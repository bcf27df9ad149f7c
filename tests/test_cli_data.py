"""The command line program on files that are damaged, empty, lack columns, or are none."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from program import address_table, good

pytestmark = pytest.mark.usefixtures("good_files")
TABLES = ("patents", "publications", "deals")


def arguments(table: str, path: object) -> list[object]:
    """Options that name the path for one table and good files for the others."""
    files = {name: path if name == table else f"{name}.parquet" for name in TABLES}
    return [
        "rank",
        *(part for name, file in files.items() for part in (f"--{name}", file)),
        "--density",
        5,
        "--out",
        "out",
    ]


BAD = {
    "empty.parquet": b"",
    "empty.csv": b"",
    "empty.geojson": b"",
    "random.parquet": np.random.default_rng(0).bytes(5000),
    "random.csv": np.random.default_rng(1).bytes(5000),
    "random.csv.gz": np.random.default_rng(2).bytes(5000),
    "random.tsv.zst": np.random.default_rng(3).bytes(5000),
    "random.geojson": np.random.default_rng(4).bytes(5000),
    "magic.parquet": b"PAR1" + np.random.default_rng(5).bytes(500) + b"PAR1",
    "header.csv": b"doc_id,lon,lat,deals,fraction\n",
    "noheader.csv": b"1,2,3\n4,5,6\n",
    "ungeocoded.csv": b"doc_id,lon,lat\n1,,\n2,NA,5\n3,5,nan\n",
    "invalid.csv": b"doc_id,lon,lat\n1,0,91\n2,361,5\n3,inf,0\n",
    "text.csv": b"doc_id,lon,lat\n1,2,3\n2,48\xc2\xb051'N,2\n",
    "comma.csv": b'doc_id,lon,lat\n1,2,3\n2,"4,5",2\n',
    "ragged.csv": b"doc_id,lon,lat\n1,2,3\n2,3\n",
    "quote.csv": b'doc_id,lon,lat\n1,2,"3\n2,3,4\n',
    "latin.csv": "doc_id,lon,lat,country\n1,2,3,Köln\n".encode("latin-1"),
    "utf16.csv": "doc_id,lon,lat\n1,2,3\n".encode("utf-16"),
    "polygon.geojson": b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"doc_id":1},"geometry":'
    b'{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}',
    "not.geojson": b'{"type": "nothing"}',
    "list.json": b"[1, 2, 3]",
    "table.xlsx": b"PK\3\4",
    "missing.parquet": None,
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", BAD)
def test_bad_files(program, table, name):
    if BAD[name] is not None:
        Path(name).write_bytes(BAD[name])
    assert name.split(".")[0] in program.refused(3, *arguments(table, name))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change",
    [
        {"lon": "here"},
        {"lat": [None] * 60},
        {"lon": np.nan, "lat": np.nan},
        {"lat": 90.5},
        {"lon": pd.Timestamp("2020-01-01")},
        {"lon": True},
    ],
    ids=str,
)
def test_bad_coordinates(program, table, change):
    good(table).assign(**change).to_parquet("bad.parquet")
    program.refused(3, *arguments(table, "bad.parquet"), says="bad.parquet")


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("table", TABLES)
def test_truncated_parquet(program, table, part):
    whole = Path(f"{table}.parquet").read_bytes()
    Path("cut.parquet").write_bytes(whole[: int(len(whole) * part)])
    program.refused(3, *arguments(table, "cut.parquet"), says="cut.parquet")


@pytest.mark.parametrize("table", TABLES)
def test_damaged_pages_of_parquet(program, table):
    rng = np.random.default_rng(0)
    good(table).assign(country=rng.integers(10**9, size=60).astype(str)).to_parquet("whole.parquet", compression="zstd")
    data = bytearray(Path("whole.parquet").read_bytes())
    data[4:60] = rng.bytes(56)
    Path("damaged.parquet").write_bytes(data)
    program.refused(3, *arguments(table, "damaged.parquet"), says="damaged.parquet")


@pytest.mark.parametrize(
    ("column", "table"), [("doc_id", table) for table in TABLES[:2]] + [(c, t) for c in ("lon", "lat") for t in TABLES]
)
def test_missing_columns(program, table, column):
    good(table).drop(columns=column).to_parquet("lacking.parquet")
    program.refused(3, *arguments(table, "lacking.parquet"), says=f'"{column}" is missing')


@pytest.mark.parametrize("table", TABLES)
def test_no_rows(program, table):
    good(table).iloc[:0].to_parquet("none.parquet")
    program.refused(3, *arguments(table, "none.parquet"), says="no row")


@pytest.mark.parametrize("value", [-0.5, np.nan, np.inf, -np.inf])
def test_bad_numbers(program, value):
    for table in TABLES:
        column = "deals" if table == "deals" else "fraction"
        if column == "deals" and np.isnan(value):  # counts 1
            continue
        good(table).assign(**{column: [1.0] * 59 + [value]}).to_csv("bad.csv", index=False)
        line = program.refused(3, *arguments(table, "bad.csv"), says=column)
        assert "row 60" in line


def test_null_document(program):
    address_table(doc_id=[None] + ["a"] * 59).to_parquet("bad.parquet")
    assert "row 1" in program.refused(3, *arguments("patents", "bad.parquet"), says="doc_id")


def test_unreadable_file(program, monkeypatch):
    address_table().to_parquet("secret.parquet")
    Path("secret.parquet").chmod(0)
    if os.getuid() == 0:
        opened = Path.open

        def refuse(self, *args, **how):
            if self.name == "secret.parquet":
                raise PermissionError(13, "Permission denied", str(self))
            return opened(self, *args, **how)

        monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"")  # that the helper looks with
    program.refused(3, *arguments("patents", "secret.parquet"), says="permission")


def test_names_that_are_no_files(program):
    Path("folder").mkdir()
    os.mkfifo("pipe.csv")
    for name in ("folder", "pipe.csv", "/dev/null", "/dev/zero", "no/such/file.csv", "x" * 300 + ".csv"):
        program.refused(3, *arguments("patents", name))
    program.refused(3, *arguments("patents", ""), says="empty")
    program.refused(3, *arguments("patents", "patents.parquet"), "--patents", "patents.parquet", says="twice")
