"""What every prompt asks the database and writes there, with SQL that is made once (prepared.py).

Whoever asks knows why, and in which transaction.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from chat.models import Conversation, Generation, IdempotencyKey, Message, RecentSend, User
from chat.prepared import Insert, Prepared, Update

# To send

set_updated_of = Update(
    lambda user, conversation: Conversation.objects.owned_by(User(pk=user)).filter(pk=conversation),
    int,
    UUID,
    sets=["updated_at"],
)
_MESSAGES = Message.objects.filter(conversation=OuterRef("pk")).order_by("-pk")
_GENERATIONS = Generation.objects.filter(conversation=OuterRef("pk")).order_by("-pk")
NEWEST = {
    "newest_message": Subquery(_MESSAGES.values("pk")[:1]),
    "newest_generation": Subquery(_GENERATIONS.values("pk")[:1]),
}
"""Of a conversation: the ids of its last message and its newest generation; None: there is none."""

conversation_of = Prepared(
    lambda user, conversation: (
        Conversation.objects.owned_by(User(pk=user)).filter(pk=conversation).annotate(**NEWEST)
    ),
    int,
    UUID,
)
insert_message = Insert(Message)
insert_key = Insert(IdempotencyKey)
insert_generation = Insert(Generation)

# To count what is sent

sends_of = Prepared(
    lambda user: RecentSend.objects.filter(owner=user).order_by("at").values_list("at"), int
)
insert_send = Insert(RecentSend)
# The user's and everybody's, for each status that there is.
running_of = Prepared(
    lambda user: (
        Generation.objects.filter(status__in=Generation.RUNNING)
        .values("status")
        .annotate(own=Count("pk", filter=Q(conversation__owner=user)), everybodys=Count("pk"))
        .values_list("own", "everybodys")
    ),
    int,
)

# To take a generation

_CLAIMED = ["status", "owner_id", "started_at"]
claim = Update(
    lambda pk: Generation.objects.filter(pk=pk, status=Generation.Status.QUEUED),
    int,
    sets=_CLAIMED,
)
claim_unstopped = Update(
    lambda pk: Generation.objects.filter(
        pk=pk, status=Generation.Status.QUEUED, stop_requested_at=None
    ),
    int,
    sets=_CLAIMED,
)
generation = Prepared(lambda pk: Generation.objects.filter(pk=pk), int)
message = Prepared(lambda pk: Message.objects.filter(pk=pk), int)
owner = Prepared(lambda conversation: User.objects.filter(conversations=conversation), UUID)


def _refusals(conversation: UUID) -> QuerySet[Generation]:
    return Generation.objects.filter(conversation=conversation, stop_reason="refusal")


# Each says whether there are `refusals` in the conversation: in most there are none to ask for.
messages_to = Prepared(
    lambda conversation, last: Message.objects.filter(
        conversation=conversation, pk__lte=last
    ).annotate(has_refusals=Exists(_refusals(conversation))),
    UUID,
    int,
)
refusals = Prepared(_refusals, UUID)

# To end it

set_updated = Update(
    lambda conversation: Conversation.objects.filter(pk=conversation), UUID, sets=["updated_at"]
)
locked_generation = Prepared(
    lambda pk: Generation.objects.filter(pk=pk).select_for_update(of=("self",), no_key=True), int
)
set_record = Update(
    lambda pk: Generation.objects.filter(pk=pk, status__in=Generation.RUNNING),
    int,
    sets=[
        *("status", "error_code", "finished_at", "first_word_at", "request_id", "options"),
        *("stop_reason", "stop_details", "usage", "input_tokens", "output_tokens", "timeline"),
    ],
)
digest_before = Prepared(
    lambda message: Message.objects.filter(children=message).values_list("path_digest"), int
)
set_content = Update(
    lambda pk: Message.objects.filter(pk=pk),
    int,
    sets=["content", "text", "rendered", "durations_s", "path_digest"],
)

# To show what is new

messages_after = Prepared(
    lambda conversation, after: Message.objects.filter(
        conversation=conversation, pk__gt=after
    ).order_by("pk"),
    UUID,
    int,
)
generations_from = Prepared(
    lambda conversation, message: Generation.objects.filter(
        conversation=conversation, message__gte=message
    ).order_by("pk"),
    UUID,
    int,
)
newest_generation = Prepared(
    lambda message: Generation.objects.filter(message=message).order_by("-pk")[:1], int
)


# To show

# From one message to the one before it, so that nothing older is touched.
_END_OF_PATH = f"""
WITH RECURSIVE path(id, parent_id, length) AS (
  SELECT id, parent_id, 1 FROM {Message._meta.db_table}
  WHERE id = (SELECT MAX(id) FROM {Message._meta.db_table} WHERE conversation_id = %s)
  UNION ALL
  SELECT message.id, message.parent_id, path.length + 1
  FROM path JOIN {Message._meta.db_table} message ON message.id = path.parent_id
  WHERE path.length < %s
) SELECT id FROM path ORDER BY length DESC
"""  # noqa: S608


def end_of_path(conversation_id: UUID, limit: int) -> list[int]:
    """Return the ids of the last messages of the active path (Conversation.active_path)."""
    stored_id = Conversation._meta.pk.get_db_prep_value(conversation_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(_END_OF_PATH, [stored_id, limit])
        return [pk for (pk,) in cursor.fetchall()]
