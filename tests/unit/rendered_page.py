"""The page of one text as a browser keeps it, changed step by step, and told as HTML again."""

from __future__ import annotations

import html
from html.parser import HTMLParser

from chat.render import Change, Renderer

_VOID = frozenset({"br", "hr"})


class _Element:
    def __init__(self, tag: str, start: str) -> None:
        self.tag = tag
        self.start = start
        self.children: list[_Element | str] = []

    @property
    def last(self) -> _Element:
        return [child for child in self.children if isinstance(child, _Element)][-1]

    @property
    def inner(self) -> str:
        return "".join(c if isinstance(c, str) else c.outer for c in self.children)

    @property
    def text(self) -> str:
        return "".join(html.unescape(c) if isinstance(c, str) else c.text for c in self.children)

    @property
    def outer(self) -> str:
        end = "" if self.tag in _VOID else f"</{self.tag}>"
        return f"{self.start}{self.inner}{end}"


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open = [_Element("", "")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = _Element(tag, self.get_starttag_text() or "")
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        closed = self.open.pop()
        assert closed.tag == tag, f"<{closed.tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def parse(markup: str) -> list[_Element | str]:
    """Return the nodes of a piece of HTML; it has to be well formed."""
    parser = _Parser()
    parser.feed(markup)
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].tag}> is not closed"
    return parser.open[0].children


class RenderedPage:
    """What a reader sees of one text."""

    def __init__(self) -> None:
        self._root = _Element("", "")

    def apply(self, change: Change) -> None:
        element = self._root
        for _ in range(change.depth):
            element = element.last
        if change.kind == "drop":
            element.children.remove(element.last)
        elif change.kind == "add":
            element.children += parse(change.markup)
        else:
            element.children = parse(change.markup)

    @property
    def html(self) -> str:
        return self._root.inner

    @property
    def text(self) -> str:
        return self._root.text

    @property
    def blocks(self) -> list[str]:
        """The outermost elements, as HTML."""
        return [c if isinstance(c, str) else c.outer for c in self._root.children]


def grown(pieces: list[str]) -> tuple[Renderer, RenderedPage]:
    """Have a text grow piece by piece; return its renderer, closed, and its page."""
    renderer, page = Renderer(), RenderedPage()
    for piece in pieces:
        for change in renderer.feed(piece):
            page.apply(change)
    for change in renderer.close():
        page.apply(change)
    return renderer, page
