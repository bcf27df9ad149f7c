"""Documents by country, counted in memory that does not grow with the table: ids wait on the disk, in parts by their hash."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters.io.columns import TEXT, decoded, to_ids
from gpu_clusters.io.grouping import codes_of, count_documents, group
from gpu_clusters.io.place import Rows

_PARTS = 64
_SCHEMA = pa.schema({"id": TEXT, "address": pa.int32()})


class Documents:
    """Takes the document and the address of each row.

    Parameters
    ----------
    folder : path
        For the parts.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"documents-{part:02}.arrow" for part in range(_PARTS)]
        self._open = ExitStack()
        files = [self._open.enter_context(path.open("wb")) for path in self._paths]
        self._writers = [self._open.enter_context(pa.ipc.new_stream(file, _SCHEMA)) for file in files]

    def add(self, ids: pa.Array, address: np.ndarray, rows: Rows) -> None:
        """Append rows: document ids, and (n,) int32 codes of addresses.

        Raises
        ------
        InputError
            An id is missing.
        """
        found = to_ids(ids, rows)
        texts = (pa.array(found) if isinstance(found, np.ndarray) else decoded(found)).cast(TEXT)
        hashes = pd.util.hash_array(texts.to_numpy(zero_copy_only=False), categorize=False)
        part = (hashes % _PARTS).astype(np.int64)
        order = np.argsort(part, kind="stable")
        start = np.searchsorted(part[order], np.arange(_PARTS + 1))
        table = pa.RecordBatch.from_arrays([texts, pa.array(address)], schema=_SCHEMA).take(pa.array(order))
        for i, writer in enumerate(self._writers):
            if start[i + 1] > start[i]:
                writer.write_batch(table.slice(start[i], start[i + 1] - start[i]))

    def close(self) -> None:
        """Close the parts."""
        self._open.close()

    def count(self, country: np.ndarray, placed: np.ndarray, countries: int) -> tuple[np.ndarray, np.ndarray]:
        """Documents with a row, and with a placed row, of each country.

        Parameters
        ----------
        country : (k,) int32
            Of each address, in -1..countries-1.
        placed : (k,) bool
            Of each address.
        countries : int

        Returns
        -------
        documents, covered : (countries + 2,) int64
            Missing countries at the last place but one; any country at the last.
        """
        self.close()
        totals = np.zeros((2, countries + 2), np.int64)
        for path in self._paths:
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                table = stream.read_all()
            if table.num_rows:
                ids = table["id"].combine_chunks().dictionary_encode().indices.to_numpy()
                address = table["address"].to_numpy()
                start, order = group(*codes_of(ids))
                totals += count_documents(start, order, country[address], placed[address], countries)
            path.unlink()
        return totals[0], totals[1]
