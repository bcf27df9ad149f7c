"""Tables as files: CSV, Markdown, LaTeX, and one workbook for all of them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd

from gpu_clusters.report import escape
from gpu_clusters.report.tables import Table
from gpu_clusters.texts import FORMATS

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MANY_COLUMNS = 9  # more of them are set in smaller letters
XLSX_FORMATS = {
    "rank": "0",
    "whole": "#,##0",
    "count": "#,##0.0",
    "median": "#,##0.0",
    "share": "0.00",
    "percent": "0.0",
    "intensity": "0.000",
    "change": "+0;\N{MINUS SIGN}0;0",
}


def as_csv(table: Table) -> str:
    """Full precision, missing values empty, names of the columns as in the result."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    for row in rows(table):
        writer.writerow([escape.cell(value) if isinstance(value, str) else value for value in row])
    return out.getvalue()


def as_markdown(table: Table, method: Sequence[str]) -> str:
    """A heading, a table of pipes, notes below."""
    lines = [f"## {escape.markdown(table.title)}", ""]
    lines.append("| " + " | ".join(escape.markdown(column.title) for column in table.columns) + " |")
    lines.append("| " + " | ".join("---" if column.kind == "text" else "---:" for column in table.columns) + " |")
    lines += ["| " + " | ".join(escape.markdown(cell) for cell in row) + " |" for row in shown(table)]
    lines += ["", *(f"*{escape.markdown(note)}*\n" for note in (*table.notes, *method))]
    return "\n".join(lines)


def as_latex(table: Table, method: Sequence[str]) -> str:
    """A ``longtable`` with rules of ``booktabs`` as wide as the line, to be taken in with ``\\input``."""
    widths = [f"{part:.3f}\\linewidth" for part in _parts(table)]
    styles = [r"\raggedright" if column.kind == "text" else r"\raggedleft" for column in table.columns]
    columns = "".join(f">{{{style}\\arraybackslash}}p{{{width}}}" for style, width in zip(styles, widths, strict=True))
    narrow = len(widths) > MANY_COLUMNS
    titles = [escape.latex(column.title) for column in table.columns]
    head = " & ".join(titles if narrow else [rf"\textbf{{{title}}}" for title in titles]) + r" \\ \midrule"
    notes = [escape.latex(note) for note in (*table.notes, *method)]
    lines = [
        ("{\\footnotesize" if narrow else "{\\small") + r"\setlength{\tabcolsep}{3pt}",
        rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}",
        rf"\caption{{{escape.latex(table.title)}}}\label{{tab:{table.key}}}\\",
        rf"\toprule {head} \endfirsthead",
        rf"\toprule {head} \endhead",
        r"\bottomrule \endfoot",
        r"\bottomrule \endlastfoot",
        *(" & ".join(escape.latex(cell) for cell in row) + r" \\" for row in shown(table)),
        r"\end{longtable}",
        r"\begingroup\footnotesize\noindent",
        *(rf"{note}\par\noindent" for note in notes),
        r"\endgroup}",
    ]
    return "\n".join(lines) + "\n"


def latex_document(tables: Sequence[tuple[str, str]]) -> str:
    """A document that takes in tables, (name, source) each, and can be compiled as it is."""
    letters = escape.beyond_latex("".join(source for _, source in tables))
    lines = [
        "% pdflatex sets letters of Latin scripts; for others take xelatex or lualatex and a font that has them:",
        "% below, pdflatex is told to set their code points.",
        r"\documentclass[a4paper,10pt,landscape]{article}",
        r"\usepackage[margin=18mm]{geometry}",
        r"\usepackage{iftex}",
        r"\iftutex\usepackage{fontspec}\else\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{textcomp}",
        r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}",
        *(
            rf"\DeclareUnicodeCharacter{{{ord(letter):04X}}}{{{{\tiny[U+{ord(letter):04X}]}}\allowbreak{{}}}}"
            for letter in letters
        ),
        r"\fi",
        r"\usepackage{array,longtable,booktabs}",
        r"\begin{document}",
        *(rf"\input{{{name}}}\clearpage" for name, _ in tables),
        r"\end{document}",
    ]
    return "\n".join(lines) + "\n"


def write_workbook(path: Path, tables: Sequence[Table], method: Sequence[str], created: str) -> None:
    """One sheet a table, called by its key, numbers as numbers, and a sheet ``method``; the same bytes each time."""
    from openpyxl import Workbook
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook()
    book.remove(book.active)
    for table in tables:
        _fill_sheet(book.create_sheet(table.key), table)
    sheet = book.create_sheet("method")
    for number, line in enumerate(method, 1):
        _set(sheet, number, 1, line)
    sheet.column_dimensions["A"].width = 140
    try:
        when = dt.datetime.fromisoformat(created).replace(tzinfo=None)
    except ValueError:
        when = dt.datetime(2000, 1, 1)
    book.properties.creator = "gpu-clusters"
    book.properties.created = book.properties.modified = when
    written = io.BytesIO()
    ExcelWriter(book, ZipFile(written, "w")).save()  # as ``book.save``, which says that it was modified now
    with ZipFile(written) as parts, ZipFile(path, "w", ZIP_DEFLATED) as file:
        for name in parts.namelist():
            file.writestr(ZipInfo(name), parts.read(name), ZIP_DEFLATED)  # of a fixed day


def rows(table: Table) -> Iterator[list[Any]]:
    """Values row by row: plain numbers, texts, None for what is missing."""
    columns = [table.frame[column.name].tolist() for column in table.columns]
    kinds = [column.kind for column in table.columns]
    for row in zip(*columns, strict=True):
        yield [_plain(value, kind) for value, kind in zip(row, kinds, strict=True)]


def shown(table: Table) -> Iterator[list[str]]:
    """Texts row by row, as a reader sees them."""
    for row in rows(table):
        yield [
            "" if value is None else FORMATS[column.kind](value)
            for value, column in zip(row, table.columns, strict=True)
        ]


def _plain(value: Any, kind: str) -> Any:
    if value is None or pd.isna(value):
        return None
    if kind == "text":
        return escape.one_line(str(value))
    number = float(value)
    if not math.isfinite(number):
        return None
    whole = kind in ("rank", "change") or (kind == "whole" and number.is_integer())  # people are sums of fractions
    return int(number) if whole else number


def _fill_sheet(sheet: Worksheet, table: Table) -> None:
    from openpyxl.styles import Alignment, Border, Font, Side
    from openpyxl.utils import get_column_letter

    _set(sheet, 1, 1, table.title)
    sheet.cell(1, 1).font = Font(bold=True, size=14)
    rule = Border(bottom=Side(style="thin"))
    for number, column in enumerate(table.columns, 1):
        _set(sheet, 3, number, column.title)
        head = sheet.cell(3, number)
        head.font, head.border = Font(bold=True), rule
        head.alignment = Alignment(
            horizontal="left" if column.kind == "text" else "right", wrap_text=True, vertical="bottom"
        )
    last = 3
    for last, row in enumerate(rows(table), 4):
        for number, (value, column) in enumerate(zip(row, table.columns, strict=True), 1):
            _set(sheet, last, number, value)
            if column.kind in XLSX_FORMATS:
                sheet.cell(last, number).number_format = XLSX_FORMATS[column.kind]
    for number, note in enumerate(table.notes, last + 2):
        _set(sheet, number, 1, note)
        sheet.cell(number, 1).font = Font(italic=True, size=9)
    for number, (column, width) in enumerate(zip(table.columns, _widths(table), strict=True), 1):
        sheet.column_dimensions[get_column_letter(number)].width = (
            min(width, 46) + 2 if column.kind == "text" else max(width, 10) + 2
        )
    sheet.freeze_panes = "A4"
    sheet.auto_filter.ref = f"A3:{get_column_letter(len(table.columns))}{last}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _set(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    """Set a cell; a text stays a text, whatever it begins with."""
    target = sheet.cell(row, column)
    target.value = escape.one_line(value)[:32767] if isinstance(value, str) else value
    if isinstance(value, str):
        target.data_type = "s"


def _widths(table: Table) -> list[int]:
    """The longest text in each column."""
    widths = [max((len(word) for word in column.title.split()), default=0) for column in table.columns]
    for row in shown(table):
        widths = [max(width, len(text)) for width, text in zip(widths, row, strict=True)]
    return widths


def _parts(table: Table) -> list[float]:
    """Widths of the columns as parts of a line; the texts share what the numbers leave."""
    numbers = {"rank": 0.055, "change": 0.055, "share": 0.078, "percent": 0.07, "intensity": 0.07}
    longest = _widths(table)
    wanted = [
        min(max(0.0085 * length, 0.06), 0.24) if column.kind == "text" else numbers.get(column.kind, 0.085)
        for column, length in zip(table.columns, longest, strict=True)
    ]
    room = 1 - 0.012 * len(wanted)
    return [part * min(1, room / sum(wanted)) for part in wanted]
