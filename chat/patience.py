"""A limit for waits that are many and mostly short: one timer for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Patience:
    """Bounds each of one task's waits, as asyncio.timeout does, at a tenth of its cost.

    Args:
        limit_s: how long one wait may last, in seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._since: float | None = None
        self._is_over = False

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Await it. Raises: TimeoutError, where it takes too long: it is cancelled."""
        if self._timer is None:
            self._task = asyncio.current_task()
            self._timer = self._loop.call_later(self._limit_s, self._look)
        self._since = self._loop.time()
        try:
            return await awaitable
        except asyncio.CancelledError:
            # Somebody else may have cancelled the task meanwhile, who comes first.
            if self._is_over and self._task and self._task.uncancel() == 0:
                raise TimeoutError from None
            raise
        finally:
            self._since = None

    def close(self) -> None:
        """End the timer; the last wait is over."""
        if self._timer:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._since is None:
            return
        due_at = self._since + self._limit_s
        if due_at > self._loop.time():
            self._timer = self._loop.call_at(due_at, self._look)
        elif self._task:
            self._is_over = True
            self._task.cancel()
