"""An answer as one message of the Messages API: its events as they come, or all of it at once.

What is told is what Claude sent, event by event. A request that was made again is told of once,
and the last event waits until the answer is saved: who has it can go on with the conversation.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from typing import Any

from chat import errors
from chat.api.door import Caller, of_named_model
from chat.api.message_errors import error_event
from chat.api.sse import entries, sent_event, stopped_when_left
from chat.content import Content
from chat.events import Entry
from chat.kinds import FINAL, OWN_KINDS
from chat.models import Generation

PING_S = 10.0
"""A stream that has begun is silent for at most so long."""

PING = sent_event('{"type": "ping"}', "ping")


class Reply:
    """The message that answers a request. Leaving it before its end stops the answer.

    Where this site ends it first (StreamEnded), because its reader may read no more or this
    process leaves, the answer goes on.
    """

    def __init__(self, generation: Generation, caller: Caller) -> None:
        self._generation_id = generation.pk
        self._caller = caller
        self._has_begun = self._has_ended = False
        self._last: Entry | None = None

    async def lines(self, request_id: str) -> AsyncGenerator[str, None]:
        """Yield the events of a stream.

        Raises:
            ChatError: it ended before the message began; later that is an event of its own.
        """
        has_begun = False
        try:
            async with aclosing(self._entries()) as read:
                async for entry in read:
                    if entry:
                        has_begun = True
                        yield sent_event(entry.data, entry.kind)
                    elif has_begun:
                        yield PING
        except errors.ChatError as error:
            if not has_begun:
                raise
            yield error_event(error, request_id)

    async def whole(self) -> dict[str, Any]:
        """Return the message when it is complete.

        Raises:
            ChatError: it ended otherwise.
        """
        message = WholeMessage()
        async with aclosing(self._entries()) as read:
            async for entry in read:
                if entry:
                    message.feed(entry.kind, json.loads(entry.data))
        return message.members()

    async def _entries(self) -> AsyncGenerator[Entry | None, None]:
        """Yield the events of the message, and None in each silence."""
        read = entries(self._generation_id, self._caller.by, heartbeat_s=PING_S)
        left = stopped_when_left(self._generation_id, self._caller.user, lambda: self._has_ended)
        async with left, aclosing(read):
            async for came in read:
                for entry in self._told(came or ()):
                    yield entry
                if came is None:
                    yield None
            if not self._has_ended:
                raise errors.StreamEnded

    def _told(self, came: Iterable[Entry]) -> Iterator[Entry]:
        for entry in came:
            if entry.kind == "message_stop":
                self._last = entry
            elif entry.kind == "message_start" and not self._has_begun:
                self._has_begun = True
                yield entry
            elif entry.kind == FINAL:
                self._has_ended = True
                _check_complete(json.loads(entry.data))
                if self._last:
                    yield self._last
            elif self._has_begun and entry.kind not in _UNTOLD:
                yield entry


# Why a request failed is told where it is not made again, with the end of the answer.
_UNTOLD = OWN_KINDS | {"error", "message_start"}


def _check_complete(final: dict[str, Any]) -> None:
    if code := final["error_code"]:
        raise of_named_model(errors.generation_error(code)())
    if final["status"] != Generation.Status.COMPLETE:
        raise errors.Stopped


class WholeMessage:
    """A message put together from its events, as SDKs do it."""

    def __init__(self) -> None:
        self._content = Content()
        self._message: dict[str, Any] = {}

    def feed(self, kind: str, data: dict[str, Any]) -> None:
        """Take in one event; kinds that are not known add nothing."""
        self._content.feed(kind, data)
        if kind == "message_start":
            self._message = dict(data["message"])
        elif kind == "message_delta":
            beside = {k: v for k, v in data.items() if k not in ("type", "delta", "usage")}
            for name, value in {**beside, **data.get("delta", {})}.items():
                if value is not None or name not in self._message:
                    self._message[name] = value

    def members(self) -> dict[str, Any]:
        """Return the message as it is sent."""
        return {**self._message, "content": self._content.blocks(), "usage": self._content.usage}
