"""Names of cities without the postal code or the number of a district that stands before or after them."""

from __future__ import annotations

_NUMBERED = {
    "area",
    "block",
    "distrito",
    "district",
    "phase",
    "quan",
    "region",
    "sec",
    "section",
    "sector",
    "unit",
    "ward",
    "zone",
}
"""Words whose number is part of the name: "District 9" is no city called District."""


def without_postcode(name: str) -> str:
    """A folded name without words that hold a figure at its ends, a country's letter before them and "cedex" after them.

    Empty where that leaves nothing, or the name has none of these.

    Examples
    --------
    >>> without_postcode("d 80333 munchen"), without_postcode("paris cedex 05"), without_postcode("district 9")
    ('munchen', 'paris', '')
    """
    words = name.split()
    while words and (_has_figure(words[-1]) or words[-1] == "cedex"):
        words.pop()
    if len(words) > 2 and words[0].isalpha() and len(words[0]) <= 3 and words[1][0].isdigit():
        words.pop(0)
    while words and _has_figure(words[0]):
        words.pop(0)
    rest = " ".join(words)
    return "" if rest == name or rest in _NUMBERED else rest


def _has_figure(word: str) -> bool:
    return any(letter.isdigit() for letter in word)
