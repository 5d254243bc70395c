"""The text of an answer becomes HTML, piece by piece as it comes. Pure: text in, markup out.

    Renderer.feed(text) -> Change, ... , close() -> Change;  render(text) -> the whole

The result never depends on how the text was cut. A text block is a row of top-level elements:
all but the last are final, the last is open and only grows, so each character is sent once.
Today's rule is plain paragraphs: blank lines part them, lines within stay lines (the stylesheet
keeps white space). All markup made here is escaped text inside <p>.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_LEADING_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


class Change(NamedTuple):
    """What a piece of text did to the rendered block.

    `appended` is HTML that goes to the end of the last element, `added` HTML of elements that
    follow it: all final but the last one, which is open from then on.
    """

    appended: str
    added: str


class Renderer:
    """Renders one text block incrementally."""

    def __init__(self) -> None:
        self._has_open = False
        # White space is held until it is known whether a paragraph ends with it.
        self._held: list[str] = []

    def feed(self, text: str) -> Change:
        """Take in the next piece of the text and return what it changed."""
        if not text or text.isspace():
            self._held.append(text)
            return Change("", "")
        text = "".join(self._held) + text
        shown = text.rstrip()
        self._held = [text[len(shown) :]]
        text = shown if self._has_open else _LEADING_BLANK_LINES.sub("", shown)
        first, *others = _BLANK_LINES.split(text)
        appended = html.escape(first) if self._has_open else ""
        paragraphs = others if self._has_open else [first, *others]
        self._has_open = True
        return Change(appended, "".join(f"<p>{html.escape(p)}</p>" for p in paragraphs))

    def close(self) -> Change:
        """End the block; white space at its end is not shown."""
        self._held = []
        return Change("", "")


def render(text: str) -> str:
    """Return the HTML of a whole text block."""
    renderer = Renderer()
    return renderer.feed(text).added + renderer.close().added
