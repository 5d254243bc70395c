"""Turns: so much goes on at once, and the rest waits in order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """An async context manager whose block only so many are in at once. For one event loop.

    Whenever none of them has come out for a while, because all may be waiting for something, one
    more is let in: who needs nothing of that shall not wait for it.

    Args:
        at_once: so many.
        patience_s: that while, in seconds.
    """

    def __init__(self, at_once: int, patience_s: float) -> None:
        self._at_once = at_once
        self._patience_s = patience_s
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._moved_at = 0.0  # of the loop's clock
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        if self._inside < self._at_once:
            self._inside += 1
            self._moved_at = loop.time()
            return
        waiter = loop.create_future()
        self._waiting.append(waiter)
        self._watch(loop)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif not waiter.cancelled():
                self._leave(loop)  # It was let in just before.
            raise

    async def __aexit__(self, *error: object) -> None:
        self._leave(asyncio.get_running_loop())

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        self._inside -= 1
        self._moved_at = loop.time()
        if self._inside < self._at_once:
            self._let_in()

    def _let_in(self) -> None:
        """Let the next one in, where somebody waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._inside += 1
                waiter.set_result(None)
                return

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is None and self._waiting:
            due_at = self._moved_at + self._patience_s
            self._timer = loop.call_at(due_at, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if loop.time() >= self._moved_at + self._patience_s:
            self._moved_at = loop.time()
            self._let_in()
        self._watch(loop)
