"""`GET /api/generations/<id>/events`: a log from any number on, as server-sent events.

    id: 7                          the event's number, to come back with
    event: content_block_delta     its kind: the Messages API's own, or kinds.py
    data: {...}                    its payload, to the byte as it is stored

Reading starts and stops nothing. `Last-Event-ID` or `?after=` goes on behind a number;
`?request=n` gives one request to Claude alone, as Claude streamed it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat import errors, services
from chat.api.body import natural
from chat.api.door import Caller, api_view
from chat.api.sse import ALIVE, check_room, entries, event_stream, sent_event
from chat.content import MAX_COUNT
from chat.events import Entry
from chat.kinds import OWN_KINDS, REQUEST
from chat.threads import in_request

LAST = MAX_COUNT - 1
"""Behind it no event comes; a larger number no database's integer takes."""


@api_view("GET", "HEAD")
async def events(request: HttpRequest, caller: Caller, generation_id: int) -> HttpResponseBase:
    """Follow the log of an answer to its end."""
    last_id = request.headers.get("Last-Event-ID") or request.GET.get("after")
    after = min(natural("after", last_id) or 0, LAST)
    number = natural("request", request.GET.get("request"))
    if number == 0:
        raise errors.InvalidRequest("`request` has to be a whole number from 1 on.")
    generation = await in_request(services.get_generation, caller.user, generation_id)
    if generation.is_pruned:
        raise errors.EventsGone
    if request.method == "HEAD":
        return event_stream(_no_events())
    check_room(caller.by)
    return event_stream(_events(generation.pk, caller, after, number))


async def _no_events() -> AsyncIterator[str]:
    """Yield nothing, for HEAD: the stream without its bytes would last as long as the answer."""
    nothing: tuple[str, ...] = ()
    for event in nothing:
        yield event


async def _events(
    generation_id: int, caller: Caller, after: int, number: int | None
) -> AsyncIterator[str]:
    # Of one request everything from the first event on has to be read, to count requests.
    read = entries(generation_id, caller.by, 0 if number else after)
    at_request = 0
    async with aclosing(read):
        async for came in read:
            for entry in came or ():
                at_request += entry.kind == REQUEST
                if number and at_request > number:
                    return
                if entry.seq > after and (number is None or _is_of(entry, at_request, number)):
                    yield sent_event(entry.data, entry.kind, entry.seq)
            if came is None:
                yield ALIVE


def _is_of(entry: Entry, at_request: int, number: int) -> bool:
    return at_request == number and entry.kind not in OWN_KINDS
