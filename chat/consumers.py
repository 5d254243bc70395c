"""The page's websocket: authorise, follow, send frames, stop. It owns its relay task alone.

The page speaks first, and says on each socket anew what it shows:
`{"verb": "follow", ...Position}`. After that, `{"verb": "stop", "generation_id": 7}`, and
`{"verb": "have", "frames": 12}`: how many frames have reached it on this socket (relay/window.py);
`{"verb": "ping"}` of a page that has heard nothing for a while is answered by PONG.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import ExitStack, aclosing
from functools import partial
from typing import Any
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils.translation import activate

from chat import metrics, services, sockets, worker
from chat.language import language_of
from chat.models import Generation, User
from chat.outage import is_outage, tell_outage
from chat.patience import Patience
from chat.relay import (
    ACKNOWLEDGE_S,
    Position,
    Window,
    follow_conversation,
    is_signed_in,
    may_read,
    until_over,
)
from chat.threads import in_thread

logger = logging.getLogger(__name__)

PONG = "<!-- pong -->"
"""Shows a page that the connection lives. It changes nothing, and counts as no frame."""

# Codes for applications (RFC 6455, 7.4.2), named after HTTP's statuses: Daphne raises on those of
# the protocol itself, such as 1011 and 1013.

CLOSE_NOT_ALLOWED = 4403
"""The right to read is gone: the page must not come back by itself."""

CLOSE_TOO_MANY = 4429
"""As many sockets are open as there may be: the page comes back after half a minute at most."""

CLOSE_TRY_AGAIN = 4503
"""Something is in the way: the page comes back within three seconds, and says where it was."""


class ConversationConsumer(AsyncWebsocketConsumer):
    """One socket of one page of one conversation."""

    # A name that no layer has. Rings come through events.Exchange; with a channel of its own a
    # socket could not open while Redis is away.
    channel_layer_alias = "none"
    user: User
    conversation_id: UUID
    _by: sockets.SignedIn
    _window: Window
    _relay: asyncio.Task[None] | None = None
    _guard: asyncio.Task[None] | None = None
    _pong: asyncio.Task[None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._count = ExitStack()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._send_frame = partial(_send_while_open, send)
        # Around all of it: a handler that failed and a process that ends skip `disconnect`.
        with metrics.OPEN_SOCKETS.track_inprogress():
            try:
                await super().__call__(scope, receive, self._send_frame)
            finally:
                await self._end()

    async def connect(self) -> None:
        user: Any = self.scope["user"]
        self.conversation_id = self.scope["url_route"]["kwargs"]["conversation_id"]
        if not user.is_authenticated or not await in_thread(may_read, user, self.conversation_id):
            # Before it is accepted: the same 403 for what is not theirs and what is not there.
            return await self.close()
        self._by = sockets.SignedIn.by(user, self.scope["session"])
        has_room = self._count.enter_context(sockets.counted(self._by))
        await self.accept()
        if not has_room:
            # Not before it is accepted, where a page learns no code: it could not say what is
            # wrong, and would take it for a network without websockets (static/chat/socket.js).
            metrics.refused("too_many_sockets")
            return await self.close(CLOSE_TOO_MANY)
        self.user = user
        self._window = Window()
        self._guard = self._begin(self._close_in_time(), "guard")

    async def dispatch(self, message: Any) -> None:
        # Without the thread in which the library gives connections back: `receive` uses threads of
        # its own where it asks the database, and what a page says most often asks nothing.
        if message["type"] == "websocket.receive":
            return await self.websocket_receive(message)
        await super().dispatch(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._guard is None:
            return  # It is being closed.
        message = _read(text_data)
        if message.get("verb") == "have":
            return self._acknowledge(message.get("frames"))
        if message.get("verb") == "ping":
            return self._answer_ping()
        if not await in_thread(is_signed_in, self._by):
            return await self.close(CLOSE_NOT_ALLOWED)
        if message.get("verb") == "follow":
            self._follow(Position.from_json(message))
        elif message.get("verb") == "stop":
            await self._stop(message)

    async def _end(self) -> None:
        tasks = [task for task in (self._relay, self._guard, self._pong) if task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._count.close()

    def _follow(self, position: Position) -> None:
        if self._relay is None:
            self._relay = self._begin(self._send_frames(position), "relay")

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        return asyncio.create_task(self._closing_if_it_fails(work, name), name=name)

    async def _closing_if_it_fails(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:
            if is_outage(error):
                tell_outage(error)
            else:
                ids = {"conversation_id": self.conversation_id}
                logger.exception("a socket's %s failed", name, extra=ids)
            # The page connects again and says what it shows; nothing is lost.
            await self.close(CLOSE_TRY_AGAIN)

    async def _send_frames(self, position: Position) -> None:
        # Of this task, and of the threads that work for it (asgiref, "Local").
        activate(language_of(self.scope))
        frames = follow_conversation(self.user, self.conversation_id, position)
        with Patience(ACKNOWLEDGE_S) as patience:
            await self._pass_on(frames, patience)

    async def _pass_on(self, frames: AsyncGenerator[str, None], patience: Patience) -> None:
        async with aclosing(frames):
            async for frame in frames:
                is_sent = await self._window.has_room() and await self._send_in_time(
                    frame, patience
                )
                if not is_sent:
                    # It reads again, or is gone: it says where it was when it comes back.
                    return await self.close(CLOSE_TRY_AGAIN)
                self._window.sent(frame)

    async def _send_in_time(self, frame: str, patience: Patience) -> bool:
        """Send a frame; False where the client reads nothing, whatever it acknowledges."""
        try:
            # Not self.send, whose layers take as long as the rest of the way to the socket.
            message = {"type": "websocket.send", "text": frame}
            await patience.wait(self._send_frame(message))
        except TimeoutError:
            return False
        return True

    def _answer_ping(self) -> None:
        # Not awaited: a client that takes nothing must not hold up what else it says.
        if self._pong is None or self._pong.done():
            self._pong = self._begin(self._send_pong(), "pong")

    async def _send_pong(self) -> None:
        with Patience(ACKNOWLEDGE_S) as patience:
            is_sent = await self._send_in_time(PONG, patience)
        if not is_sent:
            await self.close(CLOSE_TRY_AGAIN)

    def _acknowledge(self, frames: object) -> None:
        if isinstance(frames, int):
            self._window.acknowledged(frames)

    async def _stop(self, message: dict[str, Any]) -> None:
        generation_id = message.get("generation_id")
        if not isinstance(generation_id, int):
            return
        try:
            await in_thread(services.stop, self.user, generation_id)
        except Generation.DoesNotExist:
            logger.info("stop of what is not there", extra={"generation_id": generation_id})

    async def _close_in_time(self) -> None:
        """Close the socket when its user may not read any more, or the process leaves."""
        await until_over(self._by)
        if self._relay:
            self._relay.cancel()
        await self.close(CLOSE_TRY_AGAIN if worker.is_leaving() else CLOSE_NOT_ALLOWED)


class ClosedInOutage:
    """Closes a socket whose handshake or message needs a database that is away.

    Before the socket is accepted this refuses it, after which a page comes back as well. It stands
    around all middleware.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._application(scope, receive, send)
        except Exception as error:
            if not is_outage(error):
                raise
            tell_outage(error)
            await send({"type": "websocket.close", "code": CLOSE_TRY_AGAIN})


async def _send_while_open(send: Any, message: dict[str, Any]) -> None:
    """Send a message of ASGI. Some servers raise where the socket is closed (ASGI, "WebSocket")."""
    try:
        await send(message)
    except OSError:
        return  # `disconnect` comes by itself, and ends what sends.


def _read(text_data: str | None) -> dict[str, Any]:
    """Return a message of the page; {} where it is no JSON object."""
    try:
        message = json.loads(text_data or "")
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
