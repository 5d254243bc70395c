"""What a conversation has that a reader does not show: from its rows, or from memory where that
is all that is new.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef

from chat.models import Conversation, Generation, Message, User
from chat.prepared import Prepared
from chat.relay.position import Position
from chat.sent import just_sent
from chat.statements import NEWEST
from chat.transcript import MessageView, load_added, view_again, view_sent

_RUNNING = Generation.objects.filter(conversation=OuterRef("pk"), status__in=Generation.RUNNING)
_conversation = Prepared(
    lambda user, conversation: (
        Conversation.objects.owned_by(User(pk=user))
        .filter(pk=conversation)
        .annotate(**NEWEST, has_running=Exists(_RUNNING))
    ),
    int,
    UUID,
)


class State(NamedTuple):
    """What a reader has to know of the conversation's rows."""

    conversation: Conversation
    added: list[MessageView]
    changed: list[MessageView]
    replaced: list[int]
    running: MessageView | None


def sent_just_now(conversation_id: UUID, position: Position, title: str | None) -> State | None:
    """Return what a prompt adds that came to this process just now, where that is all that is new.

    A thread that reads it back would take a fifth of the time to the first word.

    Args:
        title: what the reader was last told; None where it was told nothing yet: its first look
            asks the database, also whether it may read this.
    """
    sent = just_sent(conversation_id)
    if (
        sent is None
        or position.generation_id
        or position.message_id != (sent.message.parent_id or 0)
        or position.shown_id < sent.newest_before
        or title != sent.conversation.title
    ):
        return None
    added = view_sent(sent)
    return State(sent.conversation, added, [], [], added[-1])


def read_state(user: User, conversation_id: UUID, position: Position) -> State | None:
    """Read what is new; None where the conversation was deleted, or is somebody else's."""
    if not (rows := _conversation(user.pk, conversation_id)):
        return None
    conversation: Any = rows[0]
    if _shows_all(conversation, position):
        return State(conversation, [], [], [], None)
    added, newest = load_added(conversation_id, position.message_id)
    # What runs before what has ended: of what ends in between, nothing would ring any more.
    running = _running(conversation, position, added, newest)
    changed = _changed(newest, position)
    if running and running.message.pk in [view.message.pk for view in changed]:
        # It has ended, here or while the reader was away, and so has what went on with it.
        running = next((view for view in added if view.is_running), None)
    return State(conversation, added, changed, _replaced_by(added, position), running)


def _shows_all(conversation: Any, position: Position) -> bool:
    """Return whether a reader shows all there is, as most looks find, by `NEWEST` alone."""
    return (
        not (position.generation_id or conversation.has_running)
        and (conversation.newest_message or 0) <= position.message_id
        and (conversation.newest_generation or 0) <= position.shown_id
    )


def _changed(newest: Generation | None, position: Position) -> list[MessageView]:
    """Return the last message shown, where a continuation of it ended that is not shown.

    Args:
        newest: the last generation of that message.
    """
    if newest is None or newest.is_running or newest.pk == position.generation_id:
        return []
    view = view_again(position.message_id) if newest.pk > position.shown_id else None
    return [view] if view else []


def _replaced_by(added: list[MessageView], position: Position) -> list[int]:
    """Return the older versions of what was added, which the page may still show."""
    # All others of `added` have a parent among them, whose older children it has not shown either.
    parent_id = added[0].message.parent_id if added else None
    if parent_id is None or parent_id >= position.message_id:
        return []
    siblings = Message.objects.filter(parent=parent_id, pk__lt=added[0].message.pk)
    return list(siblings.values_list("pk", flat=True))


def _running(
    conversation: Any,
    position: Position,
    added: list[MessageView],
    newest: Generation | None,
) -> MessageView | None:
    """Return the answer to follow: the one the reader shows unfinished, else a running one.

    Args:
        newest: the last generation of the last message that the reader shows.
    """
    if position.generation_id:
        rows = conversation.generations.select_related("message")
        shown = rows.filter(pk=position.generation_id).first()
        if shown and shown.message_id <= position.message_id:
            return MessageView(shown.message, shown)
    running = next((v for v in added if v.is_running), None)
    if running is None and newest and newest.is_running:
        running = MessageView(newest.message, newest)
    if running is None and conversation.has_running:
        running = _running_row(conversation)
    # One that was queued after `added` was read comes with the next look, with its message.
    last_id = added[-1].message.pk if added else position.message_id
    return running if running and running.message.pk <= last_id else None


def _running_row(conversation: Conversation) -> MessageView | None:
    rows = conversation.generations.filter(status__in=Generation.RUNNING)
    generation = rows.select_related("message").first()
    return MessageView(generation.message, generation) if generation else None
