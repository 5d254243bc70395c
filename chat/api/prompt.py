"""`POST /api/chat`: a prompt in, its answer's text out as it is written.

    data: {"text":"..."}           a piece of the answer
    data: {"text":"","error":{"code","message","retryable"}}           it did not end well
    data: [DONE]

What fails before the first word is no stream but JSON with a status. Who closes the connection
stops the answer, unless it was asked for in the background.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat import errors, services
from chat.api.body import Members, json_object
from chat.api.door import Caller, api_view, of_named_model
from chat.api.sse import (
    ALIVE,
    check_room,
    entries,
    event_stream,
    joined,
    queued,
    sent_event,
    stopped_when_left,
)
from chat.content import text_of_event
from chat.events import Entry
from chat.json_values import parse_own, write_own
from chat.kinds import FINAL
from chat.models import Generation, User
from chat.options import MAX_MODEL_CHARS, Options
from chat.refused import error_members
from chat.threads import in_request
from chat.tools import offered
from chat.words import clean, with_unix_newlines

FIRST_WORD_S = 10.0
"""An answer that fails within this time, before its first word, is told of by a status."""

PIECE_CHARS = 1_000
"""Longer pieces are sent in parts: who reads the stream chunk by chunk gets whole lines."""

MAX_SECONDS = 3_600.0
DONE = sent_event("[DONE]")


class Asked(NamedTuple):
    """What the body of a request says."""

    text: str
    conversation_id: uuid.UUID | None
    key: uuid.UUID
    is_background: bool
    options: Options


@api_view("POST")
async def chat(request: HttpRequest, caller: Caller) -> HttpResponseBase:
    """Answer a prompt, in a new conversation or a given one."""
    # In a thread: to read a large body takes its time.
    asked = _asked(await in_request(json_object, request))
    check_room(caller.by)
    sending = in_request(_send, caller.user, asked)
    generation = await queued(sending, caller.user, is_kept=asked.is_background)
    lines = _lines(generation, caller, is_background=asked.is_background)
    try:
        first = await anext(lines)
    except errors.GenerationError as error:
        if asked.options.model:
            raise of_named_model(error) from None
        raise
    return event_stream(
        joined(first, lines),
        Chat_Conversation=str(generation.conversation_id),
        Chat_Generation=str(generation.pk),
    )


def _asked(body: dict[str, Any]) -> Asked:
    members = Members(body)
    text = members.text("message")
    if text is None:
        raise errors.InvalidRequest('`message` is missing; send {"message": "Hi"}.')
    asked = Asked(
        text=clean(with_unix_newlines(text)),
        conversation_id=members.uuid("conversation"),
        key=members.uuid("key") or uuid.uuid4(),
        is_background=members.boolean("background") or False,
        options=Options(
            model=members.name("model", maximum=MAX_MODEL_CHARS) or "",
            system=members.text("system"),
            max_tokens=members.integer("max_tokens", minimum=1, maximum=settings.CHAT_MAX_TOKENS),
            tools=_known_tools(members.texts("tools")),
            max_seconds=members.number("max_seconds", minimum=0.1, maximum=MAX_SECONDS),
        ),
    )
    members.check_all_known()
    return asked


def _known_tools(names: list[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    known = offered().names
    if unknown := [name for name in names if name not in known]:
        there_are = ", ".join(f"`{name}`" for name in known) or "none"
        raise errors.InvalidRequest(
            f"`tools` names `{unknown[0][:64]}`, which this site does not offer; "
            f"it offers {there_are}."
        )
    return tuple(names)


def _send(user: User, asked: Asked) -> Generation:
    sent = services.send_prompt(user, asked.conversation_id, asked.text, asked.key, asked.options)
    return sent.generation


async def _lines(
    generation: Generation, caller: Caller, *, is_background: bool
) -> AsyncGenerator[str, None]:
    """Yield the lines of an answer; the first one comes within a moment, whatever Claude does.

    Closing it stops the answer, unless it is written in the background.

    Raises:
        GenerationError: the answer failed before its first word.
    """
    reply = _Reply()
    lines = (
        reply.of_pruned(generation) if generation.is_pruned else reply.of_log(generation, caller)
    )
    left = stopped_when_left(generation.pk, caller.user, lambda: is_background or reply.has_ended)
    async with left, aclosing(lines):
        async for line in lines:
            yield line


class _Reply:
    """Turns what is known of an answer into the lines of its stream."""

    def __init__(self) -> None:
        self.has_ended = False
        self._has_begun = False

    async def of_log(self, generation: Generation, caller: Caller) -> AsyncGenerator[str, None]:
        begun_at = time.monotonic()
        read = entries(generation.pk, caller.by, heartbeat_s=FIRST_WORD_S)
        async with aclosing(read):
            async for came in read:
                for entry in came or ():
                    for line in self._feed(entry):
                        self._has_begun = True
                        yield line
                is_late = not self._has_begun and time.monotonic() >= begun_at + FIRST_WORD_S
                if came is None or is_late:
                    self._has_begun = True
                    yield ALIVE
        if not self.has_ended:
            # Of the answer nothing more is known here, and it goes on.
            yield _error(errors.StreamEnded())
            yield DONE

    async def of_pruned(self, generation: Generation) -> AsyncGenerator[str, None]:
        """Yield the text of an old answer, whose log is gone."""
        self.has_ended = True
        for line in _texts(generation.message.text):
            yield line
        for line in _ending(generation.status, generation.error_code):
            yield line

    def _feed(self, entry: Entry) -> Iterator[str]:
        data = parse_own(entry.data)
        if entry.kind == FINAL:
            self.has_ended = True
            error = _error_of(data["error_code"])
            if error and not self._has_begun:
                raise error
            yield from _ending(data["status"], data["error_code"])
        else:
            yield from _texts(text_of_event(entry.kind, data))


def _texts(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE_CHARS):
        # ASCII alone: a client that decodes each chunk by itself must not cut a character.
        yield _line({"text": text[start : start + PIECE_CHARS]})


def _ending(status: str, error_code: str) -> Iterator[str]:
    if error := _error_of(error_code):
        yield _error(error)
    elif status == Generation.Status.STOPPED:
        yield _error(errors.Stopped())
    yield DONE


def _error_of(error_code: str) -> errors.GenerationError | None:
    return errors.generation_error(error_code)() if error_code else None


def _error(error: errors.ChatError) -> str:
    return _line({"text": "", "error": error_members(error)})


def _line(data: dict[str, Any]) -> str:
    return sent_event(write_own(data))
