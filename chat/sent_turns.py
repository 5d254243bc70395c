"""A program's request to the site as a Messages API: saved as a chat like any other.

    messages -> the last answer of this site that they hold -> what is new below it -> an answer

Where that conversation has gone on otherwise, what is new is a branch of it; where an answer is
being written there, or none is known, the messages begin a conversation of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from chat import limits
from chat.blocks import prompt_text
from chat.content import Block, plain_text
from chat.context import SYSTEM
from chat.digests import path_digests
from chat.models import Conversation, Generation, Message, User
from chat.options import Options
from chat.render import render_blocks
from chat.services import queue_answer, title_from

LOOKED_UP = 100
"""So many digests are looked up at once, the last ones first: nearly always the very last is it."""


class _Turn(NamedTuple):
    """A message that was sent, and what its path is known by."""

    role: str
    content: list[Block]
    digest: str
    rendered: list[str]


def send_messages(
    user: User, messages: Sequence[Mapping[str, Any]], options: Options
) -> Generation:
    """Save what is new of a program's messages, and queue the answer to them.

    Args:
        messages: as the Messages API takes them, each with a role and a content.

    Raises:
        LimitReached: there is too much going on.
    """
    limits.check_send(user)
    turns = list(_turns(messages))
    answer, known = _last_answer(user, turns)
    if answer:
        try:
            return _queued_below(user, answer, turns[known:], options)
        except IntegrityError:
            pass  # Deleted meanwhile, or another answer is being written there.
    return _queued_below(user, None, turns, options)


def _turns(messages: Sequence[Mapping[str, Any]]) -> Iterator[_Turn]:
    turns = [(str(message["role"]), _blocks(message["content"])) for message in messages]
    for (role, content), digest in zip(turns, path_digests(turns), strict=True):
        yield _Turn(role, content, digest, [])


def _blocks(content: Any) -> list[Block]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _last_answer(user: User, turns: Sequence[_Turn]) -> tuple[Message | None, int]:
    """Return the last of the messages that was answered here, and how many that makes known.

    Answers that a program brought along do not count: many requests may begin with the same
    examples, and are still no one conversation.
    """
    counts = {turn.digest: count for count, turn in enumerate(turns, start=1)}
    answers = [turn.digest for turn in turns if turn.role == Message.Role.ASSISTANT]
    for end in range(len(answers), 0, -LOOKED_UP):
        digests = answers[max(0, end - LOOKED_UP) : end]
        if ids := dict(_answers(user, digests).values_list("path_digest", "pk")):
            last = max(ids, key=lambda digest: counts[digest])
            rows = Message.objects.select_related("conversation")
            return rows.filter(pk=ids[last]).first(), counts[last]
    return None, 0


def _answers(user: User, digests: Sequence[str]) -> QuerySet[Message]:
    """Return a user's answers of these digests that can be gone on from, the newest one last."""
    own = Conversation.objects.owned_by(user).filter(pk=OuterRef("conversation"))
    written = Generation.objects.filter(message=OuterRef("pk"))
    running = Generation.objects.filter(
        conversation=OuterRef("conversation"), status__in=Generation.RUNNING
    )
    # SQLite takes the index only where its condition stands in the query.
    found = Message.objects.exclude(path_digest="").filter(path_digest__in=digests)
    return found.filter(Exists(own), Exists(written), ~Exists(running)).order_by("pk")


def _queued_below(
    user: User, answer: Message | None, turns: Sequence[_Turn], options: Options
) -> Generation:
    # Before the transaction, in which others may wait: rendering takes its time.
    turns = [_rendered(turn) for turn in turns]
    with transaction.atomic():
        last = answer
        conversation = _locked(answer) if answer else _begun(user, turns)
        for turn in turns:
            last = _add(conversation, last, turn)
        assert last is not None  # noqa: S101  (for the types)
        return queue_answer(user, last, options)


def _rendered(turn: _Turn) -> _Turn:
    is_answer = turn.role == Message.Role.ASSISTANT
    return turn._replace(rendered=render_blocks(turn.content)) if is_answer else turn


def _locked(answer: Message) -> Conversation:
    Conversation.objects.filter(pk=answer.conversation_id).update(updated_at=timezone.now())
    return answer.conversation


def _begun(user: User, turns: Sequence[_Turn]) -> Conversation:
    prompts = (prompt_text(turn.content) for turn in turns if turn.role == Message.Role.USER)
    title = title_from(next(prompts, ""))
    return Conversation.objects.create(owner=user, title=title, is_from_api=True)


def _add(conversation: Conversation, parent: Message | None, turn: _Turn) -> Message:
    is_answer, content = turn.role == Message.Role.ASSISTANT, turn.content
    if turn.role == SYSTEM:
        content = [{"type": SYSTEM, "content": content}]
    return Message.objects.create(
        conversation=conversation,
        parent=parent,
        role=Message.Role.ASSISTANT if is_answer else Message.Role.USER,
        content=content,
        text=plain_text(content),
        rendered=turn.rendered,
        path_digest=turn.digest,
    )
