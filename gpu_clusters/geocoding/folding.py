"""Names in a form in which spellings of the same name are equal."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "ı": "i"})
_SEPARATORS = re.compile(r"[\s\-‐‑–—_/]+")
_DROPPED = re.compile(r"[^\w\s]|_")
_SAINT = re.compile(r"\b(?:st|ste|sankt)\b(?= )")


def folded(name: str) -> str:
    """A name without case, accents and punctuation; hyphens are spaces, "St" is "saint".

    Examples
    --------
    >>> folded("Saint-Étienne"), folded("St. Gallen"), folded("Wŏnju")
    ('saint etienne', 'saint gallen', 'wonju')
    """
    text = name.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_LETTERS))
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = _DROPPED.sub("", _SEPARATORS.sub(" ", text)).strip()
    return _SAINT.sub("saint", text)
