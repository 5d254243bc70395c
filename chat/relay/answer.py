"""A running answer as one reader sees it: events go in, fragments come out.

Words are held back until they end. What is held is never more than the last word, and `frame`
gives it out, whole graphemes at least, when it is told that the wait has been long enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chat import fragments
from chat.content import begun_blocks, plain_text, text_of
from chat.events import Entry
from chat.kinds import FINAL, REQUEST, RETRY
from chat.relay.block import FRAME_MAX_CHARS, LiveBlock
from chat.render import digest_of
from chat.transcript import MessageView, block_id, earlier_blocks

PROGRESS_CHARS = 200
"""The page is told how much it has received whenever so much more came, in characters."""


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
        self._blocks: dict[int, LiveBlock] = {}
        self._digests: dict[int, bytes] = {}
        self._count = len(earlier)
        self._changes: list[str] = []
        # Of a request that is made again: what the page says while it waits.
        self._retry: dict[str, Any] | None = None
        self._is_wait_new = False
        # What the page says of the progress; None where that is not known.
        self._told: tuple[bool, int] | None = None

    @property
    def held(self) -> int:
        """How many characters of the last event's text are not shown yet."""
        return sum(len(block.held) for block in self._blocks.values())

    @property
    def work_chars(self) -> int:
        """How much text the next frames may have to parse, in characters."""
        return sum(block.work_chars for block in self._blocks.values())

    def is_shown_as(self, rendered: Sequence[str]) -> bool:
        """Whether what was shown is the same as the HTML of the message's blocks, at the end."""
        return all(
            number < len(rendered) and digest_of(rendered[number]) == digest
            for number, digest in self._digests.items()
        )

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
        frames = _joined(self._changes)
        if len(frames) > 1:
            # Between two frames the page shows no position that could be gone on from.
            frames[0] = fragments.unplaced(self.view()) + frames[0]
        frames[-1] += self._status(is_short=len(frames) == 1 and not self._is_wait_new)
        self._changes, self._is_wait_new = [], False
        return frames

    def _status(self, *, is_short: bool) -> str:
        """Return the page's new position, with what it says of the progress now and then."""
        news = bool(self.characters), self.characters // PROGRESS_CHARS
        if is_short and news == self._told:
            return fragments.place(self.view())
        self._told = news
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
        block = LiveBlock(block_id(self._generation_id, self._count - 1), self._count - 1, data)
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
            if block.is_text:
                self._digests[block.number] = block.digest

    def _release(self, block: LiveBlock, *, overdue: bool = False, stopped: bool = False) -> None:
        changes, characters = block.release(overdue=overdue, stopped=stopped)
        self._changes.extend(changes)
        self.characters += characters


def _joined(changes: list[str]) -> list[str]:
    """Join fragments into as few frames as their size allows."""
    frames = [""]
    for change in changes:
        if frames[-1] and len(frames[-1]) + len(change) > FRAME_MAX_CHARS:
            frames.append("")
        frames[-1] += change
    return frames
