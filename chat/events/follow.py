"""Reading: the log of a generation from any number on, in any process, to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from time import monotonic
from typing import Self

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from chat import metrics
from chat.events import far
from chat.events.commit import Log, live_logs
from chat.events.entry import Entry
from chat.events.rings import Bell, topic
from chat.kinds import FINAL
from chat.models import Event, Generation
from chat.prepared import Prepared
from chat.threads import in_thread

SILENCE_S = 1.0
"""After so long without a ring a reader looks into the database by itself."""

READ_ROWS = 2_000
"""At most so many events are read from the database at once."""

READ_CHARS = 500_000
"""No further event is read behind so much; one alone holds 2 MB at most (commit.py)."""

# Goes from one number to the next until either bound is reached, and touches nothing behind it.
_LAST_OF_PART = f"""
WITH RECURSIVE part(seq, rows, chars) AS (
  SELECT CAST(%s AS integer), 0, 0
  UNION ALL
  SELECT part.seq + 1, part.rows + 1, part.chars + LENGTH(event.data)
  FROM part JOIN {Event._meta.db_table} event
  ON event.generation_id = %s AND event.seq = part.seq + 1
  WHERE part.rows < %s AND part.chars < %s
) SELECT MAX(seq) FROM part
"""  # noqa: S608


class Follower:
    """Follows one log: `next` gives what came since. A context manager; for one task only.

    Args:
        after: the last seq that the reader has.
        look_s: after so long without a ring it looks into the database by itself.

    `is_behind` says whether more was there already than `next` has given.
    """

    def __init__(self, generation_id: int, after: int = 0, *, look_s: float = SILENCE_S) -> None:
        self._generation_id = generation_id
        self._look_s = look_s
        self._bell = Bell(topic(generation_id))
        self.after = after
        self.has_ended = self.is_behind = False
        self._has_left = False
        self._log: Log | None = None
        self._far: far.FarLog | None = None

    def __enter__(self) -> Self:
        self._bell.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bell.__exit__(*error)
        if self._far:
            far.end_reading(self._far)

    def leave(self) -> None:
        """Have `next` return at once from now on, also where it waits."""
        self._has_left = True
        self._bell.ring()

    async def next(self, timeout_s: float | None = None) -> list[Entry]:
        """Return the events behind `after`, at least one; [] at the end or the time-out."""
        give_up_at = None if timeout_s is None else monotonic() + timeout_s
        was_silent = False
        while not (self.has_ended or self._has_left):
            self._bell.clear()
            entries = await self._read()
            if entries:
                if was_silent:
                    metrics.news_without_ring()
                self.after = entries[-1].seq
                self.has_ended = entries[-1].kind == FINAL
                return entries
            left_s = self._look_s if give_up_at is None else give_up_at - monotonic()
            if left_s <= 0:
                break
            wait_s = min(left_s, self._look_s)
            is_rung = await self._bell.wait(wait_s)
            was_silent = not is_rung and wait_s >= SILENCE_S
        return []

    async def _read(self) -> list[Entry]:
        live = live_logs.get(self._generation_id)
        # One that was closed meanwhile still knows the end.
        log, self._log = live or self._log, live
        recent = log.since(self.after) if log else None
        self.is_behind = False
        if recent or (live and recent is not None):
            return recent
        if self._far and (recent := self._far.since(self.after)) is not None:
            return recent
        entries, is_over = await in_thread(_read_rows, self._generation_id, self.after)
        # Final and nothing left, or deleted: no event will ever come.
        self.has_ended = is_over and not entries
        if self._far is None and not is_over:
            self._far = far.begin_reading(self._generation_id)
        chars = sum(len(entry.data) for entry in entries)
        self.is_behind = len(entries) >= READ_ROWS or chars >= READ_CHARS
        return entries


async def follow(generation_id: int, after: int = 0) -> AsyncIterator[Entry]:
    """Yield the events behind `after`, seq strictly rising, until after the final one."""
    with Follower(generation_id, after) as follower:
        while entries := await follower.next():
            for entry in entries:
                yield entry


def read(generation_id: int, after: int = 0, limit: int | None = None) -> list[Entry]:
    """Return committed events from the database, for callers in a thread."""
    rows = _all_rows(generation_id, after) if limit is None else _rows(generation_id, after)[:limit]
    return [Entry(*row) for row in rows]


def recall(generation_id: int, until: int) -> list[Entry] | None:
    """Return the first events of a log, up to `until`, where this process writes it and still has
    them in memory; else None."""
    log = live_logs.get(generation_id)
    entries = log.since(0) if log and log.seq >= until else None
    return entries and entries[:until]


def _read_part(generation_id: int, after: int) -> list[Entry]:
    """Return the events behind `after`, at least one and no more than fit in memory well."""
    bounds = (after, generation_id, READ_ROWS, READ_CHARS)
    last = RawSQL(_LAST_OF_PART, bounds)  # noqa: S611  (no text of anybody's)
    return [Entry(*row) for row in _rows(generation_id, after).filter(seq__lte=last)]


def _rows(generation_id: int, after: int) -> QuerySet[Event, tuple[int, str, str, datetime]]:
    rows = Event.objects.filter(generation_id=generation_id, seq__gt=after).order_by("seq")
    return rows.values_list("seq", "kind", "data", "at")


_all_rows = Prepared(_rows, int, int)


def _read_rows(generation_id: int, after: int) -> tuple[list[Entry], bool]:
    # The state first: events that come between are then read, not missed.
    running = Generation.objects.filter(pk=generation_id, status__in=Generation.RUNNING)
    is_over = not running.exists()
    return _read_part(generation_id, after), is_over
