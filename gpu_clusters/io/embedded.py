"""What pages hold: their data with coast lines, and the script that puts names on their maps."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from gpu_clusters.io import land
from gpu_clusters.io.results import plain


def with_land(value: dict[str, Any]) -> str:
    """JSON of a value, with coast lines and borders as its ``land``; safe within a script element, whatever its texts hold."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = text[:-1] + ',"land":' + land.raw().strip() + "}"
    for letter in "&<>\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def map_names() -> str:
    """The script with ``placeNames`` and ``drawNames``; it stands before that of the page."""
    return (files("gpu_clusters.io") / "map_names.js").read_text(encoding="utf-8")
