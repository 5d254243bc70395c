"""The end of a text that grows: what of it may still change, and its HTML.

A cut is tried before it is made, where it is not certain: behind it, the same HTML has to come out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from chat.render import code, cuts, lines, plain_words
from chat.render.changes import Change, closing_tags, difference
from chat.render.markdown import Document, escaped, max_html_chars, parse
from chat.render.parser import TooCostly

MAX_CHARS = 60_000
"""What stays open for longer than that, and can't be cut, costs too much."""

MAX_TRIES = 4
"""So many places to cut are tried at once, of a text that stands deep in others."""

DIGEST_BYTES = 16

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_TABLE_DEPTH = 3


class WrongCut(Exception):
    """What has come shows that a text was not closed where it was cut."""


class Tail:
    """Takes in a text, and holds as much of its end as may still change.

    Each method that takes in or ends a text raises TooCostly, or WrongCut; then it is of no use
    any more.
    """

    def __init__(self) -> None:
        # Of the HTML before.
        self._digest = blake2b(digest_size=DIGEST_BYTES)
        self._references: dict[str, Any] = {}
        self._cut = cuts.WHOLE
        self._prefix = ""  # HTML of the context, up to where the tail begins
        self._path: Sequence[str] = ()
        self._text = ""
        self._html = ""  # with the ends of all that is open
        self._words: plain_words.Words | None = None  # where plain words go on, if they do
        self._line: lines.Line | lines.Row | None = None
        self._document: Document | None = None  # until the last line is looked for in it
        self._code: code.OpenCode | None = None
        self._code_pieces: list[str] = []
        self._code_chars = 0
        self._code_shown: list[str] = []
        self._long_paragraph = cuts.LONG_PARAGRAPH

    @property
    def chars(self) -> int:
        """Its length but for open code, in characters."""
        return len(self._text)

    @property
    def open_chars(self) -> int:
        """Its length, in characters."""
        return len(self._text) + self._code_chars

    @property
    def digest(self) -> blake2b:
        """What tells the HTML that the page shows."""
        digest = self._digest.copy()
        digest.update(self._html.encode())
        return digest

    def feed(self, text: str) -> list[Change]:
        """Take in more text and return what it changes on the page."""
        if self._code:
            return self._feed_code(self._code, text)
        if (changes := self.add_words(text)) is not None:
            return changes
        if (changes := self._add_to_line(text)) is not None:
            return changes
        self._text += text
        return self._parse_again(is_open=True, is_longer="\n" in text)

    def close(self) -> list[Change]:
        """End the text and return what that changes."""
        self._leave_code()
        return self._parse_again(is_open=False)

    def add_words(self, text: str) -> list[Change] | None:
        """Add plain words to the last paragraph; None where more may change."""
        if self._code or not plain_words.may_go_on(self._text, text):
            return None
        if not self._words:
            self._find_line()
            self._words = plain_words.find(self._text, self._html)
        if not (words := self._words):
            return None
        self._text += text
        if not (shown := words.add(text)):
            return []
        self._html = f"{self._html[: -len(words.ends)]}{shown}{words.ends}"
        return [Change("add", words.depth, shown)]

    def _find_line(self) -> None:
        if self._document:
            context = self._cut.context if self._path[-1:] == ["tbody"] else ""
            self._line = lines.find(self._document, self._text, self._html, context)
            self._document = None

    def _add_to_line(self, text: str) -> list[Change] | None:
        """Add to the last line; None where more may have changed."""
        self._find_line()
        if self._line is None or "\x00" in text:
            return None
        if blank := _BLANK_LINES.search(text):
            return self._end_line(text, blank.start(), blank.end())
        tail = self._text + text
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
        self._text, self._html, self._words = tail, html, None
        if isinstance(self._line, lines.Row):
            self._cut_before(self._line)
        return changes

    def _end_line(self, text: str, end: int, rest: int) -> list[Change] | None:
        """End an outermost paragraph or heading with blank lines; the rest is parsed alone."""
        line = self._line
        if not isinstance(line, lines.Line) or not line.is_outermost:
            return None
        changes = self._add_to_line(text[:end]) if end else []
        if changes is None:
            return None
        if "[" in self._html:
            # A definition right behind it may make a link in it.
            self._text += text[end:]
            return [*changes, *self._parse_again(is_open=True)]
        self._cut_at(cuts.WHOLE, line.references, len(self._html))
        self._text = text[rest:]
        return [*changes, *self._parse_again(is_open=True)] if self._text else changes

    def _cut_at(self, cut: cuts.Cut, references: dict[str, Any], html_at: int) -> None:
        """Have the HTML begin at a place before which all is closed."""
        if (cut.context, cut.depth) != (self._cut.context, self._cut.depth):
            self._prefix, self._path = _opened(cut.context, cut.depth)
        self._digest.update(self._html[:html_at].encode())
        self._cut, self._references, self._html = cut, references, self._html[html_at:]
        self._words = self._line = None
        self._long_paragraph = cuts.LONG_PARAGRAPH

    def _cut_before(self, row: lines.Row) -> None:
        """Cut before a row of a table that others stand before."""
        if not row.at or not row.context:
            return
        # A table that was cut already may stand in a list.
        depth = self._cut.depth if row.context == self._cut.context else _TABLE_DEPTH
        self._cut_at(cuts.Cut(0, row.context, depth), row.references, row.html_at)
        self._text = self._text[row.at :]
        row.at = row.html_at = 0
        self._line = row

    def _parse_again(self, *, is_open: bool, is_longer: bool = True) -> list[Change]:
        """Parse the text; `is_longer` tells whether it has more lines than before."""
        self._words = self._line = self._document = None
        if len(self._text) > MAX_CHARS:
            raise TooCostly
        source = self._cut.context + self._text
        document = parse(source, self._references, is_open=is_open)
        if not document.html.startswith(self._prefix):
            raise WrongCut
        html = document.html[len(self._prefix) :]
        changes = difference(self._html, html, self._path)
        self._html = html
        self._document = document
        if is_open and (is_longer or len(self._text) > cuts.LONG_PARAGRAPH):
            self._shorten(document, source)
        return changes

    def _shorten(self, document: Document, source: str) -> None:
        """Cut where what stands before is closed; begin to follow open code."""
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
        # A definition that goes on is none yet.
        references = self._references | {
            name: value
            for name, value in document.references.items()
            if name not in self._references and value["map"][0] < line
        }
        rest = sum(map(len, document.blocks[blocks:]))
        self._cut_at(cuts.WHOLE, references, len(self._html) - rest)
        self._text = source[at:]

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
        prefix, _ = _opened(cut.context, cut.depth)
        html = own.html[len(prefix) :]
        if not own.html.startswith(prefix) or not self._html.endswith(html):
            return False
        self._cut_at(cut, references, len(self._html) - len(html))
        self._text = rest
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
            self._text += "".join(self._code_pieces)
            self._code, self._code_chars = None, 0


@lru_cache(maxsize=1_000)
def _opened(context: str, depth: int) -> tuple[str, list[str]]:
    """Return a context's HTML as far as it is open, and what is open, from the outside."""
    html = parse(context, {}, is_open=True).html
    ends = closing_tags(html)[::-1][:depth]
    return html.removesuffix("".join(ends[::-1])), [end[2:-1] for end in ends]
