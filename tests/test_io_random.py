"""Random tables of addresses are read as plain pandas computes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample import write

from gpu_clusters.io import Addresses, read_addresses
from gpu_clusters.schema import COVERAGE

COORDINATE = st.one_of(
    st.sampled_from([np.nan, np.inf, -np.inf, -0.0, 90.0, -90.0, 180.0, -180.0, 360.0, -360.0, 400.0]),
    st.floats(-370, 370, width=32),
)
ROW = st.tuples(
    st.integers(0, 6),
    COORDINATE,
    COORDINATE,
    st.sampled_from(["NA", "US", "éa", "z", "", None]),
    st.sampled_from(["b", "a", "B", "é", "", None]),
    st.floats(0, 3),
)


def plain(frame: pd.DataFrame) -> tuple[list, pd.DataFrame]:
    """The same by pandas, slow and plain: documents as sorted lists of rows, and the coverage."""
    given_both = frame["lon"].notna() & frame["lat"].notna()
    good = given_both & (frame["lat"].abs() <= 90) & (frame["lon"].abs() <= 360)
    country = frame["country"].fillna("")
    lon = frame["lon"].where(frame["lon"] < 180, frame["lon"] - 360)
    lon = lon.where(frame["lon"] >= -180, frame["lon"] + 360)
    clean = frame.assign(lon=lon + 0.0, lat=frame["lat"] + 0.0, country=country)[good]
    clean["organization"] = clean["organization"].fillna("")
    groups = [sorted(map(tuple, part.drop(columns="doc_id").to_numpy())) for _, part in clean.groupby("doc_id")]
    rows = []
    for name in [*sorted(set(country)), "World"]:
        here = pd.Series(True, frame.index) if name == "World" else country == name
        ids = frame["doc_id"]
        docs, covered = ids[here].nunique(), ids[here & good].nunique()
        n, k, bad = here.sum(), (here & good).sum(), (here & given_both & ~good).sum()
        rows.append(("patents", name, n, k, bad, 100 * k / n, docs, covered, 100 * covered / docs))
    return sorted(groups), pd.DataFrame(rows, columns=list(COVERAGE))


def listed(data: Addresses) -> list:
    """Documents as sorted lists of rows, as `plain` gives them."""
    country = [*data.countries, ""]
    organization = [*data.organizations, ""]
    rows = [
        (x, y, country[c], organization[o], f)
        for x, y, c, o, f in zip(data.lon, data.lat, data.country, data.organization, data.fraction, strict=True)
    ]
    spans = zip(data.doc_start[:-1], data.doc_start[1:], strict=True)
    return sorted(sorted(rows[a:b]) for a, b in spans)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, max_size=25),
    ids=st.sampled_from([lambda i: i, lambda i: i * 10**17, lambda i: f"W{i}", float]),
    kind=st.sampled_from(["frame", "parquet", "csv", "categories", "objects"]),
    seed=st.integers(0, 99),
)
def test_random_tables(rows, ids, kind, seed, tmp_path):
    rows = [(1, 2.0, 3.0, "US", "a", 1.0), *rows]
    frame = pd.DataFrame(rows, columns=["doc_id", "lon", "lat", "country", "organization", "fraction"])
    frame["doc_id"] = [ids(i) for i in frame["doc_id"]]
    groups, coverage = plain(frame)
    read = read_addresses(frame if kind == "frame" else write(frame, kind, tmp_path), "patents")
    assert listed(read.data) == groups
    assert list(read.data.countries) == sorted(set(read.data.countries)) and "" not in read.data.countries
    pd.testing.assert_frame_equal(read.coverage, coverage, check_dtype=False)
    shuffled = read_addresses(frame.sample(frac=1, random_state=seed), "patents")
    assert listed(shuffled.data) == groups
    pd.testing.assert_frame_equal(shuffled.coverage, read.coverage)
