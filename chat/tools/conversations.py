"""A tool that searches in a person's own conversations, and in nobody else's."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q

from chat.models import Conversation, Generation, Message, User
from chat.tools.registry import ToolError, tool

MAX_WORDS = 8
MAX_QUERY_CHARS = 200
MAX_FOUND = 20
EXCERPT_CHARS = 300


@tool
def search_conversations(user: User, query: str, limit: int = 5) -> list[dict[str, Any]]:
    """Search in the earlier conversations of the person you talk to, the newest first.

    Finds messages, theirs and yours, that hold all words of the query, in any order.

    Args:
        query: one word or a few.
        limit: how many messages to return at most, from 1 to 20.
    """
    words = query.split()
    if not words or len(words) > MAX_WORDS or len(query) > MAX_QUERY_CHARS:
        raise ToolError(
            f"The query takes 1 to {MAX_WORDS} words, and {MAX_QUERY_CHARS} characters at most."
        )
    holds_all = Q()
    for word in words:
        holds_all &= Q(text__icontains=word)
    # What was refused, and what was asked then, never goes back to Claude (context.py).
    refused = Generation.objects.filter(
        Q(message=OuterRef("pk")) | Q(message__parent=OuterRef("pk"))
    )
    rows = Message.objects.filter(
        ~Exists(refused.filter(stop_reason="refusal")),
        holds_all,
        conversation__in=Conversation.objects.owned_by(user),
    ).select_related("conversation")
    newest = rows.order_by("-pk")[: min(max(limit, 1), MAX_FOUND)]
    return [_found(message, words[0]) for message in newest]


def _found(message: Message, word: str) -> dict[str, Any]:
    return {
        "conversation": message.conversation.title,
        "written_by": "the person" if message.role == Message.Role.USER else "you",
        "written_at": message.created_at.isoformat(timespec="minutes"),
        "excerpt": excerpt(message.text, word),
    }


def excerpt(text: str, word: str) -> str:
    """Return the part of a text around a word."""
    at = max(0, text.lower().find(word.lower()))
    start = max(0, at - EXCERPT_CHARS // 3)
    cut = text[start : start + EXCERPT_CHARS]
    before, after = "…" if start else "", "…" if start + EXCERPT_CHARS < len(text) else ""
    return before + " ".join(cut.split()) + after
