"""Carrying out a conversion, here or on Dask's workers: read and deal out every file, then join and write every bucket."""

from __future__ import annotations

import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters import backend, workers
from gpu_clusters.errors import GpuClustersError, InputError
from gpu_clusters.io.results import fingerprint, write_csv, write_json
from gpu_clusters.manifest import versions
from gpu_clusters.sources.counting import added_up, coverage_of
from gpu_clusters.sources.locations import Places, places_of
from gpu_clusters.sources.skips import FAIL, Skip, Skips, together
from gpu_clusters.sources.spill import Spill, Spilled, bucket, count_buckets
from gpu_clusters.staging import MANIFEST, new_folder
from gpu_clusters.wording import counted

RECORDS = ("coverage.csv", "locations.parquet", "skipped.csv")
"""What is written beside the parts, and is no part of the table."""
THREADS = 4
SHOWN = 20
"""Reasons to leave rows out that are told."""
SHOWN_FILES = 3
Progress = Callable[[str, float | None], None]


class Source(Protocol):
    """An export: the files that are read one by one, the others, and how a bucket's rows become those of the table."""

    @property
    def name(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def files(self) -> Sequence[Path]: ...
    @property
    def others(self) -> Sequence[Path]: ...

    def read(self, number: int, spill: Spill, skips: Skips, tally: Counter[str]) -> None:
        """Read a file into a spill; ``tally`` counts what is left out, by why."""

    def join(self, streams: Mapping[str, pa.Table], tally: Counter[str]) -> pa.Table | None:
        """The rows of a bucket from its streams, a document's together; None where there is none."""

    def check(self, tally: Counter[str]) -> None:
        """Refuse what only the whole shows; names in ``tally`` that begin with ``_`` are for this alone."""


@dataclass(frozen=True, eq=False, repr=False)
class Converted:
    """What has come of a source: its coverage (``schema.COVERAGE``) and the manifest."""

    coverage: pd.DataFrame
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        world = self.coverage.iloc[-1]
        return f"<Converted: {world['table']}, {counted(int(world['rows']), 'row')}>"


class _Read(NamedTuple):
    files: list[Spilled]
    skips: Skips
    tally: Counter[str]


class _Joined(NamedTuple):
    part: str | None
    rows: int
    coverage: pd.DataFrame | None
    places: pd.DataFrame | None
    tally: Counter[str]


def carry_out(
    source: Source,
    out: str | os.PathLike[str],
    *,
    on_error: str = FAIL,
    before: Skips | None = None,
    options: Mapping[str, Any] | None = None,
    dask: Any = None,
    device: str = "cpu",
    force: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Convert a source into a folder; see `gpu_clusters.convert`.

    Parameters
    ----------
    source : Source
    out : path
        Holds the spilled rows meanwhile.
    on_error : {"fail", "skip"}
        What to do with rows that cannot be read.
    before : Skips, optional
        Rows that were left out while the source was prepared.
    options : mapping, optional
        For the manifest.
    dask : str or distributed.Client, optional
        A scheduler's address, ``"local:N"``, or a client; its workers must see the input and ``out``. The files are the same.
    device : {"cpu", "gpu"}
        What counts the rows of places, on each worker.

    Raises
    ------
    InputError
        A source that cannot be read, or gives no row.
    DeviceError
        No scheduler answers, or cuDF is not there.
    """
    tell = progress or (lambda _name, _part: None)
    buckets = count_buckets(source.files)
    with new_folder(out, force=force) as folder:
        with _engine(source, dask, device) as each, _waiting_room(folder) as spilled:
            reads: list[_Read] = []
            for read in each(_read, (spilled, buckets, on_error), len(source.files)):
                reads.append(read)
                tell("reading", len(reads) / len(source.files))
            tally = sum((read.tally for read in reads), Counter[str]())
            source.check(tally)
            files = [file for read in reads for file in read.files]
            joins, places = list[_Joined](), Places(source.table)
            for joined in each(_join, (files, folder, device), buckets):
                if joined.places is not None:
                    places.add(joined.places)
                joins.append(joined._replace(places=None))
                tell("writing", len(joins) / buckets)
        tally += sum((joined.tally for joined in joins), Counter[str]())
        left_out = {why: count for why, count in sorted(tally.items()) if count and not why.startswith("_")}
        if not any(joined.rows for joined in joins):
            why = ", ".join(f"{why}: {count:,}" for why, count in largest(left_out).items())
            read = ", ".join(map(str, source.files[:SHOWN_FILES])) + (
                ", ..." if len(source.files) > SHOWN_FILES else ""
            )
            nothing = f"; nothing that makes one was read from {read}; are these files complete?"
            raise InputError(f"{source.name}: no row is left" + (f" ({why})" if why else nothing))
        skipped = together([*([before] if before else []), *(read.skips for read in reads)])
        return _write_records(source, folder, joins, places.finish(), left_out, skipped, dict(options or {}))


def largest(left_out: dict[str, int]) -> dict[str, int]:
    """What was left out, by why; of many reasons those that count most, and the others together."""
    if len(left_out) <= SHOWN:
        return left_out
    order = sorted(left_out, key=lambda why: (-left_out[why], why))
    others = order[SHOWN:]
    told = {why: left_out[why] for why in order[:SHOWN]}
    return told | {f"for {counted(len(others), 'other reason')}": sum(left_out[why] for why in others)}


@contextmanager
def _waiting_room(folder: Path) -> Iterator[Path]:
    """Where rows wait until all are read. It goes as soon as anything fails: whoever still reads gives up then (`Spill.add`)."""
    place = folder / ".spill"
    place.mkdir()
    try:
        yield place
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(place)


def _read(source: Source, number: int, common: tuple[Path, int, str]) -> _Read:
    folder, buckets, on_error = common
    skips, tally = Skips(on_error), Counter[str]()
    with Spill(folder, number, buckets) as spill:
        source.read(number, spill, skips, tally)
        return _Read(spill.finish(), skips, tally)


def _join(source: Source, number: int, common: tuple[Sequence[Spilled], Path, str]) -> _Joined:
    files, folder, device = common
    tally = Counter[str]()
    rows = source.join(bucket(files, number), tally)
    if rows is None or not rows.num_rows:
        return _Joined(None, 0, None, None, tally)
    rows = rows.combine_chunks()
    part = f"part-{number:05d}.parquet"
    _write(rows, folder / part)
    places = places_of(source.table, rows, device)
    return _Joined(part, rows.num_rows, coverage_of(source.table, rows), places, tally)


def _write(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")


def _write_records(
    source: Source,
    folder: Path,
    joins: Sequence[_Joined],
    places: pd.DataFrame,
    left_out: dict[str, int],
    skipped: tuple[list[Skip], int],
    options: dict[str, Any],
) -> Converted:
    coverage = added_up([joined.coverage for joined in joins if joined.coverage is not None])
    write_csv(coverage, folder / "coverage.csv")
    listed = pd.DataFrame(skipped[0], columns=list(Skip._fields), dtype=object)  # names need not be in UTF-8
    write_csv(listed, folder / "skipped.csv")
    _write(pa.Table.from_pandas(places, preserve_index=False), folder / "locations.parquet")
    manifest = {
        "program": "gpu-clusters",
        "command": "convert",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": source.name,
        "table": source.table,
        "options": options,
        "inputs": [{"name": str(path), "size": path.stat().st_size} for path in (*source.others, *source.files)],
        "rows": sum(joined.rows for joined in joins),
        "left_out": left_out,
        "skipped_rows": skipped[1],
        "skipped_rows_listed": len(skipped[0]),
        "locations": len(places),
        "coverage": coverage.to_dict("records"),
        "versions": versions(),
        "records": [*RECORDS, MANIFEST],
        "outputs": [fingerprint(path) for path in sorted(folder.iterdir())],
    }
    write_json(manifest, folder / MANIFEST)
    return Converted(coverage, manifest)


def _cores() -> int:
    """Cores that this process may use; where the system does not say, all."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _ready(device: str) -> None:
    backend.frames(device)


def _tried(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function gives, or the error of the user's that it ends with: a worker would log one that is raised."""
    try:
        return function(*arguments)
    except GpuClustersError as error:
        return error


@contextmanager
def _engine(source: Source, dask: Any, device: str) -> Iterator[Callable[..., Iterator[Any]]]:
    """Calls of a function with the source, 0..n-1, and what they have in common, in order: by threads, or by Dask's workers."""
    with ExitStack() as stack:
        if dask is None:
            pool = ThreadPoolExecutor(min(THREADS, _cores()))
            stack.callback(pool.shutdown, cancel_futures=True)
            yield lambda function, common, n: pool.map(lambda number: function(source, number, common), range(n))
            return
        client = workers.client(dask, stack)
        client.run(_ready, device)
        shared = client.scatter(source, broadcast=True)

        def each(function: Callable[..., Any], common: Any, n: int) -> Iterator[Any]:
            known = client.scatter([common], broadcast=True)[0]
            futures = deque(client.submit(_tried, function, shared, number, known, pure=False) for number in range(n))
            while futures:
                try:
                    result = futures.popleft().result()  # what nobody knows any more the workers forget
                except OSError as error:
                    raise GpuClustersError(f"a worker of Dask cannot read or write: {error}") from None
                if isinstance(result, GpuClustersError):
                    raise result
                yield result

        yield each
