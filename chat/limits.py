"""How much one person, and the whole site, may have going on at once.

Counted in the database, in the transaction that adds what is counted. One person's requests are
counted one after the other, whatever process they come to, so that a limit of a person holds
exactly. That of the site holds in each process by itself (worker.py); here those are refused
that would only wait in the queue.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from chat import errors, statements
from chat.heartbeat import GUEST, LOST_AFTER_HEARTBEATS
from chat.models import Generation, Process, RecentSend, User

WINDOW = timedelta(minutes=1)

ROOM_AFTER_S = 10
"""An answer takes about this long: after it there may be room for another."""


def count_send(user: User) -> None:
    """Count a generation that the caller's transaction has queued for a user.

    Called after the rows of its conversation were locked: who deletes an account locks them in
    this order too.

    Raises:
        LimitReached: there is too much already; the transaction must be rolled back.
    """
    if connection.features.has_select_for_update:
        # Whoever comes next for this person waits here, and then sees what was committed. In
        # SQLite's transactions everybody waits anyway.
        list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"))
    _count_recent(user)
    own, everybodys = map(sum, zip(*statements.running_of(user.pk), strict=True))
    if own > settings.CHAT_RUNNING_PER_USER:
        raise errors.TooManyRunning(settings.CHAT_RUNNING_PER_USER, ROOM_AFTER_S)
    limit = settings.CHAT_RUNNING_PER_PROCESS
    # One process is enough for most sites; then nobody has to be counted.
    if everybodys > limit and everybodys > limit * _processes():
        raise errors.SiteBusy(limit, ROOM_AFTER_S)


def check_send(user: User) -> None:
    """Refuse early what `count_send` would refuse, before much is done for it.

    Raises:
        TooManyRunning, TooManySends: there is too much already.
    """
    now = timezone.now()
    recent = RecentSend.objects.filter(owner=user, at__gt=now - WINDOW).order_by("at")
    _check_recent(list(recent.values_list("at", flat=True)), now)
    own = Generation.objects.filter(status__in=Generation.RUNNING, conversation__owner=user)
    if own.count() >= settings.CHAT_RUNNING_PER_USER:
        raise errors.TooManyRunning(settings.CHAT_RUNNING_PER_USER, ROOM_AFTER_S)


def wait_s(sent_at: Sequence[datetime], limit: int, now: datetime) -> int:
    """Return after how many seconds one more may be sent; 0: at once.

    Args:
        sent_at: what was sent within the last minute, the oldest first.
    """
    if len(sent_at) < limit:
        return 0
    left = sent_at[-limit] + WINDOW - now
    # Clocks of several machines differ a little: never longer than the rule says.
    return min(max(1, math.ceil(left.total_seconds())), int(WINDOW.total_seconds()))


def _count_recent(user: User) -> None:
    now = timezone.now()
    sent_at = [at for (at,) in statements.sends_of(user.pk)]
    if sent_at and sent_at[0] <= now - WINDOW:
        RecentSend.objects.filter(owner=user, at__lte=now - WINDOW).delete()
    _check_recent([at for at in sent_at if at > now - WINDOW], now)
    statements.insert_send(RecentSend(owner=user, at=now))


def _check_recent(sent_at: Sequence[datetime], now: datetime) -> None:
    limit = settings.CHAT_SENDS_PER_MINUTE
    if left_s := wait_s(sent_at, limit, now):
        raise errors.TooManySends(limit, left_s)


def _processes() -> int:
    """Return how many processes live; a site that has none yet is about to start one."""
    silence = timedelta(seconds=settings.CHAT_HEARTBEAT_S * LOST_AFTER_HEARTBEATS)
    living = Process.objects.filter(heartbeat_at__gte=Now() - silence)
    return max(1, living.exclude(name__startswith=GUEST).count())
