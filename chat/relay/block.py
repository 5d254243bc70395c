"""One block of a running answer, between its start and its stop, as one reader sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chat import fragments
from chat.content import Content, text_of
from chat.render import Change, Renderer, in_parts
from chat.transcript import BlockView, view_block
from chat.words import split_overdue, split_ready

FRAME_MAX_CHARS = 150_000
"""A frame's text is at most this long, so that a frame stays under 1 MiB whatever is escaped."""

# What is shown as it comes, by (in a text block, type of delta); the rest shows at the end.
_SHOWN_MEMBER = {
    (True, "text_delta"): "text",
    (False, "thinking_delta"): "thinking",
    (False, "input_json_delta"): "partial_json",
}


class LiveBlock:
    """Takes in what the log says of a block, and gives out fragments."""

    def __init__(self, element_id: str, number: int, start: dict[str, Any]) -> None:
        self.element_id = element_id
        self.number = number
        self._content = Content()
        self._renderer = Renderer()
        self._new: list[str] = []
        self.held = ""
        # What the reader shows came in pieces that are not known, so that a link whose address
        # came later may be shown without it.
        self._is_certain = True
        self._start = start
        self.is_text = start["content_block"].get("type") == "text"
        if self.is_text:
            self._new.append(text_of(start["content_block"]))
        else:
            self._content.feed("content_block_start", start)

    @property
    def work_chars(self) -> int:
        """How much text the next release may have to parse, in characters."""
        return sum(map(len, self._new)) + (self._renderer.open_chars if self.is_text else 0)

    @property
    def digest(self) -> bytes:
        """What tells the HTML that was shown, once a text has ended."""
        return self._renderer.digest if self._is_certain else b""

    def view(self) -> BlockView:
        """Return the block as it begins."""
        view = view_block(self._start["content_block"])
        # A tool's input comes with the deltas; what stands at the start is a place holder.
        return replace(view, text="") if view.kind == "tool" else view

    def show(self, text: str) -> None:
        """Take in a text that the element holds already."""
        self._renderer.feed(text)

    def feed(self, data: dict[str, Any]) -> None:
        delta = data["delta"]
        if not self.is_text:
            self._content.feed("content_block_delta", data)
        if member := _SHOWN_MEMBER.get((self.is_text, delta.get("type"))):
            self._new.append(delta[member])

    def skip(self, held: int) -> int:
        """Take what came as shown, but for the last `held` characters; return its length."""
        text = "".join(self._new)
        self._new = []
        if not self.is_text:
            return 0
        cut = max(0, len(text) - held)
        self._renderer.feed(text[:cut])
        self._is_certain = "]:" not in text
        self.held = text[cut:]
        return cut

    def release(self, *, overdue: bool, stopped: bool) -> tuple[list[str], int]:
        """Return fragments for what can be shown now, and its number of text characters."""
        text = "".join([self.held, *self._new])
        self._new = []
        if not self.is_text:
            return [fragments.append_text(self.element_id, piece) for piece in _pieces(text)], 0
        ready, self.held = _split(text, overdue=overdue, stopped=stopped)
        return self._fragments(self._renderer.feed(ready)), len(ready)

    def end(self, *, is_whole: bool) -> list[str]:
        """Return fragments for what only the end shows, such as a tool's parsed input."""
        if self.is_text:
            return self._fragments(self._renderer.close())
        if is_whole:
            self._content.feed("content_block_stop", self._start)
        view = view_block(self._content.blocks()[0])
        if view.kind in ("thinking", "redacted"):
            return []
        return [fragments.replace_text(self.element_id, view.text)]

    def _fragments(self, changes: list[Change]) -> list[str]:
        return [
            fragments.change(self.element_id, part)
            for change in changes
            for part in in_parts(change, FRAME_MAX_CHARS)
        ]


def _pieces(text: str) -> list[str]:
    return [text[at : at + FRAME_MAX_CHARS] for at in range(0, len(text), FRAME_MAX_CHARS)]


def _split(text: str, *, overdue: bool, stopped: bool) -> tuple[str, str]:
    if stopped or not text:
        return text, ""
    return split_overdue(text) if overdue else split_ready(text)
