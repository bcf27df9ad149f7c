"""Random tables, and readings of them by cuDF, here its double, compared with the CPU's reader."""

from __future__ import annotations

from pathlib import Path

import cudf_double as cudf
import cupy_double as xp
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.errors import InputError
from gpu_clusters.io import device, read_addresses
from gpu_clusters.io.footers import NeedsCpuError
from gpu_clusters.io.model import TableRead

BY_CUDF = ["patents read by cuDF"]
COORDINATES = [0.0, -0.0, 90.0, -90.0, 180.0, -180.0, 360.0, -360.0, 400.0, np.nan, np.inf, -np.inf, 179.99999999999997]


def on_device(source, **how) -> tuple[TableRead, list[str]]:
    """What is read by the double, and what is remarked."""
    remarks: list[str] = []
    return device.read_addresses(cudf, xp, source, "patents", remark=remarks.append, **how), remarks


def same(read: TableRead, expected: TableRead, kind: type = xp.ndarray) -> None:
    """Assert that all is identical, but that the arrays are of a GPU's kind."""
    for name, value in vars(expected.data).items():
        theirs = getattr(read.data, name)
        if isinstance(value, np.ndarray):
            assert isinstance(theirs, kind) and theirs.dtype == value.dtype, name
            np.testing.assert_array_equal(theirs.get(), value, err_msg=name)
            assert theirs.get().tobytes() == value.tobytes(), name
        else:
            assert theirs == value, name
    pd.testing.assert_frame_equal(read.coverage, expected.coverage, check_exact=True)
    assert read.inputs == expected.inputs and read.invalid == expected.invalid
    assert read.undated == expected.undated


def compared(source, piece=device.PIECE, **how) -> str:
    """Read on both, and compare; who has read it and why."""
    read, remarks = on_device(source, piece=piece, **how)
    same(read, read_addresses(source, "patents", **how))
    (remark,) = remarks
    return remark


def random_table(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Rows with ties, impossible and missing coordinates, both zeros, the date line, and texts of all kinds."""
    words = ["US", " US", "US ", "\u00a0DE", "", " ", "ñ", "Ö", "Z", "z", "\U0001f600", "NA", None]
    names = ["b", "a", "B", "é", "", " a", "𐐷", "\uffee", 'O\'Neill, "x"\n', None, *(f"Org {i}" for i in range(30))]
    frame = pd.DataFrame(
        {
            "junk": rng.normal(size=n),
            "doc_id": rng.integers(0, max(n // 3, 1), n),
            "lon": np.where(rng.random(n) < 0.4, rng.choice(COORDINATES, n), rng.uniform(-370, 370, n)),
            "lat": np.where(rng.random(n) < 0.2, rng.choice(COORDINATES, n), rng.uniform(-91, 91, n)),
            "country": rng.choice(np.array(words, object), n),
            "organization": rng.choice(np.array(names, object), n),
            "year": rng.integers(2000, 2006, n),
            "fraction": rng.choice([0.0, -0.0, 0.1, 1 / 3, 1.0, 7e-310], n),
        }
    )
    frame.loc[0, ["lon", "lat"]] = 5.0, 6.0
    return frame


IDS = {
    "small": lambda ids: ids,
    "apart": lambda ids: ids * 10**16 - 2**62,
    "narrow": lambda ids: (ids % 50).astype(np.int8),
    "unsigned": lambda ids: (ids + 2**31).astype(np.uint32),
    "texts": lambda ids: ids.map("EP {:07d} A1".format),
    "categories": lambda ids: ids.map("W{}".format).astype("category"),
}


def write(frame: pa.Table | pd.DataFrame, path: Path, **how) -> Path:
    """Write Parquet; the path."""
    pq.write_table(pa.Table.from_pandas(frame) if isinstance(frame, pd.DataFrame) else frame, path, **how)
    return path


def both(source, why: str, **how) -> None:
    """Both give the same table or the same error, and the CPU's reader has read it, because of `why`."""
    try:
        expected, error = read_addresses(source, "patents", **how), None
    except InputError as refusal:
        expected, error = None, refusal
    remarks: list[str] = []
    try:
        read = device.read_addresses(cudf, xp, source, "patents", remark=remarks.append, **how)
    except InputError as refusal:
        assert (type(refusal), str(refusal)) == (type(error), str(error))
        assert not isinstance(refusal.__context__, NeedsCpuError)  # which holds what was read
    else:
        assert error is None
        same(read, expected)
    (remark,) = remarks
    assert remark.startswith("patents read by the CPU, because ") and why in remark, remark


class Lying:
    """cuDF whose readers give something else."""

    Series, concat = cudf.Series, staticmethod(cudf.concat)

    def __init__(self, change) -> None:
        self._change = change

    def read_parquet(self, path, **how):
        return self._change(cudf.read_parquet(path, **how))

    def read_csv(self, source, **how):
        return self._change(cudf.read_csv(source, **how))


def fails(_):
    raise RuntimeError("CUDF failure at: reader_impl.cu: unsupported\nmore")
