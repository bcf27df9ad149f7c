"""The cells of delimited text in the memory of a GPU: where each begins and ends, and the numbers that they are.

What is not plainly rows of cells, with quotation marks around a cell and doubled within, is `NeedsCpuError`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from gpu_clusters.arrays import repeat_each
from gpu_clusters.io.columns import TEXT
from gpu_clusters.io.footers import NeedsCpuError

_QUOTE, _LINE, _RETURN, _NOTHING, _POINT, _PLUS, _MINUS, _ZERO = b'"\n\r\0.+-0'
_MOST_CHARACTERS = 18  # of a number without its sign: more digits may not fit into 64 bits
_EXACT = 2**53  # whole numbers up to it are float64s
_POWERS = np.array([float(f"1e{k}") for k in range(_MOST_CHARACTERS)])  # all exact


@dataclass(frozen=True)
class Fields:
    """Cells of some rows of text.

    Attributes
    ----------
    text : (n,) uint8
    begin, end : (rows, columns) int64
        Where each cell begins and ends, its quotation marks included.
    quotes : (q,) int64
        Where quotation marks are.
    """

    text: Any
    begin: Any
    end: Any
    quotes: Any

    def __len__(self) -> int:
        return len(self.begin)

    def cells(self, xp: Any, column: int) -> tuple[Any, Any, Any]:
        """Where the cells of a column begin and end within their quotation marks, and the bytes of their texts."""
        begin, end = self.begin[:, column], self.end[:, column]
        if not len(self.quotes):
            return begin, end, end - begin
        quotes = xp.searchsorted(self.quotes, end) - xp.searchsorted(self.quotes, begin)
        begin, end = begin + (quotes > 0), end - (quotes > 0)
        return begin, end, end - begin - xp.maximum(quotes // 2 - 1, 0)  # two within stand for one


def find_fields(xp: Any, block: bytes, delimiter: str, columns: int) -> Fields:
    """Find the cells of a block.

    Parameters
    ----------
    xp : module
    block : bytes
        Whole rows, a line feed behind each.
    delimiter : str
        One character of ASCII.
    columns : int
        Cells of each row, two at least.

    Raises
    ------
    NeedsCpuError
        Rows of other numbers of cells, empty lines, quotation marks or carriage returns in odd places, NUL bytes.
    """
    text = xp.asarray(np.frombuffer(block, np.uint8))
    quotes = xp.flatnonzero(text == _QUOTE)
    end = xp.flatnonzero((text == ord(delimiter)) | (text == _LINE))
    if len(quotes):
        _check_quotes(xp, text, quotes, ord(delimiter))
        end = end[xp.searchsorted(quotes, end) % 2 == 0]  # an odd number before: within quotation marks
    if len(end) % columns:
        raise NeedsCpuError("rows have other numbers of cells than the header")
    lines = (text[end] == _LINE).reshape(-1, columns)
    if not bool(lines[:, -1].all()) or bool(lines[:, :-1].any()):
        raise NeedsCpuError("rows have other numbers of cells than the header")
    begin = xp.concatenate([xp.zeros(1, np.int64), end[:-1] + 1]).reshape(-1, columns)
    end = end.reshape(-1, columns)
    returns = text[end[:, -1] - 1] == _RETURN
    end[:, -1] -= returns
    odd = (text == _RETURN).sum() - returns.sum() + (text == _NOTHING).sum()
    if int(odd):
        raise NeedsCpuError("carriage returns or NUL bytes are within its rows")
    return Fields(text, begin, end, quotes)


def _check_quotes(xp: Any, text: Any, quotes: Any, delimiter: int) -> None:
    """Refuse quotation marks that neither surround a cell nor are doubled within."""
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = text[xp.maximum(opening - 1, 0)], text[closing + 1]
    begins = (opening == 0) | (before == delimiter) | (before == _LINE) | (before == _QUOTE)
    ends = (after == delimiter) | (after == _LINE) | (after == _RETURN) | (after == _QUOTE)
    if not bool(begins.all()) or not bool(ends.all()):
        raise NeedsCpuError("quotation marks are within unquoted cells, or text is outside of them")


def numbers(xp: Any, fields: Fields, column: int, others: Callable[[pa.Array], np.ndarray]) -> Any:
    """Read the numbers of a column: to the nearest float64, as the CPU's readers do.

    A decimal whose digits are a whole number up to 2**53, and its power of ten, are both exact as float64; their quotient is
    rounded once. All other cells go to the host.

    Parameters
    ----------
    xp : module
    fields : Fields
    column : int
    others : callable
        From the texts of all other cells (m,) to float64.

    Returns
    -------
    (rows,) float64
        NaN where the cell is empty.
    """
    begin, end, _ = fields.cells(xp, column)
    text, last = fields.text, len(fields.text) - 1
    sign = text[xp.minimum(begin, last)]
    signed = (begin < end) & ((sign == _MINUS) | (sign == _PLUS))
    at = begin + signed
    size = end - at
    odd = size > _MOST_CHARACTERS
    whole, decimals = xp.zeros(len(fields), np.int64), xp.zeros(len(fields), np.int8)
    some = xp.zeros(len(fields), np.bool_)  # digits are there
    pointed = xp.zeros(len(fields), np.bool_)  # a point is there
    for place in range(min(int(size.max()), _MOST_CHARACTERS)):
        here = size > place
        one = text[xp.minimum(at + place, last)]
        digit = here & (one >= _ZERO) & (one < _ZERO + 10)
        point = here & (one == _POINT) & ~pointed
        odd |= here & ~digit & ~point
        whole = xp.where(digit, whole * 10 + one - _ZERO, whole)
        some |= digit
        decimals += digit & pointed
        pointed |= point
    missing = begin == end
    odd |= ~missing & ~some | (whole > _EXACT)
    result = whole.astype(np.float64) / xp.asarray(_POWERS)[decimals]
    result = xp.where(signed & (sign == _MINUS), -result, result)
    result = xp.where(missing, np.nan, result)
    odd = xp.flatnonzero(odd)
    if len(odd):
        result[odd] = xp.asarray(others(_texts(xp, text, begin[odd], end[odd])))
    return result


def _texts(xp: Any, text: Any, begin: Any, end: Any) -> pa.Array:
    """Cells as texts of the host."""
    size = end - begin
    start = xp.concatenate([xp.zeros(1, np.int64), xp.cumsum(size)])
    place = repeat_each(begin - start[:-1], size)
    characters = text[place + xp.arange(len(place))].get()
    return pa.Array.from_buffers(TEXT, len(begin), [None, pa.py_buffer(start.get()), pa.py_buffer(characters)])
