"""Texts made harmless, letter by letter, against Unicode's own tables, a reader of Markdown, and LaTeX written by hand."""

from __future__ import annotations

import re
import string
import sys
import unicodedata

import pytest
from markdown_it import MarkdownIt
from reports import NAMES, ORGANIZATIONS

from gpu_clusters.report import escape

TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
ACCENTS = {
    "`": "GRAVE ACCENT",
    "'": "ACUTE ACCENT",
    "^": "CIRCUMFLEX ACCENT",
    "~": "TILDE",
    "=": "MACRON",
    "u": "BREVE",
    ".": "DOT ABOVE",
    '"': "DIAERESIS",
    "r": "RING ABOVE",
    "H": "DOUBLE ACUTE ACCENT",
    "v": "CARON",
    "d": "DOT BELOW",
    "c": "CEDILLA",
    "k": "OGONEK",
    "b": "MACRON BELOW",
}
BELOW = ("DOT BELOW", "CEDILLA", "OGONEK", "MACRON BELOW")


def test_one_line_leaves_every_letter_but_controls_and_turns():
    for letter in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in "\ufffe\uffff":
            expected = " "
        else:
            expected = "" if unicodedata.bidirectional(letter) in TURNS else letter
        assert escape.one_line(letter) == expected, hex(ord(letter))
    assert escape.one_line("a\r\n\x00\u2028b") == "a b"


@pytest.mark.parametrize("sign", "=+-@＝＋－＠")
def test_no_cell_of_csv_is_a_formula(sign):
    for before in ("", " ", "\t", "\r\n", "\N{NO-BREAK SPACE}", "\u202e"):
        text = f"{before}{sign}1"
        assert escape.cell(text) == "'" + escape.one_line(text)
    assert escape.cell(f"1{sign}1") == f"1{sign}1" and escape.cell("") == ""


def test_markdown_shows_the_text_that_was_given():
    reader = MarkdownIt("gfm-like", {"linkify": False})
    for text in (*NAMES, *ORGANIZATIONS, "~~a~~ &amp; &#35; \\| <!-- x --> ![a](b) __c__", string.punctuation):
        line = escape.one_line(text)
        made = reader.render(f"| a |\n| --- |\n| {escape.markdown(text)} |")
        (cell,) = re.findall("<td>(.*)</td>", made)
        for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
            cell = cell.replace(entity, sign)
        assert cell == line and "&lt;" not in line
    assert escape.markdown("<a> & b") == "&lt;a&gt; &amp; b"
    assert escape.markdown("{#a}") == r"\{\#a\}"  # attributes, as some readers have them


def test_latex_of_accents_is_the_letter():
    """Each letter that is a plain one with marks that LaTeX has; i and j lose their dot below a mark above them."""
    marks = {unicodedata.lookup(f"COMBINING {name}"): sign for sign, name in ACCENTS.items()}
    plain = {**dict.fromkeys(string.ascii_letters), "Æ": r"\AE{}", "æ": r"\ae{}", "Ø": r"\O{}", "ø": r"\o{}"}
    some = 0
    for letter in map(chr, range(0x80, 0x2000)):
        base, *above = unicodedata.normalize("NFD", letter)
        if unicodedata.normalize("NFC", letter) != letter or not above:
            continue
        if base in plain and all(mark in marks for mark in above):
            dotless = base in "ij" and unicodedata.name(above[0]).removeprefix("COMBINING ") not in BELOW
            expected = plain[base] or (f"\\{base}" if dotless else base)
            for mark in above:
                expected = f"\\{marks[mark]}{{{expected}}}"
            some += 1
        else:
            expected = letter
        assert escape.latex(letter) == expected, letter
    assert some > 300


def test_latex_of_signs_and_of_letters_that_have_names():
    signs = r"\textbackslash{} \{ \} \$ \& \% \# \_ \textasciitilde{} \textasciicircum{} \textless{} \textgreater{}"
    assert escape.latex(r"\ { } $ & % # _ ~ ^ < >") == signs
    signs = r"\textbar{} \textquotedbl{} \textquotesingle{} \textasciigrave{} -{}-{} \ensuremath{-}"
    assert escape.latex("| \" ' ` -- \N{MINUS SIGN}") == signs
    signs = r"\textendash{} \textemdash{} \textquoteleft{} \textquoteright{} \textquotedblleft{} \textquotedblright{}"
    assert escape.latex("– — ‘ ’ “ ”") == signs
    signs = r"\guillemotleft{} \guillemotright{} \textellipsis{} \textperiodcentered{} \S{} \textexclamdown{}"
    assert escape.latex("« » … · § ¡") == signs
    signs = r"\textquestiondown{} \textcopyright{} \textregistered{} \texttrademark{} \texteuro{} \pounds{}"
    assert escape.latex("¿ © ® ™ € £") == signs and escape.latex("°") == r"\textdegree{}"
    letters = r"\ss{} \AE{} \ae{} \OE{} \oe{} \O{} \o{} \L{} \l{} \DJ{} \dj{} \DH{} \dh{} \TH{} \th{} \i{} \j{}"
    assert escape.latex("ß Æ æ Œ œ Ø ø Ł ł Đ đ Ð ð Þ þ ı ȷ") == letters
    rest = "".join(sorted(set(string.printable[:95]) - set("\\{}$&%#_~^<>|\"'`- ")))
    assert escape.latex(rest).replace(r"\allowbreak{}", "") == rest


def test_latex_may_break_long_words_and_keeps_blanks():
    assert escape.latex("x" * 12) == "x" * 12
    assert escape.latex("x" * 25) == r"\allowbreak{}".join(["x" * 12, "x" * 12, "x"])
    assert escape.latex(" a  b\N{NO-BREAK SPACE}c\x07d ") == " a  b~c d "
    assert escape.beyond_latex("深圳–\x7f香港 深éа") == sorted("深圳–香港éа")
