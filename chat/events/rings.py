"""Rings: wake-ups for readers. A ring may be lost and is never trusted; the database decides.

A Bell listens to one topic in this process. Any thread may ring; bells wait in their own loop.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Self

_bells: dict[str, set[Bell]] = {}
# Services ring from their threads while consumers come and go in the loop.
_bells_lock = threading.Lock()


class Bell:
    """Wakes its one waiter when its topic is rung. A context manager, made in the loop."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def __enter__(self) -> Self:
        with _bells_lock:
            _bells.setdefault(self._topic, set()).add(self)
        return self

    def __exit__(self, *error: object) -> None:
        with _bells_lock:
            bells = _bells[self._topic]
            bells.discard(self)
            if not bells:
                del _bells[self._topic]

    def clear(self) -> None:
        """Forget earlier rings: call it before looking at the database, never after."""
        self._rung.clear()

    async def wait(self, timeout_s: float | None) -> bool:
        """Wait for a ring; False when `timeout_s` has passed without one."""
        if self._rung.is_set():
            return True
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True

    def ring(self) -> None:
        """Wake the waiter, from any thread. A loop that is gone has no waiter to wake."""
        if _running_loop() is self._loop:
            self._rung.set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._rung.set)


def ring(topic: str) -> None:
    """Wake every bell of a topic in this process."""
    with _bells_lock:
        bells = tuple(_bells.get(topic, ()))
    for bell in bells:
        bell.ring()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
