"""`python -m tests.load.upstream PORT`: the Messages API as cheaply as it can be served.

It frames events as Claude does (Messages API, "Streaming"), each delta as an event and a chunk of
its own, on a schedule that the prompt sets (plan.py). Where the schedule is "as fast as they are
taken", many deltas go out in one write. `GET /closings` tells when streams were closed before
their end, by the names of their plans, in microseconds of the stamps' clock.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
from collections.abc import Iterator

from chat.demo.wire import frame
from tests.api_events import message_start, sse
from tests.load.plan import Plan
from tests.load.stamps import PLACE, first_stamp, now_us, stamp
from tests.load.texts import KINDS, Kind, pieces

BATCH = 256
"""So many deltas go out in one write where they go as fast as they are taken."""

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_STREAM = (
    b"HTTP/1.1 200 OK\r\n"
    b"Content-Type: text/event-stream; charset=utf-8\r\n"
    b"Cache-Control: no-cache\r\n"
    b"request-id: req_bench\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_END = b"0\r\n\r\n"
_NO_TEXT = {"type": "text", "text": ""}


def delta_parts(kind: Kind) -> list[tuple[bytes, bytes | None]]:
    """Return the events of a text's deltas, cut where the stamp goes; None where none does."""
    events = (
        frame("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": piece}})
        for piece in pieces(kind)
    )
    return [_cut(event) for event in events]


def _cut(event: bytes) -> tuple[bytes, bytes | None]:
    before, found, after = event.partition(PLACE.encode())
    return before, after if found else None


_PARTS = {kind: delta_parts(kind) for kind in KINDS}


def opening(name: str) -> bytes:
    return b"".join(
        [
            sse(message_start(f"msg_{name}")),
            frame("content_block_start", {"index": 0, "content_block": _NO_TEXT}),
            frame("ping", {}),
        ]
    )


def ending(deltas: int) -> bytes:
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return b"".join(
        [
            frame("content_block_stop", {"index": 0}),
            frame("message_delta", {"delta": ended, "usage": {"output_tokens": deltas}}),
            frame("message_stop", {}),
        ]
    )


def chunk(data: bytes) -> bytes:
    """Frame a piece of a body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Answer:
    """One answer on its way out."""

    def __init__(self, plan: Plan, transport: asyncio.Transport) -> None:
        self.plan = plan
        self.sent = 0
        self._asked_us = now_us()
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._begun_at = self._loop.time()
        self._events = self._deltas()
        self._timer: asyncio.TimerHandle | None = None
        transport.write(_STREAM + chunk(opening(plan.name)))

    @property
    def is_over(self) -> bool:
        return self.sent == self.plan.deltas

    def send_due(self) -> None:
        """Send what is due by now, and come back by itself when more is.

        Where deltas go as fast as they are taken this is a batch, and the caller comes back.
        """
        if self.plan.per_s:
            for _ in range(self._due() - self.sent):
                self._transport.write(chunk(next(self._events)))
        else:
            self._transport.write(chunk(b"".join(itertools.islice(self._events, BATCH))))
        if self.is_over:
            self._transport.write(chunk(ending(self.plan.deltas)) + _END)
        elif self.plan.per_s:
            due_at = self._begun_at + self.sent / self.plan.per_s
            self._timer = self._loop.call_at(due_at, self.send_due)

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _due(self) -> int:
        # A timer may be early by less than the clock can tell.
        elapsed = (self._loop.time() - self._begun_at) * self.plan.per_s + 1e-3
        return min(self.plan.deltas, 1 + int(elapsed))

    def _deltas(self) -> Iterator[bytes]:
        stamped_us = 0
        parts = itertools.cycle(_PARTS[self.plan.kind])
        for before, after in itertools.islice(parts, self.plan.deltas):
            self.sent += 1
            if after is None:
                yield before
                continue
            # Two of one microsecond could not be told apart.
            is_first, stamped_us = not stamped_us, max(now_us(), stamped_us + 1)
            words = first_stamp(self._asked_us, stamped_us) if is_first else stamp(stamped_us)
            yield before + words.encode() + after


class Connection(asyncio.Protocol):
    """One connection of a client, for one request after the other."""

    _transport: asyncio.Transport

    def __init__(self, closings: dict[str, int]) -> None:
        self._closings = closings
        self._request = b""
        self._answer: Answer | None = None
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._request += data
        head, found, body = self._request.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or len(body) < (int(length[1]) if length else 0):
            return
        self._request = b""
        if head.startswith(b"GET /closings "):
            return self._tell_closings()
        self._answer = Answer(Plan.last_in(body), self._transport)
        self._send()

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        if self._answer and not (self._answer.plan.per_s or self._answer.is_over):
            self._send()

    def eof_received(self) -> None:
        self._note_closing()

    def connection_lost(self, error: Exception | None) -> None:
        self._note_closing()

    def _send(self) -> None:
        assert self._answer
        self._answer.send_due()
        while not (self._answer.plan.per_s or self._answer.is_over or self._is_paused):
            self._answer.send_due()

    def _note_closing(self) -> None:
        if self._answer and not self._answer.is_over:
            self._closings.setdefault(self._answer.plan.name, now_us())
            self._answer.cancel()

    def _tell_closings(self) -> None:
        body = json.dumps(self._closings).encode()
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def serve(port: int) -> None:
    closings: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(closings), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
