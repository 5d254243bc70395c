"""A limit for waits that are many and mostly short: one timer for all of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from time import monotonic
from typing import Self, TypeVar

T = TypeVar("T")


class Patience:
    """Bounds each of many waits, one at a time, as asyncio.timeout does, at a tenth of its cost.

    A context manager: behind the block no timer is left.

    Args:
        limit_s: how long one wait may last, in seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._since: float | None = None
        self._has_cancelled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """Await it. Raises: TimeoutError, where it takes too long: it is cancelled."""
        task = self._task = asyncio.current_task(self._loop)
        assert task is not None  # noqa: S101  (for the types)
        cancelling = task.cancelling()
        self._since = monotonic()  # A loop's clock is the same, at three times the cost.
        if self._timer is None:
            self._timer = self._loop.call_later(self._limit_s, self._look)
        try:
            return await awaitable
        finally:
            self._since = None
            if self._has_cancelled:
                self._has_cancelled = False
                # Somebody else may have cancelled the task meanwhile, who comes first.
                is_own = task.uncancel() <= cancelling
                if is_own and isinstance(sys.exception(), asyncio.CancelledError):
                    raise TimeoutError

    def _look(self) -> None:
        self._timer = None
        if self._since is None or self._task is None:
            return
        due_at = self._since + self._limit_s
        if due_at > monotonic():
            self._timer = self._loop.call_at(due_at, self._look)
        else:
            self._has_cancelled = True
            self._task.cancel()
