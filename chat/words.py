"""Text as people read it: cleaned of what no store can hold, and cut between whole words.

Pure. A grapheme (an emoji with joiners, a letter with its marks) is never cut; text in scripts
that write no spaces flows grapheme by grapheme.
"""

from __future__ import annotations

import re

import regex

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_GRAPHEME = regex.compile(r"\X")

# Scripts that put no space between words (Unicode TR 14, section 5.1 and class SA).
_SPACELESS = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\u3000-\u303f\uff00-\uffef]"
)
# What is certain to go on: a joiner at the end, or one half of a flag.
_JOINS_ON = regex.compile(r".*\u200d\Z|\p{RI}\Z", regex.DOTALL)

LONGEST_WORD = 200
"""In characters. More without a space is no word (a base64 text, say) and is not waited for."""

LOOK_BACK = 1_000
"""In characters. So much of the end of a text is looked at to find its last graphemes."""


def clean(text: str) -> str:
    """Replace NUL and lone surrogates, which no database or socket takes, by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def with_unix_newlines(text: str) -> str:
    """Return text of a form (CRLF, as HTML sends it) with LF alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_ready(text: str) -> tuple[str, str]:
    """Return (what ends with a whole word, the rest that has to wait for its end)."""
    if not text or text[-1] in " \n":
        return text, ""  # What follows begins a word.
    if (end := text[-LONGEST_WORD - 1 :]).isascii():
        # As below; each character is a grapheme.
        word = "" if end[-1].isspace() else end.rsplit(None, 1)[-1]
        held = len(word) if len(word) <= LONGEST_WORD else 1
        return text[: len(text) - held], text[len(text) - held :]
    graphemes = _last_graphemes(text)
    if graphemes[-1].isspace():
        return text, ""
    held = len(graphemes[-1])
    # In a spaceless script only the last grapheme waits: a mark may still come for it.
    if not _SPACELESS.match(graphemes[-1]):
        held = _open_word(graphemes)
    return text[: len(text) - held], text[len(text) - held :]


def split_graphemes(text: str) -> tuple[str, str]:
    """Return (text without its last grapheme, the last grapheme)."""
    graphemes = _last_graphemes(text)
    held = len(graphemes[-1]) if graphemes else 0
    return text[: len(text) - held], text[len(text) - held :]


def split_overdue(text: str) -> tuple[str, str]:
    """Return (what can be shown after the longest wait, what would cut a grapheme)."""
    shown, last = split_graphemes(text)
    return (shown, last) if _JOINS_ON.match(last) else (text, "")


def _open_word(graphemes: list[str]) -> int:
    """Return the length of the word that the graphemes end with; of one, if it is too long."""
    length = 0
    for grapheme in reversed(graphemes):
        if grapheme.isspace() or _SPACELESS.match(grapheme):
            break
        length += len(grapheme)
        if length > LONGEST_WORD:
            return len(graphemes[-1])
    return length


def _last_graphemes(text: str) -> list[str]:
    return _GRAPHEME.findall(text[-LOOK_BACK:])
