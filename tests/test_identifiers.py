"""Numbers of documents against a dictionary of Python: texts in any order, in batches of any size, and numbers among them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from gpu_clusters.io import identifiers
from gpu_clusters.io.columns import TEXT
from gpu_clusters.io.identifiers import Identifiers

ALPHABET = [
    "a",
    "B",
    "é",
    "0",
    "\uffff",
    "\U00010000",
    " ",
]  # the last but one sorts before the one before it in UTF-16


def numbered(batches):
    ids = Identifiers()
    for batch in batches:
        ids.add(batch)
    codes, count = ids.finish()
    assert codes.dtype == np.int32
    return codes.tolist(), count


def expected(texts):
    code: dict[str, int] = {}
    return [code.setdefault(text, len(code)) for text in texts], len(code)


def cut(rng, values):
    ends = np.sort(rng.integers(1, len(values), rng.integers(0, 6))) if len(values) > 1 else []
    return [piece.tolist() for piece in np.split(np.array(values, object), np.unique(ends)) if len(piece)]


def as_array(rng, texts):
    """Texts as a reader gives them: plain, or with a dictionary in some order, perhaps of texts that no row has."""
    if rng.integers(2):
        return pa.array(texts, TEXT)
    words = [*dict.fromkeys(texts), *(["zz"] if "zz" not in texts else [])]
    words = sorted(words) if rng.integers(2) else rng.permutation(words).tolist()
    return pa.DictionaryArray.from_arrays(pa.array([words.index(t) for t in texts], pa.int32()), pa.array(words, TEXT))


@pytest.mark.parametrize("seed", range(150))
def test_any_texts_in_any_batches(seed):
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(ALPHABET, rng.integers(1, 4))) for _ in range(rng.integers(1, 40))]
    if seed % 3:
        texts.sort()
    if seed % 3 == 2:  # ascending but for two that change places
        i, j = rng.integers(len(texts), size=2)
        texts[i], texts[j] = texts[j], texts[i]
    batches = [as_array(rng, piece) for piece in cut(rng, texts)]
    assert numbered(batches) == expected(texts)


@pytest.mark.parametrize("seed", range(30))
def test_numbers_among_texts(seed):
    rng = np.random.default_rng(seed)
    numbers = np.sort(rng.integers(8, 12, 20)) if seed % 2 else rng.integers(-3, 3, 20)
    texts = sorted(str(number) for number in rng.integers(8, 14, 10))
    batches = [numbers[:9], pa.array(texts, TEXT), numbers[9:]]
    assert numbered(batches) == expected([*map(str, numbers[:9]), *texts, *map(str, numbers[9:])])


def test_ascending_texts_take_no_table(monkeypatch):
    def refused():
        raise AssertionError("a table was made")

    monkeypatch.setattr(identifiers, "Vocabulary", refused)
    batches = [["A1", "A1", "A10"], ["A10", "A10"], ["A10", "A2"], ["B\uffff"], ["B\U00010000"]]
    assert numbered([pa.array(batch, TEXT) for batch in batches]) == ([0, 0, 1, 1, 1, 1, 2, 3, 4], 5)
    with pytest.raises(AssertionError, match="a table was made"):
        numbered([pa.array(batch, TEXT) for batch in (["A2"], ["A10"])])
