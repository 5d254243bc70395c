"""An answer's content blocks, built from the events of its log. Pure.

The same class serves the process that writes an answer and whoever reads one back from its log,
so both hold the same blocks. Blocks stay as the Messages API has them; one that was cut off
keeps what came of its input as text under `partial_json`, and is never sent to Claude again.
Source of the rules: Messages API, "Streaming Messages".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from chat.json_values import parse_json
from chat.kinds import REQUEST, TOOL_RESULT
from chat.pieces import Pieces

Block = dict[str, Any]

MAX_COUNT = 2**31 - 1
"""The largest number that a database's integer takes; a larger one is no count of tokens."""

# The member of a block that grows, by the delta's type and that delta's own member.
_GROWING = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "partial_json"),
}


class _OpenBlock:
    """A block between its start and its stop; pieces are joined once, at the end."""

    def __init__(self, start: Block) -> None:
        self._start = dict(start)
        self._parts: dict[str, Pieces] = {}
        self._citations: list[Any] = []
        self.is_stopped = False

    def feed(self, delta: Mapping[str, Any]) -> None:
        kind = delta.get("type")
        if kind == "citations_delta":
            self._citations.append(delta.get("citation"))
        elif kind == "compaction_delta":
            # Comes whole, as the SDK takes it (anthropic/lib/streaming/_beta_messages.py).
            self._start.update({k: v for k, v in delta.items() if k != "type" and v is not None})
        elif kind in _GROWING:
            member, source = _GROWING[kind]
            if (parts := self._parts.get(member)) is None:
                parts = self._parts[member] = Pieces()
            parts.append(_text(delta.get(source)))

    def stop(self) -> None:
        self.is_stopped = True

    @property
    def grown_chars(self) -> int:
        return sum(parts.chars for parts in self._parts.values())

    def block(self) -> Block:
        grown = {
            member: _text(self._start.get(member)) + str(parts)
            for member, parts in self._parts.items()
        }
        block: Block = {**self._start, **grown}
        if self._citations:
            earlier = block.get("citations")
            block["citations"] = [*(earlier if isinstance(earlier, list) else ()), *self._citations]
        return self._with_input(block)

    def _with_input(self, block: Block) -> Block:
        """Parse a tool's input once, when it is whole; keep it as text where it is not."""
        partial_json = block.pop("partial_json", "")
        is_whole = self.is_stopped or "input" not in block
        if not partial_json and is_whole:
            return block
        try:
            if is_whole:
                return {**block, "input": parse_json(partial_json)}
        except (ValueError, RecursionError):
            pass  # What can't be parsed, or stored, is kept as it came.
        return {**block, "partial_json": partial_json}


class Content:
    """The content of one answer, fed with the events of its log in order."""

    def __init__(self) -> None:
        self._blocks: list[_OpenBlock] = []
        self._of_request: dict[int, _OpenBlock] = {}
        self.stop_reason = ""
        self.stop_details: dict[str, Any] | None = None
        self.model = ""
        self.has_word = False
        self._usage: dict[str, Any] = {}
        self._earlier_usages: list[dict[str, Any]] = []

    def feed(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take in one event; kinds that say nothing of the content are passed over."""
        if kind == "content_block_delta":
            self._feed_delta(data)
        elif kind == "content_block_start":
            self._of_request[data["index"]] = self._add(data["content_block"])
            self.has_word = self.has_word or bool(text_of(data["content_block"]))
        elif kind == "content_block_stop":
            if open_block := self._of_request.get(data["index"]):
                open_block.stop()
        elif kind == "message_start":
            self._start_message(data["message"])
        elif kind == "message_delta":
            self._feed_message_delta(data)
        elif kind == REQUEST:
            self._of_request, self.stop_reason, self.stop_details = {}, "", None
        elif kind == TOOL_RESULT:
            self._add(tool_result(data)).stop()

    @property
    def has_begun(self) -> bool:
        """Whether the last request has a block: from then on it is not made again."""
        return bool(self._of_request)

    @property
    def is_open(self) -> bool:
        """Whether the last block has begun and not stopped."""
        return bool(self._blocks) and not self._blocks[-1].is_stopped

    @property
    def chars(self) -> int:
        """How much text came with the deltas, in characters."""
        return sum(block.grown_chars for block in self._blocks)

    @property
    def usage(self) -> dict[str, Any]:
        """The last request's usage as the API gave it, later members over earlier ones."""
        return self._usage

    def tokens(self, member: str) -> int:
        """Return the sum of a member of usage, in tokens, over all requests of the answer."""
        return sum(_count(usage.get(member)) for usage in (*self._earlier_usages, self._usage))

    def blocks(self) -> list[Block]:
        return [block.block() for block in self._blocks]

    def _add(self, start: Block) -> _OpenBlock:
        block = _OpenBlock(start)
        self._blocks.append(block)
        return block

    def _feed_delta(self, data: Mapping[str, Any]) -> None:
        # A delta of a block that never began has nowhere to go; the log still holds it.
        if block := self._of_request.get(data["index"]):
            block.feed(data["delta"])
            self.has_word = self.has_word or bool(text_of_delta(data["delta"]))

    def _start_message(self, message: Mapping[str, Any]) -> None:
        if self._usage:
            self._earlier_usages.append(self._usage)
        self._of_request = {}
        self._usage = _object(message.get("usage"))
        self.model = _text(message.get("model"))
        self.stop_reason = _text(message.get("stop_reason")) or self.stop_reason
        for index, block in enumerate(begun_blocks(message)):
            self.feed("content_block_start", {"index": index, "content_block": block})
            self.feed("content_block_stop", {"index": index})

    def _feed_message_delta(self, data: Mapping[str, Any]) -> None:
        # Usage is cumulative: overwrite, never add (Messages API, message_delta).
        usage = _object(data.get("usage"))
        self._usage.update({key: value for key, value in usage.items() if value is not None})
        delta = _object(data.get("delta"))
        self.stop_reason = _text(delta.get("stop_reason")) or self.stop_reason
        self.stop_details = _object(delta.get("stop_details")) or self.stop_details


def part_before(blocks: Sequence[Block], first_block: int, first_char: int) -> list[Block]:
    """Return the blocks before a place in an answer: a block's index, a character of its text."""
    before = list(blocks[:first_block])
    if first_char and first_block < len(blocks):
        cut = blocks[first_block]
        before.append({**cut, "text": text_of(cut)[:first_char]})
    return before


def end_of(blocks: Sequence[Block]) -> tuple[int, int]:
    """Return the place where a further part of an answer begins, as `part_before` takes it."""
    if not is_open_ended(blocks):
        return len(blocks), 0
    return len(blocks) - 1, len(text_of(blocks[-1]))


def joined(before: Sequence[Block], blocks: Sequence[Block]) -> list[Block]:
    """Return two parts of an answer as one: a text that was cut goes on in the same block."""
    if not (is_open_ended(before) and blocks and is_text(blocks[0])):
        return [*before, *blocks]
    text = text_of(before[-1]) + text_of(blocks[0])
    return [*before[:-1], {**before[-1], **blocks[0], "text": text}, *blocks[1:]]


def is_open_ended(blocks: Sequence[Block]) -> bool:
    """Whether a text that comes next belongs to the last block: no citation ends it."""
    return bool(blocks) and is_text(blocks[-1]) and not blocks[-1].get("citations")


def is_text(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text"


def text_runs(blocks: Sequence[Block]) -> Iterator[range]:
    """Yield the places of blocks that are read as one: texts side by side, others alone.

    The API begins a new text block where a cited one begins or ends (Messages API, "Citations").
    """
    start = 0
    for end in range(1, len(blocks) + 1):
        if end == len(blocks) or not (is_text(blocks[end - 1]) and is_text(blocks[end])):
            yield range(start, end)
            start = end


def text_of_delta(delta: Mapping[str, Any]) -> str:
    """Return the text of a text delta, "" of every other delta."""
    return _text(delta.get("text")) if delta.get("type") == "text_delta" else ""


def text_of_event(kind: str, data: Mapping[str, Any]) -> str:
    """Return what an event brings of the answer's text."""
    if kind == "content_block_delta":
        return text_of_delta(data["delta"])
    if kind == "content_block_start":
        return text_of(data["content_block"])
    return plain_text(begun_blocks(data["message"])) if kind == "message_start" else ""


def begun_blocks(message: Mapping[str, Any]) -> list[Block]:
    """Return the blocks that a message begins with: where code that Claude wrote calls a tool."""
    content = message.get("content")
    return [b for b in content if isinstance(b, dict)] if isinstance(content, list) else []


def tool_result(data: Mapping[str, Any]) -> Block:
    """Return the block of what a tool of this site answered (Messages API, "Tool use").

    Args:
        data: of a `tool_result` event.
    """
    return {"type": TOOL_RESULT, **data}


def plain_text(blocks: Iterable[Block]) -> str:
    """Return what a person reads as the answer: its text blocks, and nothing else."""
    return "".join(text_of(block) for block in blocks)


def text_of(block: Block) -> str:
    """Return the text of a text block, "" of every other block."""
    return _text(block.get("text")) if is_text(block) else ""


# What a server sends may be of any type; a wrong one must not keep an answer from its end.


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value <= MAX_COUNT else 0
