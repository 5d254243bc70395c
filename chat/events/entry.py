"""An event as it travels in memory, and which deltas may be joined into one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from chat.json_values import write_own

DELTA = "content_block_delta"

# The member that holds the text of a delta that can be joined, by the delta's type
# (Messages API, "Streaming", content block delta types). Others stay events of their own.
_JOINED_MEMBER = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
}


class Entry(NamedTuple):
    """A committed event: `data` is JSON text, `at` the owner's clock when it arrived."""

    seq: int
    kind: str
    data: str
    at: datetime


class Pending:
    """An event that waits for its commit; deltas of the same block and type are joined to it."""

    __slots__ = ("_data", "_member", "_parts", "at", "kind")

    def __init__(self, kind: str, data: dict[str, Any], at: datetime) -> None:
        self.kind = kind
        self.at = at
        self._data = data
        self._member = _JOINED_MEMBER.get(_delta_type(data), "") if kind == DELTA else ""
        self._parts: list[str] = [data["delta"][self._member]] if self._member else []

    @property
    def newest_chars(self) -> int:
        """How much text the last delta brought, in characters; 0 for every other event."""
        return len(self._parts[-1]) if self._parts else 0

    def join(self, kind: str, data: dict[str, Any]) -> bool:
        """Take in a further delta; False where it has to be an event of its own."""
        if not self._member or kind != DELTA or data["index"] != self._data["index"]:
            return False
        if _delta_type(data) != _delta_type(self._data):
            return False
        self._parts.append(data["delta"][self._member])
        return True

    def entry(self, seq: int) -> Entry:
        """Return the event under the number that it is committed with."""
        data = self._data
        if len(self._parts) > 1:
            delta = {**data["delta"], self._member: "".join(self._parts)}
            data = {**data, "delta": delta}
        return Entry(seq, self.kind, write_own(data), self.at)


def _delta_type(data: dict[str, Any]) -> str:
    return str(data["delta"].get("type", ""))
