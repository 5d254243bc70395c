"""Plain words behind plain words: they change nothing but the end of a paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Words that can end no Markdown and begin none, where others stand before them on the line. Of the
# punctuation only what means nothing there; no white space but spaces.
_WORDS = re.compile(r"(?:[^\W_]|[ ,.;:?!'\"(\u2010-\u2027\u3001\u3002-])*")
_LAST_WORD = re.compile(r"(\S+)( *)\Z")
_STARTED = re.compile(r"[^\W\d_]{2,} ")
_OPEN_ENDS = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|h[1-6]|t[dhr]|tbody|thead|table|div)>)+\Z")
MAX_TAIL_CHARS = 3_000
"""Behind more than that everything is parsed, so that it is cut."""


@dataclass
class Words:
    """The end of a paragraph: the ends of what is open there, how many these are, and spaces that
    are not shown yet."""

    ends: str
    depth: int
    spaces: str

    def add(self, text: str) -> str:
        """Take in words that go on, and return what of them is shown now."""
        text = self.spaces + text
        shown = text.rstrip(" ")
        self.spaces = text[len(shown) :]
        return shown


def may_go_on(tail: str, text: str) -> bool:
    """Return whether a piece is nothing but words, and not too much stands open before it."""
    return len(tail) <= MAX_TAIL_CHARS and _WORDS.fullmatch(text) is not None


def find(tail: str, html: str) -> Words | None:
    """Return where words go on behind a text; that stays true as long as nothing else comes."""
    line = tail[tail.rfind("\n") + 1 :]
    last = _LAST_WORD.search(line)
    ends = _OPEN_ENDS.search(html)
    if "]:" in tail or not last or not ends or not _STARTED.search(line):
        return None
    if not _WORDS.fullmatch(last[1]) or not html.endswith(last[1], 0, ends.start()):
        return None
    return Words(ends[0], ends[0].count("</"), last[2])
