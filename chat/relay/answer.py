"""A running answer as one reader sees it: events go in, fragments come out.

Words are held back until they end. What is held is never more than the last word, and `frame`
gives it out, whole graphemes at least, when it is told that the wait has been long enough.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.utils.safestring import mark_safe

from chat import fragments
from chat.content import Content, begun_blocks, plain_text, text_of
from chat.events import Entry
from chat.kinds import FINAL, REQUEST, RETRY
from chat.render import Renderer
from chat.transcript import BlockView, MessageView, block_id, earlier_blocks, view_block
from chat.words import split_overdue, split_ready

FRAME_MAX_CHARS = 150_000
"""A frame's text is at most this long, so that a frame stays under 1 MiB whatever is escaped."""


class LiveAnswer:
    """Turns the log of one answer into fragments. Pure: it waits for nothing."""

    def __init__(self, view: MessageView) -> None:
        assert view.generation is not None  # noqa: S101  (for the types)
        earlier = earlier_blocks(view.message, view.generation)
        self.seq = 0
        self.characters = len(plain_text(earlier))
        self._earlier = earlier
        # What the first block goes on with, where it is a text too.
        goes_on = bool(earlier) and earlier[-1].get("type") == "text"
        self._open_text = text_of(earlier[-1]) if goes_on else None
        self._view = view
        self._generation_id = view.generation.pk
        self._blocks: dict[int, _LiveBlock] = {}
        self._count = len(earlier)
        self._changes: list[str] = []
        # Of a request that is made again: what the page says while it waits.
        self._retry: dict[str, Any] | None = None
        self._is_wait_new = False

    @property
    def held(self) -> int:
        """How many characters of the last event's text are not shown yet."""
        return sum(len(block.held) for block in self._blocks.values())

    def view(self) -> MessageView:
        """Return the answer's state without its blocks."""
        return replace(
            self._view,
            blocks=(),
            seq=self.seq,
            held=self.held,
            characters=self.characters,
            retry=self._retry,
        )

    def resume(self, entries: list[Entry], held: int) -> None:
        """Take in what the reader shows already, all but the last `held` characters."""
        for entry in entries:
            self.feed(entry)
        for block in self._blocks.values():
            self.characters += block.skip(held)
        self._changes, self._is_wait_new = [], False

    def show_earlier(self) -> None:
        """Have the frames begin with what earlier generations wrote, which is not shown yet."""
        open_text, self._open_text = self._open_text, None
        self._count = self.characters = 0
        for block in self._earlier:
            self._start_block({"index": 0, "content_block": block})
            self._end_block(0, is_whole=True)
        self._open_text = open_text

    def feed(self, entry: Entry) -> None:
        """Take in one event."""
        data = json.loads(entry.data)
        self.seq = entry.seq
        if entry.kind == "content_block_delta":
            if block := self._blocks.get(data["index"]):
                block.feed(data)
        elif entry.kind == "content_block_start":
            self._start_block(data)
        elif entry.kind == "content_block_stop":
            self._end_block(data["index"], is_whole=True)
        elif entry.kind == "message_start":
            for index, begun in enumerate(begun_blocks(data["message"])):
                self._start_block({"index": index, "content_block": begun})
                self._end_block(index, is_whole=True)
        elif entry.kind in (REQUEST, RETRY):
            self._note_wait(entry.kind, data)
        elif entry.kind in ("message_stop", FINAL):
            for index in list(self._blocks):
                self._end_block(index, is_whole=False)

    def frames(self, *, overdue: bool) -> list[str]:
        """Return what changed since the last call, as frames in order; [] where nothing did.

        Args:
            overdue: whether what is held has waited long enough.
        """
        for block in self._blocks.values():
            self._release(block, overdue=overdue)
        if not self._changes and not self._is_wait_new:
            return []
        frames = _joined([*self._changes, self._status()])
        if len(frames) > 1:
            # Between two frames the page shows no position that could be gone on from.
            frames[0] = fragments.unplaced(self.view()) + frames[0]
        self._changes, self._is_wait_new = [], False
        return frames

    def _status(self) -> str:
        if self.characters or not self._view.is_running:
            # How it ended comes once, behind the last of its log.
            return fragments.progress(self.view())
        return fragments.status(self.view())

    def _note_wait(self, kind: str, data: dict[str, Any]) -> None:
        if kind == REQUEST and data["attempt"] == 1:
            return  # The page waits for the first word since the prompt was sent.
        self._retry = data if kind == RETRY else None
        self._is_wait_new = True

    def _start_block(self, data: dict[str, Any]) -> None:
        self._end_block(data["index"], is_whole=False)
        shown, self._open_text = self._open_text, None
        goes_on = shown is not None and data["content_block"].get("type") == "text"
        if not goes_on:
            self._count += 1
        block = _LiveBlock(block_id(self._generation_id, self._count - 1), data)
        self._blocks[data["index"]] = block
        if goes_on:
            block.show(shown or "")
        else:
            added = fragments.add_block(self._view.message.pk, block.element_id, block.view())
            self._changes.append(added)

    def _end_block(self, index: int, *, is_whole: bool) -> None:
        if block := self._blocks.pop(index, None):
            self._release(block, stopped=True)
            self._changes.extend(block.end(is_whole=is_whole))

    def _release(self, block: _LiveBlock, *, overdue: bool = False, stopped: bool = False) -> None:
        changes, characters = block.release(overdue=overdue, stopped=stopped)
        self._changes.extend(changes)
        self.characters += characters


# What is shown as it comes, by (in a text block, type of delta); the rest shows at the end.
_SHOWN_MEMBER = {
    (True, "text_delta"): "text",
    (False, "thinking_delta"): "thinking",
    (False, "input_json_delta"): "partial_json",
}


class _LiveBlock:
    """One block between its start and its stop."""

    def __init__(self, element_id: str, start: dict[str, Any]) -> None:
        self.element_id = element_id
        self._content = Content()
        self._renderer = Renderer()
        self._new: list[str] = []
        self.held = ""
        self._start = start
        self.is_text = start["content_block"].get("type") == "text"
        if self.is_text:
            self._new.append(text_of(start["content_block"]))
        else:
            self._content.feed("content_block_start", start)

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
        self.held = text[cut:]
        return cut

    def release(self, *, overdue: bool, stopped: bool) -> tuple[list[str], int]:
        """Return fragments for what can be shown now, and its number of text characters."""
        text = "".join([self.held, *self._new])
        self._new = []
        if not self.is_text:
            return [fragments.append_text(self.element_id, piece) for piece in _pieces(text)], 0
        ready, self.held = _split(text, overdue=overdue, stopped=stopped)
        changes = [self._render(piece) for piece in _pieces(ready)]
        return [change for change in changes if change], len(ready)

    def end(self, *, is_whole: bool) -> list[str]:
        """Return fragments for what only the end shows, such as a tool's parsed input."""
        if self.is_text:
            return []
        if is_whole:
            self._content.feed("content_block_stop", self._start)
        view = view_block(self._content.blocks()[0])
        if view.kind in ("thinking", "redacted"):
            return []
        return [fragments.replace_text(self.element_id, view.text)]

    def _render(self, text: str) -> str:
        change = self._renderer.feed(text)
        # The one place where markup is trusted: render.py escaped or made all of it.
        appended, added = mark_safe(change.appended), mark_safe(change.added)  # noqa: S308
        return (fragments.append_to_open(self.element_id, appended) if appended else "") + (
            fragments.add_to_block(self.element_id, added) if added else ""
        )


def _pieces(text: str) -> list[str]:
    return [text[at : at + FRAME_MAX_CHARS] for at in range(0, len(text), FRAME_MAX_CHARS)]


def _split(text: str, *, overdue: bool, stopped: bool) -> tuple[str, str]:
    if stopped or not text:
        return text, ""
    return split_overdue(text) if overdue else split_ready(text)


def _joined(changes: list[str]) -> list[str]:
    """Join fragments into as few frames as their size allows."""
    frames = [""]
    for change in changes:
        if frames[-1] and len(frames[-1]) + len(change) > FRAME_MAX_CHARS:
            frames.append("")
        frames[-1] += change
    return frames
