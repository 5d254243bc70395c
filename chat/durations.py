"""How long the blocks of an answer took, from the times of the events of its log. Pure.

Thinking lasts from its start to its stop; a tool until its result begins or, where none comes,
to its own stop. Blocks are numbered as in content.py; a text has no duration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chat.content import Block, begun_blocks, tool_result
from chat.kinds import TOOL_RESULT

TOOL_USES = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
"""The types of blocks that call a tool."""

RESULT = "tool_result"
"""So ends the type of a block that brings what came of a tool."""

_TIMED = TOOL_USES | {"thinking", "redacted_thinking"}


@dataclass
class Span:
    """When a block began, and when it ended: None where it did not yet, or was cut off."""

    began_at: datetime
    ended_at: datetime | None = None
    # A tool's result may still come, so that its end is not the last word.
    is_awaited: bool = False

    @property
    def is_running(self) -> bool:
        return self.ended_at is None or self.is_awaited

    @property
    def seconds(self) -> float | None:
        if self.ended_at is None:
            return None
        # A clock can be set back.
        return round(max(0.0, (self.ended_at - self.began_at).total_seconds()), 3)


class Durations:
    """Times the blocks of one answer, fed with the events of its log in order."""

    def __init__(self) -> None:
        self.spans: list[Span | None] = []
        self._of_request: dict[int, Span | None] = {}
        self._of_tool: dict[str, Span] = {}

    def feed(self, kind: str, data: Mapping[str, Any], at: datetime) -> None:
        """Take in one event; kinds that begin and end no block are passed over."""
        if kind == "content_block_start":
            self._start(data["content_block"], at)
            self._of_request[data["index"]] = self.spans[-1]
        elif kind == "content_block_stop":
            span = self._of_request.get(data["index"])
            if span and span.ended_at is None:
                span.ended_at = at
        elif kind == TOOL_RESULT:
            self._start(tool_result(data), at)
        elif kind == "message_start":
            # Blocks that a message begins with were made before it: nobody knows when.
            self.spans += [None] * len(begun_blocks(data["message"]))
            self._of_request = {}

    def seconds(self) -> list[float | None]:
        """Return each block's duration in seconds; None where there is none, or not yet."""
        return [span.seconds if span else None for span in self.spans]

    def _start(self, block: Block, at: datetime) -> None:
        kind = str(block.get("type"))
        span = Span(at, is_awaited=kind in TOOL_USES) if kind in _TIMED else None
        self.spans.append(span)
        if span and span.is_awaited:
            self._of_tool[str(block.get("id"))] = span
        if not kind.endswith(RESULT):
            return
        if tool := self._of_tool.pop(str(block.get("tool_use_id")), None):
            tool.ended_at, tool.is_awaited = at, False


def all_seconds(
    stored: Sequence[float | None], own: Sequence[float | None], *, before: int, total: int
) -> list[float | None]:
    """Return the durations of an answer's blocks: of its earlier parts, and a further one's own.

    Args:
        stored: what is known of the answer so far; may be longer or shorter than its blocks.
        before: how many blocks stand before the further part.
        total: how many there are in all; where a text goes on, one less than there were in both.
    """
    kept = [*stored, *[None] * before][:before]
    return [*kept, *own[before + len(own) - total :]]
