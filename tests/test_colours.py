"""Colours that say something are 3:1 or more from what is behind them, on pages and in pictures."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from gpu_clusters.report import style
from gpu_clusters.sweeps import pictures

LEAST = 3.0  # WCAG 2.2, 1.4.11: graphics
REPORT = (files("gpu_clusters.report") / "page" / "page.css").read_text(encoding="utf-8")
SWEEP = (files("gpu_clusters") / "sweeps" / "page.html").read_text(encoding="utf-8")
SHOWN = {
    "report": ("band1", "band2", "band3", "band4", "band5", "patents", "publications", "deals", "accent", "muted"),
    "sweep": ("matched", "other", "up", "down", "accent", "muted"),
}


def channels(color: str) -> list[int]:
    digits = color.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    return [int(digits[at : at + 2], 16) for at in (0, 2, 4)]


def contrast(color: str, behind: str, opacity: float = 1.0) -> float:
    """The ratio that WCAG defines, of a colour that lets part of the one behind it through."""
    mixed = [a * opacity + b * (1 - opacity) for a, b in zip(channels(color), channels(behind), strict=True)]
    low, high = sorted(map(luminance, (mixed, channels(behind))))
    return (high + 0.05) / (low + 0.05)


def luminance(rgb: list[float]) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (part / 255 for part in rgb)]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def themes(text: str) -> list[dict[str, str]]:
    """The colours of a page by name, light and dark."""
    blocks = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})\b", block)) for block in re.findall(r":root[^{]*{([^}]*)}", text)
    ]
    light, dark, *_ = (block for block in blocks if block)
    assert light.keys() == dark.keys()
    return [light, dark]


def test_the_ratio():
    assert contrast("#000", "#ffffff") == 21 and contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#000000", "#ffffff", 0) == 1


def test_colours_of_figures_and_maps():
    on_paper = [*style.INDICATOR.values(), style.LIGHT, style.MUTED, pictures.QUIET, pictures.BAR, pictures.RED]
    on_maps = [*(color for _, color in style.BANDS), style.BEYOND]
    low = [(color, style.PAPER) for color in on_paper if contrast(color, style.PAPER) < LEAST]
    low += [
        (color, behind) for color in on_maps for behind in (style.SEA, style.LAND) if contrast(color, behind) < LEAST
    ]
    low += [
        (color, "page") for color in style.INDICATOR.values() if contrast(color, themes(REPORT)[1]["paper"]) < LEAST
    ]
    assert low == []
    assert contrast(pictures.BAR, pictures.MEDIAN) >= LEAST


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("page", SHOWN)
def test_colours_of_pages(page, theme):
    colors = themes(REPORT if page == "report" else SWEEP)[theme]
    opacity = 1.0 if page == "report" else float(re.search(r"globalAlpha = (0?\.\d+)", SWEEP)[1])
    low = []
    for name in SHOWN[page]:
        on_map = name.startswith("band") or name in ("matched", "other")
        for behind in ("sea", "land") if on_map else ("paper",):
            ratio = contrast(colors[name], colors[behind], opacity if on_map else 1.0)
            low += [(name, behind, ratio)] if ratio < LEAST else []
    assert low == []


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_range_of_ranks_in_a_brief(theme):
    colors = themes(REPORT)[theme]
    opacity = float(re.search(r"#brief \.range i {[^}]*opacity: (\.\d+)", REPORT)[1])
    assert contrast(colors["patents"], colors["raised"], opacity) >= LEAST
