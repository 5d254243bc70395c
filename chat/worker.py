"""This process's generations: start, cancel, heartbeat, drain, recover.

One Worker lives in each process that answers; `start` and `cancel` may be called from any
thread. A process without one leaves the rows queued: a worker elsewhere takes them.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import random
import socket
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chat import errors, events
from chat.ending import QUEUE_TOPIC, Answer, Ending, finish, read_answer
from chat.generation import Runtime, run
from chat.models import Generation, Process
from chat.threads import in_thread

logger = logging.getLogger(__name__)

LOST_AFTER_HEARTBEATS = 3
"""A process that missed so many heartbeats has lost its generations."""

FORGET_PROCESS_AFTER = timedelta(hours=1)
"""The row of a process that was killed goes after this time without a heartbeat."""

QUEUE_MAX = timedelta(seconds=45)
"""An answer that no process had room for in this time is given up."""

PRUNE_INTERVAL_S = 3600.0

_current: Worker | None = None


def start(generation_id: int) -> None:
    """Have a queued generation answered: by this process, or where it ends by another one."""
    if _current:
        _current.start(generation_id)
    else:
        events.ring(QUEUE_TOPIC)


def cancel(generation_id: int, owner_id: UUID | None) -> None:
    """Have whoever writes a generation end it: its stop flag is set, or it was deleted."""
    if _current:
        _current.cancel(generation_id)
    if owner_id is None:
        # It may wait for room, which nobody may have for long.
        events.ring(QUEUE_TOPIC)
    elif not (_current and _current.process_id == owner_id):
        events.ring(process_topic(owner_id))


def process_topic(process_id: UUID) -> str:
    """Return the topic that rings when a process should look after its generations."""
    return f"process-{process_id}"


def is_running() -> bool:
    return _current is not None


class Worker:
    """Runs generations as tasks of the loop that it was begun in.

    Args:
        heartbeat_s: the time between two heartbeats, in seconds; also how late a stop comes
            whose ring was lost.
    """

    def __init__(self, runtime: Runtime, *, heartbeat_s: float) -> None:
        self.process_id = runtime.process_id
        self._runtime = runtime
        self._heartbeat_s = heartbeat_s
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._begun: set[int] = set()
        self._housework: list[asyncio.Task[None]] = []
        self._is_draining = False
        # Something waits in the queue that this process had no room for.
        self._is_full = False

    async def begin(self) -> None:
        """Register the process, end what a dead one left behind, and start the heartbeat."""
        global _current
        await in_thread(self._register)
        await self.recover()
        self._housework = [
            asyncio.create_task(self._beat(), name="heartbeat"),
            asyncio.create_task(self._prune(), name="prune"),
        ]
        _current = self

    def start(self, generation_id: int) -> None:
        """Answer a queued generation. From any thread; may be called twice."""
        self._loop.call_soon_threadsafe(self._start, generation_id)

    def cancel(self, generation_id: int) -> None:
        """Cancel the task of a generation whose stop flag is committed. From any thread."""
        self._loop.call_soon_threadsafe(self._cancel, generation_id)

    async def drain(self, timeout_s: float) -> None:
        """Take no more work, let what runs finish for `timeout_s`, interrupt the rest."""
        global _current
        self._is_draining = True
        if _current is self:
            _current = None
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=timeout_s)
        for generation_id in list(self._tasks):
            self._cancel(generation_id)
        if self._tasks:
            await asyncio.wait(self._tasks.values())
        await self._end()

    async def recover(self) -> None:
        """Mark as interrupted what no living process writes."""
        for generation_id in await in_thread(self._find_lost):
            try:
                await in_thread(_interrupt, generation_id)
            except Exception:
                # One that can't be ended must not keep the others, or the start, waiting.
                logger.exception("it can't be ended", extra={"generation_id": generation_id})

    async def _end(self) -> None:
        for task in self._housework:
            task.cancel()
        if self._housework:
            await asyncio.wait(self._housework)
        await self._runtime.committer.close()
        await self._runtime.claude.close()
        await in_thread(self._unregister)

    def _start(self, generation_id: int) -> None:
        self._spawn(generation_id)
        if generation_id not in self._tasks:
            # Another process may have room.
            events.ring(QUEUE_TOPIC)

    def _spawn(self, generation_id: int) -> None:
        if self._is_draining or generation_id in self._tasks:
            return
        if len(self._tasks) >= settings.CHAT_RUNNING_PER_PROCESS:
            self._is_full = True
            return
        # A context of its own: the caller's belongs to a request and its thread.
        task = self._loop.create_task(
            self._answer(generation_id),
            name=f"generation-{generation_id}",
            context=contextvars.Context(),
        )
        self._tasks[generation_id] = task
        task.add_done_callback(lambda _: self._forget(generation_id))

    async def _answer(self, generation_id: int) -> None:
        self._begun.add(generation_id)
        try:
            await run(generation_id, self._runtime)
        except asyncio.CancelledError:
            pass  # The generation has its final status; the task's only purpose was that.
        except Exception:
            # The row stays as it is; the next heartbeat finds it without a task.
            logger.exception("answering broke off", extra={"generation_id": generation_id})

    def _forget(self, generation_id: int) -> None:
        self._tasks.pop(generation_id, None)
        self._begun.discard(generation_id)
        if self._is_full:
            self._is_full = False
            events.ring(QUEUE_TOPIC)

    def _cancel(self, generation_id: int) -> None:
        # One that has not begun will see the flag when it takes the generation; cancelled
        # before its first step it would leave the row queued.
        if generation_id in self._begun:
            self._tasks[generation_id].cancel()

    async def _beat(self) -> None:
        with events.Bell(process_topic(self.process_id), QUEUE_TOPIC) as bell:
            # What a dead process left in the queue is taken at once.
            is_rung = True
            while True:
                bell.clear()
                try:
                    await self._look_after(is_rung=is_rung)
                except Exception:
                    logger.exception("heartbeat failed; the next one is in %s s", self._heartbeat_s)
                is_rung = await bell.wait(self._heartbeat_s)

    async def _look_after(self, *, is_rung: bool) -> None:
        """Show that this process lives, and see to what rings told it, or should have."""
        ending, queued = await in_thread(self._beat_rows, set(self._begun), is_rung=is_rung)
        for generation_id in ending:
            self._cancel(generation_id)
        for generation_id in queued:
            self._spawn(generation_id)
        if self._is_full:
            await in_thread(_end_waiting)
        await self.recover()

    def _beat_rows(self, begun: set[int], *, is_rung: bool) -> tuple[set[int], list[int]]:
        """Return which of this process's generations have to end, and which ones wait."""
        alive = Process.objects.filter(pk=self.process_id).update(heartbeat_at=Now())
        if not alive:
            self._register()
        stopped = self._own_rows().filter(stop_requested_at__isnull=False)
        deleted = begun.difference(_ids(Generation.objects.filter(pk__in=begun)))
        waiting = Generation.objects.filter(status=Generation.Status.QUEUED)
        if not is_rung:
            # Whoever queued them starts them, unless it can't or died before that.
            waiting = waiting.filter(created_at__lt=Now() - self._beats(1))
        return deleted.union(_ids(stopped)), _ids(waiting)

    async def _prune(self) -> None:
        """Delete old logs from time to time, a few at once."""
        while True:
            # Spread, so that the processes of a site do not all do it at once.
            await asyncio.sleep(PRUNE_INTERVAL_S * random.uniform(0.5, 1.0))  # noqa: S311
            ended_before = timezone.now() - timedelta(days=settings.CHAT_EVENT_DAYS)
            try:
                while await in_thread(events.prune, ended_before):
                    pass
            except Exception:
                logger.exception("old events can't be deleted")

    def _find_lost(self) -> list[int]:
        """Return the generations that nobody writes although they are being written."""
        streaming = Generation.objects.filter(status=Generation.Status.STREAMING)
        own = set(_ids(self._own_rows())) - set(self._tasks)
        if connection.vendor == "sqlite":
            # One process is the whole site: what others wrote, nobody writes any more.
            others = streaming.exclude(owner=self.process_id)
        else:
            silent_since = Now() - self._beats(LOST_AFTER_HEARTBEATS)
            others = streaming.filter(Q(owner=None) | Q(owner__heartbeat_at__lt=silent_since))
        return [*own, *_ids(others)]

    def _own_rows(self) -> QuerySet[Generation]:
        return Generation.objects.filter(owner=self.process_id, status=Generation.Status.STREAMING)

    def _beats(self, number: int) -> timedelta:
        return timedelta(seconds=self._heartbeat_s * number)

    def _register(self) -> None:
        # Database time on both sides, so that clocks of several machines need not agree.
        Process.objects.filter(heartbeat_at__lt=Now() - FORGET_PROCESS_AFTER).delete()
        Process.objects.create(
            pk=self.process_id,
            name=f"{socket.gethostname()}:{os.getpid()}",
            started_at=Now(),
            heartbeat_at=Now(),
        )

    def _unregister(self) -> None:
        Process.objects.filter(pk=self.process_id).delete()


def _interrupt(generation_id: int) -> None:
    generation = Generation.objects.filter(pk=generation_id).first()
    if generation:
        answer = read_answer(generation_id)
        finish(generation_id, generation.owner_id, answer, Ending(None, errors.OwnerLost.code))


def _end_waiting() -> None:
    """End what waits for room and was stopped, or waits for too long."""
    waiting = Generation.objects.filter(status=Generation.Status.QUEUED)
    stopped = waiting.filter(stop_requested_at__isnull=False)
    overdue = waiting.filter(created_at__lt=Now() - QUEUE_MAX)
    for generation_id in _ids(stopped):
        finish(generation_id, None, Answer(), Ending(Generation.Status.STOPPED))
    given_up = Ending(Generation.Status.FAILED, errors.NotTaken.code)
    for generation_id in _ids(overdue):
        finish(generation_id, None, Answer(), given_up)


def _ids(generations: QuerySet[Generation]) -> list[int]:
    return list(generations.values_list("pk", flat=True))
