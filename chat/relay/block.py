"""A folded block of a running answer, thinking or a tool, as one reader sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chat import fragments
from chat.blocks import BlockView, Failure, view_block
from chat.content import Content
from chat.durations import Span
from chat.fragments import Step

FRAME_MAX_CHARS = 150_000
"""A frame's text is at most this long, so that a frame stays under 1 MiB whatever is escaped."""

# What is shown as it comes, by the type of delta; the rest shows at the end.
_SHOWN_MEMBER = {"thinking_delta": "thinking", "input_json_delta": "partial_json"}


class LiveBlock:
    """Takes in what the log says of a block, and gives out steps and fragments.

    Args:
        span: when it began and ended, as it becomes known; None where it takes no time.
    """

    held = ""  # Nothing of it waits for the end of a word.
    has_given_up = False
    work_chars = 0  # Nothing of it is parsed.

    def __init__(self, element_id: str, start: dict[str, Any], span: Span | None) -> None:
        self.element_id = element_id
        self._span = span
        self._content = Content()
        self._content.feed("content_block_start", start)
        self._start = start
        self._new: list[str] = []

    @property
    def is_running(self) -> bool:
        return self._span is not None and self._span.is_running

    def begun(self, failures: Mapping[str, Failure]) -> BlockView:
        """Return the block as it begins."""
        view = view_block(self._content.blocks()[0], failures=failures)
        # A tool's input comes with the deltas; what stands at the start is a place holder.
        text = "" if view.kind == "tool" else view.text
        return replace(view, text=text, since=self._span.began_at if self._span else None)

    def label(self, failures: Mapping[str, Failure]) -> str:
        """Return a fragment that says what the block was, and how long it took."""
        seconds = self._span.seconds if self._span else None
        view = view_block(self._content.blocks()[0], "", seconds, failures)
        return fragments.block_name(self.element_id, view)

    def feed(self, data: dict[str, Any]) -> None:
        self._content.feed("content_block_delta", data)
        delta = data["delta"]
        if member := _SHOWN_MEMBER.get(str(delta.get("type"))):
            self._new.append(delta[member])

    def skip(self, held: int) -> int:
        """Take what came as shown."""
        self._new = []
        return 0

    def release(self, *, overdue: bool, stopped: bool) -> tuple[list[Step], int]:
        """Return steps for what came, and no number of characters of the answer's text."""
        text = "".join(self._new)
        self._new = []
        return [fragments.append_text(self.element_id, piece) for piece in _pieces(text)], 0

    def end(self, *, is_whole: bool) -> list[Step]:
        """Return steps for what only the end shows, such as a tool's parsed input."""
        if is_whole:
            self._content.feed("content_block_stop", self._start)
        view = view_block(self._content.blocks()[0])
        if view.kind in ("thinking", "redacted", "links"):
            return []
        return [fragments.replace_text(self.element_id, view.text)]


def _pieces(text: str) -> list[str]:
    return [text[at : at + FRAME_MAX_CHARS] for at in range(0, len(text), FRAME_MAX_CHARS)]
