"""From an export to a folder of tables, in one call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gpu_clusters import backend
from gpu_clusters.errors import UsageError
from gpu_clusters.paths import spelled
from gpu_clusters.settings import Years, years_window
from gpu_clusters.sources.choose import choose
from gpu_clusters.sources.run import Converted, Progress, carry_out
from gpu_clusters.sources.skips import FAIL, SKIP, Skips
from gpu_clusters.staging import check_out

PathLike = str | os.PathLike[str]


def convert(
    source: str,
    paths: PathLike | Sequence[PathLike],
    out: PathLike,
    *,
    years: Years = (None, None),
    types: Sequence[str] | None = None,
    retracted: bool = False,
    mapping: PathLike | None = None,
    encoding: str | None = None,
    on_error: str = FAIL,
    dask: Any = None,
    device: str = "cpu",
    force: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Convert the export of a data source into a folder of Parquet files that `rank` reads.

    Parameters
    ----------
    source : {"openalex", "patentsview", "geoc-inv", "crunchbase", "table"}
    paths : path or sequence of path
        Folders and files of the export; they may be larger than memory.
    out : path
        Folder: ``part-*.parquet``, each with whole documents; ``coverage.csv``; ``locations.parquet`` (rows, and fractions or
        deals, by place); ``skipped.csv``; ``manifest.json``. All files appear together, or none does.
    years : (from, to), optional
        Inclusive window, either end may be None; what has no year is outside.
    types : sequence of str, optional
        Kinds of works, patents or rounds that count; empty for all. Left out: articles and reviews; utility patents;
        rounds that are venture capital.
    retracted : bool, optional
        Keep retracted works.
    mapping : path, optional
        For ``table``: a TOML file that says which column is what.
    encoding : str, optional
        Of Crunchbase's files, UTF-8 by default.
    on_error : {"fail", "skip"}, optional
        A row that cannot be read is an error, or is counted and listed.
    dask : str or distributed.Client, optional
        A scheduler's address, ``"local:N"`` for N workers on this machine, or a client; the workers must see the files under the
        same paths. The parts are the same.
    device : {"cpu", "gpu"}, optional
        What counts the rows of places: pandas, or cuDF on a GPU, with ``dask`` on that of each worker. The files are the same.
    force : bool, optional
        Replace a result that is in ``out``.
    progress : callable, optional
        Called with what is done and the part of it that is done, 0..1.

    Returns
    -------
    Converted
        ``coverage`` and ``manifest``.

    Raises
    ------
    InputError
        Files that are missing, cannot be read, or give no row.
    UsageError
        Options that make no sense.
    DeviceError
        No scheduler answers, or cuDF is not installed where the work is done.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from gpu_clusters import convert
    >>> header = "uuid,company_name,country_code,region,city,investment_type,announced_on"
    >>> with TemporaryDirectory() as folder:
    ...     export = Path(folder, "funding_rounds.csv")
    ...     _ = export.write_text(f"{header}\\n1,Example,FRA,,Paris,seed,2021-05-01\\n")
    ...     done = convert("crunchbase", export, Path(folder, "deals"), years=(2020, None))
    >>> done.coverage[["country", "rows", "geocoded"]].values.tolist()
    [['FR', 1, 0], ['World', 1, 0]]
    """
    if on_error not in (FAIL, SKIP):
        raise UsageError(f"on_error must be fail or skip, not {on_error!r}")
    if dask is None or device != "gpu":  # else Dask's workers are asked: there may be no GPU here
        backend.frames(device)
    target = check_out(out, force=force)
    several = paths if isinstance(paths, Iterable) and not isinstance(paths, (str, bytes)) else [paths]
    given = [Path(spelled(path, "each of paths")) for path in several]
    if not given:
        raise UsageError(f"paths is empty: give the folders or files of {source}")
    if dask is not None:
        given = [path.absolute() for path in given]  # workers may be in another folder
    listed = isinstance(types, Sequence) and not isinstance(types, str) and all(isinstance(one, str) for one in types)
    if types is not None and not listed:
        raise UsageError(f"types must be a list of texts, not {types!r}")
    options: dict[str, Any] = {"types": types, "retracted": retracted, "encoding": encoding}
    options["years"] = years_window("years", years)
    options["mapping"] = None if mapping is None else Path(spelled(mapping, "mapping"))
    skips = Skips(on_error)
    chosen = choose(source, given, skips, **options)
    if any(target in path.resolve().parents for path in chosen.files):
        raise UsageError(f"{os.fspath(out)} holds files of the input: give another folder for the result")
    return carry_out(
        chosen,
        out,
        on_error=on_error,
        before=skips,
        options=options | {"on_error": on_error, "device": device},
        dask=dask,
        device=device,
        force=force,
        progress=progress,
    )
