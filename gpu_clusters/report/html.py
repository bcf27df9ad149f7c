"""The page: one HTML file that needs nothing else, no network either."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files as resources
from typing import TYPE_CHECKING, Any

from gpu_clusters.io.embedded import map_names
from gpu_clusters.io.land import CREDIT
from gpu_clusters.report import style
from gpu_clusters.report.contents import Contents
from gpu_clusters.report.escape import one_line
from gpu_clusters.report.files import shown
from gpu_clusters.report.method import inputs, method, warnings
from gpu_clusters.report.payload import payload
from gpu_clusters.report.tables import SHARE_OF, Table
from gpu_clusters.texts import percent, whole

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

IN_THE_MAIN_TABLE = {"top", "beyond", "intensity", "stability"}
_THEMED = {style.INK: "--ink", style.MUTED: "--muted", style.RULE: "--rule", style.PAPER: "--paper"}


def page(contents: Contents, tables: Sequence[Table], figures: Mapping[str, Sequence[Figure]], title: str) -> str:
    """The whole page as a text.

    Parameters
    ----------
    contents : Contents
    tables : sequence of Table
        Those of `tables.all_tables`; what the sortable table has too is left out.
    figures : mapping of str to (Figure, Figure)
        Each for a wide screen and for a narrow one.
    title : str
    """
    from markupsafe import Markup

    return _template().render(
        title=one_line(title),
        style=Markup(_asset("page.css")),
        script=Markup(map_names() + _asset("page.js")),
        data=Markup(payload(contents)),
        facts=_facts(contents),
        has={
            "population": contents.has("intensity_rank"),
            "previous": contents.has("previous_rank"),
        },
        tables=[(table, list(shown(table))) for table in tables if table.key not in IN_THE_MAIN_TABLE],
        figures=[
            (
                name,
                wide.get_label(),
                Markup(inline_svg(wide, f"{name}-wide")),
                Markup(inline_svg(narrow, f"{name}-narrow")),
            )
            for name, (wide, narrow) in figures.items()
        ],
        bands=style.band_titles(len(contents.ranking)),
        beyond=_beyond(contents),
        method=method(contents),
        warnings=warnings(contents),
        inputs=inputs(contents),
        credit=CREDIT,
    )


def inline_svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element whose colours follow the page's theme."""
    out = io.StringIO()
    with style.look():
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    for color, variable in _THEMED.items():
        text = text.replace(color, f"var({variable})")
    text = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", text)
    return re.sub(
        r"<svg [^>]*?viewBox=(\"[^\"]*\")[^>]*>",
        rf'<svg class="{name.rpartition("-")[2]}" viewBox=\1 aria-hidden="true" focusable="false">',
        text,
        count=1,
    )


def _facts(contents: Contents) -> list[tuple[str, str]]:
    """Numbers for the head of the page."""
    ranking = contents.ranking
    totals: Mapping[str, Any] = contents.manifest.get("totals", {})
    found = [(whole(len(ranking)), "cluster" if len(ranking) == 1 else "clusters")]
    addresses = totals.get("inventor_addresses", 0) + totals.get("author_addresses", 0)
    if addresses:
        found.append((whole(addresses), "address" if addresses == 1 else "addresses"))
    for name, column in SHARE_OF.items():
        if totals.get(name) and ranking[column].notna().all():
            found.append((f"{percent(ranking[column].sum())} %", f"of {whole(totals[name])} {name} in clusters"))
    return found


def _beyond(contents: Contents) -> dict[str, str]:
    """Which clusters have the colour that is none of the bands', by what they are coloured by."""
    last, intense = style.BANDS[-1][0], contents.ranking["intensity_rank"]
    found = {"rank": f"beyond {last}"} if (contents.ranking["rank"] > last).any() else {}
    if intense.notna().any() and intense.isna().any():
        found["intensityRank"] = "without intensity rank"
    return found


def _asset(name: str) -> str:
    return (resources("gpu_clusters.report") / "page" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment

    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(_asset("page.html.j2"))
