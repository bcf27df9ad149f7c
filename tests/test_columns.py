"""Single Arrow columns: what is a number, an identifier, a year, and what is refused in which row."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from gpu_clusters.errors import InputError
from gpu_clusters.io.columns import check_sum, to_float, to_ids, to_text, to_year
from gpu_clusters.io.place import Rows

ROWS = Rows("a.parquet", {}, 11, np.array([0, 3, 5, 9]))  # the rows 11, 14, 16 and 20 of the file
KINDS = (pa.null(), pa.bool_(), pa.date32(), pa.list_(pa.int8()), pa.float16(), pa.decimal128(5, 2), pa.string())


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_column_of_nulls_may_have_any_type(kind):
    array = pa.nulls(3, kind)
    assert np.isnan(to_float(array, ROWS, "lon")).all() and to_float(array, ROWS, "lon").dtype == np.float64
    assert np.isnan(to_year(array, ROWS)).all()
    assert to_text(array, ROWS, "country").to_pylist() == [None] * 3
    with pytest.raises(InputError, match=r'^a\.parquet: column "doc_id", row 11: is null$'):
        to_ids(array, ROWS)


@pytest.mark.parametrize("value", [True, date(2020, 1, 1), [1]], ids=str)
def test_types_that_hold_no_numbers(value):
    with pytest.raises(InputError, match=r'^a\.parquet: column "lon": holds .*, which is not a number$'):
        to_float(pa.array([value, None]), ROWS, "lon")


def test_nulls_among_short_floats_are_missing():
    found = to_float(pa.array([np.float16(1.5), None, np.float16(np.inf)], pa.float16()), ROWS, "lon")
    np.testing.assert_array_equal(found, [1.5, np.nan, np.inf])


@pytest.mark.parametrize(
    "array",
    [
        pa.array([3, -1], pa.int8()),
        pa.array([3, -1], pa.int64()),
        pa.array([3.0, -1.0], pa.float32()),
        pa.array([3, -1], pa.decimal128(9, 0)),
        pa.array(["3.00", "-1.00"]).cast(pa.decimal128(9, 2)),
        pa.array([3, -1]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_whole_identifiers_are_whole_numbers(array):
    found = to_ids(array, ROWS)
    assert isinstance(found, np.ndarray) and found.dtype == np.int64 and found.tolist() == [3, -1]


def test_whole_decimals_of_any_scale_are_identifiers():
    """Arrow writes them with powers of ten: 0E-7, 3E+2."""
    for values, kind in (("0", "3"), pa.decimal128(9, 7)), (("0", "300"), pa.decimal128(5, -2)):
        array = pa.array([Decimal(value) for value in values], kind)
        assert to_ids(array, ROWS).tolist() == [int(value) for value in values]
        assert to_text(array, ROWS, "country").to_pylist() == list(values)
    with pytest.raises(InputError, match=r"row 14: 0\.5000000 is not a whole number$"):
        to_ids(pa.array([Decimal(0), Decimal("0.5")], pa.decimal128(9, 7)), ROWS)


def test_identifiers_beyond_whole_numbers_are_texts():
    assert to_ids(pa.array([2**64 - 1, 1], pa.uint64()), ROWS).to_pylist() == ["18446744073709551615", "1"]
    assert to_ids(pa.array([10**30, 1], pa.decimal128(31, 0)), ROWS).to_pylist() == [str(10**30), "1"]
    assert to_ids(pa.array([2**63 - 1, 1], pa.uint64()), ROWS).tolist() == [2**63 - 1, 1]


@pytest.mark.parametrize("sign", [1, -1])
def test_whole_floats_are_identifiers_while_they_can_be_told_apart(sign):
    assert to_ids(pa.array([sign * (2.0**53 - 1)]), ROWS).tolist() == [sign * (2**53 - 1)]
    for wrong in (sign * 2.0**53, sign * 0.5, sign * np.inf):
        with pytest.raises(InputError, match=r"row 14: .* is not a whole number below 2\^53"):
            to_ids(pa.array([1.0, wrong]), ROWS)


@pytest.mark.parametrize(
    ("given", "year"),
    [
        ("2019", 2019),
        (" 2019-07 ", 2019),
        ("2019-07-31", 2019),
        ("2019-07-31T12:00:00Z", 2019),
        (" 20190731", 2019),
        ("2019-07-31\n12:00", 2019),
        ("NA", np.nan),
        ("inf", np.nan),
        (None, np.nan),
    ],
)
def test_texts_that_are_years(given, year):
    np.testing.assert_array_equal(to_year(pa.array([given, "2001"]), ROWS), [year, 2001.0])


@pytest.mark.parametrize("given", ["2019-7", "2019-07-311", "19-07-31", "２０１９-07", "july"])
def test_texts_that_are_no_years(given):
    with pytest.raises(InputError, match=f'column "year", row 14: {re.escape(repr(given))} is not a number$'):
        to_year(pa.array(["2001", given]), ROWS)


def test_timestamps_of_a_zone_that_nobody_knows():
    with pytest.raises(
        InputError, match=r'^a\.parquet: column "year": holds timestamp\[s, tz=Mars/X\] that cannot be read \('
    ):
        to_year(pa.array([0], pa.timestamp("s", tz="Mars/X")), ROWS)


def test_blank_identifiers_in_a_column_of_few_values():
    wide = Rows("a.parquet", {}, 11)
    plain = to_ids(pa.array(["b", "a"] * 3).dictionary_encode(), wide)
    assert isinstance(plain, pa.DictionaryArray) and plain.to_pylist() == ["b", "a"] * 3
    unused = pa.DictionaryArray.from_arrays(pa.array([2, 0, 2, 0, 0, 2]), pa.array(["a", " ", "b"]))
    assert to_ids(unused, wide).to_pylist() == ["b", "a", "b", "a", "a", "b"]
    for blank in ("", " \t"):
        with pytest.raises(InputError, match=r'^a\.parquet: column "doc_id", row 14: is empty$'):
            to_ids(pa.array(["b", "a", "b", blank, "a", "b", blank]).dictionary_encode(), wide)


def test_sums_up_to_the_largest():
    check_sum(np.array([6e299, 4e299]), "deals", "deals")
    with pytest.raises(InputError, match=r'^deals: column "deals" adds up to 1\.1e\+300'):
        check_sum(np.array([6e299, 5e299]), "deals", "deals")
