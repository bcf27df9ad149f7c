"""Distinct (city, state, country) of a table, met batch by batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gpu_clusters.errors import InputError
from gpu_clusters.io.columns import without_views

Triple = tuple[str, str, str]


class Triples:
    """Numbers distinct addresses in the order of their first appearance.

    Parameters
    ----------
    city, admin, country : str
        Columns; ``admin`` may be None.
    """

    def __init__(self, city: str, admin: str | None, country: str) -> None:
        self.columns = (city, admin, country)
        self._code: dict[Triple, int] = {}

    def __len__(self) -> int:
        return len(self._code)

    @property
    def distinct(self) -> list[Triple]:
        """City, state and country by code."""
        return list(self._code)

    def codes(self, batch: pa.RecordBatch, where: str) -> np.ndarray:
        """The code of each row of a batch: (n,) int32."""
        batch = without_views(batch.select([name for name in dict.fromkeys(self.columns) if name]))
        combined, words = np.zeros(batch.num_rows, np.int64), []
        for name in self.columns:
            texts = _texts(batch, name, where).dictionary_encode()
            combined = combined * len(texts.dictionary) + texts.indices.to_numpy()
            words.append(texts.dictionary.to_pylist())
        found, local = np.unique(combined, return_inverse=True)
        codes = np.empty(len(found), np.int32)
        for i, one in enumerate(found.tolist()):
            rest, country = divmod(one, len(words[2]))
            city, admin = divmod(rest, len(words[1]))
            codes[i] = self._code.setdefault((words[0][city], words[1][admin], words[2][country]), len(self._code))
        return codes[local]


def _texts(batch: pa.RecordBatch, name: str | None, where: str) -> pa.Array:
    """A column as texts; missing ones are empty."""
    if name is None:
        return pa.repeat(pa.scalar("", pa.large_string()), batch.num_rows)
    column = batch.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        texts = column.cast(pa.large_string()).fill_null("")
    except pa.ArrowException as error:
        raise InputError(f"{where}: column {name!r} holds no texts ({error}); give another column") from error
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raise InputError(f"{where}: column {name!r} is not text in UTF-8; write it again in UTF-8") from None
    return texts
