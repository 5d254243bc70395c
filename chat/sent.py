"""Prompts that were sent to this process just now: its readers take from memory what they add.

Only what its sender had in hand, for a moment; whoever looks later asks the database. Safe to use
from any thread.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from chat.models import Conversation, Generation, Message

FRESH_S = 1.0
"""For so long a prompt is kept here; readers are rung at once."""

_fresh: dict[UUID, tuple[float, Sent]] = {}  # with times of the monotonic clock
_fresh_lock = threading.Lock()


class Sent(NamedTuple):
    """A prompt that is saved, the conversation that it stands in, and its first generation.

    `newest_before` is the id of the newest generation that the conversation had until then; 0:
    none.
    """

    conversation: Conversation
    message: Message
    generation: Generation
    newest_before: int = 0


def keep(sent: Sent) -> None:
    """Keep what was just committed, for a moment."""
    now = monotonic()
    with _fresh_lock:
        old = [pk for pk, (kept_at, _) in _fresh.items() if kept_at <= now - FRESH_S]
        for conversation_id in old:
            del _fresh[conversation_id]
        _fresh[sent.conversation.pk] = now, sent


def just_sent(conversation_id: UUID) -> Sent | None:
    """Return the newest prompt of a conversation, where it came to this process just now."""
    kept_at, sent = _fresh.get(conversation_id, (0.0, None))
    return sent if kept_at > monotonic() - FRESH_S else None
