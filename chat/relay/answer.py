"""A running answer as one reader sees it: events go in, frames come out.

Words are held back until they end. What is held is never more than the last word, and `frames`
gives it out, whole graphemes at least, when it is told that the wait has been long enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from chat import fragments
from chat.blocks import BlockView, failures_by_tool, view_block, view_blocks
from chat.content import (
    Block,
    begun_blocks,
    is_open_ended,
    is_text,
    plain_text,
    text_of,
    text_runs,
    tool_result,
)
from chat.durations import Durations
from chat.events import Entry
from chat.fragments import NewText, Step, steps_frame
from chat.json_values import parse_own
from chat.kinds import FINAL, TOOL_RESULT
from chat.relay.batches import joined
from chat.relay.block import LiveBlock
from chat.relay.text import LiveText
from chat.render import Change, digest_of
from chat.transcript import MessageView, block_id, earlier_blocks
from chat.waits import Waits

PROGRESS_CHARS = 500
"""The page is told how much it has received whenever so much more came, in characters."""


class LiveAnswer:
    """Turns the log of one answer into frames. Pure: it waits for nothing."""

    def __init__(self, view: MessageView) -> None:
        assert view.generation is not None  # noqa: S101  (for the types)
        earlier = earlier_blocks(view.message, view.generation)
        self.seq = 0
        self.held = 0
        """How many characters of the last event's text the last frames did not show yet."""
        self.characters = len(plain_text(earlier))
        self._earlier = earlier
        self._view = view
        self.generation_id = view.generation.pk
        self._durations = Durations()
        # Of this generation, begun and not stopped, by their index in its request.
        self._blocks: dict[int, LiveBlock | LiveText] = {}
        # What a text that begins goes on with, until something else begins.
        self._text = self._last_text()
        self._goes_on = is_open_ended(earlier)
        # Those whose label is not the last one: they think, or wait for a result.
        self._running: list[LiveBlock] = []
        self._failures = failures_by_tool(earlier)
        self._digests: dict[int, bytes] = {}
        # Whether the page shows what depends on the pieces that it got.
        self._is_peculiar = False
        # Of the blocks begun so far: how many in all, and how many of this generation.
        self._count, self._own = len(earlier), 0
        self._is_resuming = self._is_wait_new = False
        self._changes: list[Step | str | NewText] = []
        self._waits = Waits()
        # What the page says of the progress; None where that is not known.
        self._told: tuple[bool, int] | None = None

    @property
    def work_chars(self) -> int:
        """How much text the next frames may have to parse, in characters."""
        return sum([block.work_chars for block in self._open()])

    def corrections(self, rendered: Sequence[str]) -> list[Step] | None:
        """Return steps that make of each text the HTML that it has at the end.

        None where they can't: the message is not the one that was shown.
        """
        if any(number >= len(rendered) for number in self._digests):
            return None
        return [
            fragments.text_step(self._element_id(number), Change("reset", 0, rendered[number]))
            for number, digest in self._digests.items()
            if digest_of(rendered[number]) != digest
        ]

    def view(self) -> MessageView:
        """Return the answer's state without its blocks."""
        return replace(
            self._view,
            blocks=(),
            seq=self.seq,
            held=self.held,
            characters=self.characters,
            retry=self._waits.retry,
            questions=self._waits.questions,
            tools=self._waits.tools,
        )

    def resume(self, entries: list[Entry], held: int) -> None:
        """Take in what the reader shows already, all but the last `held` characters."""
        self._is_resuming = True
        if self._text:
            self._text.is_unsure = True
        for entry in entries:
            self.feed(entry)
        for block in self._open():
            self.characters += block.skip(held)
            self.held += len(block.held)
        self._changes, self._is_wait_new, self._is_resuming = [], False, False

    def show_earlier(self) -> None:
        """Have the frames begin with what earlier generations wrote, which is not shown yet."""
        self._text, self.characters = None, 0
        views = view_blocks(self._earlier, [], self._view.message.durations_s or ())
        for number, block in enumerate(self._earlier):
            if is_text(block):
                self._text_at(number).add(text_of(block))
            else:
                self._end_text()
                self._add(number, views[number])
        if self._text:
            self._release(self._text, stopped=True)

    def feed(self, entry: Entry) -> None:
        """Take in one event."""
        data = parse_own(entry.data)
        self.seq = entry.seq
        if entry.kind == "content_block_delta":
            # First, because nearly all events are deltas, of which nothing else is to be known.
            if block := self._blocks.get(data["index"]):
                block.feed(data)
            return
        self._durations.feed(entry.kind, data, entry.at)
        self._is_wait_new |= self._waits.feed(entry.kind, data)
        if entry.kind == "content_block_start":
            self._start_block(data)
        elif entry.kind == "content_block_stop":
            self._end_block(data["index"], is_whole=True)
        elif entry.kind == "message_start":
            for index, begun in enumerate(begun_blocks(data["message"])):
                self._start_block({"index": index, "content_block": begun})
                self._end_block(index, is_whole=True)
        elif entry.kind == TOOL_RESULT:
            self._add_result(tool_result(data))
        elif entry.kind in ("message_stop", FINAL):
            for index in list(self._blocks):
                self._end_block(index, is_whole=False)
        if entry.kind == FINAL:
            self._end_text()
            self._label_ended(is_final=True)

    def frames(self, *, overdue: bool) -> list[str]:
        """Return what changed since the last call, as frames in order; [] where nothing did.

        Args:
            overdue: whether what is held has waited long enough.
        """
        self.held = 0
        for block in self._open():
            self._release(block, overdue=overdue)
            self.held += len(block.held)
        if not self._changes and not self._is_wait_new:
            return []
        changes, is_wait_new = self._changes, self._is_wait_new
        self._changes, self._is_wait_new = [], False
        told, self._told = self._told, (bool(self.characters), self.characters // PROGRESS_CHARS)
        is_new = told is None or told[0] != self._told[0] or is_wait_new
        if is_new or [change for change in changes if not isinstance(change, Step)]:
            changes.append(self._status())
        elif told != self._told:
            changes.append(fragments.more_progress(self.view()))
        *before, last = joined(changes)
        frames = [self._frame(batch, None, None) for batch in before]
        if before and isinstance(before[0], str):
            # Between two frames the page shows no position that could be gone on from.
            frames.insert(0, fragments.unplaced(self.view()))
        if self._is_peculiar:
            # Who comes back gets the message whole.
            return [*frames, self._frame(last, None, None), self._frame([], None, None)]
        return [*frames, self._frame(last, self.seq, self.held)]

    def _frame(self, batch: str | list[Step], seq: int | None, held: int | None) -> str:
        return (
            batch if isinstance(batch, str) else steps_frame(self.generation_id, batch, seq, held)
        )

    def _status(self) -> str:
        """Return what the page says of the answer, with its position."""
        is_waiting = self._waits.retry or self._waits.questions or self._waits.tools
        if (self.characters and not is_waiting) or not self._view.is_running:
            # How it ended comes once, behind the last of its log.
            return fragments.progress(self.view())
        return fragments.status(self.view())

    def _start_block(self, data: dict[str, Any]) -> None:
        index, block = data["index"], data["content_block"]
        self._end_block(index, is_whole=False)
        number = self._next_number(block)
        span = self._durations.spans[self._own]
        self._own += 1
        if is_text(block):
            self._blocks[index] = text = self._text_at(number)
            text.add(text_of(block))
            return
        self._end_text()
        self._failures |= failures_by_tool([block])
        self._blocks[index] = live = LiveBlock(self._element_id(number), data, span)
        self._add(number, live.begun(self._failures))
        self._running += [live] if live.is_running else []
        # It may be the result that a tool was waiting for.
        self._label_ended()

    def _add_result(self, block: Block) -> None:
        """Show what a tool of this site answered, which comes whole."""
        number = self._next_number(block)
        self._own += 1
        self._end_text()
        self._failures |= failures_by_tool([block])
        self._add(number, view_block(block, failures=self._failures))
        self._label_ended()

    def _end_block(self, index: int, *, is_whole: bool) -> None:
        if (block := self._blocks.pop(index, None)) is None:
            return
        self._release(block, stopped=True)
        if isinstance(block, LiveText):
            if block is not self._text and block not in self._blocks.values():
                self._close(block)
            return
        self._changes.extend(block.end(is_whole=is_whole))
        self._label_ended()

    def _next_number(self, block: Block) -> int:
        """Return the number of the next block in the message's content (content.joined)."""
        goes_on, self._goes_on = self._goes_on and is_text(block), False
        self._count += not goes_on
        return self._count - 1

    def _label_ended(self, *, is_final: bool = False) -> None:
        """Say how long those took that have ended; at the end nothing goes on."""
        for block in [b for b in self._running if is_final or not b.is_running]:
            self._running.remove(block)
            self._changes.append(block.label(self._failures))

    def _last_text(self) -> LiveText | None:
        """Return the text that the answer ends with so far, which the reader shows."""
        *_, run = [range(0), *text_runs(self._earlier)]
        if not run or not is_text(self._earlier[run.start]):
            return None
        shown = plain_text(self._earlier[at] for at in run)
        return LiveText(self._element_id(run.start), run.start, shown=shown)

    def _text_at(self, number: int) -> LiveText:
        """Return the text that goes on here, or else one that begins."""
        if self._text is None:
            is_unsure = self._is_resuming
            self._text = LiveText(self._element_id(number), number, is_unsure=is_unsure)
            self._changes.append(NewText(self._view.message.pk, self._element_id(number)))
        return self._text

    def _end_text(self) -> None:
        """Have no text go on here; it ends as soon as all of its blocks have."""
        text, self._text = self._text, None
        if text and text not in self._blocks.values():
            self._close(text)

    def _close(self, text: LiveText) -> None:
        self._release(text, stopped=True)
        self._changes.extend(text.close())
        self._is_peculiar |= text.has_given_up
        self._digests[text.number] = text.digest

    def _release(
        self, block: LiveBlock | LiveText, *, overdue: bool = False, stopped: bool = False
    ) -> None:
        changes, characters = block.release(overdue=overdue, stopped=stopped)
        if changes:
            self._changes += changes
            self._is_peculiar |= block.has_given_up
        self.characters += characters

    def _add(self, number: int, view: BlockView) -> None:
        element_id = self._element_id(number)
        self._changes.append(fragments.add_block(self._view.message.pk, element_id, view))

    def _open(self) -> Iterable[LiveBlock | LiveText]:
        # A text stands under several indexes where its blocks overlap.
        blocks = self._blocks.values()
        return blocks if len(blocks) < 2 else list(dict.fromkeys(blocks))

    def _element_id(self, number: int) -> str:
        return block_id(self.generation_id, number)
