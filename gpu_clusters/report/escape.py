"""Texts that are harmless wherever they are written: names come from anybody's files."""

from __future__ import annotations

import re
import textwrap
import unicodedata

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")  # would turn round what stands next to them
_FORMULA = tuple("=+-@＝＋－＠")  # the wide ones too, as some spreadsheets do
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#|~])")

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "-{}",  # two in a row stay two
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "«": r"\guillemotleft{}",
    "»": r"\guillemotright{}",
    "…": r"\textellipsis{}",
    "·": r"\textperiodcentered{}",
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{NO-BREAK SPACE}": "~",
    "ß": r"\ss{}",
    "Æ": r"\AE{}",
    "æ": r"\ae{}",
    "Œ": r"\OE{}",
    "œ": r"\oe{}",
    "Ø": r"\O{}",
    "ø": r"\o{}",
    "Ł": r"\L{}",
    "ł": r"\l{}",
    "Đ": r"\DJ{}",
    "đ": r"\dj{}",
    "Ð": r"\DH{}",
    "ð": r"\dh{}",
    "Þ": r"\TH{}",
    "þ": r"\th{}",
    "ı": r"\i{}",
    "ȷ": r"\j{}",
    "§": r"\S{}",
    "¡": r"\textexclamdown{}",
    "¿": r"\textquestiondown{}",
    "©": r"\textcopyright{}",
    "®": r"\textregistered{}",
    "™": r"\texttrademark{}",
    "€": r"\texteuro{}",
    "£": r"\pounds{}",
    "°": r"\textdegree{}",
}
_ACCENT = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0327": "c",
    "\u0328": "k",
    "\u0331": "b",
}


def one_line(text: str) -> str:
    """The text without control characters, line breaks and marks that turn the direction of writing."""
    return _BIDI.sub("", _CONTROL.sub(" ", text))


def cell(text: str) -> str:
    """For CSV: one line; what a spreadsheet would take for a formula gets an apostrophe in front."""
    text = one_line(text)
    return "'" + text if text.lstrip().startswith(_FORMULA) else text


def markdown(text: str) -> str:
    """For a cell of a Markdown table."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", text)


def latex(text: str) -> str:
    """For LaTeX with T1 fonts: Latin letters as commands; letters of other scripts as they are, see `beyond_latex`."""
    words = unicodedata.normalize("NFC", one_line(text)).split(" ")
    return " ".join(
        r"\allowbreak{}".join("".join(map(_latex_letter, part)) for part in textwrap.wrap(word, 12)) for word in words
    )


def beyond_latex(source: str) -> list[str]:
    """The letters of a LaTeX source that need a font and an engine with Unicode, by code point."""
    return sorted({letter for letter in source if ord(letter) > 0x7F})


def _latex_letter(letter: str) -> str:
    if letter in _LATEX:
        return _LATEX[letter]
    if ord(letter) < 0x80:
        return letter
    parts = unicodedata.normalize("NFD", letter)
    base, marks = parts[0], parts[1:]
    if any(mark not in _ACCENT for mark in marks) or not (ord(base) < 0x80 or base in _LATEX):
        return letter
    result = (
        {"i": r"\i", "j": r"\j"}.get(base, _LATEX.get(base, base))
        if marks[0] not in "\u0323\u0327\u0328\u0331"
        else base
    )
    for mark in marks:
        result = rf"\{_ACCENT[mark]}{{{result}}}"
    return result
