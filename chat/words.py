"""Text as people read it: cleaned of what no store can hold, and cut between whole words.

Pure. A grapheme (an emoji with joiners, a letter with its marks) is never cut; text in scripts
that write no spaces flows grapheme by grapheme.
"""

from __future__ import annotations

import re

import regex

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Scripts that put no space between words (Unicode TR 14, section 5.1 and class SA).
_SPACELESS = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\u3000-\u303f\uff00-\uffef]"
)
# The unfinished word at the end: letters behind the last space or spaceless character.
_OPEN_WORD = regex.compile(rf"(?:(?!{_SPACELESS})\S)+\Z")
_LAST_GRAPHEME = regex.compile(r"(?r)\X\Z")
# What is certain to go on: a joiner at the end, or one half of a flag.
_JOINS_ON = regex.compile(r"\u200d\Z|(?<!\p{RI})(?:\p{RI}\p{RI})*\p{RI}\Z")

LONGEST_WORD = 200
"""In characters. More without a space is no word (a base64 text, say) and is not waited for."""


def clean(text: str) -> str:
    """Replace NUL and lone surrogates, which no database or socket takes, by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def with_unix_newlines(text: str) -> str:
    """Return text of a form (CRLF, as HTML sends it) with LF alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_ready(text: str) -> tuple[str, str]:
    """Return (what ends with a whole word, the rest that has to wait for its end)."""
    tail = text[-LONGEST_WORD:]
    if len(tail) == LONGEST_WORD and _OPEN_WORD.fullmatch(tail):
        return split_graphemes(text)
    if word := _OPEN_WORD.search(tail):
        cut = len(text) - len(tail) + word.start()
        return text[:cut], text[cut:]
    if tail and not tail[-1].isspace():
        # Spaceless script: a mark may still come for the last grapheme.
        return split_graphemes(text)
    return text, ""


def split_graphemes(text: str) -> tuple[str, str]:
    """Return (text without its last grapheme, the last grapheme)."""
    last = _LAST_GRAPHEME.search(text)
    return (text[: last.start()], text[last.start() :]) if last else (text, "")


def split_overdue(text: str) -> tuple[str, str]:
    """Return (what can be shown after the longest wait, what would cut a grapheme)."""
    return split_graphemes(text) if _JOINS_ON.search(text[-LONGEST_WORD:]) else (text, "")
