"""Writing a result: beside its place first, then put there with one rename."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gpu_clusters.errors import GpuClustersError, UsageError
from gpu_clusters.schema import RANKING, TEXT_COLUMNS, WHOLE_COLUMNS

if TYPE_CHECKING:
    from gpu_clusters.result import Result

MANIFEST = "manifest.json"
RANKING_TYPES = pa.schema(
    [(c, pa.int64() if c in WHOLE_COLUMNS else pa.string() if c in TEXT_COLUMNS else pa.float64()) for c in RANKING]
)


def check_out(out: str | os.PathLike[str], *, force: bool) -> Path:
    """The output folder, if it may be written to.

    Raises
    ------
    UsageError
        It is a file, or it is not empty and ``force`` is false.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: --out takes a folder")
    if folder.is_dir() and not force and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: give --force to replace the result in it, or another --out")
    return folder


def write_result(result: Result, out: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write all files of a result; see `Result.write`."""
    started = perf_counter()
    with new_folder(out, force=force) as folder:
        ranking = pa.Table.from_pandas(result.ranking, schema=RANKING_TYPES, preserve_index=False)
        _write_csv(result.ranking, folder / "ranking.csv")
        _write_parquet(ranking, folder / "ranking.parquet")
        _write_parquet(pa.Table.from_pandas(result.locations, preserve_index=False), folder / "locations.parquet")
        _write_parquet(pa.Table.from_pandas(result.deals, preserve_index=False), folder / "deals.parquet")
        _write_csv(result.coverage, folder / "coverage.csv")
        outputs = [_fingerprint(path) for path in sorted(folder.iterdir())]
        timings = result.manifest["timings"] | {"write": round(perf_counter() - started, 4)}
        _write_json(result.manifest | {"timings": timings, "outputs": outputs}, folder / MANIFEST)


@contextmanager
def new_folder(out: str | os.PathLike[str], *, force: bool) -> Iterator[Path]:
    """A folder to fill, which takes the place of ``out`` when all went well and vanishes when not."""
    target = check_out(out, force=force).absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.{os.getpid()}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise GpuClustersError(f"cannot write beside {target}: {error.strerror}") from error
    try:
        folder.chmod(0o777 & ~_umask())
        yield folder
        _put_in_place(folder, target)
    except OSError as error:
        raise GpuClustersError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, target: Path) -> None:
    """Rename ``folder`` to ``target``; what was there and is not of a result's stays."""
    if not target.exists() or not any(target.iterdir()):
        try:
            folder.replace(target)
        except OSError as error:
            if error.errno not in (errno.EBUSY, errno.EXDEV):  # a mount point cannot be replaced, only filled
                raise
            _move_files(folder, target)
        return
    names = {path.name for path in folder.iterdir()}
    try:
        _exchange(folder, target)
    except OSError:
        _move_files(folder, target)
        return
    for path in folder.iterdir():  # now the old folder
        if path.name not in names:
            path.rename(target / path.name)


def _move_files(folder: Path, target: Path) -> None:
    """Move the files one by one, the manifest last."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST):
        path.replace(target / path.name)


def _exchange(a: Path, b: Path) -> None:
    """Swap two folders in one step (Linux); OSError where the system cannot."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        raise OSError(errno.ENOSYS, "no renameat2") from None
    at_cwd, exchange = -100, 2
    if renameat2(at_cwd, os.fsencode(a), at_cwd, os.fsencode(b), exchange):
        raise OSError(ctypes.get_errno(), "renameat2 failed")


def _remove_abandoned(target: Path) -> None:
    """Remove what runs that were killed have left beside ``target``."""
    for path in target.parent.glob(f".{target.name}.*.partial"):
        pid = path.name[len(target.name) + 2 :].split(".", 1)[0]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd", compression_level=3)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def _write_json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest}
