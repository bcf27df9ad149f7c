"""Places are counted by the library of the device: on a GPU by cuDF, here a stand-in, with the same bytes as on the CPU."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from exports import manifest

import gpu_clusters
from gpu_clusters.errors import DeviceError
from gpu_clusters.sources.locations import places_of

COUNTED = ("part-00000.parquet", "part-00003.parquet", "coverage.csv", "locations.parquet")


class Frame:
    """What is used of cuDF's frames, as documented: groups in no order unless told to sort, and nothing that is pandas'.

    Of keys that are equal, 0.0 and -0.0, the last stands for the group; in pandas it is the first.
    """

    def __init__(self, *, data):
        self._frame = pd.DataFrame(data)

    def groupby(self, *, by, as_index=True, sort=False):
        return Groups(self._frame[::-1].groupby(by, as_index=as_index, sort=sort), sort)

    def to_pandas(self):
        return self._frame.copy()


class Groups:
    """What is used of cuDF's groups. Sums of floats are not: their order is not fixed."""

    def __init__(self, groups, sort):
        self._groups, self._sort = groups, sort

    def size(self):
        sizes = self._groups.size()
        if not self._sort:
            sizes = sizes.sample(frac=1, random_state=1, ignore_index=True)
        return Frame(data=sizes.astype({"size": "int32"}))


@pytest.fixture
def cudf(monkeypatch):
    """The stand-in; a list of how many rows each frame had."""
    made = []

    class Cudf:
        @staticmethod
        def DataFrame(*, data):  # noqa: N802
            made.append(len(data["lat"]))
            return Frame(data=data)

    monkeypatch.setitem(sys.modules, "cudf", Cudf)
    return made


def export(here: Path, table: str, amount: str | None) -> tuple[str, ...]:
    """Arguments for a table in three files, with ties, both zeros, poles, the date line, and rows without coordinates."""
    rng = np.random.default_rng(7)
    n = 4_000
    lon = rng.choice([-180.0, 180.0, 0.0, -0.0, *rng.uniform(-180, 180, 30)], n)
    lat = rng.choice([-90.0, 90.0, 0.0, -0.0, np.nan, *rng.uniform(-90, 90, 30)], n)
    values = rng.choice([1.0, 1 / 3, 0.1, 0.7, 0.0, -0.0], n) if table != "deals" else rng.integers(1, 4, n)
    rows = pd.DataFrame({"id": rng.integers(0, 1_200, n), "x": lon, "y": lat, "v": values})
    (here / "parts").mkdir()
    for number in range(3):
        rows[number::3].to_parquet(here / f"parts/{number}.parquet")
    names = {"deal_id" if table == "deals" else "doc_id": "id", "lon": "x", "lat": "y"} | (
        {amount: "v"} if amount else {}
    )
    lines = [f'table = "{table}"', "[columns]", *(f'{ours} = "{theirs}"' for ours, theirs in names.items())]
    (here / "m.toml").write_text("\n".join(lines))
    return ("table", "parts", "--mapping", "m.toml")


@pytest.mark.parametrize(
    ("table", "amount"), [("publications", None), ("publications", "fraction"), ("deals", None), ("deals", "deals")]
)
def test_a_gpu_gives_the_same_bytes(program, monkeypatch, cudf, table, amount):
    command = ("convert", *export(program.here, table, amount))
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: 5)
    assert program(*command, "--out", "cpu").code == 0 and not cudf
    ran = program(*command, "--device", "gpu", "--out", "gpu")
    assert ran.code == 0, ran
    places = pd.read_parquet("gpu/locations.parquet")
    assert len(cudf) == 5 and sum(cudf) == places["rows"].sum() > 3_500 and places["rows"].dtype == "int64"
    for name in COUNTED:
        assert Path("cpu", name).read_bytes() == Path("gpu", name).read_bytes(), name
    assert [manifest(name)["options"]["device"] for name in ("cpu", "gpu")] == ["cpu", "gpu"]


@pytest.mark.parametrize("fractions", [[0.0, -0.0], [-0.0, 0.0], [-0.0]])
def test_no_device_gives_a_negative_zero(cudf, fractions):
    n = len(fractions)
    rows = pa.table({"doc_id": ["a"] * n, "lon": [1.0] * n, "lat": [-0.0] * n, "fraction": fractions})
    for device in ("cpu", "gpu"):
        places = places_of("publications", rows, device)
        assert places.to_dict("list") == {"lat": [0.0], "lon": [1.0], "rows": [n], "fraction": [0.0]}
        assert not np.signbit(places[["lat", "fraction"]]).to_numpy().any(), device
    assert cudf == [n]


def test_each_worker_of_dask_counts_on_its_device(program, monkeypatch, cudf):
    """Workers are threads here, which see the stand-in; one that lacks cuDF ends the run before anything is read."""
    from distributed import Client, LocalCluster

    _, files, _, mapping = export(program.here, "publications", None)
    monkeypatch.setattr("gpu_clusters.sources.run.count_buckets", lambda _files: 5)
    gpu_clusters.convert("table", files, "cpu", mapping=mapping)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        gpu_clusters.convert("table", files, "gpu", mapping=mapping, dask=client, device="gpu")
        monkeypatch.setitem(sys.modules, "cudf", None)
        with pytest.raises(DeviceError, match="cuDF"):
            gpu_clusters.convert("table", files, "none", mapping=mapping, dask=client, device="gpu")
    assert len(cudf) == 5 and not Path("none").exists()
    files = [Path(one["name"]) for one in manifest("gpu")["inputs"][1:]]  # beside the mapping
    assert files == [program.here / f"parts/{number}.parquet" for number in range(3)]  # wherever workers are
    assert Path("cpu/locations.parquet").read_bytes() == Path("gpu/locations.parquet").read_bytes()


def test_a_device_that_is_not_there(program, monkeypatch):
    """It is refused before the files are looked at, which do not exist."""
    monkeypatch.setitem(sys.modules, "cudf", None)
    program.refused(4, "convert", "openalex", "nowhere", "--out", "out", "--device", "gpu", says="cuDF")
    program.refused(2, "convert", "openalex", "nowhere", "--out", "out", "--device", "tpu", says="device")
