"""What a page follows by where no websocket opens: a stream of events, or questions.

Both carry the frames that a socket carries (relay), from where the page says that it is. A stream
ends by itself before much of it can be under way, because a page acknowledges nothing here; it
comes back at once, and says where it is then.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from chat import metrics, sockets
from chat.models import User
from chat.relay import Position, follow_conversation, may_read, while_allowed

STREAM_CHARS = 256_000
"""A stream ends behind so much; at most four bytes a character."""

HEARTBEAT_S = 15.0
ALIVE = "<!-- alive -->"
"""After so much silence a stream says that it lives, to proxies and to its page."""

ANSWER_CHARS = 500_000
"""An answer to a question ends behind so much, or with a single larger frame."""

GATHER_MIN_S = 0.5
GATHER_MAX_S = 10.0
"""For so long an answer gathers what comes."""

FRAME_END = "\x1e"
"""Stands between the frames of an answer (static/chat/socket.js)."""

_LINE_END = re.compile(r"\r\n|\r|\n")


@never_cache
@require_GET
async def stream(request: HttpRequest, conversation_id: UUID) -> HttpResponseBase:
    """Follow a conversation by server-sent events, one for each frame."""
    user, by = await _reader(request, conversation_id)
    if not sockets.has_room(by):
        metrics.refused("too_many_sockets")
        return HttpResponse(status=429)
    position = Position.from_json(request.GET)
    frames = follow_conversation(user, conversation_id, position)
    response = StreamingHttpResponse(
        _events(frames, position, by), content_type="text/event-stream"
    )
    response.headers["X-Accel-Buffering"] = "no"  # nginx, ngx_http_proxy_module
    return response


@never_cache
@require_GET
async def changes(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Return what is new in a conversation, and what comes within a moment."""
    user, _ = await _reader(request, conversation_id)
    position = Position.from_json(request.GET)
    async with aclosing(follow_conversation(user, conversation_id, position)) as frames:
        # In somebody's words it would end a frame, and HTML allows it nowhere; JSON escapes it.
        gathered = (
            frame.replace(FRAME_END, "\ufffd") for frame in await _gathered(frames, position)
        )
        return HttpResponse(FRAME_END.join(gathered))


async def _reader(request: HttpRequest, conversation_id: UUID) -> tuple[User, sockets.SignedIn]:
    """Return who asks; 404 for what is not theirs."""
    user: Any = await request.auser()
    if not await sync_to_async(may_read)(user, conversation_id):
        raise Http404
    return user, sockets.SignedIn.by(user, request.session)


async def _events(
    frames: AsyncGenerator[str, None], position: Position, by: sockets.SignedIn
) -> AsyncIterator[str]:
    """Yield frames as server-sent events (HTML, 9.2) until it is better to begin anew."""
    chars = 0
    reading = while_allowed(by, lambda: anext(frames, None), HEARTBEAT_S)
    with sockets.counted(by):
        async with aclosing(frames), aclosing(reading) as read:
            async for frame in read:
                yield _event(ALIVE if frame is None else frame)
                chars += len(frame or "")
                if chars >= STREAM_CHARS and not position.is_between:
                    return


def _event(frame: str) -> str:
    lines = (f"data: {line}\n" for line in _LINE_END.split(frame))
    return "".join([*lines, "\n"])


async def _gathered(frames: AsyncIterator[str], position: Position) -> list[str]:
    """Return the frames of a moment. The longer the first takes, the longer is the moment.

    To take up a long answer where the page has it takes its time, which must not be most of it.
    """
    loop = asyncio.get_running_loop()
    begun_at = loop.time()
    gathered: list[str] = []
    chars = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(GATHER_MAX_S) as moment:
            async for frame in frames:
                if not gathered:
                    took_s = loop.time() - begun_at
                    wait_s = min(max(GATHER_MIN_S, 10 * took_s), GATHER_MAX_S)
                    moment.reschedule(loop.time() + wait_s)
                gathered.append(frame)
                chars += len(frame)
                if chars > ANSWER_CHARS and not position.is_between:
                    break
    return gathered
