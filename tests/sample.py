"""A small table of addresses that has a bit of everything, and the same as every kind of source."""

from __future__ import annotations

import gzip
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely

from gpu_clusters.io import TableRead


def table(**more) -> pd.DataFrame:
    """Six rows that have a bit of everything."""
    return pd.DataFrame(
        {
            "doc_id": ["W3", "W1", "W3", "W2", "W1", "W4"],
            "lon": [139.7, 180.0, -0.0, np.nan, -74.006, 400.0],
            "lat": [35.7, 12.5, -0.0, 1.0, 40.7128, 5.0],
            "country": ["JP", "NA", None, "Ö", "US", "US"],
            "organization": ["é", None, "Ab", "zz", "Ab", "c"],
            "year": [2020, 2021, 2022, 2020, 2021, 2022],
            "fraction": [0.5, 0.25, 0.1, 1.5, 1 / 3, 1.0],
            **more,
        }
    )


def same(one: TableRead, other: TableRead) -> None:
    """Assert that two readings are identical, names of files aside."""
    for name, value in vars(one.data).items():
        theirs = getattr(other.data, name)
        if isinstance(value, np.ndarray):
            assert value.dtype == theirs.dtype
            np.testing.assert_array_equal(value, theirs, err_msg=name)
            assert value.tobytes() == theirs.tobytes(), name
        else:
            assert value == theirs, name
    pd.testing.assert_frame_equal(one.coverage, other.coverage)
    assert [entry[1:] for entry in one.invalid] == [entry[1:] for entry in other.invalid]


def as_geometry(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """The coordinates as points; a missing one as an empty or a null geometry."""
    points = shapely.points(frame["lon"].to_numpy(), frame["lat"].to_numpy())
    points[np.isnan(frame["lon"].to_numpy())] = None
    return gpd.GeoDataFrame(frame.drop(columns=["lon", "lat"]), geometry=list(points), crs=4326)


def write(frame: pd.DataFrame, kind: str, folder: Path):
    """Write the frame as the kind of source that is asked for."""
    path = folder / f"a.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "geoparquet":
        as_geometry(frame).to_parquet(path)
    elif kind == "point.geoparquet":
        as_geometry(frame).to_parquet(path, geometry_encoding="geoarrow")
    elif kind == "both.geoparquet":
        as_geometry(frame).set_geometry(gpd.points_from_xy([7.0] * len(frame), [8.0] * len(frame))).assign(
            lon=frame["lon"], lat=frame["lat"]
        ).to_parquet(path)
    elif kind in ("geojson", "json"):
        path.write_text(as_geometry(frame).to_json(), encoding="utf-8")
    elif kind == "bom.csv":
        frame.to_csv(path, index=False, encoding="utf-8-sig")
    elif kind == "crlf.csv":
        path.write_text("\n" + frame.to_csv(index=False).replace("\n", "\r\n"), encoding="utf-8", newline="")
    elif kind == "na.csv":
        path.write_text(frame.to_csv(index=False).replace(",,1.0", ",NA,1.0"), encoding="utf-8")
    elif kind.startswith(("csv", "tsv")):
        text = frame.to_csv(index=False, sep="\t" if kind.startswith("tsv") else ",").encode()
        if kind.endswith(".gz"):
            text = gzip.compress(text[:20]) + gzip.compress(text[20:])  # two members
        elif kind.endswith(".zst"):
            text = pa.Codec("zstd").compress(text, asbytes=True)
        path.write_bytes(text)
    elif kind == "polars":
        return pytest.importorskip("polars").from_pandas(frame)
    elif kind == "polars categories":
        polars = pytest.importorskip("polars")
        return polars.from_pandas(frame).with_columns(polars.col("country", "organization").cast(polars.Categorical))
    elif kind == "text views":
        whole = pa.Table.from_pandas(frame)
        views = [pa.array(whole[name].to_pylist(), pa.string_view()) for name in ("doc_id", "country")]
        return whole.set_column(0, "doc_id", views[0]).set_column(3, "country", views[1])
    elif kind == "pyarrow":
        return pa.Table.from_pandas(frame)
    elif kind == "pyarrow batches":
        return pa.Table.from_pandas(frame).to_reader(max_chunksize=2)
    elif kind == "geopandas":
        return as_geometry(frame)
    elif kind == "geoarrow":
        return pa.table(as_geometry(frame).to_arrow(geometry_encoding="geoarrow"))
    elif kind == "categories":
        return frame.astype(
            {name: "category" for name in ("doc_id", "country", "organization", "lon") if name in frame}
        )
    elif kind == "objects":
        return frame.astype(object)
    elif kind == "nullable":
        return frame.convert_dtypes(dtype_backend="numpy_nullable")
    elif kind == "arrow dtypes":
        return frame.convert_dtypes(dtype_backend="pyarrow")
    elif kind == "texts":
        return frame.astype({"lon": "str", "fraction": "str", "year": "str"})
    elif kind == "two files":
        frame.iloc[:2].to_parquet(folder / "1.parquet")
        frame.iloc[2:].to_csv(folder / "2.csv", index=False)
        return [folder / "1.parquet", str(folder / "2.csv")]
    elif kind == "folder":
        (folder / "year=x" / "p").mkdir(parents=True)
        (folder / "_delta").mkdir()
        frame.iloc[:2].to_parquet(folder / "0.PARQUET")
        frame.iloc[2:].to_parquet(folder / "year=x" / "p" / "1.parquet")
        for name in ("_SUCCESS.csv", ".hidden.csv", "notes.txt", "_delta/a.csv"):
            (folder / name).write_text("no table")
        return folder
    return path


KINDS = [
    *("parquet", "geoparquet", "point.geoparquet", "both.geoparquet", "geojson", "json", "polars", "pyarrow"),
    *("polars categories", "text views"),
    *("csv", "csv.gz", "csv.zst", "tsv", "tsv.gz", "tsv.zst", "bom.csv", "crlf.csv", "na.csv", "geopandas", "geoarrow"),
    *("pyarrow batches", "categories", "objects", "nullable", "arrow dtypes", "texts", "two files", "folder"),
]
