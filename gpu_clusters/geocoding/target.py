"""Where geocoded files go: all of them appear when all is done, or none does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gpu_clusters.errors import UsageError
from gpu_clusters.geocoding.writing import ending
from gpu_clusters.io.formats import Reader
from gpu_clusters.io.sources import SUPPORTED
from gpu_clusters.staging import check_file, check_out, new_files, new_folder

COVERAGE, RECORD = "coverage.csv", "manifest.json"


@dataclass(frozen=True)
class Target:
    """Where the result goes: ``out``, which is a folder or a file with its records beside it, and files of which ``kind``.

    In a folder the records begin with ``_``, so that they are no part of a table that is read from there.
    """

    out: str
    folder: bool
    kind: str

    @classmethod
    def of(cls, source: str, out: str, *, force: bool) -> Target:
        """Check where a result would go.

        Raises
        ------
        UsageError
            The kind of file is unknown, it is there already, or it is the input.
        """
        kind = ending(out)  # of a link: what it is called, not what it points to
        target = cls(out, kind is None, kind or ".parquet")
        if target.folder and not Path(source).is_dir():
            raise UsageError(f"--out {out}: must end in .parquet, .csv or .tsv (with .gz too)")
        given, made = os.path.realpath(source), os.path.realpath(out)
        paths = [made] if target.folder else [os.path.realpath(path) for path in target.files]
        if given in paths or (Path(source).is_dir() and any(given in map(str, Path(path).parents) for path in paths)):
            raise UsageError(f"--out {out} is the input, or part of it: give another place")
        if target.folder:
            if Path(made).is_dir() and any(Path(made).iterdir()):
                raise UsageError(f"--out {out} is not empty: remove it, or give another folder")
            check_out(out, force=False)
        else:
            for path in target.files:
                check_file(path, force=force)
        return target

    @property
    def files(self) -> tuple[str, str, str]:
        """The file, its coverage and its record: ``NAME.parquet``, ``NAME.coverage.csv``, ``NAME.manifest.json``."""
        stem = os.path.realpath(self.out)
        kind = ending(stem)
        stem = stem[: -len(kind)] if kind else stem
        return self.out, f"{stem}.{COVERAGE}", f"{stem}.{RECORD}"

    @contextmanager
    def new(self, sources: Sequence[Reader], source: str, *, force: bool) -> Iterator[tuple[list[Path], Path, Path]]:
        """Files to write, one for all ``sources`` or one for each; the coverage and the record."""
        if not self.folder:
            with new_files(self.files, force=force) as (file, coverage, record):
                yield [file], coverage, record
            return
        with new_folder(self.out, force=False) as folder:
            files = [folder / name for name in _names(sources, source)]
            for file in files:
                file.parent.mkdir(parents=True, exist_ok=True)
            yield files, folder / f"_{COVERAGE}", folder / f"_{RECORD}"

    def shown(self, file: Path, record: Path) -> str:
        """A file's name in the record: its path within the folder that the record is in."""
        return file.relative_to(record.parent).as_posix() if self.folder else file.name


def _names(sources: Sequence[Reader], source: str) -> list[str]:
    """Paths within the new folder: as in the source's, with the ending of Parquet."""
    names: list[str] = []
    for reader in sources:
        assert reader.path is not None
        name = str(reader.path.relative_to(source))
        kind = max((end for end in SUPPORTED if name.lower().endswith(end)), key=len)
        names.append(f"{name[: -len(kind)]}.parquet")  # no two are alike: `io.folders.refuse_twins`
    return names
