"""Steps on rows that lie on a GPU, shown with the double of CuPy: the same bits as on the CPU, and little copied."""

from __future__ import annotations

from dataclasses import replace

import cudf_double as cudf
import cupy_double as xp
import numpy as np
import pandas as pd
import pytest
from worlds import random_world

from gpu_clusters import arrays
from gpu_clusters.arrays import count_each, gathered, numbered, repeat_each, sum_by
from gpu_clusters.io import device, read_addresses
from gpu_clusters.io.model import Addresses
from gpu_clusters.settings import Settings
from gpu_clusters.steps import count
from gpu_clusters.steps.locate import locate
from gpu_clusters.steps.members import of_locations
from gpu_clusters.steps.output import output_of
from gpu_clusters.steps.partners import partners_table
from gpu_clusters.steps.score import indicator

ROWS = ("lon", "lat", "doc_start", "country", "organization", "fraction")


def on_device(table: Addresses | None) -> Addresses | None:
    """A table with its rows in arrays of the double."""
    if table is None:
        return None
    return replace(
        table, **{name: xp.asarray(getattr(table, name)) for name in ROWS if getattr(table, name) is not None}
    )


def assert_same(found, expected):
    """Equal bits, and the found ones on the host."""
    if isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray) and found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, tuple) and expected and not isinstance(expected[0], str):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == expected


@pytest.fixture(params=range(40))
def tables(request):
    """Patents and publications of a random world; some without one of the two."""
    world = random_world(request.param)
    read = [
        None if frame is None else read_addresses(frame, name).data
        for name, frame in (("patents", world.patents), ("publications", world.publications))
    ]
    return read, np.random.default_rng(request.param)


@pytest.mark.parametrize("most", [4096, 2])
def test_locations_counts_and_output(tables, most, monkeypatch):
    monkeypatch.setattr(count, "MOST_VALUES", most)  # of 2, nearly every table is counted in quanta
    read, rng = tables
    moved = [on_device(table) for table in read]
    expected, found = locate(*read, Settings()), locate(*moved, Settings())
    assert_same(found.locations, expected.locations)
    labels = rng.integers(-1, 4, len(expected.locations.lon))
    members = of_locations(labels)
    for table, other, place, on_host in zip(read, moved, found[1:], expected[1:], strict=True):
        if table is None:
            assert place is None
            continue
        assert isinstance(place, xp.ndarray) and place.dtype == np.int32
        assert_same(place.get(), on_host)
        xp.log.clear()
        assert_same(indicator(other, labels, place, members), indicator(table, labels, on_host, members))
        total = count.total(count.measure(table))
        places = len(labels)
        assert_same(output_of(other, place, places, total), output_of(table, on_host, places, total))
    ids = np.append(members.number + 1, 0)
    frames = [
        partners_table(*pair, *(None if at is None else gathered(ids[labels], at) for at in rows[1:]), members.clusters)
        for pair, rows in ((read, expected), (moved, found))
    ]
    pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_little_is_copied():
    rng = np.random.default_rng(2)
    n, documents = 60_000, 20_000
    start = np.concatenate(([0], np.sort(rng.choice(np.arange(1, n), documents - 1, replace=False)), [n]))
    corner = rng.integers(0, 50, n)
    columns = [xp.asarray(values) for values in (corner / 8.0, corner / 4.0, start, np.zeros(n, np.int32))]
    lon, lat, doc_start, code = columns
    table = Addresses("patents", lon, lat, doc_start, code, ("AT",), code, ("ACME",), None)
    xp.log.clear()
    located = locate(table, None, Settings())
    labels = np.zeros(50, np.int64)
    found = indicator(table, labels, located.patents, of_locations(labels))
    assert found.sum.tolist() == [pytest.approx(documents)]
    assert sum(size for _, size in xp.log) < 20_000  # bytes


@pytest.mark.parametrize("seed", range(20))
def test_sums_and_copies_by_place(seed):
    rng = np.random.default_rng(seed)
    n, places = int(rng.integers(0, 50)), int(rng.integers(1, 9))
    place, values = rng.integers(0, places, n), rng.integers(-(2**62), 2**62, n)
    found = sum_by(xp.asarray(place), xp.asarray(values), places)
    np.testing.assert_array_equal(found.get(), sum_by(place, values, places))
    counts = rng.integers(0, 4, n)
    np.testing.assert_array_equal(repeat_each(xp.asarray(values), xp.asarray(counts)).get(), np.repeat(values, counts))


def test_sums_and_copies_of_nothing():
    none, place = xp.asarray(np.empty(0, np.int64)), np.array([1, 0, 1])
    assert sum_by(none, none, 3).get().tolist() == [0, 0, 0] and repeat_each(none, none).get().tolist() == []
    assert sum_by(xp.asarray(place), xp.asarray(place), 4).get().tolist() == [0, 2, 0, 0]
    assert repeat_each(xp.asarray(place), xp.asarray(0 * place)).get().tolist() == []


@pytest.mark.parametrize("few", [0, 5, 4096])
def test_counts_of_each_number(few, monkeypatch):
    monkeypatch.setattr(arrays, "FEW", few)
    monkeypatch.setattr(xp, "MOST_BINS", few)
    rng = np.random.default_rng(few)
    for kind in (np.int8, np.int16, np.int32, np.int64):
        for n, most, kinds in ((0, 1, 0), (0, 1, 3), (1, 1, 0), (40, 3, 9), (40, 9, 3), (300, 100, 100)):
            numbers = rng.integers(0, most, n).astype(kind)
            found = count_each(xp.asarray(numbers), kinds)
            assert_same(found.get(), np.bincount(numbers, minlength=kinds))


@pytest.mark.parametrize("n", [0, 1, 5, 300, 5000])
def test_numbers_of_distinct_values(n):
    """Against sorting: values one bit apart are two, the two zeros are one."""
    rng = np.random.default_rng(n)
    third = 1 / 3
    values = np.array([third, np.nextafter(third, 1), 0.0, -0.0, 5e-324, 1e308, 7, 2**53, rng.random()])
    for given in (rng.choice(values, n), rng.random(n), rng.integers(0, 9, n)):
        expected = np.unique(given, return_inverse=True)
        assert_same(numbered(given), expected)
        assert_same(tuple(part.get() for part in numbered(xp.asarray(given))), expected)


def test_many_numbers_take_no_table_for_each_block_of_threads(tmp_path):
    n = 3 * xp.MOST_BINS
    with pytest.raises(AssertionError, match="each block of threads"):
        xp.bincount(xp.arange(n))
    rows = np.arange(n)
    columns = {"doc_id": rows, "lon": rows / n, "lat": rows / n, "organization": rows.astype(str)}
    pd.DataFrame(columns).to_parquet(tmp_path / "a.parquet")
    table = device.read_addresses(cudf, xp, tmp_path / "a.parquet", "patents").data
    located = locate(table, None, Settings())
    assert (located.locations.inventors == 1).all()
    found = indicator(table, np.arange(n), located.patents, of_locations(np.arange(n)))
    assert (found.sum == 1).all() and found.total == n
