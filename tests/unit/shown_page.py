"""A page as htmx keeps it: a tree of elements that out-of-band fragments are swapped into."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.frames import take_steps

_VOID = frozenset({"br", "hr", "img", "input", "path", "circle", "rect", "line", "polyline"})


class Element:
    """An element: its attributes, and its children, which are elements and texts."""

    def __init__(self, tag: str, attributes: dict[str, str] | None = None) -> None:
        self.tag = tag
        self.attributes = attributes or {}
        self.children: list[Element | str] = []

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.children if isinstance(child, Element)]

    def find(self, name: str, value: str) -> Element | None:
        """Return the first element below, or this one, with an attribute of this value."""
        if value in self.attributes.get(name, "").split():
            return self
        found = (element.find(name, value) for element in self.elements)
        return next((element for element in found if element), None)

    def parent_of(self, wanted: Element) -> Element | None:
        if wanted in self.elements:
            return self
        found = (element.parent_of(wanted) for element in self.elements)
        return next((element for element in found if element), None)

    def outline(self) -> str:
        """Return the markup without ids, and without white space between elements."""
        texts = self.children if not self.elements else self.elements
        inner = "".join(child if isinstance(child, str) else child.outline() for child in texts)
        shown = "".join(
            f" {name}={value}" for name, value in sorted(self.attributes.items()) if name != "id"
        )
        return f"<{self.tag}{shown}>{inner}</{self.tag}>"


class _TreeBuilder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Element:
    builder = _TreeBuilder()
    builder.feed(html)
    builder.close()
    assert builder._open == [builder.root], "an element is not closed"
    return builder.root


class ShownPage:
    """What one reader sees, kept up to date by the frames that it is sent."""

    def __init__(self, html: str) -> None:
        self.root = parse(html)

    def apply(self, frame: str) -> None:
        """Take a frame's steps, or swap each of its top-level elements, as a page does."""
        if frame.startswith("["):
            return take_steps(frame, self.by_id, parse)
        for element in parse(frame).elements:
            self._swap(element, element.attributes.pop("hx-swap-oob"))

    def by_id(self, element_id: str) -> Element:
        element = self.root.find("id", element_id)
        assert element, f"there is no #{element_id}"
        return element

    def _swap(self, new: Element, how: str) -> None:
        strategy, _, selector = how.partition(":")
        if strategy == "beforeend":
            self._select(selector).children += new.children
        elif strategy == "innerHTML":
            self._select(selector).children = new.children
        else:
            old = self.by_id(new.attributes["id"])
            parent = self.root.parent_of(old)
            assert parent
            at = parent.children.index(old)
            parent.children[at : at + 1] = [] if strategy == "delete" else [new]

    def _select(self, selector: str) -> Element:
        """Find what the site's own selectors name: #id, or #id .class."""
        element_id, _, class_name = selector.removeprefix("#").partition(" .")
        element = self.by_id(element_id)
        found = element.find("class", class_name) if class_name else element
        assert found, f"nothing is {selector}"
        return found
