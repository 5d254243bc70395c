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
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from chat.render import code, cuts, lines, plain_words
from chat.render.changes import Change, closing_tags, difference
from chat.render.markdown import Document, escaped, max_html_chars, parse, plain
from chat.render.parser import TooCostly

PIECE_CHARS = 20_000
"""So much is parsed at once at most, beside what is still open."""

MAX_TAIL_CHARS = 60_000
"""What stays open for longer than that, and can't be cut, is shown as plain text."""

MAX_CHARS = 1_000_000
"""What comes behind, from the next word on, is shown as plain text: parsing takes memory and time
in proportion to a text's length, half a minute for 20 MB. No model writes half as much."""

LONG_WORD_CHARS = 1_000
"""A longer word is cut there."""

MAX_LOSSES = 5
"""So often a text is parsed from the beginning; from then on it is shown as plain text."""

MAX_TRIES = 4
"""So many places to cut are tried at once, of a text that stands deep in others."""

_SPACE = re.compile(r"\s")
_TABLE_DEPTH = 3
_DIGEST_BYTES = 16


class Renderer:
    """Renders one text block as it grows."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._chars = 0
        self._return = ""  # A carriage return may be half of a line's end.
        self._losses = 0
        self._plain: list[str] | None = None  # what is shown as it is: all, or what comes last
        self._begin()

    def _begin(self) -> None:
        self._digest = blake2b(digest_size=_DIGEST_BYTES)
        self._references: dict[str, Any] = {}
        self._cut = cuts.WHOLE
        self._prefix = ""  # HTML of the context, up to where the tail begins
        self._path: Sequence[str] = ()
        self._tail = ""
        self._html = ""  # HTML of the tail, with the ends of all that is open
        self._words: plain_words.Words | None = None  # where plain words go on, if they do
        self._line: lines.Line | lines.Row | None = None
        self._document: Document | None = None  # of the tail, until its last line is looked for
        self._code: code.OpenCode | None = None
        self._code_pieces: list[str] = []
        self._code_chars = 0
        self._code_shown: list[str] = []
        self._long_paragraph = cuts.LONG_PARAGRAPH

    def feed(self, text: str) -> list[Change]:
        """Take in the next piece of the text and return what it changes on the page."""
        if self._words and plain_words.may_go_on(self._tail, text) and self._has_room_for(text):
            # First, because most of a text is words behind words.
            return self._add_words(self._words, text)
        text = self._with_unix_newlines(text)
        if len(text) <= PIECE_CHARS:
            return self._feed(text)
        starts = range(0, len(text), PIECE_CHARS)
        return [c for at in starts for c in self._feed(text[at : at + PIECE_CHARS])]

    def _feed(self, text: str) -> list[Change]:
        if not text:
            return []
        if self._plain is not None:
            return _add_plain(self._plain, text)
        end = _end_of_markdown(text, self._chars)
        changes = self._feed_markdown(text[:end])
        if end is None:
            return changes
        changes += self._end_markdown()
        if self._plain is None:
            self._plain = []
            changes.append(Change("add", 0, plain("")))
        return [*changes, *_add_plain(self._plain, text[end:])]

    def _feed_markdown(self, text: str) -> list[Change]:
        if not self._code and (words := self._find_words(text)):
            return self._add_words(words, text)
        self._pieces.append(text)
        self._chars += len(text)
        if self._code:
            return self._feed_code(self._code, text)
        if (changes := self._add_to_line(text)) is not None:
            return changes
        self._tail += text
        return self._parse_again(is_open=True, is_longer="\n" in text)

    def close(self) -> list[Change]:
        """End the text: code that never ended is code nonetheless."""
        last = self.feed("\n") if self._return else []
        return [*last, *self._end_markdown()]

    def _end_markdown(self) -> list[Change]:
        if self._plain is not None:
            return []
        self._leave_code()
        return self._parse_again(is_open=False)

    @property
    def parsed_chars(self) -> int:
        """How much text the next piece has parsed again, in characters, unless it ends code."""
        return len(self._tail)

    @property
    def open_chars(self) -> int:
        """How much text the next piece may have parsed again at most, in characters."""
        return len(self._tail) + self._code_chars

    @property
    def has_given_up(self) -> bool:
        """Whether all of the text is shown as it is, because it would cost too much."""
        return self._plain is self._pieces

    @property
    def digest(self) -> bytes:
        """What `digest_of` gives for the HTML that the page shows, once the text is closed."""
        digest = self._digest.copy()
        digest.update(self._html.encode())
        if self._plain is not None:
            # Piece by piece: the text may be long.
            start, end = plain("\n").split("\n")
            for piece in (start, *map(escaped, self._plain), end):
                digest.update(piece.encode())
        return digest.digest()

    def _with_unix_newlines(self, text: str) -> str:
        if "\r" not in text and not self._return:
            return text
        text = self._return + text
        self._return = "\r" if text.endswith("\r") else ""
        text = text.removesuffix(self._return)
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _has_room_for(self, text: str) -> bool:
        """Whether a text is Markdown as it is (_with_unix_newlines, _end_of_markdown)."""
        return not self._return and self._chars + len(text) <= MAX_CHARS

    def _find_words(self, text: str) -> plain_words.Words | None:
        """Return where plain words go on; None where more than they may change."""
        if not plain_words.may_go_on(self._tail, text):
            return None
        self._find_line()
        self._words = self._words or plain_words.find(self._tail, self._html)
        return self._words

    def _add_words(self, words: plain_words.Words, text: str) -> list[Change]:
        self._pieces.append(text)
        self._chars += len(text)
        self._tail += text
        if not (shown := words.add(text)):
            return []
        self._html = f"{self._html[: -len(words.ends)]}{shown}{words.ends}"
        return [Change("add", words.depth, shown)]

    def _find_line(self) -> None:
        if self._document:
            context = self._cut.context if self._path[-1:] == ["tbody"] else ""
            self._line = lines.find(self._document, self._tail, self._html, context)
            self._document = None

    def _add_to_line(self, text: str) -> list[Change] | None:
        """Add to the last line; None where more may have changed."""
        self._find_line()
        if self._line is None or "\x00" in text:
            return None
        tail = self._tail + text
        if len(tail) > plain_words.MAX_TAIL_CHARS or "]:" in tail:
            return None
        try:
            found = self._line.feed(text, tail, self._html)
        except TooCostly:
            return None
        if found is None:
            return None
        html, changes = found
        if len(html) > max_html_chars(tail):
            return None
        if changes is None:
            changes = difference(self._html, html, self._path)
        self._tail, self._html, self._words = tail, html, None
        if isinstance(self._line, lines.Row):
            self._cut_before(self._line)
        return changes

    def _cut_before(self, row: lines.Row) -> None:
        """Cut before a row of a table that others stand before."""
        if not row.at or not row.context:
            return
        if row.context != self._cut.context:
            self._prefix, self._path = _opened(row.context, _TABLE_DEPTH)
            self._cut = cuts.Cut(0, row.context, _TABLE_DEPTH)
            self._references = row.references
        self._digest.update(self._html[: row.html_at].encode())
        self._tail, self._html = self._tail[row.at :], self._html[row.html_at :]
        row.at = row.html_at = 0

    def _parse_again(self, *, is_open: bool, is_longer: bool = True) -> list[Change]:
        """Parse the tail; `is_longer` tells whether it has more lines than before."""
        self._words = self._line = self._document = None
        if len(self._tail) > MAX_TAIL_CHARS:
            return self._give_up()
        try:
            source = self._cut.context + self._tail
            document = parse(source, self._references, is_open=is_open)
            if not document.html.startswith(self._prefix):
                return self._start_over(is_open=is_open)
            html = document.html[len(self._prefix) :]
            changes = difference(self._html, html, self._path)
            self._html = html
            self._document = document
            if is_open and (is_longer or len(self._tail) > cuts.LONG_PARAGRAPH):
                self._shorten(document, source)
        except TooCostly:
            return self._give_up()
        return changes

    def _start_over(self, *, is_open: bool) -> list[Change]:
        """Parse everything again, where a cut has turned out to be wrong."""
        self._losses += 1
        if self._losses > MAX_LOSSES:
            return self._give_up()
        self._begin()
        self._tail = "".join(self._pieces)
        return [Change("reset", 0), *self._parse_again(is_open=is_open)]

    def _give_up(self) -> list[Change]:
        """Show the text as it is from now on."""
        self._begin()
        self._plain = self._pieces
        text = "".join(self._pieces)
        starts = range(0, len(text), PIECE_CHARS)
        pieces = [Change("add", 1, escaped(text[at : at + PIECE_CHARS])) for at in starts]
        return [Change("reset", 0, plain("")), *pieces]

    def _shorten(self, document: Document, source: str) -> None:
        """Cut the tail where what stands before is closed; begin to follow open code."""
        finder = cuts.Finder(document.tokens, source, self._long_paragraph)
        tried = [c for c in finder.cuts() if c.at > len(self._cut.context)][:MAX_TRIES]
        if not any(self._try_cut(cut, document, source) for cut in tried):
            # What can't be cut here is not tried again at once.
            self._long_paragraph += cuts.LONG_PARAGRAPH if tried else 0
            self._cut_between_blocks(finder, document, source)
        self._enter_code(document, source)

    def _cut_between_blocks(self, finder: cuts.Finder, document: Document, source: str) -> None:
        """Cut behind the outermost blocks that are closed: nothing that follows changes them."""
        blocks, line, at = finder.closed_blocks()
        if not blocks or at < len(self._cut.context):
            return
        html = "".join(document.blocks[blocks:])
        self._digest.update(self._html[: len(self._html) - len(html)].encode())
        # A definition that goes on is none yet.
        self._references |= {
            name: value
            for name, value in document.references.items()
            if name not in self._references and value["map"][0] < line
        }
        self._cut, self._prefix, self._path = cuts.WHOLE, "", ()
        self._tail, self._html = source[at:], html
        self._long_paragraph = cuts.LONG_PARAGRAPH

    def _try_cut(self, cut: cuts.Cut, document: Document, source: str) -> bool:
        """Cut, if the same comes out; return whether it did."""
        rest = source[cut.at :]
        own = parse(cut.context + rest, {}, is_open=True)
        references = {
            name: value
            for name, value in document.references.items()
            if own.references.get(name) != value
        }
        if references:
            own = parse(cut.context + rest, references, is_open=True)
        prefix, path = _opened(cut.context, cut.depth)
        html = own.html[len(prefix) :]
        if not own.html.startswith(prefix) or not self._html.endswith(html):
            return False
        self._digest.update(self._html[: len(self._html) - len(html)].encode())
        self._cut, self._prefix, self._path = cut, prefix, path
        self._tail, self._html, self._references = rest, html, references
        self._long_paragraph = cuts.LONG_PARAGRAPH
        return True

    def _enter_code(self, document: Document, source: str) -> None:
        last = next((token for token in reversed(document.tokens) if token.nesting != -1), None)
        if last and last.type == "fence" and last.meta.get("is_open") and last.map:
            all_lines = source.split("\n")
            if last.map[0] < len(all_lines) - 1:
                opening, line = all_lines[last.map[0]], all_lines[-1]
                self._code = code.OpenCode.begin(opening, line, is_inside=last.level > 0)
                self._code_pieces, self._code_shown, self._code_chars = [], [], 0

    def _feed_code(self, block: code.OpenCode, text: str) -> list[Change]:
        shown, may_have_ended = block.feed(text)
        self._code_pieces.append(text)
        self._code_chars += len(text)
        markup = escaped(shown)
        self._code_shown.append(markup)
        depth = len(closing_tags(self._html))
        changes = [Change("add", depth, markup)] if shown else []
        if may_have_ended:
            self._leave_code()
            changes += self._parse_again(is_open=True)
        return changes

    def _leave_code(self) -> None:
        if self._code:
            ends = "".join(closing_tags(self._html))
            begin = self._html.removesuffix(ends)
            self._html = begin + "".join(self._code_shown) + ends
            self._tail += "".join(self._code_pieces)
            self._code, self._code_chars = None, 0


def _add_plain(pieces: list[str], text: str) -> list[Change]:
    pieces.append(text)
    return [Change("add", 1, escaped(text))] if text else []


@lru_cache(maxsize=1_000)
def _opened(context: str, depth: int) -> tuple[str, list[str]]:
    """Return a context's HTML as far as it is open, and what is open, from the outside."""
    html = parse(context, {}, is_open=True).html
    ends = closing_tags(html)[::-1][:depth]
    return html.removesuffix("".join(ends[::-1])), [end[2:-1] for end in ends]


def digest_of(html: str) -> bytes:
    """Return what tells whether two pages show the same HTML."""
    return blake2b(html.encode(), digest_size=_DIGEST_BYTES).digest()


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
