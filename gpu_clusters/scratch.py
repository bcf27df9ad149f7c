"""A folder for a while: among the system's temporary ones, locked and removed as those that `staging` fills."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gpu_clusters.errors import GpuClustersError
from gpu_clusters.staging import Partial, remove_abandoned


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A folder for files that are needed for a while only, among the system's temporary ones.

    Raises
    ------
    GpuClustersError
        They cannot be written.
    """
    place = Path(tempfile.gettempdir()).resolve()
    partial = None
    try:
        remove_abandoned(place / name)
        partial = Partial(place, name)
        yield partial.path
    except OSError as error:
        raise GpuClustersError(
            f"cannot write temporary files in {place}: {error.strerror or error}; make room there, or name another folder in "
            "the environment variable TMPDIR"
        ) from error
    finally:
        if partial is not None:
            partial.remove()
