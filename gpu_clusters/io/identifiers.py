"""Identifiers of documents to small integers, batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpu_clusters.io.columns import TEXT
from gpu_clusters.io.grouping import codes_of
from gpu_clusters.io.vocabulary import Vocabulary, join


class Identifiers:
    """Collects identifiers; whole numbers stay numbers unless texts come along, then all are texts."""

    def __init__(self) -> None:
        self._pieces: list[Any] = []  # numbers, or texts as `encoded` gives them

    def add(self, ids: np.ndarray | pa.Array) -> None:
        """Append (n,) identifiers, int64, large_string or dictionary<int32, large_string>; none is missing."""
        self._pieces.append(ids if isinstance(ids, np.ndarray) else encoded(ids))

    def finish(self) -> tuple[np.ndarray, int]:
        """Number what was collected, and release it: codes (n,) int32 in the order of first appearance, and their number."""
        pieces, self._pieces = self._pieces, []
        if all(isinstance(piece, np.ndarray) for piece in pieces):
            return codes_of(join(pieces, np.int64))
        for i, piece in enumerate(pieces):
            if isinstance(piece, np.ndarray):
                pieces[i] = encoded(pa.array(piece).cast(TEXT))
        before = texts_before([piece.dictionary for piece in pieces])
        if before is not None:
            for i, piece in enumerate(pieces):
                pieces[i] = piece.indices.to_numpy() + np.int32(before[i])
            return codes_of(join(pieces, np.int32))
        texts = Vocabulary()
        for i, piece in enumerate(pieces):
            pieces[i] = np.empty(0)
            texts.add(piece)
        return codes_of(texts.merged()[0])


def encoded(texts: pa.Array) -> pa.DictionaryArray:
    """Distinct texts, and the place of each of (n,) texts among them. Ascending texts need no table to be told apart."""
    if pa.types.is_dictionary(texts.type):
        return texts
    if not ascend(texts):
        return texts.dictionary_encode()
    new = np.ones(len(texts), bool)
    new[1:] = pc.not_equal(texts[:-1], texts[1:]).to_numpy(zero_copy_only=False)
    place = np.cumsum(new, dtype=np.int32) - np.int32(1)
    return pa.DictionaryArray.from_arrays(place, texts.filter(pa.array(new)))


def ascend(texts: pa.Array) -> bool:
    """Whether no text sorts before the one before it."""
    return not pc.any(pc.greater(texts[:-1], texts[1:])).as_py()


def texts_before(words: list[pa.Array]) -> list[int] | None:
    """How many distinct texts come before each piece of distinct texts, if they ascend throughout; else None.

    The last text of a piece may be the first of the next one too, as when a document's rows are in both.
    """
    before, last = [0], None
    for piece in words:
        first = piece[0].as_py()
        if not ascend(piece) or (last is not None and first < last):
            return None
        before[-1] -= first == last
        before.append(before[-1] + len(piece))
        last = piece[-1].as_py()
    return before[:-1]
