"""Citations become numbered notes: a number behind each cited piece, the sources below the text.

    render_blocks -> texts side by side, as one Markdown text with marks -> HTML -> numbers

The API gives each cited piece of a text a block of its own, with `citations` (Messages API,
"Citations"). A mark is one character of a private plane that the text does not hold. The marks
become numbers if each of them stands once in the text itself, not in code, formulas, links or
attributes, and if without them the HTML is what it is anyway; else the notes have to do.
"""

from __future__ import annotations

import html
import re
import string
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from chat.content import Block, is_text, text_of, text_runs
from chat.render.addresses import LINK_REL
from chat.render.renderer import render
from chat.render.sources import Source, cited_source, one_line

MAX_SOURCES = 100
"""So many sources of a message have a number."""

MAX_CITATIONS = 20
"""So many citations of one piece are looked at."""

MAX_QUOTES = 3
"""So many cited texts of a source are shown below one text."""

MAX_QUOTE_CHARS = 300

# What closes what stands before it; the mark goes in front of it, so that it still does.
_CLOSING = string.whitespace + "|*_~"
# Supplementary Private Use Area-A (Unicode, section 23.5), without the two that are no characters.
_MARKS = range(0xF0000, 0xFFFFE)
_MARK = re.compile("[\U000f0000-\U000ffffd]")
_TAG = re.compile("<(/?)([a-z][a-z0-9-]*)[^>]*>")
_CLOSED = frozenset({"code", "pre", "math", "a", "button"})


class _Note(NamedTuple):
    """A source below a text, under its number, with what is cited of it there."""

    number: int
    source: Source
    quotes: list[str]


def render_blocks(blocks: Sequence[Block]) -> list[str]:
    """Return the HTML of an answer's blocks: texts side by side are all in that of the first."""
    rendered = [""] * len(blocks)
    numbers: dict[str, int] = {}
    for run in text_runs(blocks):
        if is_text(blocks[run.start]):
            rendered[run.start] = _render_run([blocks[at] for at in run], numbers)
    return rendered


def _render_run(blocks: Sequence[Block], numbers: dict[str, int]) -> str:
    texts = [text_of(block) for block in blocks]
    markup = render("".join(texts))
    notes: dict[int, _Note] = {}
    cited = [_cited(block, numbers, notes) for block in blocks]
    if not notes:
        return markup
    return _numbered(texts, cited, notes, markup) + _listed(notes)


def _cited(block: Block, numbers: dict[str, int], notes: dict[int, _Note]) -> list[int]:
    """Return the numbers of the sources that a block cites, and note what it cites of them.

    Args:
        numbers: those of the whole message, by what tells a source from others.
    """
    citations = block.get("citations")
    cited = []
    for citation in citations[:MAX_CITATIONS] if isinstance(citations, list) else ():
        if (source := cited_source(citation)) is None:
            continue
        number = numbers.get(source.address or source.title, len(numbers) + 1)
        if number > MAX_SOURCES:
            continue
        numbers[source.address or source.title] = number
        note = notes.setdefault(number, _Note(number, source, []))
        quote = one_line(citation.get("cited_text"), MAX_QUOTE_CHARS)
        if quote and quote not in note.quotes and len(note.quotes) < MAX_QUOTES:
            note.quotes.append(quote)
        cited.append(number)
    return list(dict.fromkeys(cited))


def _numbered(
    texts: Sequence[str], cited: Sequence[list[int]], notes: dict[int, _Note], markup: str
) -> str:
    """Return the HTML of texts with the numbers of what they cite; without, where that fails."""
    unused = _unused("".join(texts))
    numbers: dict[str, str] = {}
    pieces = []
    for text, of_text in zip(texts, cited, strict=True):
        mark = next(unused, "") if of_text else ""
        at = len(text.rstrip(_CLOSING))
        pieces.append(f"{text[:at]}{mark}{text[at:]}")
        if mark:
            numbers[mark] = _superscript([notes[number] for number in of_text])
    marked = render("".join(pieces))
    if not _stand_in_text(numbers.keys(), marked):
        return markup
    is_same = marked.translate(dict.fromkeys(map(ord, numbers))) == markup
    shown = {ord(mark): number for mark, number in numbers.items()}
    return marked.translate(shown) if is_same else markup


def _unused(text: str) -> Iterator[str]:
    used = set(text)
    return (chr(code) for code in _MARKS if chr(code) not in used)


def _stand_in_text(marks: Set[str], markup: str) -> bool:
    """Whether each mark stands once in a piece of HTML, and there where a link may begin."""
    found: list[str] = []
    depth = at = 0
    for tag in _TAG.finditer(markup):
        if not depth:
            found += _MARK.findall(markup, at, tag.start())
        if tag[2] in _CLOSED:
            depth += -1 if tag[1] else 1
        at = tag.end()
    found += _MARK.findall(markup, at)
    in_all = [mark for mark in _MARK.findall(markup) if mark in marks]
    return sorted(mark for mark in found if mark in marks) == sorted(in_all) == sorted(marks)


def _superscript(notes: Sequence[_Note]) -> str:
    numbers = " ".join(_linked(note.source, str(note.number)) for note in notes)
    return f'<sup class="citation">{numbers}</sup>'


def _listed(notes: dict[int, _Note]) -> str:
    items = "".join(_item(note) for _, note in sorted(notes.items()))
    return f'<ol class="citations">{items}</ol>'


def _item(note: _Note) -> str:
    source = note.source
    host = f' <span class="host">{_escaped(source.host)}</span>' if source.host else ""
    quotes = "".join(f" <q>{_escaped(quote)}</q>" for quote in note.quotes)
    return f'<li value="{note.number}">{_linked(source, source.title)}{host}{quotes}</li>'


def _linked(source: Source, text: str) -> str:
    if not source.address:
        return _escaped(text)
    # As markdown.py writes a link.
    address = html.escape(source.address)
    return f'<a href="{address}" target="_blank" rel="{LINK_REL}">{_escaped(text)}</a>'


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
