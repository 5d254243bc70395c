"""Whether a reader may read a conversation: when it begins, and for as long as it reads."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from chat import worker
from chat.events import Bell
from chat.models import Conversation, User
from chat.services import user_topic
from chat.sockets import SignedIn
from chat.threads import in_thread


def may_read(user: User, conversation_id: UUID) -> bool:
    return Conversation.objects.owned_by(user).filter(pk=conversation_id).exists()


def is_signed_in(by: SignedIn) -> bool:
    """Whether the session that a reader began with still signs its user in.

    Read anew: the session may be gone or expired, the password changed, the account disabled.
    """
    request = HttpRequest()
    request.session = SessionStore(by.session_key)
    return get_user(request).pk == by.user_id


async def until_over(by: SignedIn) -> None:
    """Wait until the reader may read no more, or this process leaves."""
    with Bell(user_topic(by.user_id), worker.LEAVING_TOPIC) as bell:
        while not worker.is_leaving() and await in_thread(is_signed_in, by):
            # What nobody rings for, rights.watch finds out, for all readers together.
            await bell.wait(None)
            bell.clear()
