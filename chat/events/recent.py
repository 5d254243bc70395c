"""The committed end of a log in memory, for readers who keep up with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice

from chat.events.entry import Entry

MAX_RECENT = 64
MAX_RECENT_CHARS = 1_000_000
RECENT = timedelta(seconds=1)
"""What is kept: what came within a second, and of that as many events as the fastest answer has in
a third of one (commit.py); either is longer than a reader ever pauses (relay/pace.py)."""


class Recent:
    """Events without a gap, the newest last."""

    def __init__(self) -> None:
        self.seq = 0  # The last event's number.
        self._entries: deque[Entry] = deque()
        self._chars = 0

    def add(self, entries: Sequence[Entry]) -> None:
        """Take in what comes behind the last one."""
        self.seq = entries[-1].seq
        self._entries.extend(entries)
        self._chars += sum([len(entry.data) for entry in entries])
        since = entries[0].at - RECENT
        while len(self._entries) > 1 and (
            len(self._entries) > MAX_RECENT
            or self._chars > MAX_RECENT_CHARS
            or self._entries[0].at < since
        ):
            self._chars -= len(self._entries.popleft().data)

    def clear(self) -> None:
        """Forget all but the last event's number."""
        self._entries.clear()
        self._chars = 0

    def since(self, after: int) -> list[Entry] | None:
        """Return the events behind `after`; None where they do not all stand here."""
        if not self._entries or after + 1 < self._entries[0].seq:
            return None
        # From the end, so that a reader who keeps up pays for what is new alone.
        newest = list(islice(reversed(self._entries), max(0, self.seq - after)))
        return newest[::-1]
