"""A page as a browser holds it: made from HTML, changed by the frames of its socket.

It swaps as htmx 2 and its extensions do: every top-level element of a frame goes out of band, by
its `hx-swap-oob`. What finds no target is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

from chat.relay import Position
from tests.frames import take_steps

_VOID = frozenset({"input", "meta", "link", "br", "img", "hr", "path", "rect", "circle", "line"})
_SELECTOR = re.compile(r"#([\w-]+)(?: \.([\w-]+))?\Z")


class Element:
    """An element with its attributes and children; a child is an element or a text."""

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element | str] = []

    def walk(self) -> Iterator[tuple[Element, Element]]:
        """Yield every element under this one with its parent, in document order."""
        for child in self.children:
            if isinstance(child, Element):
                yield child, self
                yield from child.walk()

    def find(self, wanted: Callable[[Element], bool]) -> Element | None:
        return next((element for element, _ in self.walk() if wanted(element)), None)

    def by_id(self, element_id: str) -> Element | None:
        return self.find(lambda element: element.attributes.get("id") == element_id)

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.children if isinstance(child, Element)]

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def markup(self) -> str:
        """Return the content as comparable HTML, without the ids that only growing needs."""
        return "".join(c if isinstance(c, str) else c._outer() for c in _merged(self.children))

    def _outer(self) -> str:
        named = {k: v for k, v in self.attributes.items() if k != "id"}
        attributes = "".join(f' {name}="{value}"' for name, value in sorted(named.items()))
        return f"<{self.tag}{attributes}>{self.markup()}</{self.tag}>"


class ShownPage:
    """What a reader sees of one conversation."""

    def __init__(self, html: str) -> None:
        self._root = parse(html)

    def apply(self, frame: str) -> None:
        """Take in one frame of the socket: its steps, or what it swaps."""
        if frame.startswith("["):
            return take_steps(frame, self._root.by_id, parse)
        for element in parse(frame).elements:
            self._swap(element)

    def apply_loaded(self, html: str) -> None:
        """Put a message that was loaded by itself in the place of its link."""
        for element in parse(html).elements:
            self._replace(element.attributes["id"], [element])

    @property
    def position(self) -> Position:
        """What the page says of itself when its socket opens (static/chat/socket.js)."""
        shown = [e for e, _ in self._root.walk() if "data-message" in e.attributes]
        last = int(shown[-1].attributes["data-message"]) if shown else 0
        running = self._root.find(lambda e: bool(e.attributes.get("data-seq")))
        statuses = (e.attributes for e, _ in self._root.walk() if _is_placed_status(e))
        ids = (int(status.get("data-generation") or 0) for status in statuses)
        position = Position(last, shown_id=max(ids, default=0))
        if running:
            names = ("data-generation", "data-seq", "data-held")
            values = (int(running.attributes[name]) for name in names)
            position.generation_id, position.seq, position.held = values
        return position

    @property
    def loads(self) -> list[str]:
        """The addresses that the page loads pieces of itself from."""
        found = (e for e, _ in self._root.walk() if e.attributes.get("hx-trigger") == "load")
        return [element.attributes["hx-get"] for element in found]

    @property
    def has_running(self) -> bool:
        """Whether an answer is shown as unfinished, at a known position or between two frames."""
        marks = ("data-seq", "data-running")
        return self._root.find(lambda e: any(m in e.attributes for m in marks)) is not None

    @property
    def message_ids(self) -> list[int]:
        shown = (e.attributes.get("data-message") for e, _ in self._root.walk())
        return [int(number) for number in shown if number]

    def element(self, element_id: str) -> Element | None:
        return self._root.by_id(element_id)

    def body(self, message_id: int) -> Element:
        """Return the content of a message."""
        body = self._root.by_id(f"message-{message_id}-body")
        assert body is not None, f"message {message_id} is not shown"
        return body

    def article(self, message_id: int) -> Element:
        article = self._root.by_id(f"message-{message_id}")
        assert article is not None, f"message {message_id} is not shown"
        return article

    def _swap(self, element: Element) -> None:
        how, _, selector = element.attributes.pop("hx-swap-oob").partition(":")
        if how == "beforeend":
            if target := self._target(selector):
                target.children += element.children
        elif how == "innerHTML":
            if target := self._target(selector):
                target.children = element.children
        elif how in ("true", "delete"):
            self._replace(element.attributes["id"], [] if how == "delete" else [element])
        else:
            raise AssertionError(f"a swap that this page does not know: {how}")

    def _target(self, selector: str) -> Element | None:
        match = _SELECTOR.match(selector)
        assert match, f"a selector that this page does not know: {selector}"
        found = self._root.by_id(match[1])
        if found and match[2]:
            return found.find(lambda e: match[2] in e.attributes.get("class", "").split())
        return found

    def _replace(self, element_id: str, replacement: list[Element]) -> None:
        for element, parent in self._root.walk():
            if element.attributes.get("id") == element_id:
                at = parent.children.index(element)
                parent.children[at : at + 1] = replacement
                return


def _is_placed_status(element: Element) -> bool:
    is_status = "message-status" in element.attributes.get("class", "").split()
    return is_status and element.attributes.get("data-seq") != ""


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            closed = self.open.pop()
            assert closed.tag == tag, f"<{closed.tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Element:
    """Return the root of a piece of HTML; it has to be well formed."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].tag}> is not closed"
    return parser.open[0]


def _merged(children: list[Element | str]) -> list[Element | str]:
    """Join texts that stand side by side, as swaps leave them."""
    merged: list[Element | str] = []
    for child in children:
        if isinstance(child, str) and merged and isinstance(merged[-1], str):
            merged[-1] += child
        else:
            merged.append(child)
    return merged
