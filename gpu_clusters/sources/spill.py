"""Rows dealt out to files by a hash of their document, so that documents come together in little memory.

Each input file is read once and its rows are written to one Arrow file per stream, a batch for each bucket. Later all batches of
a bucket are read, joined and written as one part. Which rows a bucket holds, and in which order, depends on the input alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from gpu_clusters.errors import GpuClustersError, InputError
from gpu_clusters.sources.blocks import PACKED

FLUSH = 1 << 18
"""Rows that are kept in memory before they are dealt out."""
PER_BUCKET = {True: 1 << 25, False: 1 << 27}
"""Bytes of packed and of plain input that make one bucket."""
MOST = 1_024
_PACKED = (*PACKED, ".parquet")


class Spilled(NamedTuple):
    """A file of spilled rows: its stream, and the bucket of each of its batches."""

    stream: str
    path: Path
    buckets: np.ndarray


def count_buckets(files: Iterable[Path]) -> int:
    """Number of buckets for some input; a bucket then has some hundred thousand rows."""
    try:
        size = sum(path.stat().st_size / PER_BUCKET[path.suffix.lower() in _PACKED] for path in files)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror or error})") from None
    return min(max(int(np.ceil(size)), 1), MOST)


class Spill:
    """Takes the rows of an input file; a context, which closes what has been opened."""

    def __init__(self, folder: Path, number: int, buckets: int) -> None:
        self._folder, self._number, self._buckets = folder, number, buckets
        self._waiting: dict[str, list[pa.Table]] = {}
        self._files: dict[str, tuple[pa.RecordBatchFileWriter, Path, list[int]]] = {}
        self._rows, self._sinks = 0, ExitStack()

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, *_: object) -> None:
        self._sinks.close()

    def add(self, stream: str, table: pa.Table, key: str | None) -> None:
        """Take rows of a stream; those with the same text in the column ``key`` come to the same bucket.

        Without a key, blocks of rows go to the buckets in turn; rows whose key is null, one by one.

        Raises
        ------
        GpuClustersError
            The folder is gone: the conversion has failed elsewhere.
        """
        if not self._folder.is_dir():
            raise GpuClustersError(f"{self._folder}: is gone, and with it the conversion")
        if not table.num_rows:
            return
        if key is None:
            bucket = np.full(table.num_rows, (self._rows // FLUSH + self._number) % self._buckets)
        else:
            bucket = buckets_of(table.column(key), self._buckets)
        self._rows += table.num_rows
        waiting = self._waiting.setdefault(stream, [])
        waiting.append(table.append_column("_bucket", pa.array(bucket.astype(np.int32))))
        if sum(piece.num_rows for piece in waiting) >= FLUSH:
            self._flush(stream)

    def finish(self) -> list[Spilled]:
        """Write what is left; the files."""
        for stream in list(self._waiting):
            self._flush(stream)
        for writer, _, _ in self._files.values():
            writer.close()
        return [Spilled(stream, path, np.array(held, np.int16)) for stream, (_, path, held) in self._files.items()]

    def _flush(self, stream: str) -> None:
        waiting = self._waiting.pop(stream)
        table = pa.concat_tables(waiting).combine_chunks()
        bucket = table.column("_bucket").to_numpy()
        table = table.drop_columns("_bucket")
        order = np.argsort(bucket, kind="stable")
        if self._buckets > 1:
            table = table.take(pa.array(order))
        ends = np.flatnonzero(np.diff(bucket[order], append=-1)) + 1
        writer, held = self._writer(stream, table.schema)
        begin = 0
        for end in map(int, ends):
            for batch in table.slice(begin, end - begin).combine_chunks().to_batches():
                writer.write_batch(batch)
                held.append(int(bucket[order[begin]]))
            begin = end

    def _writer(self, stream: str, schema: pa.Schema) -> tuple[pa.RecordBatchFileWriter, list[int]]:
        if stream not in self._files:
            path = self._folder / f"{stream}-{self._number:05d}.arrow"
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            sink = self._sinks.enter_context(path.open("wb"))
            self._files[stream] = (pa.ipc.new_file(sink, schema, options=options), path, [])
        writer, _, held = self._files[stream]
        return writer, held


def buckets_of(texts: pa.ChunkedArray, count: int) -> np.ndarray:
    """Bucket of each text, (n,) in 0..count-1; the same on every machine."""
    if count == 1:
        return np.zeros(len(texts), np.int64)
    coded = texts.combine_chunks().dictionary_encode()
    hashes = pd.util.hash_array(coded.dictionary.to_numpy(zero_copy_only=False), categorize=False)
    found = np.arange(len(texts)) % count
    known = coded.is_valid().to_numpy(zero_copy_only=False)
    found[known] = (hashes % np.uint64(count)).astype(np.int64)[coded.indices.drop_null().to_numpy()]
    return found


def bucket(files: Sequence[Spilled], number: int) -> dict[str, pa.Table]:
    """The rows of a bucket by stream, in the order of the input files; streams without a row are not there."""
    found: dict[str, list[pa.RecordBatch]] = {}
    for one in files:
        wanted = np.flatnonzero(one.buckets == number)
        if len(wanted):
            with pa.memory_map(os.fsencode(one.path)) as source:
                reader = pa.ipc.open_file(source)
                found.setdefault(one.stream, []).extend(reader.get_batch(int(at)) for at in wanted)
    return {stream: pa.Table.from_batches(batches).combine_chunks() for stream, batches in found.items()}
