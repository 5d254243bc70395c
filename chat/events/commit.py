"""Writing: one Log a generation, one Committer a process (group commit).

While one commit runs, what arrives waits for the next, so that the delay adapts to the load. With
many answers there is a pause between two commits: each takes a thread and the database the same.
The committer's thread keeps a database connection of its own for as long as it lives.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from chat import metrics
from chat.events.entry import Entry, Pending
from chat.events.recent import Recent
from chat.events.rings import ring, ring_readers_here, topic
from chat.events.rows import write
from chat.threads import OwnThread

MAX_PENDING_CHARS = 1_000_000
"""What one log may hold uncommitted before its writer has to wait."""

COMMIT_PATIENCE_S = 25.0
"""How long a commit is tried again while the database is locked or away."""

COMMIT_RETRY_S = 0.2

COMMIT_INTERVAL_S = 0.005
"""From the beginning of a commit of several answers to that of the next; nobody sees so short a
time. A single answer never waits for it, and one that has just begun does not either."""

FIRST_EVENTS = 4
"""So many come up to an answer's first word, which a person waits for."""

T = TypeVar("T")
R = TypeVar("R")

live_logs: dict[int, Log] = {}
"""The logs that this process writes, by generation id."""

_share: Callable[[int, Sequence[Entry]], None] | None = None


class LogClosed(Exception):
    """The generation is gone, final, or another process's: nothing can be appended to it."""


class Log:
    """The only writer of one generation's log. Not safe to use from more than one task.

    Args:
        process_id: the owner, which every commit checks.
        seq: the last number in use.
    """

    def __init__(
        self, generation_id: int, process_id: UUID, committer: Committer, *, seq: int = 0
    ) -> None:
        self.generation_id = generation_id
        self.process_id = process_id
        self.seq = seq
        self.committer = committer
        self._pending: list[Pending] = []
        self._pending_chars = 0
        self._in_flight = False
        self._settled: asyncio.Event | None = None  # for who flushes
        self._error: Exception | None = None
        self._recent = Recent()
        live_logs[generation_id] = self

    async def append(self, kind: str, data: dict[str, Any], at: datetime | None = None) -> None:
        """Hand an event to the next commit; wait only where too much waits already.

        Args:
            at: when it arrived; now, where nothing is given.

        Raises:
            LogClosed: an earlier append was refused.
            DatabaseError: an earlier append failed for COMMIT_PATIENCE_S.
        """
        if self._error:
            raise self._error
        if not (self._pending and self._pending[-1].join(kind, data)):
            self._pending.append(Pending(kind, data, at or datetime.now(UTC)))
        self._pending_chars += self._pending[-1].newest_chars
        self.committer.wake(self)
        if self._pending_chars > MAX_PENDING_CHARS:
            await self.flush()

    async def flush(self) -> None:
        """Return when everything appended so far is committed; raises as `append` does."""
        while (self._pending or self._in_flight) and not self._error:
            self._settled = asyncio.Event()
            await self._settled.wait()
        if self._error:
            raise self._error

    def close(self, final: Entry | None) -> None:
        """Forget the log, after `final` was committed by other means, and wake its readers."""
        live_logs.pop(self.generation_id, None)
        if final:
            self.committed([final])
        else:
            ring(topic(self.generation_id))

    def since(self, after: int) -> list[Entry] | None:
        """Return the committed events behind `after`, or None where memory does not reach."""
        if after >= self.seq:
            return []
        return self._recent.since(after)

    def take(self) -> list[Entry]:
        """Number what is pending; the committer alone calls this."""
        # What follows something that was refused would leave a gap.
        taken, self._pending, self._pending_chars = self._pending, [], 0
        if self._error:
            return []
        self._in_flight = bool(taken)
        return [pending.entry(self.seq + n) for n, pending in enumerate(taken, start=1)]

    def committed(self, entries: Sequence[Entry]) -> None:
        """Show what was committed to its readers, in this process and in others."""
        self.seq = entries[-1].seq
        self._recent.add(entries)
        self._settle(None)
        ring_readers_here(self.generation_id, entries[-1].kind)
        if _share:
            _share(self.generation_id, entries)

    def refused(self, error: Exception) -> None:
        """Make every further append raise `error`."""
        self._settle(error)

    def _settle(self, error: Exception | None) -> None:
        self._in_flight = False
        self._error = error
        if self._settled:
            self._settled.set()


class Committer:
    """Commits what all logs of the process have pending, one group at a time."""

    def __init__(self) -> None:
        self._waiting: dict[int, Log] = {}
        self._task: asyncio.Task[None] | None = None
        # Its own connection: the log does not wait for a place in the pool.
        self._thread = OwnThread("log-writer")
        self._has_given_up = threading.Event()
        self._next_at = 0.0  # of the loop's clock
        self._pause: asyncio.Future[None] | None = None

    def wake(self, log: Log) -> None:
        """Have `log` committed with the next group."""
        self._waiting[log.generation_id] = log
        if self._pause and log.seq < FIRST_EVENTS:
            _end(self._pause)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_all(), name="commit")

    async def close(self) -> None:
        """Commit what waits, then end the thread and its database connection."""
        if self._task:
            await self._task
        await self._thread.close()

    def give_up(self) -> None:
        """Wait for a database that is away no longer: the process ends."""
        self._has_given_up.set()

    def patiently(self, write: Callable[[T], R], argument: T) -> R:
        """Call `write` in this thread; while the database is locked or away, again and again.

        `write` is one transaction, so that a call that failed has done nothing.

        Raises:
            DatabaseError: after COMMIT_PATIENCE_S, or at once where waiting can't help.
        """
        give_up_at = time.monotonic() + COMMIT_PATIENCE_S
        while True:
            try:
                return write(argument)
            except (OperationalError, InterfaceError):
                connection.close()
                if time.monotonic() > give_up_at or self._has_given_up.wait(COMMIT_RETRY_S):
                    raise
            except DatabaseError:
                connection.close()
                raise

    async def _commit_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if (pause_s := self._next_at - loop.time()) > 0:
                await self._wait(pause_s)
            began_at = loop.time()
            logs, self._waiting = self._waiting, {}
            groups = {log: rows for log in logs.values() if (rows := log.take())}
            # The first word of an answer comes right behind what opens it.
            self._next_at = began_at + COMMIT_INTERVAL_S if len(groups) > 1 else began_at
            if groups:
                await self._commit(groups)

    async def _wait(self, pause_s: float) -> None:
        """Wait for more answers to be committed together, unless one of them has just begun."""
        if any(log.seq < FIRST_EVENTS for log in self._waiting.values()):
            return
        loop = asyncio.get_running_loop()
        self._pause = loop.create_future()
        timer = loop.call_later(pause_s, _end, self._pause)
        try:
            await self._pause
        finally:
            timer.cancel()
            self._pause = None

    async def _commit(self, groups: dict[Log, list[Entry]]) -> None:
        began = time.monotonic()
        try:
            written = await self._thread.call(self.patiently, write, groups)
        except Exception as error:  # Every writer learns of it; none waits for ever.
            for log in groups:
                log.refused(error)
            return
        for log, entries in groups.items():
            if log.generation_id in written:
                log.committed(entries)
            else:
                log.refused(LogClosed(f"generation {log.generation_id}"))
        # Once for all: a number for each event would cost more than the event.
        _measure([groups[log] for log in groups if log.generation_id in written], began)


def _end(pause: asyncio.Future[None]) -> None:
    if not pause.done():
        pause.set_result(None)


def _measure(committed: list[list[Entry]], began: float) -> None:
    if committed:
        metrics.group_committed(
            sum(len(entries) for entries in committed),
            took_s=time.monotonic() - began,
            oldest_s=(datetime.now(UTC) - min(e[0].at for e in committed)).total_seconds(),
        )


def share_by(share: Callable[[int, Sequence[Entry]], None] | None) -> None:
    """Have what is committed handed to `share` as well, for readers in other processes."""
    global _share
    _share = share
