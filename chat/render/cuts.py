"""Where a text that grows can be cut: what stands before is closed, and is parsed no more.

A block is closed when another one follows it in the same container, from a whole line on. So the
cut goes as deep as it can: to the last item of a list, the last row of a table, the last child of
a quote, the end of a long paragraph. What is parsed from then on is a `context`, a few lines that
open the same containers and hold no more than an "x" each, and behind it the rest of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it.token import Token

LONG_PARAGRAPH = 1_000
"""In characters. From there on the beginning of a paragraph counts as closed."""

_STAYS_OPEN = 300
_TRIES = 3
_TRY_EVERY = 100

_SURE_CHARS = 200
"""A line's beginning tells what it is, long before it ends."""

_ITEM = re.compile(r"( *)([-+*]|\d{1,9}[.)])( *)")


class Cut(NamedTuple):
    """A place to cut: `at`, an index in the source; how many elements are open there."""

    at: int
    context: str
    depth: int


WHOLE = Cut(0, "", 0)


class _Node(NamedTuple):
    """An element of a token stream: the range of its tokens, and its token's own facts."""

    start: int
    end: int
    token: Token

    @property
    def line(self) -> int:
        """Return its first line, -1 where it has none."""
        return self.token.map[0] if self.token.map else -1

    @property
    def decided_by(self) -> int:
        """Return the line without which it would be something else."""
        if self.token.type == "math_block" and self.token.map:
            return self.token.map[1] - 1
        return self.line + 1 if self.token.type == "table_open" else self.line


class _Place(NamedTuple):
    """An open container: the lines that open it, what each line in it begins with, its depth."""

    context: str = ""
    lead: str = ""
    depth: int = 0

    def opened(self, line: str, lead: str) -> _Place:
        """Return the place in a container that `line` opens, behind an "x" and a blank line."""
        return _Place(f"{self.context}{line}x\n{lead.rstrip()}\n", lead, self.depth + 1)


class Finder:
    """Finds where one source can be cut, from its tokens."""

    def __init__(self, tokens: Sequence[Token], source: str, long_paragraph: int) -> None:
        self._tokens = tokens
        self._source = source
        self._lines = source.split("\n")
        self._long_paragraph = long_paragraph
        self._blocks = self._children(0, len(tokens))

    def cuts(self) -> list[Cut]:
        """Return places to cut at in a block, deepest first; whether one holds has to be tried."""
        if not self._blocks:
            return []
        return list(self._in_last(self._blocks, _Place()))[::-1]

    def closed_blocks(self) -> tuple[int, int, int]:
        """Return how many of the outermost blocks are closed, and the line and place behind them.

        No more than an open list can take in what follows, once a blank line has come.
        """
        formulas = [n for n, node in enumerate(self._blocks) if self._may_be_formula(node)]
        closed = min([len(self._blocks), *formulas])
        while closed and not self._is_closed(closed - 1):
            closed -= 1
        block = self._blocks[closed - 1].token if closed else None
        line = block.map[1] if block and block.map else 0
        while closed and line < len(self._lines) - 1 and not self._lines[line].strip(" \t"):
            line += 1
        return closed, line, self._at(line)

    def _is_closed(self, number: int) -> bool:
        node = self._blocks[number]
        if number < len(self._blocks) - 1 and self._is_sure(self._blocks[number + 1]):
            return True
        if not node.token.map or (end := node.token.map[1]) >= len(self._lines):
            return False
        if self._may_change(node):
            return False
        if node.token.type in ("paragraph_open", "blockquote_open", "table_open"):
            # The blank line is whole.
            return end < len(self._lines) - 1 and not self._lines[end].strip(" \t")
        if node.token.type == "fence":
            # At the outermost level, spaces alone can stand before its last line's mark.
            mark = re.escape(node.token.markup)
            is_last = re.match(rf" {{0,3}}{mark}+[ \t]*\Z", self._lines[end - 1])
            return is_last is not None and end - 1 > node.line
        return node.token.type in ("heading_open", "hr", "math_block")

    def _may_be_formula(self, node: _Node) -> bool:
        """Whether a paragraph may become one with what follows, up to a blank line."""
        if node.token.type != "paragraph_open" or not node.token.map:
            return False
        start, end = node.token.map
        begins = [line.lstrip(" ").startswith(("$$", "\\[")) for line in self._lines[start:end]]
        return any(begins) and all(line.strip(" \t") for line in self._lines[end:-1])

    def _may_change(self, node: _Node) -> bool:
        """Whether a definition right behind a block may make a link in it, or its code is open."""
        return any(
            token.meta.get("is_open")
            or any(child.type == "text" and "[" in child.content for child in token.children or ())
            for token in self._tokens[node.start : node.end]
        )

    def _descend(self, span: tuple[int, int], place: _Place) -> Iterator[Cut]:
        nodes = self._children(*span)
        if not nodes:
            return
        last = self._last_sure(nodes)
        if last is not nodes[0] and last.line >= 0:
            yield Cut(self._at(last.line), *self._before(last, place))
        yield from self._in_last(nodes, place)

    def _in_last(self, nodes: Sequence[_Node], place: _Place) -> Iterator[Cut]:
        last = self._last_sure(nodes)
        if self._is_sure(nodes[-1]) or last.token.type == "paragraph_open":
            yield from self._inside(last, place)

    def _last_sure(self, nodes: Sequence[_Node]) -> _Node:
        return nodes[-1] if self._is_sure(nodes[-1]) or len(nodes) == 1 else nodes[-2]

    def _is_sure(self, node: _Node) -> bool:
        """Whether a node stays; what the last line decides, before its end, may become another."""
        return node.decided_by < len(self._lines) - 1 or len(self._lines[-1]) > _SURE_CHARS

    def _before(self, node: _Node, place: _Place) -> tuple[str, int]:
        """Return context and depth of a cut before a node."""
        if node.token.type != "list_item_open" or not (item := self._item(node, place)):
            return place.context, place.depth
        return f"{place.context}{place.lead}{item[1]}{item[2]} x\n", place.depth

    def _inside(self, node: _Node, place: _Place) -> Iterator[Cut]:
        span = (node.start + 1, node.end - 1)
        kind = node.token.type
        if kind == "blockquote_open":
            lead = f"{place.lead}> "
            yield from self._descend(span, place.opened(lead, lead))
        elif kind in ("bullet_list_open", "ordered_list_open"):
            yield from self._descend(span, place._replace(depth=place.depth + 1))
        elif kind == "list_item_open" and (item := self._item(node, place)):
            spaces = item[3] if 1 <= len(item[3]) <= 4 else " "
            width = len(item[1] + item[2] + spaces)
            opening = f"{place.lead}{item[1]}{item[2]}{spaces}"
            yield from self._descend(span, place.opened(opening, place.lead + " " * width))
        elif kind == "table_open":
            yield from self._in_table(node, place)
        elif kind == "paragraph_open":
            yield from self._in_paragraph(node, place)

    def _in_table(self, node: _Node, place: _Place) -> Iterator[Cut]:
        """Before the last whole row: behind the head, which each row needs, and a row of an "x"."""
        rows = [t for t in self._tokens[node.start : node.end] if t.type == "tr_open" and t.map]
        whole = [row.map[0] for row in rows if row.map and row.map[0] < len(self._lines) - 1]
        if len(whole) > 2:
            head = self._lines[node.line : node.line + 2]
            context = "\n".join([*head, f"{place.lead}|x|", ""])
            yield Cut(self._at(whole[-1]), place.context + context, place.depth + 3)

    def _in_paragraph(self, node: _Node, place: _Place) -> Iterator[Cut]:
        """Between two words, where enough has come behind them; the nearest place comes last."""
        assert node.token.map is not None  # noqa: S101  (for the types)
        first, end = node.token.map
        start, stop = self._at(first), min(len(self._source), self._at(end))
        if stop - start < self._long_paragraph:
            return
        places = []
        at = stop - _STAYS_OPEN
        for _ in range(_TRIES):
            at = self._source.rfind(" ", start, at)
            if at <= start:
                break
            places.append(Cut(at, f"{place.context}{place.lead}x", place.depth + 1))
            at -= _TRY_EVERY
        yield from places[::-1]

    def _item(self, node: _Node, place: _Place) -> re.Match[str] | None:
        """Return the marker of an item that begins its line."""
        line = self._lines[node.line]
        lead = place.lead
        return (
            _ITEM.match(line, len(lead))
            if line[: len(lead)].strip(" ") in ("", lead.strip())
            else None
        )

    def _children(self, start: int, end: int) -> list[_Node]:
        nodes = []
        at = start
        while at < end:
            token = self._tokens[at]
            after = at + 1
            if token.nesting == 1:
                while self._tokens[after].level != token.level:
                    after += 1
                after += 1
            nodes.append(_Node(at, after, token))
            at = after
        return nodes

    def _at(self, line: int) -> int:
        return sum(len(text) + 1 for text in self._lines[:line])
