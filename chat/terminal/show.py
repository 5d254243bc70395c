"""A generation's log on standard output, and how it ended: an exit code, a sentence, an object."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from chat.blocks import view_blocks
from chat.content import text_of_event
from chat.events import Entry, Follower
from chat.models import Generation
from chat.refused import stored_error_members
from chat.terminal.output import Output
from chat.terminal.signals import EarlyEnd
from chat.transcript import MessageView

LOOK_S = 0.1
"""One reader may look into the database so often, where no ring comes from another process."""

Form = Callable[[Entry], str]


def as_text(entry: Entry) -> str:
    """Return what an event brings of the answer's text."""
    return text_of_event(entry.kind, json.loads(entry.data))


def as_event(entry: Entry) -> str:
    """Return an event as one line; the number of the line is the number of the event."""
    return f"{entry.kind} {entry.data}\n"


def as_nothing(entry: Entry) -> str:
    return ""


def form_of(options: dict[str, Any]) -> Form:
    """Return how events are shown, by a command's options."""
    if options["events"]:
        return as_event
    return as_nothing if options["json"] else as_text


async def copy(
    generation_id: int, form: Form, output: Output, early: EarlyEnd, *, after: int = 0
) -> None:
    """Write what is in a log behind `after`, and what comes, until its end."""
    with Follower(generation_id, after, look_s=LOOK_S) as follower:
        while came := await follower.next():
            if early.is_broken:
                continue
            try:
                # In a thread: who reads slowly must not hold up the heartbeat of this process.
                await asyncio.to_thread(output.write, "".join(map(form, came)))
            except BrokenPipeError:
                early.reader_is_gone()


def find(generation_id: int) -> Generation | None:
    """Return a generation with its message; None where there is none any more."""
    rows = Generation.objects.select_related("message")
    return rows.filter(pk=generation_id).first()


def notice(generation: Generation) -> str:
    """Return what a person should know of how an answer ended; "" for a plain end."""
    message = generation.message
    blocks = view_blocks(message.content, message.rendered)
    said = MessageView(message, generation, [*blocks.values()]).notice
    if not generation.error_code:
        return said
    return f"{said} ({generation.error_code}, generation {generation.pk})"


def exit_code(generation: Generation, early: EarlyEnd) -> int:
    """Return 0 for a whole answer, what a shell expects of one that a signal ended, else 1."""
    is_asked = early.code and (early.is_broken or generation.status == Generation.Status.STOPPED)
    return early.code if is_asked else int(generation.status != Generation.Status.COMPLETE)


def as_json(generation: Generation) -> str:
    """Return an ended answer as one line of JSON, in ASCII."""
    told = {
        "text": generation.message.text,
        "conversation": str(generation.conversation_id),
        "message": generation.message_id,
        "generation": generation.pk,
        "status": generation.status,
        "error": stored_error_members(generation.error_code),
        "stop_reason": generation.stop_reason,
        "model": generation.model,
        "request_id": generation.request_id,
        "usage": generation.usage,
        "input_tokens": generation.input_tokens,
        "output_tokens": generation.output_tokens,
    }
    return json.dumps(told) + "\n"
