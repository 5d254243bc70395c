"""Answers whose logs a benchmark writes in its own process; once Django is set up, in a thread."""

from __future__ import annotations

import uuid


def make_process() -> uuid.UUID:
    """Make the process that owns them; return its id."""
    from django.utils import timezone

    from chat.models import Process

    now = timezone.now()
    return Process.objects.create(name="bench", started_at=now, heartbeat_at=now).pk


def make_generations(process_id: uuid.UUID, number: int) -> list[int]:
    """Make answers that are being written, each in a conversation of its own; return their ids."""
    from chat.models import Conversation, Generation, Message, User

    user, _ = User.objects.get_or_create(username="somebody")
    ids = []
    for _ in range(number):
        conversation = Conversation.objects.create(owner=user, title="Herons")
        message = Message.objects.create(conversation=conversation, role="assistant")
        generation = Generation.objects.create(
            conversation=conversation, message=message, owner_id=process_id, status="streaming"
        )
        ids.append(generation.pk)
    return ids
