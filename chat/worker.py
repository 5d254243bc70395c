"""This process's generations: start, cancel, heartbeat, drain, recover.

One Worker lives in each process that answers; `start`, `take` and `cancel` may be called from any
thread. A process without one leaves the rows queued: a worker elsewhere takes them.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error
from django.utils import timezone

from chat import events, lanes
from chat.ending import QUEUE_TOPIC, conversation_topic
from chat.generation import Runtime, Taken, run, take
from chat.heartbeat import Findings, Heartbeat, end_waiting
from chat.models import Generation, User
from chat.places import Places
from chat.threads import OwnThread, in_thread

logger = logging.getLogger(__name__)

BEAT_AGAIN_S = 1.0
"""A heartbeat that failed is tried again after this time, or its interval where that is less."""

TAKE_S = 0.05
"""So often it is looked whether what a thread is taking has begun, before the process ends."""

END_S = 4.0
"""Answers that have to end are given so long to write it down, before the process ends."""

PRUNE_INTERVAL_S = 3600.0

LEAVING_TOPIC = "leaving"
"""Rings in this process when its readers have to go to another one, or come back later."""

_current: Worker | None = None
_is_leaving = False


def expect() -> None:
    """Have this process get ready for an answer that will be asked for in a moment."""
    if _current:
        _current.expect()


def start(generation_id: int) -> None:
    """Have a queued generation answered: by this process, or where it ends by another one."""
    if _current:
        _current.start(generation_id)
    else:
        events.ring(QUEUE_TOPIC)


def answer(generation: Generation, owner: User) -> None:
    """Have a generation answered that this thread has just queued, with its message."""
    if _current:
        _current.take(generation, owner)
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


def leave() -> None:
    """Have the readers of this process close: it is about to end."""
    global _is_leaving
    _is_leaving = True
    events.ring_here((LEAVING_TOPIC,))


def is_leaving() -> bool:
    return _is_leaving


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
        is_guest: whether it takes nothing but what `start` and `take` give it, and looks after no
            other process's generations.
    """

    def __init__(self, runtime: Runtime, *, heartbeat_s: float, is_guest: bool = False) -> None:
        self.process_id = runtime.process_id
        self._runtime = runtime
        self._heartbeat_s = heartbeat_s
        self._heartbeat = Heartbeat(runtime.process_id, heartbeat_s, is_guest=is_guest)
        # Neither full threads nor an empty pool make a heartbeat late.
        self._heart = OwnThread("heartbeat")
        self._loop = asyncio.get_running_loop()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._places = Places()
        self._begun: set[int] = set()
        # Stopped while a thread was taking them.
        self._stopped: set[int] = set()
        self._housework: list[asyncio.Task[None]] = []
        self._recovery: asyncio.Task[None] | None = None
        # What runs still has to end now.
        self._is_over = False
        self._is_heard = True
        self._hurry = asyncio.Event()

    async def begin(self) -> None:
        """Register the process, end what a dead one left behind, and start the heartbeat.

        Where the database is away, the heartbeat does so as soon as it is back.
        """
        global _current, _is_leaving
        _is_leaving = False
        looked = asyncio.Event()
        self._housework = [
            asyncio.create_task(self._beat(looked), name="heartbeat"),
            asyncio.create_task(self._prune(), name="prune"),
        ]
        await looked.wait()
        if self._recovery:
            await asyncio.wait({self._recovery})
        _current = self

    def expect(self) -> None:
        """Have a connection opened while a prompt is being saved. From any thread."""
        self._loop.call_soon_threadsafe(self._runtime.claude.prepare)

    def start(self, generation_id: int) -> None:
        """Answer a queued generation. From any thread; may be called twice."""
        self._loop.call_soon_threadsafe(self._start, generation_id)

    def take(self, generation: Generation, owner: User) -> None:
        """Take a generation in the thread that queued it, and answer it. From any thread.

        Another one would ask the database for what this one has in hand, and wait for its turn
        beside it.
        """
        if not self._places.take(generation.pk):
            return self.start(generation.pk)
        taken = None
        try:
            taken = take(generation, owner, self._runtime)
        except Exception:
            # It is saved, and its task finds out what became of it.
            logger.exception("not taken at once", extra={"generation_id": generation.pk})
        self._loop.call_soon_threadsafe(self._begin, generation.pk, taken)

    def cancel(self, generation_id: int) -> None:
        """Cancel the task of a generation whose stop flag is committed. From any thread."""
        self._loop.call_soon_threadsafe(self._cancel, generation_id)

    def hurry(self) -> None:
        """Cut a drain short. From the loop's thread."""
        self._hurry.set()

    async def drain(self, timeout_s: float) -> None:
        """Take no more work, let what runs finish for `timeout_s`, interrupt the rest."""
        global _current
        self._places.close()
        if _current is self:
            _current = None
        hurry = asyncio.create_task(self._hurry.wait(), name="hurry")
        await self._wait_for_tasks(timeout_s, hurry)
        hurry.cancel()
        await asyncio.wait({hurry})
        self._is_over = True
        for generation_id in list(self._tasks):
            self._cancel(generation_id)
        await self._wait_for_tasks(END_S)
        # Where the database is away, they do not wait for it any more: another process, or the
        # next start, ends what this one leaves.
        self._runtime.committer.give_up()
        await self._wait_for_tasks(END_S)
        try:
            async with asyncio.timeout(END_S):
                await self._end()
        except (Error, TimeoutError) as error:
            logger.warning("the process leaves its row behind: %s", type(error).__name__)

    async def _wait_for_tasks(self, timeout_s: float, *others: asyncio.Task[Any]) -> None:
        """Wait for the end of all answers, also of those that a thread is taking, or of another."""
        give_up_at = self._loop.time() + timeout_s
        while self._places and (left_s := give_up_at - self._loop.time()) > 0:
            tasks = {*others, *self._tasks.values()}
            if any(other.done() for other in others):
                return
            if len(self._places) > len(self._tasks):
                left_s = min(left_s, TAKE_S)
            if tasks:
                when = asyncio.FIRST_COMPLETED
                await asyncio.wait(tasks, timeout=left_s, return_when=when)
            else:
                await asyncio.sleep(left_s)

    async def _end(self) -> None:
        housework = [task for task in (*self._housework, self._recovery) if task]
        for task in housework:
            task.cancel()
        if housework:
            await asyncio.wait(housework)
        await self._runtime.claude.close()
        await self._runtime.committer.close()
        await self._heart.call(self._heartbeat.end)
        await self._heart.close()

    def _start(self, generation_id: int) -> None:
        if self._places.take(generation_id):
            self._begin(generation_id, None)
        elif generation_id not in self._places:
            # Another process may have room, and go on for longer.
            events.ring(QUEUE_TOPIC)

    def _begin(self, generation_id: int, taken: Taken | None) -> None:
        """Answer what has a place. `taken`: it was taken already."""
        lanes.hold()
        # A context of its own: the caller's would keep a request and its thread to the end.
        context = contextvars.Context()
        task = self._loop.create_task(
            self._answer(generation_id, taken), name=f"generation-{generation_id}", context=context
        )
        self._tasks[generation_id] = task
        task.add_done_callback(lambda _: self._forget(generation_id), context=context)
        if self._is_over or generation_id in self._stopped:
            self._cancel(generation_id)

    async def _answer(self, generation_id: int, taken: Taken | None) -> None:
        if self._places.is_closed and not taken:
            return events.ring(QUEUE_TOPIC)
        self._begun.add(generation_id)
        try:
            await run(generation_id, self._runtime, taken)
        except asyncio.CancelledError:
            pass  # The generation has its final status; the task's only purpose was that.
        except Exception:
            # The row stays as it is; the next heartbeat finds it without a task.
            logger.exception("answering broke off", extra={"generation_id": generation_id})

    def _forget(self, generation_id: int) -> None:
        self._tasks.pop(generation_id, None)
        self._places.leave(generation_id)
        self._begun.discard(generation_id)
        self._stopped.discard(generation_id)
        if self._places.was_full:
            self._places.was_full = False
            events.ring(QUEUE_TOPIC)

    def _cancel(self, generation_id: int) -> None:
        if generation_id in self._begun:
            self._tasks[generation_id].cancel()
        elif generation_id in self._tasks:
            # Cancelled before its first step, which comes next, it would leave the row as it is.
            self._loop.call_soon(self._cancel, generation_id)
        elif generation_id in self._places:
            self._stopped.add(generation_id)

    async def _beat(self, looked: asyncio.Event) -> None:
        with events.Bell(process_topic(self.process_id), QUEUE_TOPIC) as bell:
            # What a dead process left in the queue is taken at once.
            is_rung = True
            while True:
                bell.clear()
                is_well = await self._look_after(is_rung=is_rung)
                looked.set()
                wait_s = self._heartbeat_s if is_well else min(BEAT_AGAIN_S, self._heartbeat_s)
                is_rung = await bell.wait(wait_s) or (is_rung and not is_well)

    async def _look_after(self, *, is_rung: bool) -> bool:
        """Show that this process lives, and see to what rings told it, or should have."""
        try:
            findings = await self._heart.call(
                self._heartbeat.beat, set(self._begun), is_rung=is_rung
            )
        except Error as error:
            if self._is_heard:
                logger.warning("heartbeats do not reach the database: %s", type(error).__name__)
            self._is_heard = False
            return False
        except Exception:
            logger.exception("a heartbeat failed")
            return False
        if not self._is_heard:
            logger.info("heartbeats reach the database again")
        self._is_heard = True
        self._see_to(findings)
        return True

    def _see_to(self, findings: Findings) -> None:
        for generation_id in findings.ending:
            self._cancel(generation_id)
        events.ring_here(map(conversation_topic, findings.changed))
        lost: list[tuple[int, UUID | None]] = [
            (generation_id, self.process_id)
            for generation_id in findings.own
            if generation_id not in self._places
        ]
        if not self._places.is_closed:
            for generation_id in findings.queued:
                if self._places.take(generation_id):
                    self._begin(generation_id, None)
            lost += findings.lost
        if (lost or self._places.was_full) and (self._recovery is None or self._recovery.done()):
            # Apart, because a log can be long and heartbeats must not wait for it.
            self._recovery = asyncio.create_task(self._recover(lost), name="recovery")

    async def _recover(self, lost: list[tuple[int, UUID | None]]) -> None:
        """End what no living process writes, and what waits for too long."""
        # Processes that find the same ones share them.
        random.shuffle(lost)
        for generation_id, owner_id in lost:
            try:
                await in_thread(self._heartbeat.take_over, generation_id, owner_id)
            except Exception:
                # One that can't be ended must not keep the others, or the start, waiting.
                logger.exception("it can't be ended", extra={"generation_id": generation_id})
        if self._places.was_full:
            try:
                await in_thread(end_waiting)
            except Exception:
                logger.exception("what waits can't be ended")

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
