"""A folder that appears complete or not at all: filled beside its place, then put there in one step.

What is being filled is called ``.NAME.<16 hexadecimal digits>.partial`` and locked. The lock goes with the process, so that
a later run can tell what a killed one has left behind, and removes it; on Windows, which has no such locks, it stays.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gpu_clusters.errors import GpuClustersError, UsageError
from gpu_clusters.handles import lock, open_folder, sync
from gpu_clusters.paths import is_there, spelled

MANIFEST = "manifest.json"
_PARTIAL = re.compile(r"\..{0,40}\.[0-9a-f]{16}\.partial", re.DOTALL)
_alive: list[Partial] = []  # what this process has begun and not yet removed
_moving = False  # while files are being moved one by one, which must not stop half way
_placed = False  # whether this process has put a folder in place


def check_out(out: str | os.PathLike[str], *, force: bool) -> Path:
    """The output folder, if it can be made or replaced; its path is absolute and free of links.

    Raises
    ------
    UsageError
        It is a file or below one, or it is not empty and ``force`` is false.
    GpuClustersError
        There is no permission to write there, or a file of the result that is there is open in another program.
    """
    shown = spelled(out, "the output folder")
    try:
        target = Path(os.path.realpath(shown))
        if not is_there(target):
            top = _first_missing(target)
            if top.is_symlink():
                raise UsageError(f"{shown}: its symbolic links go round in circles")
            if not top.parent.is_dir():
                raise UsageError(f"{shown} cannot be a folder: {top.parent} is a file")
            if not os.access(top.parent, os.W_OK | os.X_OK):
                raise GpuClustersError(f"{shown} cannot be made: no permission to write in {top.parent}")
        elif not target.is_dir():
            raise UsageError(f"{shown} is a file: a folder is needed")
        elif not force and _entries(target):
            raise UsageError(
                f"{shown} is not empty: give --force (in Python force=True) to replace the result in it, or another folder"
            )
        elif not os.access(target, os.W_OK | os.X_OK):
            raise GpuClustersError(f"{shown}: no permission to write there")
        for name in (MANIFEST, *_listed(target)):
            _check_free(target / name)
    except (OSError, ValueError) as error:
        if isinstance(error, GpuClustersError):
            raise
        raise UsageError(f"{shown} cannot be a folder: {getattr(error, 'strerror', None) or error}") from error
    return target


@contextmanager
def new_folder(
    out: str | os.PathLike[str], *, force: bool, sources: Iterable[str | os.PathLike[str]] = ()
) -> Iterator[Path]:
    """A folder to fill, which takes the place of ``out`` when all went well and vanishes when not.

    Raises
    ------
    UsageError
        `check_out` says why; or one of the files ``sources``, which what is filled in was made from, would be replaced.
    GpuClustersError
        It cannot be written.
    """
    global _placed
    target = check_out(out, force=force)
    top = _first_missing(target)
    partial = None
    try:
        remove_abandoned(top)
        partial = _begin(target, top)
        folder = partial.path if target.exists() else partial.path / target.relative_to(top)
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        for path in (*folder.rglob("*"), folder):
            sync(path)
        spare(sources, [path.name for path in folder.iterdir()], target)
        _put_in_place(partial.path, folder, top, target, force=force)
        _placed = True
    except OSError as error:
        raise GpuClustersError(f"cannot write {os.fspath(out)}: {error.strerror or error}") from error
    finally:
        if partial is not None:
            partial.remove()


def abandon() -> bool | None:
    """Remove what this process is filling, for it will end at once; tell whether a folder has been put in place before.

    None: files are being put in place one by one just now, which must not stop half way.
    """
    if _moving:
        return None
    placed = _placed or any(partial.placed() for partial in _alive)
    for partial in list(_alive):
        partial.remove()
    return placed


class Partial:
    """A folder that is being filled, and locked meanwhile."""

    def __init__(self, parent: Path, name: str) -> None:
        self.path, self._lock = _partial_name(parent, name), -1
        _alive.append(self)
        try:
            while True:
                self.path.mkdir()
                self._lock = open_folder(self.path)
                if lock(self._lock) is not False and self.path.exists():  # else another run took it for abandoned
                    break
                os.close(self._lock)
                self.path, self._lock = _partial_name(parent, name), -1
        except BaseException:
            self.remove()
            raise

    def placed(self) -> bool:
        """Whether the folder is not where it was any more."""
        if self._lock < 0:
            return False
        try:
            return not os.path.samestat(os.fstat(self._lock), self.path.stat())
        except FileNotFoundError:
            return True

    def remove(self) -> None:
        """Remove the folder, or what has come to its place in exchange."""
        if self in _alive:
            shutil.rmtree(self.path, ignore_errors=True)
            _alive.remove(self)
            if self._lock >= 0:
                os.close(self._lock)


def _partial_name(parent: Path, name: str) -> Path:
    return parent / f".{name[:40]}.{secrets.token_hex(8)}.partial"


def _first_missing(target: Path) -> Path:
    """The first folder on the way to ``target`` that is not there yet; ``target`` itself if it is there."""
    top = target
    while not os.path.lexists(top.parent):
        top = top.parent
    return top


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, apart from what a killed run may have left there."""
    return [path for path in folder.iterdir() if not _PARTIAL.fullmatch(path.name)]


def _begin(target: Path, top: Path) -> Partial:
    """Begin beside the target; within it where it must stay the folder that it is, or where beside is forbidden."""
    if target.exists():
        if target == Path(os.path.realpath(os.curdir)) or os.path.ismount(target):
            return Partial(target, target.name)
        if not os.access(target.parent, os.W_OK | os.X_OK):
            return Partial(target, target.name)
    return Partial(top.parent, top.name)


def spare(sources: Iterable[str | os.PathLike[str]], names: Iterable[str], target: Path) -> None:
    """Refuse to replace or remove a file of ``sources``, which a result is made from, by the files ``names`` in ``target``.

    Raises
    ------
    UsageError
    """
    gone = {target / name for name in {*names} | _listed(target)}
    for source in map(Path, sources):
        by_its_name = Path(os.path.realpath(source.parent), source.name)  # it may be a link
        if not gone.isdisjoint((by_its_name, Path(os.path.realpath(source)))):
            raise UsageError(f"{target}: would lose {source}, which the result is made from: give another folder")


def _put_in_place(partial: Path, folder: Path, top: Path, target: Path, *, force: bool) -> None:
    """Make ``folder`` the target; what is there and is not of a result's stays."""
    if not target.exists():
        while partial != folder and top.exists():  # another run has made that much meanwhile
            step = target.relative_to(top).parts[0]
            partial, top = partial / step, top / step
        partial.replace(top)
        return
    there = _entries(target)
    if there and not force:
        raise UsageError(f"{target} is not empty any more: another program has written there meanwhile")
    if folder.parent == target:
        _fill(folder, target)
        return
    try:
        _take_after(folder, target)
        if there:
            _exchange(folder, target, there)
        else:
            folder.replace(target)
    except OSError:  # a mount point, a file system that cannot do it, folders of others within
        if not force and _entries(target):
            raise
        _fill(folder, target)


def _exchange(folder: Path, target: Path, there: list[Path]) -> None:
    """Swap two folders in one step; before, give the new one what is not of a result's in the old one."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, TypeError):  # macOS, Windows
        raise OSError(errno.ENOSYS, "no renameat2") from None
    ours = {path.name for path in folder.iterdir()} | _listed(target)
    for path in there:
        if path.is_dir() and not path.is_symlink():
            raise OSError(errno.EISDIR, "holds folders, which are not of a result's")
        if path.name not in ours:
            os.link(path, folder / path.name, follow_symlinks=False)
    at_cwd, exchange = -100, 2
    if renameat2(at_cwd, os.fsencode(folder), at_cwd, os.fsencode(target), exchange):
        raise OSError(ctypes.get_errno(), "renameat2 failed")
    for path in folder.iterdir():  # now the old folder
        if path.name not in ours and not os.path.lexists(target / path.name):  # has come since
            path.replace(target / path.name)


def _fill(folder: Path, target: Path) -> None:
    """Move the files one by one: the old manifest goes first, the new one comes last."""
    global _moving
    files = sorted(folder.iterdir(), key=lambda path: path.name == MANIFEST)
    stale = _listed(target) - {path.name for path in files}
    for path in files:
        if (target / path.name).is_dir():
            raise OSError(errno.EISDIR, f"{target / path.name} is a folder")
    for name in (MANIFEST, *stale, *(path.name for path in files)):
        _check_free(target / name)
    inside = None if folder.parent == target else Partial(target, target.name)
    try:
        if inside is not None:
            files = [_moved(path, inside.path / path.name) for path in files]
        _moving = True
        for name in (MANIFEST, *stale):
            (target / name).unlink(missing_ok=True)
        for path in files:
            path.replace(target / path.name)
    finally:
        _moving = False
        if inside is not None:
            inside.remove()


def _check_free(path: Path) -> None:
    """Refuse a file, if it is there, that could not be replaced or removed: on Windows one that a program has open."""
    try:
        path.rename(path)
    except FileNotFoundError:
        pass
    except PermissionError:
        raise GpuClustersError(f"{path} is open in another program: close it there") from None


def _moved(path: Path, place: Path) -> Path:
    """Move a file, to another file system if it must be."""
    try:
        path.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copy2(path, place)
        sync(place)
    return place


def _listed(target: Path) -> set[str]:
    """Names of the files that the result in a folder consists of, by its manifest; none by that of another program."""
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        if manifest["program"] != "gpu-clusters":
            return set()
        names = {str(output["name"]) for output in manifest["outputs"]}
    except (OSError, ValueError, LookupError, TypeError):
        return set()
    return {name for name in names if name == Path(name).name and (target / name).is_file()}


def _take_after(folder: Path, target: Path) -> None:
    """Give a folder the group and the permissions of the one that it will replace, as far as that is allowed."""
    with suppress(OSError):
        folder.chmod(stat.S_IMODE(target.stat().st_mode))
        if hasattr(os, "chown"):  # not on Windows
            os.chown(folder, -1, target.stat().st_gid)


def remove_abandoned(top: Path) -> None:
    """Remove what runs that were killed have left beside and within a folder."""
    there: list[Path] = []
    for folder in (top.parent, top):
        with suppress(OSError):
            there += folder.iterdir()
    for path in there:
        if _PARTIAL.fullmatch(path.name) and path.name.startswith(f".{top.name[:40]}."):
            with suppress(OSError):
                handle = open_folder(path)
                if lock(handle):
                    shutil.rmtree(path, ignore_errors=True)
                os.close(handle)


def check_file(out: str | os.PathLike[str], *, force: bool) -> Path:
    """The output file, if it can be made or replaced; its path is absolute and free of links.

    Raises
    ------
    UsageError
        It is a folder or a device, its folder is missing, or it exists and ``force`` is false.
    GpuClustersError
        There is no permission to write there, or the file is open in another program.
    """
    shown = spelled(out, "the output file")
    try:
        target = Path(os.path.realpath(shown))
        if target.is_dir():
            raise UsageError(f"{shown} is a folder: a file is needed")
        if not target.parent.is_dir():
            raise UsageError(f"{shown} cannot be made: {target.parent} is no folder")
        if target.exists() and not target.is_file():
            raise UsageError(f"{shown} is a device or a pipe, which a file would replace: give another name")
        if target.exists() and not force:
            raise UsageError(f"{shown} exists: give --force (in Python force=True) to replace it, or another file")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise GpuClustersError(f"{shown} cannot be made: no permission to write in {target.parent}")
        _check_free(target)
    except (OSError, ValueError) as error:
        if isinstance(error, GpuClustersError):
            raise
        raise UsageError(f"{shown} cannot be a file: {getattr(error, 'strerror', None) or error}") from error
    return target


@contextmanager
def new_files(out: Sequence[str | os.PathLike[str]], *, force: bool) -> Iterator[list[Path]]:
    """Files of one folder to write, which take the places of ``out`` together when all went well and vanish when not.

    The last is the record of the others: where it is, they are whole.
    """
    global _moving, _placed
    targets = [check_file(path, force=force) for path in out]
    partial = None
    try:
        remove_abandoned(targets[0])
        partial = Partial(targets[0].parent, targets[0].name)
        files = [partial.path / target.name for target in targets]
        yield files
        for file in files:
            sync(file)
        for path in out:
            check_file(path, force=force)
        _moving = True
        targets[-1].unlink(missing_ok=True)
        for file, target in zip(files, targets, strict=True):
            file.replace(target)
        _placed = True
    except OSError as error:
        raise GpuClustersError(f"cannot write {os.fspath(out[0])}: {error.strerror or error}") from error
    finally:
        _moving = False
        if partial is not None:
            partial.remove()
