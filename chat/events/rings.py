"""Rings: wake-ups for readers. A ring may be lost and is never trusted; the database decides.

A Bell listens to topics in this process. Any thread may ring; bells wait in their own loop.
Where the site has several processes, an Exchange (exchange.py) carries rings between them.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Self

_bells: dict[str, set[Bell]] = {}
# Services ring from their threads while consumers come and go in the loop.
_bells_lock = threading.Lock()
_forward: Callable[[str], None] | None = None


class Bell:
    """Wakes its one waiter when one of its topics is rung. A context manager, made in the loop."""

    def __init__(self, *topics: str) -> None:
        self._topics = topics
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._is_rung = False
        self._waiter: asyncio.Future[bool] | None = None
        self._give_up_at = math.inf  # of the monotonic clock, as the loop's is
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        with _bells_lock:
            for topic in self._topics:
                _bells.setdefault(topic, set()).add(self)
        return self

    def __exit__(self, *error: object) -> None:
        with _bells_lock:
            for topic in self._topics:
                bells = _bells[topic]
                bells.discard(self)
                if not bells:
                    del _bells[topic]
        if self._timer:
            self._timer.cancel()

    def clear(self) -> None:
        """Forget earlier rings: call it before looking at the database, never after."""
        self._is_rung = False

    async def wait(self, timeout_s: float | None) -> bool:
        """Wait for a ring; False when `timeout_s` has passed without one."""
        if self._is_rung:
            return True
        waiter = self._waiter = self._loop.create_future()
        self._give_up_at = math.inf if timeout_s is None else monotonic() + timeout_s
        self._set_timer()
        try:
            return await waiter or self._is_rung
        finally:
            self._waiter = None

    def ring(self) -> None:
        """Wake the waiter, from any thread. A loop that is gone has no waiter to wake."""
        if self._loop.is_closed():
            return
        if threading.get_ident() == self._thread_id:
            self._ring()
        else:
            self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        self._is_rung = True
        self._settle()

    def _set_timer(self) -> None:
        # One that comes too early is left alone, and sets the next: a bell that is rung often waits
        # often, and a timer for each time would take as long as all else.
        if self._timer and self._timer.when() > self._give_up_at:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and self._give_up_at < math.inf:
            self._timer = self._loop.call_at(self._give_up_at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if monotonic() >= self._give_up_at:
            self._settle()
        else:
            self._set_timer()

    def _settle(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(self._is_rung)


def ring(topic: str) -> None:
    """Wake every bell of a topic, in this process at once and in the others soon."""
    ring_here((topic,))
    if _forward:
        _forward(topic)


def ring_here(topics: Iterable[str]) -> None:
    """Wake the bells of some topics in this process alone."""
    with _bells_lock:
        bells = {bell for topic in topics for bell in _bells.get(topic, ())}
    for bell in bells:
        bell.ring()


def ring_readers_here(generation_id: int, newest_kind: str = "") -> None:
    """Wake this process's readers of a log.

    Args:
        newest_kind: of the event that it ends with now; "" where that is not known.
    """
    ring_here((topic(generation_id),))
    if newest_kind == "message_stop":
        ring_here((end_topic(generation_id),))


def ring_all_here() -> None:
    """Wake every bell of this process: rings of others may have been lost."""
    with _bells_lock:
        topics = tuple(_bells)
    ring_here(topics)


def forward_to(forward: Callable[[str], None] | None) -> None:
    """Have every further topic handed to `forward` as well, from the thread that rings."""
    global _forward
    _forward = forward


def topic(generation_id: int) -> str:
    return f"generation-{generation_id}"


def end_topic(generation_id: int) -> str:
    """Is rung when a request has ended, and with it the last words for now have come."""
    return f"generation-{generation_id}-end"
