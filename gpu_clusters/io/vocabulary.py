"""Texts to small integers, batch by batch, without an object for each row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.io.columns import TEXT


def join(pieces: list[np.ndarray], dtype: type) -> np.ndarray:
    """Concatenate pieces and release each as soon as it is copied (the list is emptied)."""
    whole: np.ndarray = np.empty(sum(len(piece) for piece in pieces), dtype)
    end = len(whole)
    while pieces:
        piece = pieces.pop()
        whole[end - len(piece) : end] = piece
        end -= len(piece)
    return whole


class Vocabulary:
    """Collects texts and gives each distinct one a code."""

    def __init__(self) -> None:
        self._codes: list[np.ndarray] = []
        self._words: list[pa.Array] = []

    def add(self, texts: pa.Array) -> None:
        """Append (n,) texts, large_string or dictionary<int32, large_string>; null is missing."""
        if not pa.types.is_dictionary(texts.type):
            texts = texts.dictionary_encode()
        self._codes.append(texts.indices.fill_null(-1).to_numpy(zero_copy_only=False))
        self._words.append(texts.dictionary)

    def add_missing(self, rows: int) -> None:
        """Append `rows` missing texts."""
        self._codes.append(np.full(rows, -1, np.int32))
        self._words.append(pa.array([], TEXT))

    def merged(self) -> tuple[np.ndarray, pa.Array]:
        """Bring all batches to one numbering; what was collected is released.

        Returns
        -------
        codes : (n,) int32
            Indices into `words`, -1 where missing.
        words : (k,) Arrow array of large_string
            Distinct texts in the order of their first appearance.
        """
        words, self._words = self._words, []
        pieces, self._codes = self._codes, []
        if not words:
            return np.empty(0, np.int32), pa.array([], TEXT)
        own = [pa.DictionaryArray.from_arrays(pa.array(np.arange(len(w), dtype=np.int32)), w) for w in words]
        unified = pa.chunked_array(own).unify_dictionaries()
        for i, chunk in enumerate(unified.chunks):
            new = np.append(chunk.indices.to_numpy(zero_copy_only=False), np.int32(-1))  # -1 stays -1
            pieces[i] = new.astype(np.int32, copy=False)[pieces[i]]
        return join(pieces, np.int32), unified.chunk(0).dictionary

    def finish(self, *, strip: bool = False) -> tuple[np.ndarray, tuple[str, ...]]:
        """Number all texts by code point; empty ones, and blanks alone, become missing.

        Parameters
        ----------
        strip : bool
            Drop surrounding white space first.

        Returns
        -------
        codes : (n,) int32
            Indices into `values`, -1 where missing.
        values : tuple of str
            The texts that occur, ascending by code point.
        """
        codes, words = self.merged()
        rank, ordered = ranked(words, strip=strip)
        return only_used(rank[codes], ordered)


def ranked(words: pa.Array, *, strip: bool) -> tuple[np.ndarray, pa.Array]:
    """Number distinct texts (k,) as `Vocabulary.finish` does.

    Returns
    -------
    rank : (k + 1,) int32
        Index of each into `ordered`, -1 where it counts as missing; at the end that of the missing text, -1.
    ordered : (m,) Arrow array of large_string
        Ascending by code point.
    """
    if strip:
        words = pc.utf8_trim_whitespace(words)
    ordered = pc.unique(words)
    ordered = ordered.filter(pc.not_equal(pc.utf8_ltrim_whitespace(ordered), ""))
    ordered = ordered.take(pc.array_sort_indices(ordered))  # UTF-8 sorts as code points do
    rank = pc.index_in(words, value_set=ordered).fill_null(-1).to_numpy(zero_copy_only=False)
    return np.append(rank, np.int32(-1)).astype(np.int32), ordered


def only_used(codes: np.ndarray, values: pa.Array | tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Drop values that no row has: codes (n,) int32, -1 where missing, and the values left, in their order."""
    used = np.bincount(codes[codes >= 0], minlength=len(values)) > 0
    if isinstance(values, tuple):
        values = pa.array(values, TEXT)
    left = tuple(values.filter(pa.array(used)).to_pylist())
    if not used.all():
        codes = np.append(np.cumsum(used, dtype=np.int32) - np.int32(1), np.int32(-1))[codes]
    return codes, left
