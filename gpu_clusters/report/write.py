"""Writing a report: all of its files, or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gpu_clusters.errors import UsageError
from gpu_clusters.io.results import fingerprint, write_json
from gpu_clusters.manifest import versions
from gpu_clusters.paths import spelled
from gpu_clusters.report import figures, files, html, maps, style
from gpu_clusters.report.contents import Contents, of_result, read
from gpu_clusters.report.method import method
from gpu_clusters.report.ranges import unlike, without_ranges
from gpu_clusters.report.tables import all_tables
from gpu_clusters.result import Result
from gpu_clusters.staging import MANIFEST, new_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "report.html"
Progress = Callable[[str, float | None], None]


def write(
    result: Result | Contents | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    sweep: str | os.PathLike[str] | None = None,
    previous: Result | str | os.PathLike[str] | None = None,
    top: int | None = None,
    regions: Mapping[str, maps.Box] | None = None,
    title: str = "Innovation clusters",
    device: str = "cpu",
    force: bool = False,
    progress: Progress | None = None,
) -> list[str]:
    """Write the tables, figures, maps and the page of a result into the folder ``out``: together, or none of them.

    Parameters
    ----------
    result : Result, Contents or path
        What ``rank`` returns, the folder that it has written, or what `read` has made of that.
    out : path
        Folder; made where it is missing.
    sweep : path, optional
        Folder of a sweep, for the range of each cluster's ranks.
    previous : path or Result, optional
        The previous edition, for rises and falls, entrants and leavers; without it they are told as far as the result has them.
    top : int, optional
        Size of the main ranking; by default that of the result's settings.
    regions : mapping of str to (west, south, east, north), optional
        Maps besides that of the world, degrees; by default `maps.REGIONS`.
    title : str
        Of the page.
    device : {"cpu", "gpu"}
        Where millions of points are counted into pixels; a GPU needs cuDF.
    force : bool
        Replace an earlier report.
    progress : callable, optional
        Told the name of the work at hand and the part of it that is done.

    Returns
    -------
    list of str
        What the report lacks that the reader may look for, and what of the sweep does not fit the result.

    Raises
    ------
    UsageError
        Folders that do not fit, or a region that is none.
    InputError
        A file of the result that cannot be read.
    DeviceError
        The GPU's libraries are missing.
    """
    target = os.path.realpath(spelled(out, "the output folder"))
    if isinstance(result, Contents):
        if any(given is not None for given in (sweep, previous, top)):
            raise UsageError("contents have their sweep, previous edition and top: give these to report.read instead")
        contents = result
    else:
        make = of_result if isinstance(result, Result) else read
        contents = make(result, sweep=sweep, previous=previous, top=top, device=device)  # type: ignore[arg-type]
    if target in contents.folders:
        raise UsageError(f"the report would replace what it is made from: give another folder than {os.fspath(out)}")
    if regions is not None and not (isinstance(regions, Mapping) and all(isinstance(name, str) for name in regions)):
        raise UsageError(f"regions must be a mapping of names to west, south, east, north, not {regions!r}")
    boxes = {name: maps.check_box(box) for name, box in (maps.REGIONS if regions is None else regions).items()}
    wanted = _map_files(boxes, [by for by in maps.BY if by == "rank" or contents.has(by)])
    tell = progress or (lambda _name, _part: None)
    with new_folder(out, force=force) as folder:
        tell("tables", None)
        tables, notes = all_tables(contents), method(contents)
        sources = []
        for table in tables:
            _save(folder / f"{table.key}.csv", files.as_csv(table))
            _save(folder / f"{table.key}.md", files.as_markdown(table, notes))
            source = files.as_latex(table, notes)
            sources.append((table.key, source))
            _save(folder / f"{table.key}.tex", source)
        _save(folder / "tables.tex", files.latex_document(sources))
        files.write_workbook(folder / "tables.xlsx", tables, notes, str(contents.manifest.get("created", "")))
        makers = figures.all_figures(contents)
        drawn = {name: (draw(contents), draw(contents, width=figures.NARROW)) for name, draw in makers.items()}
        for name, (figure, _) in drawn.items():
            _save_figure(figure, folder / f"figure-{name}")
        tell("page", None)
        _save(folder / PAGE, html.page(contents, tables, drawn, title))
        for number, (file, (name, by)) in enumerate(wanted.items()):
            tell("maps", number / len(wanted))
            figure = maps.region(contents, boxes[name], name, by) if name in boxes else maps.world(contents, by)
            _save_figure(figure, folder / file)
        outputs = [fingerprint(path) for path in sorted(folder.iterdir())]
        made_from = contents.manifest.get("created")
        about = {"program": "gpu-clusters", "kind": "report", "result_created": made_from, "versions": versions()}
        warnings = unlike(contents) + without_ranges(contents)
        write_json(about | {"warnings": warnings, "outputs": outputs}, folder / MANIFEST)
    return warnings


def _save(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _save_figure(figure: Figure, path: Path) -> None:
    with style.look():
        figure.savefig(path.with_name(path.name + ".png"), metadata={"Software": None})
        figure.savefig(path.with_name(path.name + ".svg"), metadata={"Date": None, "Creator": None})


def _map_files(regions: Iterable[str], orders: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The maps' region ("" is the world) and order by the names of their files."""
    files: dict[str, tuple[str, str]] = {}
    for name in ("", *regions):
        letters = "".join(letter if letter.isalnum() else " " for letter in name.lower())
        slug = "-".join(letters.split())[:40] or ("region" if name else "world")
        for by in orders:
            file = f"map-{slug}{'' if by == 'rank' else '-intensity'}"
            if file in files:
                raise UsageError(f"region {name!r} would have the file of another map, {file}: give it another name")
            files[file] = name, by
    return files
