"""What a user can do. Each service checks ownership, changes rows in one transaction, then rings.

Services are synchronous and may be called from any thread; they raise RequestRefused with words
for the person, or Conversation.DoesNotExist (Message, Generation) for what is not theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat import approvals, errors, events, limits, statements, worker
from chat.ending import add_generation
from chat.ending import conversation_topic as conversation_topic
from chat.models import TITLE_MAX_CHARS, Conversation, Generation, IdempotencyKey, Message, User
from chat.options import Options
from chat.sent import Sent as Sent
from chat.sent import keep
from chat.words import clean

TITLE_MAX_WORDS = 10
DEFAULTS = Options()

Check = Callable[[Conversation], None]
"""Raises where a change is not wanted any more; sees the row locked, right before it."""


class _Place(NamedTuple):
    """Where a prompt goes: below the last message of a conversation, if there is one.

    `newest_id` is the conversation's newest generation; 0: it has had none.
    """

    conversation: Conversation
    last_id: int | None
    newest_id: int


def user_topic(user_id: int) -> str:
    """Return the topic that rings when a user's right to read may have changed."""
    return f"user-{user_id}"


def get_generation(user: User, generation_id: int) -> Generation:
    """Return a generation that the user may see; everybody else's does not exist."""
    return _generations_of(user).select_related("message").get(pk=generation_id)


def get_conversation(user: User, conversation_id: UUID) -> Conversation:
    """Return a conversation that the user may see; everybody else's does not exist."""
    return Conversation.objects.owned_by(user).get(pk=conversation_id)


def get_message(user: User, message_id: int) -> Message:
    """Return a message that the user may see; everybody else's does not exist."""
    return _messages_of(user).get(pk=message_id)


def send_prompt(
    user: User,
    conversation_id: UUID | None,
    text: str,
    key: UUID,
    options: Options = DEFAULTS,
) -> Sent:
    """Save a prompt and queue its answer; the same key again gives the same message.

    Args:
        conversation_id: None starts a new conversation.
        text: with LF newlines, cleaned (words.clean).
        options: what is asked of the answer; those of an earlier one count no more.

    Raises:
        AnswerRunning: the conversation has an answer that is not final.
        KeyReused: the key came before, with another text.
        LimitReached: there is too much going on.
        PromptEmpty, PromptTooLong: the text can't be sent.
    """
    _check_prompt(text)
    try:
        with transaction.atomic():
            place = _place_for(user, conversation_id, text)
            message = _add_prompt(place, text)
            # Of a key that came before, the database tells.
            statements.insert_key(IdempotencyKey(owner_id=user.pk, key=key, message_id=message.pk))
            generation = _insert_answer(user, message, options)
            sent = Sent(place.conversation, message, generation, place.newest_id)
            _on_commit(generation, lambda: _begin(sent, user))
    except IntegrityError:
        # Another request got there first: with the same key, or with another prompt.
        if earlier := _sent_before(user, text, key):
            return earlier
        raise errors.AnswerRunning from None
    return sent


def retry(user: User, message_id: int) -> Generation:
    """Queue a new version of the last answer of a conversation; the old one is kept.

    Raises:
        AnswerRunning: an answer of the conversation is not final.
        LimitReached: there is too much going on.
        NothingToRetry: the message is not the conversation's last answer.
    """
    answer = _get_answer(user, message_id)
    try:
        with transaction.atomic():
            if answer.conversation.active_path()[-1] != answer.pk or answer.parent is None:
                raise errors.NothingToRetry
            return queue_answer(user, answer.parent, _options_of(answer))
    except IntegrityError:
        raise errors.AnswerRunning from None


def continue_answer(user: User, message_id: int) -> Generation:
    """Queue a generation that goes on with the last answer of a conversation.

    Raises:
        AnswerRunning: an answer of the conversation is not final.
        LimitReached: there is too much going on.
        NothingToContinue: the message is not the last answer, or is whole, refused or empty.
    """
    answer = _get_answer(user, message_id)
    try:
        with transaction.atomic():
            newest = answer.generations.order_by("-pk").first()
            if newest and newest.is_running:
                raise errors.AnswerRunning
            is_last = answer.conversation.active_path()[-1] == answer.pk
            if not (is_last and newest and newest.is_unfinished and answer.text.strip()):
                raise errors.NothingToContinue
            return _queue_generation(user, answer, _options_of(answer))
    except IntegrityError:
        raise errors.AnswerRunning from None


def stop(user: User, generation_id: int) -> Conversation:
    """Ask for the end of an answer; one that is final already stays as it is."""
    generation = _generations_of(user).get(pk=generation_id)
    asked = Generation.objects.filter(
        pk=generation_id, status__in=Generation.RUNNING, stop_requested_at=None
    ).update(stop_requested_at=timezone.now())
    if asked:
        # Taken in the meantime, its owner sees the flag when it takes it.
        worker.cancel(generation_id, generation.owner_id)
    return generation.conversation


def approve(user: User, generation_id: int, tool_use_id: str, *, is_approved: bool) -> Conversation:
    """Allow or decline a call that waits for the person's word; the same word again is fine.

    Raises:
        AlreadyDecided: the other was said before, or nobody waits for it any more.
        Approval.DoesNotExist: nobody was asked.
    """
    conversation = get_generation(user, generation_id).conversation
    tool_use_id = clean(tool_use_id)
    earlier = approvals.decision(generation_id, tool_use_id)
    if earlier is None and approvals.decide(generation_id, tool_use_id, is_approved=is_approved):
        return conversation
    if approvals.decision(generation_id, tool_use_id) != is_approved:
        raise errors.AlreadyDecided
    return conversation


def rename(
    user: User, conversation_id: UUID, title: str, check: Check = lambda _: None
) -> Conversation:
    """Give a conversation another title; an empty one leaves it as it is."""
    with transaction.atomic():
        conversation = _locked(user, conversation_id)
        check(conversation)
        if title := _shortened(" ".join(title.split())):
            conversation.title = title
            conversation.save(update_fields=["title"])
            transaction.on_commit(lambda: events.ring(conversation_topic(conversation_id)))
    return conversation


def delete(user: User, conversation_id: UUID, check: Check = lambda _: None) -> None:
    """Delete a conversation with all its messages; an answer that is being written ends."""
    with transaction.atomic():
        # Locked, so that no prompt comes in between what is collected and what is deleted.
        conversation = _locked(user, conversation_id)
        check(conversation)
        running = conversation.running_generation()
        running_id = running.pk if running else 0  # Deleting takes it away.
        conversation.delete()
    if running:
        worker.cancel(running_id, running.owner_id)
    events.ring(conversation_topic(conversation_id))


def title_from(text: str) -> str:
    """Return a title: the first words of a text, on one line."""
    words = text.split()
    title = " ".join(words[:TITLE_MAX_WORDS])
    return _shortened(title, is_cut=len(words) > TITLE_MAX_WORDS)


def _shortened(title: str, *, is_cut: bool = False) -> str:
    is_cut = is_cut or len(title) > TITLE_MAX_CHARS
    return f"{title[: TITLE_MAX_CHARS - 1].rstrip()}…" if is_cut else title


def _generations_of(user: User) -> QuerySet[Generation]:
    """Return those that the user may see, with their conversations."""
    rows = Generation.objects.select_related("conversation")
    return rows.filter(conversation__in=Conversation.objects.owned_by(user))


def _messages_of(user: User) -> QuerySet[Message]:
    return Message.objects.filter(conversation__in=Conversation.objects.owned_by(user))


def _get_answer(user: User, message_id: int) -> Message:
    rows = _messages_of(user).select_related("conversation")
    return rows.get(pk=message_id, role=Message.Role.ASSISTANT)


def _check_prompt(text: str) -> None:
    if not text.strip():
        raise errors.PromptEmpty
    size_bytes = len(text.encode())
    if size_bytes > settings.CHAT_PROMPT_MAX_BYTES:
        raise errors.PromptTooLong(size_bytes, settings.CHAT_PROMPT_MAX_BYTES)


def _sent_before(user: User, text: str, key: UUID) -> Sent | None:
    earlier = IdempotencyKey.objects.select_related("message__conversation").filter(
        owner=user, key=key
    )
    if (row := earlier.first()) is None:
        return None
    if row.message.text != text:
        raise errors.KeyReused
    # The first one, where the answer was written anew, or went on, since.
    generations = Generation.objects.select_related("message").filter(message__parent=row.message)
    return Sent(row.message.conversation, row.message, generations.earliest("pk"))


def _place_for(user: User, conversation_id: UUID | None, text: str) -> _Place:
    """Return where a prompt goes: below the last message of the active path."""
    if conversation_id is None:
        begun = Conversation.objects.create(owner=user, title=title_from(text))
        return _Place(begun, None, 0)
    # Locks the row, so that two prompts at once see each other's message as their parent.
    statements.set_updated_of(user.pk, conversation_id, updated_at=timezone.now())
    if not (rows := statements.conversation_of(user.pk, conversation_id)):
        raise Conversation.DoesNotExist
    conversation: Any = rows[0]
    return _Place(conversation, conversation.newest_message, conversation.newest_generation or 0)


def _add_prompt(place: _Place, text: str) -> Message:
    return statements.insert_message(
        Message(
            conversation_id=place.conversation.pk,
            parent_id=place.last_id,
            role=Message.Role.USER,
            content=[{"type": "text", "text": text}],
            text=text,
        )
    )


def _begin(sent: Sent, user: User) -> None:
    worker.answer(sent.generation, user)
    # Before the ring: those who read here have no need to ask the database for it.
    keep(sent)


def _locked(user: User, conversation_id: UUID) -> Conversation:
    return Conversation.objects.owned_by(user).select_for_update().get(pk=conversation_id)


def _options_of(answer: Message) -> Options:
    """Return what was asked of the last generation of an answer."""
    newest = answer.generations.order_by("-pk").first()
    return Options.from_json(newest.options if newest else None)


def queue_answer(user: User, prompt: Message, options: Options) -> Generation:
    """Queue an answer to a message that is saved, in the caller's transaction.

    Raises:
        IntegrityError: an answer of the conversation is not final.
        LimitReached: there is too much going on.
    """
    generation = _insert_answer(user, prompt, options)
    _on_commit(generation, lambda: worker.answer(generation, user))
    return generation


def _insert_answer(user: User, prompt: Message, options: Options) -> Generation:
    answer = statements.insert_message(
        Message(
            conversation_id=prompt.conversation_id,
            parent_id=prompt.pk,
            role=Message.Role.ASSISTANT,
        )
    )
    return _add_generation(user, answer, options)


def _queue_generation(user: User, answer: Message, options: Options) -> Generation:
    """Queue a generation that goes on with an answer, in the caller's transaction."""
    generation = _add_generation(user, answer, options)
    # Not as `answer` is at hand: more may stand in it by now.
    _on_commit(generation, lambda: worker.start(generation.pk))
    return generation


def _add_generation(user: User, answer: Message, options: Options) -> Generation:
    model = options.model or settings.CHAT_MODEL
    generation = add_generation(answer, model, options.to_json())
    # Afterwards, so that a conversation with an answer that is not final is refused as that.
    limits.count_send(user)
    return generation


def _on_commit(generation: Generation, begin: Callable[[], None]) -> None:
    def begin_and_ring() -> None:
        begin()
        events.ring(conversation_topic(generation.conversation_id))

    transaction.on_commit(begin_and_ring)
