"""The list of a user's conversations: newest first, by day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from chat.models import Conversation, Generation, User

SIDEBAR_CONVERSATIONS = 30
"""So many are listed at once; more are loaded as one scrolls."""


def recent_conversations(user: User, skip: int = 0) -> list[Conversation]:
    """Return one page of conversations and, where there are more, the first one behind it."""
    running = Generation.objects.filter(conversation=OuterRef("pk"), status__in=Generation.RUNNING)
    listed = Conversation.objects.owned_by(user).newest_first().annotate(is_running=Exists(running))
    return list(listed[skip : skip + SIDEBAR_CONVERSATIONS + 1])


def grouped(conversations: Iterable[Conversation]) -> list[tuple[str, list[Conversation]]]:
    """Return conversations under Today, Yesterday, Previous 7 days, and their months."""
    today = timezone.localdate()
    by_group = groupby(conversations, lambda c: _group(timezone.localdate(c.updated_at), today))
    return [(name, list(members)) for name, members in by_group]


def _group(day: date, today: date) -> str:
    if day >= today:
        return gettext("Today")
    if day == today - timedelta(days=1):
        return gettext("Yesterday")
    if day > today - timedelta(days=8):
        return gettext("Previous 7 days")
    return date_format(day, "YEAR_MONTH_FORMAT")
