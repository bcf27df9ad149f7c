"""One look for all figures: colours that the colour-blind can tell apart, and letters of the fonts that are there."""

from __future__ import annotations

import textwrap
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from gpu_clusters.report.escape import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, RULE, PAPER = "#1d232b", "#5b6672", "#d5dae0", "#ffffff"
SEA, LAND, BORDER, NOISE = "#ffffff", "#eceef0", "#b9c0c8", "#8b95a1"
INDICATOR = {"patents": "#0072b2", "publications": "#c66f00", "deals": "#009e73"}
"""Blue and green of Okabe and Ito, and their orange as dark as 3:1 on white asks for."""

BANDS = ((10, "#3b0f70"), (25, "#a3307e"), (50, "#cf4527"), (100, "#c66f00"))
BEYOND = "#3f86b4"
"""Colours by rank up to a number, dark to light, so that they keep their order in grey; and of what comes after. Grey itself
is for what belongs to no cluster. All are 3:1 or more from land and sea."""

LIGHT = "#6390c2"
DPI = 200
TITLE, SUBTITLE = 0.24, 0.165  # inches of a line

FONTS = (
    "Noto Sans",
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Sans Hebrew",
)


def band_color(rank: float) -> str:
    """Colour of a rank; NaN is beyond all bands."""
    return next((color for last, color in BANDS if rank <= last), BEYOND)


def band_titles(top: int) -> list[tuple[str, str]]:
    """The bands' titles and colours, those after them included, as far as ``top`` reaches."""
    titles, first = [], 1
    for last, color in BANDS:
        if first <= top:
            titles.append((f"{first}\N{EN DASH}{min(last, top)}" if first < top else str(first), color))
        first = last + 1
    return titles


@contextmanager
def look() -> Iterator[None]:
    """Matplotlib's settings for a figure, whatever the user's are, and none of its warnings of letters that no font has."""
    import matplotlib.style

    settings: dict[Any, Any] = {
        "font.family": list(_installed()),
        "font.size": 9,
        "text.color": INK,
        "text.parse_math": False,
        "axes.edgecolor": RULE,
        "axes.labelcolor": INK,
        "axes.facecolor": PAPER,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "xtick.color": MUTED,
        "ytick.color": INK,
        "xtick.labelsize": 8,
        "ytick.labelsize": 9,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "figure.facecolor": PAPER,
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "svg.hashsalt": "gpu-clusters",
        "svg.fonttype": "path",
    }
    with matplotlib.style.context(["default", settings]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


def headed(width: float, body: float, title: str, subtitle: str = "") -> Figure:
    """A figure with title and subtitle in the upper left corner, wrapped, and ``body`` inches of room below them."""
    from matplotlib.figure import Figure

    titles = _lines(one_line(title), int(width * 72 / 7.0), width - 0.12, 12, "bold")
    subtitles = _lines(subtitle, int(width * 72 / 4.5), width - 0.12, 8.5)
    below = 0.09 + TITLE * len(titles)
    height = below + SUBTITLE * len(subtitles) + 0.06 + body
    fig = Figure(figsize=(width, height))
    left = 0.06 / width
    fig.text(left, 1 - 0.09 / height, "\n".join(titles), fontsize=12, fontweight="bold", va="top", linespacing=1.0)
    fig.text(left, 1 - below / height, "\n".join(subtitles), fontsize=8.5, color=MUTED, va="top", linespacing=1.0)
    fig.set_label(one_line(title))
    return fig


def foot(fig: Figure, text: str) -> None:
    """Source and remarks in the lower left corner."""
    fig.text(0.06 / fig.get_figwidth(), 0.05 / fig.get_figheight(), text, fontsize=7, color=MUTED, va="bottom")


def shortened(text: str, length: int) -> str:
    """One line of at most so many letters."""
    text = one_line(text)
    return text if len(text) <= length else text[: length - 1].rstrip(" –-/,") + "…"


def fitted(text: str, length: int, inches: float, size: float, beside: str = "") -> str:
    """`shortened`, and further until it has room, with what stands beside it; within `look`, whose letters it takes."""
    for letters in range(length, 3, -1):
        short = in_line(shortened(text, letters))
        if _wide(short + beside, size) <= inches:
            break
    return short


def in_line(text: str) -> str:
    """A name for the middle of a line: beside letters that run from right to left, too, numbers stay on their side."""
    turned = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    left, right = "\N{LEFT-TO-RIGHT MARK}", "\N{RIGHT-TO-LEFT MARK}"  # the second keeps dots at the end
    return left + text + right + left if turned else text


def _lines(text: str, letters: int, inches: float, size: float, weight: str = "normal") -> list[str]:
    """The text in lines of so many letters, fewer where they are wide."""
    lines = textwrap.wrap(text, letters)
    while letters > 1 and any(_wide(line, size, weight) > inches for line in lines):
        letters -= 1
        lines = textwrap.wrap(text, letters)
    return lines


def _wide(text: str, size: float, weight: str = "normal") -> float:
    """Inches that a text takes."""
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties

    font = FontProperties(size=size, weight=weight)
    wide, _, _ = RendererAgg(1, 1, DPI).get_text_width_height_descent(text, font, ismath=False)
    return float(wide / DPI)


@cache
def _installed() -> tuple[str, ...]:
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in FONTS if name in there) or ("sans-serif",)
