"""A conversation of many messages, made in one go."""

from __future__ import annotations

import itertools

from django.utils import timezone

from chat.models import Conversation, Generation, Message, User
from chat.render import render

PROMPT = "How does the heron of number {} fish?\nPlease in a few words & with <care>."
ANSWER = "It stands still for a long time, and then strikes at once. " * 8 + "\n\n" + "Wait. " * 40


def make(username: str, messages: int) -> str:
    """Make a conversation of prompts and answers in turn; return its page's address."""
    owner = User.objects.get(username=username)
    conversation = Conversation.objects.create(owner=owner, title="Herons")
    rows = [_message(conversation, number) for number in range(messages)]
    Message.objects.bulk_create(rows)
    for parent, child in itertools.pairwise(rows):
        child.parent = parent
    Message.objects.bulk_update(rows, ["parent"], batch_size=200)
    Generation.objects.bulk_create(
        Generation(
            conversation=conversation,
            message=row,
            model="claude-sonnet-5-5",
            status=Generation.Status.COMPLETE,
            stop_reason="end_turn",
            finished_at=timezone.now(),
            # There is no log of them, as after CHAT_EVENT_DAYS.
            is_pruned=True,
        )
        for row in rows
        if row.role == Message.Role.ASSISTANT
    )
    return f"/c/{conversation.pk}/"


def _message(conversation: Conversation, number: int) -> Message:
    is_prompt = number % 2 == 0
    text = PROMPT.format(number) if is_prompt else ANSWER
    return Message(
        conversation=conversation,
        role=Message.Role.USER if is_prompt else Message.Role.ASSISTANT,
        content=[{"type": "text", "text": text}],
        text=text,
        rendered=[render(text)],
    )
