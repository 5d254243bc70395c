"""A process's row: it shows that the process lives, and tells of others that do not.

Times are the database's on both sides, so that the clocks of several machines need not agree.
Everything here runs in a thread; the worker decides what to do with what a heartbeat finds.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from chat import errors, events
from chat.ending import Answer, Ending, finish, read_answer
from chat.models import Generation, Process

Status = Generation.Status

LOST_AFTER_HEARTBEATS = 4
"""A process that missed so many heartbeats has lost its generations.

Found within 5 intervals of the last heartbeat: 4 until it counts as lost, and one until another
process looks. With 2 s between two heartbeats that makes 10 s, and with the most that may be
set, 2.5 s, 12.5 s; the rest of the promised 15 s is for writing down the end.
"""

LATE_AFTER_HEARTBEATS = 1.5
"""A heartbeat that comes later than this after the one before was held up."""

FORGET_PROCESS_AFTER = timedelta(hours=1)
"""The row of a process that was killed goes after this time without a heartbeat."""


GUEST = "guest "
"""So begins the name of a process that answers prompts of its own, and takes those of no other.

It comes beside the site, with SQLite too, and looks after nothing but its own answers.
"""

QUEUE_MAX = timedelta(seconds=45)
"""An answer that no process had room for in this time is given up."""


class Findings(NamedTuple):
    """What one heartbeat found, as ids of generations.

    `ending`: this process writes them, and they were stopped or deleted. `queued`: they wait
    for a process. `own`: this process writes them, by what the rows say. `lost`: what another
    one wrote that is dead, each with that owner's id. `changed`: conversations in which another
    one queued an answer, where no ring could tell of that.
    """

    ending: set[int]
    queued: list[int]
    own: set[int]
    lost: list[tuple[int, UUID | None]]
    changed: list[UUID]


class Heartbeat:
    """One process's heartbeat. Not safe to use from more than one thread at a time.

    Args:
        interval_s: the time between two heartbeats, in seconds.
        is_guest: whether the process answers prompts of its own alone.
    """

    def __init__(self, process_id: UUID, interval_s: float, *, is_guest: bool = False) -> None:
        self._process_id = process_id
        self._is_guest = is_guest
        self._interval = timedelta(seconds=interval_s)
        self._now: datetime | None = None
        self._on_time_since: datetime | None = None
        self._is_tidy = False
        self._newest_id: int | None = None

    def beat(self, begun: set[int], *, is_rung: bool) -> Findings:
        """Show that this process lives, and look for what it has to see to.

        Args:
            begun: the generations that it is writing.
            is_rung: whether something waits that nobody else may know of.
        """
        self._show_life()
        own = Generation.objects.filter(owner=self._process_id, status=Status.STREAMING)
        stopped = set(_ids(own.filter(stop_requested_at__isnull=False)))
        deleted = begun.difference(_ids(Generation.objects.filter(pk__in=begun)))
        if self._is_guest:
            return Findings(stopped | deleted, [], set(_ids(own)), [], [])
        queued = Generation.objects.filter(status=Status.QUEUED)
        if not is_rung:
            # Whoever queued them starts them, unless it can't or died before that.
            queued = queued.filter(created_at__lt=Now() - self._interval)
        return Findings(
            stopped | deleted, _ids(queued), set(_ids(own)), self._lost(), self._changed()
        )

    def take_over(self, generation_id: int, owner_id: UUID | None) -> None:
        """End a generation that nobody writes, where no other process did that first.

        Args:
            owner_id: the dead owner; this process, where it has the row and no task for it.
        """
        if owner_id == self._process_id or self._claim(generation_id, owner_id):
            answer = read_answer(generation_id)
            finish(generation_id, self._process_id, answer, Ending(None, errors.OwnerLost.code))
            events.ring(events.topic(generation_id))

    def _claim(self, generation_id: int, owner_id: UUID | None) -> bool:
        """Become the owner; of all that try, one succeeds.

        The log is read afterwards: an old owner that wakes up appends nothing to it any more.
        """
        lost = Generation.objects.filter(
            pk=generation_id, owner_id=owner_id, status=Status.STREAMING
        )
        return lost.update(owner_id=self._process_id) == 1

    def end(self) -> None:
        """Take the process's row away."""
        Process.objects.filter(pk=self._process_id).delete()

    def _show_life(self) -> None:
        row = Process.objects.filter(pk=self._process_id)
        before, now = row.values_list("heartbeat_at", Now()).first() or (None, None)
        if now is None or not row.update(heartbeat_at=Now()):
            now = self._register()
        is_late = before is None or now - before > self._interval * LATE_AFTER_HEARTBEATS
        if is_late or self._on_time_since is None:
            self._on_time_since = now
        self._now = now

    def _register(self) -> datetime:
        process = Process.objects.create(
            pk=self._process_id,
            name=f"{GUEST if self._is_guest else ''}{socket.gethostname()}:{os.getpid()}",
            started_at=Now(),
            heartbeat_at=Now(),
        )
        process.refresh_from_db()
        return process.started_at

    def _lost(self) -> list[tuple[int, UUID | None]]:
        """Return what is being written although its owner is dead, each with that owner's id."""
        others = Generation.objects.filter(status=Status.STREAMING).exclude(owner=self._process_id)
        lost, is_sqlite = Q(pk__in=()), connection.vendor == "sqlite"
        if self._may_judge():
            silent = Q(owner__heartbeat_at__lt=Now() - self._interval * LOST_AFTER_HEARTBEATS)
            lost |= silent | Q(owner=None)
        if is_sqlite:
            # One process is the whole site: what others wrote, nobody writes any more, but guests.
            lost |= Q(owner=None) | ~Q(owner__name__startswith=GUEST)
        if is_sqlite or self._may_judge():
            self._tidy_up()
        return list(others.filter(lost).values_list("pk", "owner_id"))

    def _changed(self) -> list[UUID]:
        """Return the conversations in which others queued answers since the last look.

        With SQLite no ring leaves a process, and pages count on nobody else's.
        """
        if connection.vendor != "sqlite":
            return []
        rows = Generation.objects.order_by("pk").values_list("pk", "conversation_id")
        if self._newest_id is None:
            self._newest_id = rows.values_list("pk", flat=True).last() or 0
        new = list(rows.filter(pk__gt=self._newest_id).exclude(owner=self._process_id))
        self._newest_id = max((pk for pk, _ in new), default=self._newest_id)
        return [conversation_id for _, conversation_id in new]

    def _may_judge(self) -> bool:
        """Whether this process has come on time for as long as others must have been silent.

        After the database was away, all of them are late; each gets the same time to come back.
        """
        assert self._now is not None and self._on_time_since is not None  # noqa: S101  (for the types)
        return self._now - self._on_time_since >= self._interval * LOST_AFTER_HEARTBEATS

    def _tidy_up(self) -> None:
        if not self._is_tidy:
            Process.objects.filter(heartbeat_at__lt=Now() - FORGET_PROCESS_AFTER).delete()
            self._is_tidy = True


def end_waiting() -> None:
    """End what waits for room and was stopped, or waits for too long."""
    waiting = Generation.objects.filter(status=Status.QUEUED)
    stopped = waiting.filter(stop_requested_at__isnull=False)
    overdue = waiting.filter(created_at__lt=Now() - QUEUE_MAX)
    for generation_id in _ids(stopped):
        finish(generation_id, None, Answer(), Ending(Status.STOPPED))
    given_up = Ending(Status.FAILED, errors.NotTaken.code)
    for generation_id in _ids(overdue):
        finish(generation_id, None, Answer(), given_up)


def _ids(generations: QuerySet[Generation]) -> list[int]:
    return list(generations.values_list("pk", flat=True))
