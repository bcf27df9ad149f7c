"""Finished radii on the disk, so that a sweep that was interrupted can go on."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.compiled import sources
from gpu_clusters.errors import GpuClustersError
from gpu_clusters.steps.single import Inputs
from gpu_clusters.sweeps.study import Part

_KEPT = re.compile(r"[0-9a-f]{16}-[a-z-]+-[0-9.e+-]+km(\.npz|(\.[0-9a-f]{8})?\.partial)")


class Store:
    """A folder of finished radii of one sweep.

    Parameters
    ----------
    folder : path or None
        None keeps nothing.
    inputs : Inputs
    record : dict
        The sweep's manifest. The files' names bear a digest of the inputs, of all settings but weightings and radii,
        and of the sources and versions.
    resume : bool
        Whether files that are there are used.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None, inputs: Inputs, record: dict[str, Any], resume: bool
    ) -> None:
        self._folder = None if folder is None else Path(folder)
        self._resume = resume
        self._digest = "" if folder is None else _digest(inputs, record)

    def load(self, weighting: str, radius_km: float) -> Part | None:
        """A finished radius, None if there is none of this sweep, or its file is damaged."""
        if self._folder is None or not self._resume:
            return None
        try:
            path = self._path(weighting, radius_km)
            with zipfile.ZipFile(path) as file:
                if file.testzip():  # NumPy reads as far as its headers say, and checks no sums before the end
                    return None
            with np.load(path) as found:
                return Part(**{name: found[name] for name in Part._fields})
        except Exception:  # there is hardly one that damage does not raise
            return None

    def save(self, weighting: str, radius_km: float, part: Part) -> None:
        """Keep a finished radius; its file appears whole."""
        if self._folder is None:
            return
        path = self._path(weighting, radius_km)
        partial = path.with_suffix(f".{secrets.token_hex(4)}.partial")  # another run may keep the same radius
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                np.savez(file, **part._asdict())
            partial.replace(path)
        except FileNotFoundError:
            pass  # another run into the same place has removed them, for it begins or is done
        except OSError as error:
            raise GpuClustersError(
                f"cannot keep finished radii in {self._folder}: {error.strerror or error}"
            ) from error
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def _path(self, weighting: str, radius_km: float) -> Path:
        assert self._folder is not None
        return self._folder / f"{self._digest}-{weighting}-{radius_km!r}km.npz"


def _digest(inputs: Inputs, record: dict[str, Any]) -> str:
    about = [
        sources("**/*.py"),  # a working copy changes within a version, and the form of the files with it
        record["versions"],  # sines of NumPy and coefficients of SciPy may differ in their last bits
        record["inputs"],
        record["settings"],
        record["grid"]["densities"],
    ]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode())
    found = inputs.located.locations
    columns: list[NDArray | None] = [found.lon, found.lat, inputs.deal_lon, inputs.deal_lat]
    for table, place in ((inputs.patents, inputs.located.patents), (inputs.publications, inputs.located.publications)):
        columns += [place, *((table.doc_start, table.fraction) if table is not None else (None, None))]
    columns += [inputs.deal_place, None if inputs.deals is None else inputs.deals.deals]
    for values in columns:
        digest.update(b"none" if values is None else np.ascontiguousarray(values).data)
    return digest.hexdigest()[:16]


def folder_beside(out: str | os.PathLike[str]) -> Path | None:
    """Where the finished radii of a sweep into ``out`` are kept until it is done; None if nothing may be written there."""
    target = Path(os.path.realpath(out))
    there = next((folder for folder in target.parents if folder.exists()), target)
    return target.parent / f".{target.name}.sweep" if os.access(there, os.W_OK | os.X_OK) else None


def forget(folder: Path) -> None:
    """Remove what was kept, and the folder if nothing else is in it."""
    with suppress(OSError):
        for path in folder.iterdir():
            if _KEPT.fullmatch(path.name):
                path.unlink(missing_ok=True)
        folder.rmdir()
