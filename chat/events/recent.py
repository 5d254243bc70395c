"""The committed end of a log in memory, for readers who keep up with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from chat.events.entry import Entry

MAX_RECENT = 100
MAX_RECENT_CHARS = 1_000_000
"""What is kept: as many events as the fastest answer has in a second, which is longer than a
reader ever pauses (relay/pace.py)."""


class Recent:
    """Events without a gap, the newest last."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._chars = 0

    @property
    def seq(self) -> int:
        """The last event's number; 0 where none is kept."""
        return self._entries[-1].seq if self._entries else 0

    def add(self, entries: Sequence[Entry]) -> None:
        """Take in what comes behind the last one."""
        self._entries.extend(entries)
        self._chars += sum([len(entry.data) for entry in entries])
        while self._keeps_too_much():
            self._chars -= len(self._entries.popleft().data)

    def clear(self) -> None:
        self._entries.clear()
        self._chars = 0

    def since(self, after: int) -> list[Entry] | None:
        """Return the events behind `after`; None where they do not all stand here."""
        if not self._entries or after + 1 < self._entries[0].seq:
            return None
        # From the end, so that a reader who keeps up pays for what is new alone.
        newest = list(islice(reversed(self._entries), max(0, self.seq - after)))
        return newest[::-1]

    def _keeps_too_much(self) -> bool:
        count = len(self._entries)
        return count > MAX_RECENT or (count > 1 and self._chars > MAX_RECENT_CHARS)
