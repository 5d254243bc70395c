"""A text that grows, and the page of it: each piece costs as much as what it changes.

    feed -> plain words: added as they are (plain_words)
         -> open code: added line by line (code)
         -> more of a line: the end of that line is parsed again (lines)
         -> else: the tail is parsed again (markdown), what differs is told (changes),
            and the tail is cut as short as it can be (cuts)

A cut is tried before it is made: behind it, the same HTML has to come out. Where that turns out to
be wrong later on, everything is parsed once more. What only the whole text tells, such as a link
whose address comes at the end, the `digest` tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b

from chat.pieces import Pieces
from chat.render.changes import Change
from chat.render.markdown import escaped, parse, plain
from chat.render.parser import TooCostly
from chat.render.tail import DIGEST_BYTES, Tail, WrongCut

PIECE_CHARS = 20_000
"""So much is parsed at once at most, beside what is still open."""

MAX_CHARS = 1_000_000
"""What comes behind, from the next word on, is shown as plain text: parsing takes memory and time
in proportion to a text's length, half a minute for 20 MB. No model writes half as much."""

LONG_WORD_CHARS = 1_000
"""A longer word is cut there."""

MAX_LOSSES = 5
"""So often a text is parsed from the beginning; from then on it is shown as plain text."""

_SPACE = re.compile(r"\s")


class Renderer:
    """Renders one text block as it grows."""

    def __init__(self) -> None:
        self._pieces = Pieces()
        self._chars = 0
        self._return = ""  # A carriage return may be half of a line's end.
        self._losses = 0
        self._plain: Pieces | None = None  # what is shown as it is: all, or what comes last
        self._tail = Tail()

    def feed(self, text: str) -> list[Change]:
        """Take in the next piece of the text and return what it changes on the page."""
        if self._return or "\r" in text:
            text = self._with_unix_newlines(text)
        if len(text) <= PIECE_CHARS:
            is_markdown = self._plain is None and self._chars + len(text) <= MAX_CHARS
            return self._feed_markdown(text) if is_markdown else self._feed(text)
        return [change for piece in _in_pieces(text) for change in self._feed(piece)]

    def _feed(self, text: str) -> list[Change]:
        if self._plain is not None:
            return _add_plain(self._plain, text)
        end = _end_of_markdown(text, self._chars)
        changes = self._feed_markdown(text[:end])
        if end is None:
            return changes
        changes += self._end_markdown()
        if self._plain is None:
            self._plain = Pieces()
            changes.append(Change("add", 0, plain("")))
        return [*changes, *_add_plain(self._plain, text[end:])]

    def _feed_markdown(self, text: str) -> list[Change]:
        if not text:
            return []
        self._pieces.append(text)
        self._chars += len(text)
        try:
            return self._tail.feed(text)
        except TooCostly:
            return self._give_up()
        except WrongCut:
            return self._start_over(is_open=True)

    def close(self) -> list[Change]:
        """End the text: code that never ended is code nonetheless."""
        last = self.feed("\n") if self._return else []
        return [*last, *self._end_markdown()]

    def _end_markdown(self) -> list[Change]:
        if self._plain is not None:
            return []
        try:
            return self._tail.close()
        except TooCostly:
            return self._give_up()
        except WrongCut:
            return self._start_over(is_open=False)

    @property
    def parsed_chars(self) -> int:
        """How much text the next piece has parsed again, in characters, unless it ends code."""
        return self._tail.chars

    @property
    def open_chars(self) -> int:
        """How much text the next piece may have parsed again at most, in characters."""
        return self._tail.open_chars

    @property
    def has_given_up(self) -> bool:
        """Whether all of the text is shown as it is, because it would cost too much."""
        return self._plain is self._pieces

    @property
    def digest(self) -> bytes:
        """What `digest_of` gives for the HTML that the page shows, once the text is closed."""
        digest = self._tail.digest
        if self._plain is not None:
            # Piece by piece: the text may be long.
            start, end = plain("\n").split("\n")
            for piece in (start, *map(escaped, self._plain), end):
                digest.update(piece.encode())
        return digest.digest()

    def _with_unix_newlines(self, text: str) -> str:
        text = self._return + text
        self._return = "\r" if text.endswith("\r") else ""
        text = text.removesuffix(self._return)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _start_over(self, *, is_open: bool) -> list[Change]:
        """Parse everything again, where a cut has turned out to be wrong."""
        self._losses += 1
        if self._losses > MAX_LOSSES:
            return self._give_up()
        self._tail = Tail()
        try:
            changes = self._tail.feed(str(self._pieces))
            return [Change("reset", 0), *changes, *([] if is_open else self._tail.close())]
        except TooCostly:
            return self._give_up()
        except WrongCut:
            return self._start_over(is_open=is_open)

    def _give_up(self) -> list[Change]:
        """Show the text as it is from now on."""
        self._tail = Tail()
        self._plain = self._pieces
        pieces = _in_pieces(str(self._pieces))
        added = [Change("add", 1, escaped(piece)) for piece in pieces]
        return [Change("reset", 0, plain("")), *added]


def _in_pieces(text: str) -> Iterator[str]:
    """Cut a long text, between words where it can be."""
    at = 0
    while at < len(text):
        end = at + PIECE_CHARS
        if end < len(text):
            end = text.rfind(" ", at, end) + 1 or end
        yield text[at:end]
        at = end


def _add_plain(pieces: Pieces, text: str) -> list[Change]:
    pieces.append(text)
    return [Change("add", 1, escaped(text))] if text else []


def digest_of(html: str) -> bytes:
    """Return what tells whether two pages show the same HTML."""
    return blake2b(html.encode(), digest_size=DIGEST_BYTES).digest()


def render(text: str) -> str:
    """Return the HTML of a whole text block."""
    return _render(text, is_open=False)


def render_open(text: str) -> str:
    """Return the HTML of a text block of which more may follow."""
    return _render(text, is_open=True)


def _render(text: str, *, is_open: bool) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    end = _end_of_markdown(text, 0)
    try:
        html = parse(text[:end], {}, is_open=is_open and end is None).html
    except TooCostly:
        return plain(text)
    return html if end is None else html + plain(text[end:])


def _end_of_markdown(text: str, chars_before: int) -> int | None:
    """Return where in a piece of a text its Markdown ends; None where it goes on."""
    if chars_before + len(text) <= MAX_CHARS:
        return None
    start = max(0, MAX_CHARS - chars_before)
    end = max(0, MAX_CHARS + LONG_WORD_CHARS - chars_before)
    if found := _SPACE.search(text, start, end):
        return found.end()
    return end if len(text) > end else None
