"""Files that may be larger than memory, plain or compressed, in blocks that end with a record."""

from __future__ import annotations

import gzip
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from gpu_clusters.errors import InputError
from gpu_clusters.io.folders import refuse_twins, walk
from gpu_clusters.paths import absent, is_there

BLOCK = 1 << 23
"""Bytes that are parsed at once."""
LONGEST = 1 << 28
"""Bytes without an end of a record that are held, before a file is taken for something else."""
PACKED = (".gz", ".zip", ".zst")
_PIECE = 1 << 20
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError)


class BrokenOffError(Exception):
    """A file ends too early or is damaged; what could be read has been handed out."""


def find(paths: Sequence[Path], stem: str, endings: Sequence[str]) -> list[Path]:
    """The files called ``stem`` with one of the endings, among some files and below some folders."""
    names = {f"{stem}{ending}" for ending in endings}
    found = [path for path in files_of(paths) if path.name.lower() in names]
    refuse_twins(found)
    return found


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Files, and all those below folders, sorted and each once; names that begin with ``.`` or ``_`` are passed over.

    Raises
    ------
    InputError
        One is not there, or a folder cannot be read.
    """
    found: dict[Path, Path] = {}
    try:
        for path in paths:
            if not is_there(path):
                raise InputError(f"{path}: {absent(path)}")
        for path in sorted(paths, key=Path.is_dir):  # a file that is given keeps the name that it is given by
            for file in _below(path) if path.is_dir() else [path]:
                found.setdefault(file.resolve(), file)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror or error})") from None
    return sorted(found.values())


def _below(folder: Path) -> Iterator[Path]:
    """The files below a folder, and links to nothing: an error where they are to be read."""
    for parent, names in walk(folder):
        files = [parent / name for name in names]
        yield from (file for file in files if file.is_file() or not file.exists())


def blocks(path: Path, cut: Callable[[bytes], int]) -> Iterator[bytes]:
    """Blocks of about `BLOCK` bytes that end with a record; the last one may lack its end of line.

    Parameters
    ----------
    path : Path
        A plain file, ``.gz``, ``.zst``, or a ``.zip`` of one file.
    cut : callable
        Where the last whole record of some bytes ends; 0 if none does, and more is read.

    Raises
    ------
    BrokenOffError
        After the last whole record of a damaged file.
    InputError
        No such file, an archive of several, or a record longer than `LONGEST`.
    """
    rest = b""
    with closing(_opened(path)) as file:
        broken = None
        while broken is None:
            pieces, size, ended = [rest], 0, False
            while size < BLOCK and not ended:
                try:
                    piece = file.read1(_PIECE)  # type: ignore[attr-defined]
                except _BROKEN as error:
                    broken = error
                    break
                ended = not piece
                pieces.append(piece)
                size += len(piece)
            data = b"".join(pieces)
            end = len(data) if ended else cut(data)
            if end:
                yield data[:end]
            if ended:
                return
            rest = data[end:]
            if len(rest) > LONGEST:
                raise InputError(
                    f"{path}: no record ends within {LONGEST >> 20} MiB; is it text with one record on a line?"
                )
    raise BrokenOffError(f"the file breaks off or is damaged ({broken}); what follows is lost")


def end_of_line(data: bytes) -> int:
    """Where the last whole line ends."""
    return data.rfind(b"\n") + 1


def _opened(path: Path) -> BinaryIO:
    try:
        if path.suffix.lower() == ".gz":
            return cast(BinaryIO, gzip.open(path, "rb"))
        if path.suffix.lower() == ".zip":
            archive = zipfile.ZipFile(path)
            inside = [info for info in archive.infolist() if not info.is_dir()]
            if len(inside) != 1:
                raise InputError(f"{path}: holds {len(inside)} files, not one; unpack it")
            return cast(BinaryIO, archive.open(inside[0]))
        if path.suffix.lower() == ".zst":
            return cast(BinaryIO, pa.CompressedInputStream(pa.OSFile(os.fsencode(path)), "zstd"))
        return path.open("rb")
    except (zipfile.BadZipFile, RuntimeError) as error:  # encrypted, or packed in a way that Python does not know
        raise InputError(f"{path}: cannot be read as a ZIP archive ({error}); unpack it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
