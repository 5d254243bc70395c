"""Rings for open sockets whose user may have lost the right to read.

A session ends by signing out, an account by being disabled, deleted or given another password.
The sockets that a ring wakes look for themselves (consumers.py).
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from chat import events, services
from chat.models import User


@receiver(post_delete, sender=Session)
def ring_signed_out(sender: type[Session], instance: Session, **kwargs: Any) -> None:
    if user_id := instance.get_decoded().get(SESSION_KEY):
        _ring(int(user_id))


@receiver([post_save, post_delete], sender=User)
def ring_account_changed(sender: type[User], instance: User, **kwargs: Any) -> None:
    if instance.pk:
        _ring(instance.pk)


def _ring(user_id: int) -> None:
    # Not before it is committed: whoever looks earlier sees the old state.
    transaction.on_commit(lambda: events.ring(services.user_topic(user_id)))
