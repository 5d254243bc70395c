"""A generation's log for a program: as it grows, for as long as its reader may read.

Follower -> entries (with a beat in every silence) -> the view's own events
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse

from chat import errors, services, sockets, worker
from chat.events import Entry, Follower
from chat.models import Generation, User
from chat.relay import guarding
from chat.sockets import SignedIn
from chat.threads import in_thread

HEARTBEAT_S = 15.0
ROOM_AFTER_S = 10
"""A stream takes about this long: after it there may be room for another."""

ALIVE = ": alive\n\n"
"""A comment of the stream (HTML, 9.2): says to proxies that it lives."""


def sent_event(data: str, kind: str = "", number: int | None = None) -> str:
    """Return an event as it is sent (HTML, 9.2.6). `data` is one line, as JSON is."""
    named = f"event: {kind}\n" if kind else ""
    numbered = "" if number is None else f"id: {number}\n"
    return f"{numbered}{named}data: {data}\n\n"


def event_stream(pieces: AsyncIterator[str], **headers: str) -> StreamingHttpResponse:
    """Answer with server-sent events, which nothing between here and the reader holds back."""
    # Looked for in the type of the content by each piece, where it is not named.
    response = StreamingHttpResponse(pieces, content_type="text/event-stream", charset="utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"  # nginx, ngx_http_proxy_module
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def check_room(by: SignedIn) -> None:
    """Refuse a stream for which there is no room, from the loop, before anything is done for it.

    Raises:
        TooManyStreams: there is none.
    """
    if not sockets.has_room(by):
        raise errors.TooManyStreams(settings.CHAT_SOCKETS_PER_USER, ROOM_AFTER_S)


async def joined(first: str, rest: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """Yield what was taken of a stream already, and the rest of it."""
    async with aclosing(rest):
        yield first
        async for line in rest:
            yield line


async def queued(
    sending: Coroutine[Any, Any, Generation], user: User, *, is_kept: bool = False
) -> Generation:
    """Send to the end, also where the caller leaves meanwhile; then the answer is stopped.

    Args:
        is_kept: whether it is written all the same.
    """
    task = asyncio.create_task(sending, name="send")
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        is_queued = not (task.cancelled() or task.exception())
        if is_queued and not (is_kept or worker.is_leaving()):
            await in_thread(services.stop, user, task.result().pk)
        raise


@asynccontextmanager
async def stopped_when_left(
    generation_id: int, user: User, is_over: Callable[[], bool]
) -> AsyncIterator[None]:
    """Stop an answer where whoever reads it leaves the block before it is over."""
    try:
        yield
    except (GeneratorExit, asyncio.CancelledError):
        # The caller is gone; or this process leaves, which hands over what it can.
        if not (is_over() or worker.is_leaving()):
            await asyncio.shield(in_thread(services.stop, user, generation_id))
        raise


async def entries(
    generation_id: int, by: SignedIn, after: int = 0, *, heartbeat_s: float | None = None
) -> AsyncGenerator[list[Entry] | None, None]:
    """Yield what is in a log behind `after`, and what comes, to its end; None after a silence.

    Counts as a socket. Ends early where the reader may read no more, this process leaves, the
    database is away, or another one took the last room: who was told a number goes on from there.
    While the database takes its time for a read, nothing is said, and nobody is shown out.

    Args:
        heartbeat_s: how long a silence is; HEARTBEAT_S by default.
    """
    with sockets.counted(by) as has_room, Follower(generation_id, after) as follower:
        if not has_room:
            return
        async with guarding(by) as guard:
            guard.add_done_callback(lambda _: follower.leave())
            while not follower.has_ended:
                came = await follower.next(heartbeat_s or HEARTBEAT_S)
                if guard.done():
                    return
                if came or not follower.has_ended:
                    yield came or None
