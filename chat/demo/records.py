"""What the server keeps about the requests it got, for tests and for the log.

A record holds the request's body; the lines of the log hold no text of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Peer: TypeAlias = Literal["client", "server"]
Log: TypeAlias = Callable[[dict[str, Any]], None]


class Changes:
    """Wakes those who wait for a condition, each time that it may have become true."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    def notify(self) -> None:
        if not self._waiters:
            return
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> None:
        """Return as soon as `condition()` holds. Raises: TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                waiter = asyncio.get_running_loop().create_future()
                self._waiters.append(waiter)
                await waiter


@dataclass(slots=True, eq=False)
class RequestRecord:
    """One request. Times are seconds of `time.time()`, None until it happened."""

    id: str
    method: str
    path: str
    headers: Mapping[str, str]
    has_key: bool
    started_at: float
    body: Any = None
    size_bytes: int = 0
    scenario: str | None = None
    attempt: int = 0
    status: int | None = None
    first_byte_at: float | None = None
    closed_at: float | None = None
    closed_by: Peer | None = None
    events_sent: int = 0
    is_logged: bool = False
    _changes: Changes = field(default_factory=Changes, repr=False)

    def sent_byte(self) -> None:
        if self.first_byte_at is None:
            self.first_byte_at = time.time()

    def sent_event(self) -> None:
        self.events_sent += 1
        self._changes.notify()

    def close(self, peer: Peer) -> bool:
        """Note who ended the exchange; the first call counts and returns True."""
        if self.closed_at is not None:
            return False
        self.closed_at, self.closed_by = time.time(), peer
        self._changes.notify()
        return True


class Book:
    """The newest records, bounded in number and in bytes of their bodies."""

    def __init__(
        self, log: Log | None, *, keep: int = 10_000, keep_bytes: int = 64_000_000
    ) -> None:
        self.records: list[RequestRecord] = []
        self.changes = Changes()
        self._log = log
        self._keep, self._keep_bytes = keep, keep_bytes
        self._size_bytes = 0

    def open(self, record: RequestRecord) -> None:
        record._changes = self.changes
        self.records.append(record)
        self._drop_oldest()
        self.changes.notify()

    def read(self, record: RequestRecord, body: Any, size_bytes: int) -> None:
        """Keep the body of a request that was read whole."""
        record.body, record.size_bytes = body, size_bytes
        self._size_bytes += size_bytes
        self._drop_oldest()

    def note_start(self, record: RequestRecord) -> None:
        """Log the request, as soon as it is known what it asks for; once."""
        if record.is_logged:
            return
        record.is_logged = True
        body = record.body if isinstance(record.body, Mapping) else {}
        self._write(
            "request",
            record,
            at=record.started_at,
            model=body.get("model"),
            stream=body.get("stream") is True,
            scenario=record.scenario,
            attempt=record.attempt,
        )

    def close(self, record: RequestRecord, peer: Peer) -> None:
        if record.close(peer):
            self.note_start(record)
            self._write(
                "closed",
                record,
                at=record.closed_at,
                started_at=record.started_at,
                first_byte_at=record.first_byte_at,
                closed_by=record.closed_by,
                events_sent=record.events_sent,
                status=record.status,
            )

    def _drop_oldest(self) -> None:
        while len(self.records) > self._keep or (
            self._size_bytes > self._keep_bytes and len(self.records) > 1
        ):
            self._size_bytes -= self.records.pop(0).size_bytes

    def _write(self, event: str, record: RequestRecord, **facts: Any) -> None:
        if self._log is not None:
            named = {"method": record.method, "path": record.path}
            self._log({"event": event, "id": record.id, **named, **facts})
