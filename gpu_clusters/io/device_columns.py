"""Columns of cuDF as arrays of a GPU: numbers, and texts as small integers.

Only distinct texts go to the host, where the rules for texts are those of `vocabulary`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.arrays import count_each
from gpu_clusters.io import footers
from gpu_clusters.io.columns import TEXT
from gpu_clusters.io.footers import NeedsCpuError
from gpu_clusters.io.vocabulary import ranked


def to_float(xp: Any, series: Any) -> Any:
    """Numbers (n,) float64; NaN where null."""
    missing = series.isnull().values  # NaN counts as null here
    return xp.where(missing, np.nan, series.fillna(0).values.astype(np.float64))


def joined(xp: Any, pieces: list[Any], dtype: type) -> Any:
    """Concatenate arrays, none of them too; the list is emptied."""
    whole = xp.concatenate([xp.empty(0, dtype), *pieces])
    pieces.clear()
    return whole


class Words:
    """Collects texts and gives each distinct one a code, as `vocabulary.Vocabulary` does on the host."""

    def __init__(self, cudf: Any, xp: Any) -> None:
        self._cudf = cudf
        self._xp = xp
        self._codes: list[Any] = []
        self._words: list[Any] = []  # for each piece its distinct texts, None if all are missing

    def add(self, texts: Any) -> None:
        """Append a series of texts; null is missing."""
        if len(texts) == 0 or bool(texts.isnull().values.all()):
            self.add_missing(len(texts))
        else:
            codes, words = texts.factorize()
            self.add_coded(codes.astype(np.int32), self._cudf.Series(words))

    def add_coded(self, codes: Any, words: Any) -> None:
        """Append texts as indices (n,) int32 into a series of distinct ones, -1 where missing."""
        self._codes.append(codes)
        self._words.append(words)

    def add_missing(self, rows: int) -> None:
        """Append `rows` missing texts."""
        self._codes.append(self._xp.full(rows, -1, np.int32))
        self._words.append(None)

    def merged(self) -> tuple[Any, Any]:
        """Bring all pieces to one numbering; what was collected is released.

        Returns
        -------
        codes : (n,) int32
            Indices into `words`, -1 where missing.
        words : (k,) series
            Distinct texts in any order; None if all are missing.
        """
        xp, pieces, given = self._xp, self._codes, [words for words in self._words if words is not None]
        if len(given) > 1:
            codes, words = self._cudf.concat(given, ignore_index=True).factorize()
            new = xp.concatenate([codes.astype(np.int32), xp.full(1, -1, np.int32)])  # -1 stays -1
            before = 0
            for i, own in enumerate(self._words):
                if own is not None:
                    pieces[i] = new[xp.where(pieces[i] < 0, -1, pieces[i].astype(np.int64) + before)]
                    before += len(own)
            given = [self._cudf.Series(words)]
        self._words = []
        return joined(xp, pieces, np.int32), given[0] if given else None

    def finish(self, *, strip: bool = False) -> tuple[Any, tuple[str, ...]]:
        """Number all texts by code point, as ``Vocabulary.finish`` does: codes (n,) int32 of the GPU, and the texts."""
        codes, words = self.merged()
        if words is None:
            return codes, ()
        rank, ordered = ranked(_on_host(words), strip=strip)
        codes = self._xp.asarray(rank)[codes]
        return only_used(self._xp, codes, tuple(ordered.to_pylist()))


def _on_host(words: Any) -> pa.Array:
    """Distinct texts as an Arrow array."""
    texts = words.to_arrow().cast(TEXT)
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raise NeedsCpuError("a text is not UTF-8") from None
    if pc.any(pc.match_substring(texts, "\0")).as_py():  # cuDF takes them for a part of what fastparquet writes
        raise NeedsCpuError("a text has NUL bytes")
    return texts


def only_used(xp: Any, codes: Any, values: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Drop values that no row has, as ``vocabulary.only_used`` does: codes (n,) int32 of the GPU, -1 where missing."""
    used = count_each(codes[codes >= 0], len(values)) > 0
    kept = used.get().tolist()
    if all(kept):
        return codes, values
    new = xp.concatenate([xp.cumsum(used.astype(np.int32)).astype(np.int32) - np.int32(1), xp.full(1, -1, np.int32)])
    return new[codes], tuple(value for value, used_here in zip(values, kept, strict=True) if used_here)


class Ids:
    """Collects document ids; whole numbers stay numbers unless texts come along, then all are texts."""

    def __init__(self, cudf: Any, xp: Any) -> None:
        self._cudf = cudf
        self._xp = xp
        self._pieces: list[Any] = []  # (n,) int64, or codes and words

    def add(self, series: Any, kind: str) -> None:
        """Append a series of whole numbers, or of texts where `kind` is ``footers.TEXT``."""
        if bool(series.isnull().values.any()):
            raise NeedsCpuError("a document id is null")
        if kind != footers.TEXT:
            self._pieces.append(series.values.astype(np.int64))
            return
        codes, words = series.factorize()
        words = self._cudf.Series(words)
        size = words.str.byte_count().values
        plain = (words.str.count("[ -~]").values == size) & (words.str.count("[!-~]").values > 0)
        if not bool(plain.all()):
            raise NeedsCpuError("a document id is blank or not in ASCII, where white space has other rules")
        self._pieces.append((codes.astype(np.int32), words))

    def finish(self) -> tuple[Any, int]:
        """Give codes (n,) int32 in the order of first appearance, and their number."""
        pieces, self._pieces = self._pieces, []
        if not any(isinstance(piece, tuple) for piece in pieces):
            return codes_of(self._xp, joined(self._xp, pieces, np.int64))
        texts = Words(self._cudf, self._xp)
        for piece in pieces:
            if isinstance(piece, tuple):
                texts.add_coded(*piece)
            else:
                texts.add(self._cudf.Series(piece).astype("str"))
        return codes_of(self._xp, texts.merged()[0])


def codes_of(xp: Any, ids: Any) -> tuple[Any, int]:
    """Number identifiers (n,) in the order of their first appearance: codes (n,) int32, and how many there are."""
    _, first, inverse = xp.unique(ids, return_index=True, return_inverse=True)
    code = xp.empty(len(first), np.int32)
    code[xp.argsort(first)] = xp.arange(len(first), dtype=np.int32)
    return code[inverse], len(first)
