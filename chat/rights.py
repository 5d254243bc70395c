"""Rings for open sockets whose user may have lost the right to read.

A session ends by signing out, an account by being disabled, deleted or given another password.
The sockets that a ring wakes look for themselves (consumers.py). A process that changes a row and
can't ring, such as `manage.py shell` or one that Redis is away for, is found out by the watch.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from chat import events, services, sockets
from chat.models import AccessToken, User
from chat.outage import is_outage, tell_outage
from chat.threads import in_thread

logger = logging.getLogger(__name__)

WATCH_S = 2.0
"""So often a process looks after all its sockets at once; within 5 s they have to be closed."""


@receiver(post_delete, sender=Session)
def ring_signed_out(sender: type[Session], instance: Session, **kwargs: Any) -> None:
    if user_id := instance.get_decoded().get(SESSION_KEY):
        _ring(int(user_id))


@receiver(post_delete, sender=AccessToken)
def ring_revoked(sender: type[AccessToken], instance: AccessToken, **kwargs: Any) -> None:
    _ring(instance.owner_id)


@receiver([post_save, post_delete], sender=User)
def ring_account_changed(sender: type[User], instance: User, **kwargs: Any) -> None:
    if instance.pk:
        _ring(instance.pk)


def _ring(user_id: int) -> None:
    # Not before it is committed: whoever looks earlier sees the old state.
    transaction.on_commit(lambda: events.ring(services.user_topic(user_id)))


async def watch() -> None:
    """Ring for this process's sockets whose right has ended, until cancelled."""
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            if signed_in := sockets.signed_in():
                ended = await in_thread(_ended, signed_in)
                events.ring_here([services.user_topic(user_id) for user_id in ended])
        except Exception as error:
            if is_outage(error):
                tell_outage(error)
            else:
                logger.exception("looking after the rights of sockets failed")


def _ended(signed_in: Sequence[sockets.SignedIn]) -> set[int]:
    """Return the users of handshakes that would not succeed any more: a few queries for all."""
    by_token = [by for by in signed_in if by.token_id]
    tokens = AccessToken.objects.filter(
        pk__in={by.token_id for by in by_token}, owner__is_active=True
    )
    good = set(tokens.values_list("pk", flat=True))
    ended = {by.user_id for by in by_token if by.token_id not in good}
    by_session = [by for by in signed_in if not by.token_id]
    return ended | _signed_out(by_session) if by_session else ended


def _signed_out(signed_in: Sequence[sockets.SignedIn]) -> set[int]:
    users = User.objects.filter(pk__in={by.user_id for by in signed_in}, is_active=True)
    passwords = dict(users.values_list("pk", "password"))
    sessions = Session.objects.filter(
        pk__in={by.session_key for by in signed_in}, expire_date__gt=timezone.now()
    )
    keys = set(sessions.values_list("pk", flat=True))
    return {
        by.user_id
        for by in signed_in
        if passwords.get(by.user_id) != by.password or by.session_key not in keys
    }
