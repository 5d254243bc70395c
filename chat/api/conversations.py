"""`/api/conversations`: a person's conversations, and the messages of each.

GET lists and reads, PATCH gives another title, DELETE takes one away with all that is in it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Length
from django.http import HttpRequest, HttpResponse

from chat import errors, services
from chat.api.body import Members, json_object
from chat.api.conditional import check_match, json_answer
from chat.api.door import Caller, api_view
from chat.api.pages import Place, cursor_at, cursor_behind, cut, limit_of, number_of, place_of
from chat.api.resources import conversation_members, message_members
from chat.models import TITLE_MAX_CHARS, Conversation, Generation, Message

PART_CHARS = 4_000_000
"""A part of a list of messages ends before so much content, or behind its first message."""


@api_view("GET", "HEAD")
def conversations(request: HttpRequest, caller: Caller) -> HttpResponse:
    """List the conversations, the one that was written in last before all others."""
    limit = limit_of(request)
    running = Generation.objects.filter(conversation=OuterRef("pk"), status__in=Generation.RUNNING)
    rows = Conversation.objects.owned_by(caller.user).newest_first()
    if place := place_of(request):
        is_older = Q(updated_at__lt=place.at) | Q(updated_at=place.at, id__lt=place.id)
        rows = rows.filter(is_older)
    listed: Any = rows.annotate(running_id=Subquery(running.values("pk")[:1]))[: limit + 1]
    shown, last = cut(list(listed), limit)
    items = [conversation_members(row, row.running_id) for row in shown]
    following = cursor_at(Place(last.updated_at, last.pk)) if last else None
    return json_answer(request, {"items": items, "next": following})


@api_view("GET", "HEAD", "PATCH", "DELETE")
def conversation(request: HttpRequest, caller: Caller, conversation_id: UUID) -> HttpResponse:
    """Read a conversation, rename it or delete it."""
    if request.method == "PATCH":
        return _rename(request, caller, conversation_id)
    if request.method == "DELETE":
        services.delete(caller.user, conversation_id, lambda row: check_match(request, _of(row)))
        return HttpResponse(status=204)
    return json_answer(request, _of(services.get_conversation(caller.user, conversation_id)))


@api_view("GET", "HEAD")
def messages(request: HttpRequest, caller: Caller, conversation_id: UUID) -> HttpResponse:
    """List the messages that lead to the newest one; with `?all=1` all versions of all."""
    limit, after = limit_of(request), number_of(request)
    in_all = request.GET.get("all", "0")
    if in_all not in ("0", "1"):
        raise errors.InvalidRequest("`all` has to be 1, for all versions, or 0.")
    talk = services.get_conversation(caller.user, conversation_id)
    generations = Generation.objects.defer("options", "timeline")
    rows = talk.messages.order_by("pk").filter(pk__gt=after).defer("rendered", "durations_s")
    rows = rows.prefetch_related(Prefetch("generations", generations))
    if in_all == "0":
        # Children come after their parents: a path goes up by number.
        path = [pk for pk in talk.active_path() if pk > after]
        rows = rows.filter(pk__in=path[: limit + 1])
    limit = _fitting(rows, limit)
    shown, last = cut(list(rows[: limit + 1]), limit)
    items = [message_members(row) for row in shown]
    return json_answer(request, {"items": items, "next": cursor_behind(last.pk) if last else None})


def _fitting(rows: QuerySet[Message], limit: int) -> int:
    """Return how many of the rows fit in an answer; the first one always does."""
    sizes = rows.annotate(chars=Length(Cast("content", TextField()))).values_list(
        "chars", flat=True
    )
    total, fitting = 0, 0
    for chars in sizes[:limit]:
        total += chars
        if fitting and total > PART_CHARS:
            break
        fitting += 1
    return max(fitting, 1)


def _rename(request: HttpRequest, caller: Caller, conversation_id: UUID) -> HttpResponse:
    members = Members(json_object(request))
    title = members.name("title", maximum=TITLE_MAX_CHARS)
    members.check_all_known()
    if title is None or not title.strip():
        raise errors.InvalidRequest('A title is missing; send {"title": "Herons"}.')
    renamed = services.rename(
        caller.user, conversation_id, title, lambda row: check_match(request, _of(row))
    )
    return json_answer(request, _of(renamed))


def _of(conversation: Conversation) -> dict[str, Any]:
    running = conversation.running_generation()
    return conversation_members(conversation, running.pk if running else None)
