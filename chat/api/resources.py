"""What programs are given of conversations, messages and generations (schemas.py describes it)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chat.models import Conversation, Generation, Message
from chat.refused import stored_error_members

Members = dict[str, Any]


def conversation_members(conversation: Conversation, running_id: int | None) -> Members:
    """Return a conversation; `running_id` is of its generation that is not final."""
    return {
        "id": str(conversation.pk),
        "title": conversation.title,
        "is_from_api": conversation.is_from_api,
        "running_generation": running_id,
        "created_at": conversation.created_at.isoformat(),
        "updated_at": conversation.updated_at.isoformat(),
    }


def message_members(message: Message) -> Members:
    """Return a message with the generations that wrote it, in order."""
    generations = sorted(message.generations.all(), key=lambda generation: generation.pk)
    return {
        "id": message.pk,
        "conversation": str(message.conversation_id),
        "parent": message.parent_id,
        "role": message.role,
        "content": message.content,
        "text": message.text,
        "generations": [generation_members(generation) for generation in generations],
        "created_at": message.created_at.isoformat(),
    }


def generation_members(generation: Generation) -> Members:
    return {
        "id": generation.pk,
        "conversation": str(generation.conversation_id),
        "message": generation.message_id,
        "status": generation.status,
        "stop_reason": generation.stop_reason or None,
        "stop_details": generation.stop_details,
        "error": stored_error_members(generation.error_code),
        "model": generation.model,
        "request_id": generation.request_id or None,
        "usage": generation.usage,
        "input_tokens": generation.input_tokens,
        "output_tokens": generation.output_tokens,
        "created_at": generation.created_at.isoformat(),
        "started_at": _iso(generation.started_at),
        "first_word_at": _iso(generation.first_word_at),
        "finished_at": _iso(generation.finished_at),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
