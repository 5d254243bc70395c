"""The last line of a text goes on: only what it may still change in that line is parsed again.

A line that is begun, with a letter in it, stays what it is: part of a paragraph, a heading, or a
row of a table (CommonMark, "Blocks and inlines"). In it, what stands before the last space is
settled as soon as no mark before it waits for its other half.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it.common.utils import MD_TRIM_CHARS
from markdown_it.rules_block.table import escapedSplit
from markdown_it.token import Token

from chat.render.changes import Change
from chat.render.markdown import Document, cell_tag, escaped, parse_inline

MAX_CHARS = 1_000
"""More of a line that is not settled is parsed with all that stands around it, and cut there."""

_LETTER = re.compile(r"[^\W\d_]")
# What may begin a box of a task list, a definition, a formula or code, once more of it has come.
_UNDECIDED = ("[", "$", "\\", "```", "~~~")
# A formula, if the paragraph comes to its end.
_FORMULA = re.compile(r"^[ \t]*(?:\$\$|\\\[)", re.MULTILINE)
_ENDS = re.compile(r"(?:</(?:p|li|ul|ol|blockquote|h[1-6]|t[dr]|tbody|table|div)>)+\Z")
_END_OF_ROW = "</td></tr>"
# What may begin something that holds a space.
_MARK = re.compile(r"[*_~`\[$\\]")
_WORD = re.compile(r" (?:[^\W_]|[,.;:!?'\"()/%\u2010-\u2027\u3001\u3002-])*")


@dataclass
class Line:
    """A paragraph or a heading whose last line goes on.

    `at` and `html_at` tell where in the text, and in its HTML, begins what is not settled.
    """

    at: int
    html_at: int
    ends: str
    is_heading: bool
    references: dict[str, Any]

    @property
    def is_outermost(self) -> bool:
        """Whether it stands in no other block, so that a blank line ends it."""
        return self.ends.count("</") == 1

    def feed(self, text: str, tail: str, html: str) -> tuple[str, list[Change] | None] | None:
        """Take in more of the line, which `tail` ends with.

        Return the whole HTML and what changes in the one of before; None in place of the changes
        where they have to be looked for, None where all has to be parsed.
        """
        if len(tail) - self.at > MAX_CHARS or "\n" in text or (self.is_heading and "#" in text):
            return None
        source = tail[self.at :].rstrip(MD_TRIM_CHARS)
        children, inner = parse_inline(source, self.references)
        end = len(html) - len(self.ends)
        shown = html[self.html_at : end]
        changes = None
        if inner.startswith(shown):
            new = inner[end - self.html_at :]
            changes = [Change("add", self.ends.count("</"), new)] if new else []
        html = f"{html[: self.html_at]}{inner}{self.ends}"
        self._settle(children, source, tail, html)
        return html, changes

    def _settle(self, children: Sequence[Token], source: str, tail: str, html: str) -> None:
        if word := _last_word(children, source):
            spaces = len(tail) - self.at - len(source)
            self.at = len(tail) - spaces - len(word)
            self.html_at = len(html) - len(self.ends) - len(escaped(word))


@dataclass
class Row:
    """The last row of a table, and the rows behind it; each changes as a whole.

    `at` and `html_at` tell where the row begins; `context`, if any, is what opens the table again
    (cuts).
    """

    at: int
    html_at: int
    ends: str
    cells: Sequence[str]
    references: dict[str, Any]
    begin: str
    context: str
    _inner: dict[str, str] = field(default_factory=dict)

    def feed(self, text: str, tail: str, html: str) -> tuple[str, list[Change] | None] | None:
        """Take in more of the row, or rows, as Line does."""
        first, *others = tail[self.at :].split("\n")
        if others and not others[-1]:
            del others[-1]
        if len(tail) - self.at > MAX_CHARS or not all(o.startswith(self.begin) for o in others):
            return None
        row = self.html(first)
        rows = [self.html(line) for line in others]
        depth, end = self.ends.count("</"), len(html) - len(self.ends)
        is_same = html[self.html_at : end] == row
        new = "".join(rows) if is_same else "".join([row, *rows])
        changes = [] if is_same else [Change("drop", depth)]
        changes += [Change("add", depth, new)] if new else []
        html = "".join([html[: self.html_at], row, *rows, self.ends])
        if rows:
            self._inner.clear()
            self.at += len("\n".join([first, *others[:-1]])) + 1
            self.html_at = len(html) - len(self.ends) - len(rows[-1])
        return html, changes

    def html(self, line: str) -> str:
        """Return the row of a line, as markdown-it's rule cuts it."""
        texts = escapedSplit(line.strip(MD_TRIM_CHARS))
        if texts and not texts[0]:
            del texts[0]
        if texts and not texts[-1]:
            del texts[-1]
        texts += [""] * (len(self.cells) - len(texts))
        cells = [
            f"{tag}{self._cell(text)}</td>" for tag, text in zip(self.cells, texts, strict=False)
        ]
        return f"<tr>{''.join(cells)}</tr>"

    def _cell(self, text: str) -> str:
        text = text.strip(MD_TRIM_CHARS)
        if not text:
            return ""
        inner = self._inner.get(text)
        if inner is None:
            inner = self._inner[text] = parse_inline(text, self.references)[1]
        return inner


def find(document: Document, tail: str, html: str, context: str) -> Line | Row | None:
    """Return the line that a text ends with, if that stays what it is.

    Args:
        document: what the text, `tail`, and its HTML are the end of.
        context: what opens the table again whose rows the text begins with; "" if none.
    """
    tokens = document.tokens
    at = len(tokens) - 1
    while at > 0 and tokens[at].nesting == -1:
        at -= 1
    ends = _ENDS.search(html)
    # A definition may be there, or become one.
    if at <= 0 or tokens[at].type != "inline" or not ends or "]:" in tail:
        return None
    line = tail[tail.rfind("\n") + 1 :]
    if tokens[at - 1].type == "td_open":
        return _row(document, at, tail, html, context)
    return _line(document, at, tail, line.rstrip(MD_TRIM_CHARS), html, ends[0])


def _line(document: Document, at: int, tail: str, line: str, html: str, ends: str) -> Line | None:
    token, opening = document.tokens[at], document.tokens[at - 1]
    last = token.content.rpartition("\n")[2]
    is_heading = opening.type == "heading_open"
    if _FORMULA.search(token.content):
        return None
    # A text that begins within a line is that line's end.
    is_last = line.endswith(last) or ("\n" not in tail and last.endswith(line))
    if not is_last or not _LETTER.search(last) or last.startswith(_UNDECIDED):
        return None
    if is_heading and line.endswith("#"):
        return None
    source, end = tail.rstrip(MD_TRIM_CHARS), len(html) - len(ends)
    if word := _last_word(token.children or (), token.content):
        begin, html_at = len(source) - len(word), end - len(escaped(word))
        if not html.startswith(escaped(word), html_at):
            return None
    else:
        tag = f"<{opening.tag}>"
        begin, html_at = len(source) - len(token.content), html.rfind(tag) + len(tag)
        is_whole = source.endswith(token.content) and html_at >= len(tag)
        if not is_whole or document.tokens[at - 2].meta.get("checked") is not None:
            return None
    return Line(begin, html_at, ends, is_heading, document.references)


def _row(document: Document, at: int, tail: str, html: str, context: str) -> Row | None:
    tokens = document.tokens
    lines = tail.split("\n")
    indent = lines[-1][: -len(lines[-1].lstrip(" ")) or None]
    if not lines[-1].startswith(f"{indent}|"):
        return None
    start = next(n for n in range(at, 0, -1) if tokens[n].type == "tr_open")
    cells = [cell_tag(token) for token in tokens[start:at] if token.type == "td_open"]
    html_at = html.rfind("<tr>")
    if not context or "</table>" in html[:html_at]:
        table = next(token for token in tokens[start::-1] if token.type == "table_open")
        size = table.map[1] - table.map[0] if table.map and not table.level else len(lines) + 1
        context = "\n".join([*lines[-size:][:2], "|x|", ""]) if size <= len(lines) else ""
    end = html.rfind(_END_OF_ROW) + len(_END_OF_ROW)
    begin, row_at = f"{indent}|", len(tail) - len(lines[-1])
    row = Row(row_at, html_at, html[end:], cells, document.references, begin, context)
    return row if row.html(lines[-1]) == html[html_at:end] else None


def _last_word(children: Sequence[Token], source: str) -> str:
    """Return the last word with the space before it, if all that stands before is settled."""
    # markdown-it's rule for dollars takes the last character for the one before the first.
    if not children or source[:1] in ("$", "\\"):
        return ""
    last = children[-1]
    at = last.content.rfind(" ")
    if last.type != "text" or last.level or at < 0 or last.content[at - 1 : at].isspace():
        return ""
    word = last.content[at:]
    if not _WORD.fullmatch(word) or not source.endswith(word):
        return ""
    marks = [child for child in children if child.type == "text" and _MARK.search(child.content)]
    return "" if marks else word
